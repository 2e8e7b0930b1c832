"""Text of others made harmless where it is written out: names of files, of classes and of values, and messages.

    visible(text)     a piece of a line: no character of it ends the line or moves the cursor of a terminal
    line(text)        a whole line of a log, which gives no orders to a runner of workflows either
    page(text)        lines of ours, likewise
    comment(text)     a comment in generated source, which ends where we end it
    literal(text)     a text in generated source; literals(texts) a tuple of them
    script_comment(text), script_literal(text)   the same in JavaScript, which may stand in a page
    json_text(data)   a document for machines
    remark(text)      a line of a docstring in generated source
    markup(text)      text and attribute values of HTML and SVG
    markdown(text)    code in a line of Markdown; code_block(text) lines of a spec
    argument(path)    a path in a command that is told, to be pasted into a shell

Names that become names of generated source go through `codegen.names`. There is no other way in.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from unicodedata import category

SIGNLESS = "\N{REPLACEMENT CHARACTER}"
OBEYED = ("Cc", "Cf", "Cs", "Co", "Zl", "Zp")  # controls, bidirectional marks, line and paragraph separators
ORDER = re.compile(r"##(?=\[|vso\[)", re.IGNORECASE)  # to a runner of workflows, anywhere in a line of its log
HASHES = r"#\\x23"  # the same two characters in a literal
FIRST = re.compile(r"\s*::[A-Za-z].*::")  # the same, where a line begins


def sign(character: str) -> str:
    """A character as it is, or a harmless one in place of one that is obeyed: `␛` for an escape."""
    code = ord(character)
    none = code & 0xFFFE == 0xFFFE or 0xFDD0 <= code <= 0xFDEF  # a noncharacter, which XML cannot hold
    if not none and (character.isprintable() or category(character) not in OBEYED):
        return character
    return chr(0x2400 + code) if code < 0x20 else SIGNLESS


def visible(text: object) -> str:
    """A text on one line, without a character that a terminal or a reader of lines would obey."""
    text = str(text)
    return disarmed(text if text.isprintable() else "".join(map(sign, text)))


def disarmed(text: str) -> str:
    """A text in which `##[error]` is no order, and which is as wide as it was."""
    return ORDER.sub("#\N{MUSIC SHARP SIGN}", text) if "##" in text else text


def line(text: object) -> str:
    """A text that is a line of its own.

    One that would give an order begins with the name of a file, and `./::error ::...` names it as well.
    """
    shown = visible(text)
    return f"./{shown}" if FIRST.match(shown) else shown


def page(text: str) -> str:
    """Lines of ours, in which only line ends and tabs are obeyed."""
    return "\n".join("\t".join(map(line, row.split("\t"))) for row in text.split("\n"))


def comment(text: object) -> str:
    """`# conv1`: the comment that says this, whatever it is."""
    return f"# {visible(text)}".rstrip()


def literal(text: str) -> str:
    r"""`"conv1"`: the text in source of Python, between double quotes and in printable characters.

    literal('a"b\n') == '"a\\"b\\n"'
    """
    written = repr(text)
    inside = written[1:-1]
    if written[0] == "'":
        inside = inside.replace("\\'", "'").replace('"', '\\"')
    return f'"{ORDER.sub(HASHES, inside)}"'


def literals(texts: Iterable[str]) -> str:
    """`("cat", "dog")`"""
    written = list(map(literal, texts))
    return f"({', '.join(written)}{',' * (len(written) == 1)})"


def script_comment(text: object) -> str:
    """`// conv1`: a comment of JavaScript, which no tag in it ends either, where the script stands in a page."""
    return f"// {visible(text).replace('<', chr(0x2039))}".rstrip()


def script_literal(text: str) -> str:
    r"""`"conv1"`: the text in source of JavaScript, in ASCII, and no tag where the script stands in a page.

    script_literal("</script>") == '"\\u003c/script>"'
    """
    import json

    return ORDER.sub(r"#\\u0023", json.dumps(text)).replace("<", r"\u003c")


def json_text(document: object) -> str:
    """A document as JSON in lines and in ASCII, which neither a terminal nor a runner of workflows obeys."""
    import json

    return ORDER.sub(r"#\\u0023", json.dumps(document, indent=2)) + "\n"


def remark(text: object) -> str:
    """A text in a docstring between three double quotes: none of it ends the docstring or escapes."""
    return visible(text).replace("\\", "/").replace('"', "'")


def markup(text: object) -> str:
    """A text in HTML or SVG, between tags or in an attribute's quotes."""
    from html import escape

    return escape(visible(text))


def markdown(text: object) -> str:
    """A text as code in Markdown: its backticks cannot end it."""
    return "`" + visible(text).replace("`", "'") + "`"


def code_block(text: str) -> str:
    """Lines of a spec in Markdown, behind a fence that is longer than any within."""
    fence = "`" * max(3, 1 + max((len(run) for run in re.findall("`+", text)), default=0))
    return f"{fence}cnn\n{page(text)}\n{fence}"


def argument(path: object) -> str:
    """`'my net.cnn'`: a path as one argument of a command for a shell, which takes none for an option."""
    import shlex

    shown = visible(path)
    return shlex.quote(f"./{shown}" if shown.startswith("-") else shown)


def plotted(text: object) -> str:
    """A text in a figure of matplotlib, which takes what stands between two dollars for mathematics."""
    return visible(text).replace("\\", "/").replace("$", r"\$")
