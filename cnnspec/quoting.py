"""Text of others made harmless where it is written out: names of files, of classes and of values, and messages.

    visible(text)     a line for people     no character of it ends the line or moves the cursor of a terminal
    page(text)        lines of ours         the same, but for the line ends
    comment(text)     a comment in generated source, which ends where we end it
    literal(text)     a text in generated source
    remark(text)      a line of a docstring in generated source
    markup(text)      text and attribute values of HTML and SVG
    markdown(text)    code in Markdown

Names that become names of generated source go through `codegen.names`. There is no other way in.
"""

from __future__ import annotations

from html import escape
from unicodedata import category

SIGNLESS = "\N{REPLACEMENT CHARACTER}"
OBEYED = ("Cc", "Cf", "Cs", "Co", "Zl", "Zp")  # controls, bidirectional marks, line and paragraph separators
COMMANDS = ("::", "##[", "##vso[")  # how a line of a log gives orders to a runner of workflows


def sign(character: str) -> str:
    """A character as it is, or a harmless one in place of one that is obeyed: `␛` for an escape."""
    if character.isprintable() or category(character) not in OBEYED:
        return character
    code = ord(character)
    return chr(0x2400 + code) if code < 0x20 else SIGNLESS


def visible(text: object) -> str:
    """A text on one line, without a character that a terminal or a reader of lines would obey."""
    text = str(text)
    return text if text.isprintable() else "".join(map(sign, text))


def page(text: str) -> str:
    """Lines of ours, in which only the line ends are obeyed."""
    return "\n".join(map(visible, text.split("\n")))


def comment(text: object) -> str:
    """`# conv1`: the comment that says this, whatever it is."""
    return f"# {visible(text)}".rstrip()


def literal(text: str) -> str:
    r"""`"conv1"`: the text in source of Python, between double quotes and in printable characters.

    literal('a"b\n') == '"a\\"b\\n"'
    """
    written = repr(text)
    inside = written[1:-1]
    return written if written[0] == '"' else '"' + inside.replace("\\'", "'").replace('"', '\\"') + '"'


def remark(text: object) -> str:
    """A text in a docstring between three double quotes: none of it ends the docstring or escapes."""
    return visible(text).replace("\\", "/").replace('"', "'")


def markup(text: object) -> str:
    """A text in HTML or SVG, between tags or in an attribute's quotes."""
    return escape(visible(text))


def markdown(text: object) -> str:
    """A text as code in Markdown: its backticks cannot end it."""
    return "`" + visible(text).replace("`", "'") + "`"
