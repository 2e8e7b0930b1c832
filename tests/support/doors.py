"""Text that would be obeyed if it were let through, and what is left of a document when its texts are taken out.

A test writes a document twice, with a harmless text and with `HOSTILE`, and holds the two skeletons side by side:
where they are the same, nothing of the text became code, markup, a line or an order.
"""

from __future__ import annotations

import ast
import io
import json
import re
import sys
import tokenize
from collections.abc import Iterator
from contextlib import contextmanager
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree as xml

CANARY = "C"  # the file that appears where some of a text runs
CODE = f'open("{CANARY}","w")#'
BREAKS = "\n\r\x0b\x0c\x1c\x85\u2028\u2029"
MARKUP = "</script><b>`](x)$\\frac{$'\"]}"
HOSTILE = "".join(f"{end}{CODE}" for end in BREAKS) + "\x1b]0;x\x07\x9b31m\u202e\n::error ::x ##[error]y " + MARKUP
FILE = HOSTILE.replace("/", "")  # what the name of a file can hold
QUOTED = FILE.replace("\n", "").replace('"', "")  # what stands within the quotes of a spec
LINE = HOSTILE.replace("\n", "")
HARMLESS = "plain"


@contextmanager
def streams() -> Iterator[io.BytesIO]:
    """Standard output and standard error, kept."""
    kept, before = io.BytesIO(), (sys.stdout, sys.stderr)
    sys.stdout = sys.stderr = io.TextIOWrapper(kept, encoding="utf-8", newline="", write_through=True)
    try:
        yield kept
    finally:
        sys.stdout.flush()
        sys.stdout.detach()  # else its end would close what it wrote to
        sys.stdout, sys.stderr = before


def cli(*arguments: object) -> str:
    """What a command prints."""
    code, said = call(*arguments)
    assert code in (0, 1), said
    return said


def call(*arguments: object) -> tuple[int, str]:
    """The exit code of a command, and what it prints."""
    from cnnspec.cli import program
    from cnnspec.cli.outcome import finish

    given = [str(argument) for argument in arguments]
    with streams() as kept:
        code = finish(lambda: program.main(given, prog_name="cnnspec", standalone_mode=False))
    return code, kept.getvalue().decode()


# ---- skeletons -------------------------------------------------------------------------------------------


def lines(text: str) -> object:
    """How many lines there are; none of them moves a cursor or gives an order to a runner of workflows."""
    found = text.split("\n")
    for line in found:
        assert line.isprintable(), ascii(line)
        assert not re.match(r"\s*::[A-Za-z].*::", line), line
        assert "##[" not in line, line
    return len(found)


def annotations(text: str) -> object:
    """The commands of a workflow: what each line begins with, and its properties."""
    for line in text.split("\n"):
        assert line.isprintable() and "\x1b" not in line
    return [re.sub(r"file=[^,:]*", "", line).split("::")[:2] for line in text.splitlines()]


class Blank(ast.NodeTransformer):
    """Takes the texts out of a program, and numbers its names in the order in which they appear."""

    def __init__(self) -> None:
        self.names: dict[str, str] = {}

    def number(self, name: str) -> str:
        return self.names.setdefault(name, f"n{len(self.names)}")

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        return ast.Constant("") if isinstance(node.value, str) else node

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        self.generic_visit(node)
        return ast.Attribute(node.value, self.number(node.attr), node.ctx)

    def visit_Name(self, node: ast.Name) -> ast.AST:
        return ast.Name(self.number(node.id), node.ctx)

    def visit_arg(self, node: ast.arg) -> ast.AST:
        return ast.arg(self.number(node.arg))


def program(text: str) -> object:
    """The tree of a program; its comments end where they should for every reader of lines."""
    for line in text.split("\n"):
        assert line.isprintable(), ascii(line)
    comments = [t for t in tokenize.generate_tokens(io.StringIO(text).readline) if t.type == tokenize.COMMENT]
    return ast.dump(Blank().visit(ast.parse(text))), len(comments)


SCRIPT = re.compile(
    r"""(?P<comment>//[^\n]*|/\*.*?\*/)|(?P<text>"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|`(?:[^`\\]|\\.)*`)"""
    r"""|(?P<name>[^\W\d][\w$]*)|(?P<space>\s+)|(?P<other>.)""",
    re.DOTALL,
)


def script(text: str) -> object:
    """The tokens of a script without its texts, its names numbered; no tag in it ends it within a page."""
    for line in text.split("\n"):
        assert line.isprintable(), ascii(line)
    assert "</" not in text and "<!--" not in text
    names: dict[str, str] = {}
    found = []
    for token in SCRIPT.finditer(text):
        kind = str(token.lastgroup)
        if kind == "name":
            found.append(names.setdefault(token[0], f"n{len(names)}"))
        elif kind != "space" and not (kind == "comment" and found[-1:] == ["comment"]):  # a long one is broken
            found.append(token[0] if kind == "other" else kind)
    return found


class Tags(HTMLParser):
    """The elements of a page, with the names of their attributes, and the documents within its scripts."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[object] = []
        self.script: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, [name for name, _ in attrs]))
        if dict(attrs).get("type") == "application/json":
            self.script = ""

    def handle_data(self, data: str) -> None:
        if self.script is not None:
            self.script += data

    def handle_endtag(self, tag: str) -> None:
        if self.script is not None:
            self.found.append(blank(json.loads(self.script)))
        self.script = None


def page(text: str) -> object:
    tags = Tags()
    tags.feed(text)
    tags.close()
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202e]", text)
    return tags.found


def elements(text: str) -> object:
    """The elements of an XML document, which is well-formed."""
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202e]", text)
    return [(element.tag, sorted(element.attrib)) for element in xml.fromstring(text).iter()]


def blank(value: object) -> object:
    """A document of JSON without its texts."""
    if isinstance(value, dict):
        return {key: blank(item) for key, item in value.items()}
    if isinstance(value, list):
        return [blank(item) for item in value]
    return "" if isinstance(value, str) else value


def document(text: str) -> object:
    assert text.isascii() and "\x1b" not in text and "##[" not in text
    return blank(json.loads(text))


def statements(text: str) -> object:
    """Mermaid or dot, without what stands in quotes."""
    assert all(line.isprintable() for line in text.split("\n"))
    return re.sub(r'"(?:[^"\\]|\\.)*"', '""', text)


def markdown(text: str) -> object:
    """Markdown without its code."""
    assert all(line.isprintable() for line in text.split("\n"))
    text = re.sub(r"^(`{3,})cnn\n.*?\n\1$", "", text, flags=re.S | re.M)
    return re.sub(r"`[^`\n]*`", "``", text)


def text_of(path: Path) -> str:
    """The text of a file with its line ends as they are."""
    return path.read_bytes().decode()


def nothing_ran(folder: Path) -> None:
    assert not list(folder.rglob(CANARY)) and not Path(CANARY).exists()
