"""From Markdown to a part of a page: headings with anchors, coloured code, tables that scroll, and what it says for
the search. Links are told apart from their text, so that the site can lead and check them."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

from markdown_it import MarkdownIt
from markdown_it.token import Token
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import get_lexer_by_name
from pygments.util import ClassNotFound

from ..quoting import markup
from ..reference.lexer import CnnLexer

ALIASES = {"js": "javascript"}
LEVEL_OF_ENTRIES = 4  # of the entries of words, which are no headings


class Section(NamedTuple):
    """A heading with what follows it. `anchor` is empty for what stands before the first one."""

    level: int
    title: str
    anchor: str
    text: str


class RenderedPage(NamedTuple):
    """Markdown made into HTML, and its sections."""

    html: str
    sections: tuple[Section, ...]

    @property
    def title(self) -> str:
        return next((section.title for section in self.sections if section.title), "")


Lead = Callable[[str], str | None]  # from the target of a link to that in the site; None where there is none


def rendered(text: str, lead: Lead, indented: str = "", html: bool = False) -> RenderedPage:
    """A text as HTML. `lead` says where its links lead, `indented` the language of its indented code; with `html`,
    what it has of HTML is taken as such."""
    parser = MarkdownIt("commonmark", {"html": html}).enable("table")
    tokens: list[Token] = []
    parsed = parser.parse(text)
    for opening, inline, closing in zip(parsed, parsed[1:], parsed[2:], strict=False):
        if opening.type == "th_open" and not inline.content:
            opening.tag = closing.tag = "td"  # nothing that could be the head of a column
    for token in parsed:
        tokens.extend(_changed(token, lead, indented))
    sections = _named(tokens)
    return RenderedPage(parser.renderer.render(tokens, parser.options, {}), sections)


def coloured(text: str, language: str) -> str:
    """Code as HTML, in colours where its language is known."""
    try:
        lexer = CnnLexer() if language == "cnn" else get_lexer_by_name(ALIASES.get(language, language or "text"))
    except ClassNotFound:
        return markup(text)
    inside: str = highlight(text, lexer, HtmlFormatter(nowrap=True))
    return inside


def code(text: str, language: str) -> str:
    """A block of code, which the keyboard can scroll."""
    return f'<pre tabindex="0"><code>{coloured(text, language)}</code></pre>\n'


def slug(title: str) -> str:
    """What a link names after `#`, as GitHub writes it."""
    return re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")


def _changed(token: Token, lead: Lead, indented: str) -> list[Token]:
    if token.type in ("fence", "code_block"):
        language = token.info.split()[0] if token.info.strip() else indented if token.type == "code_block" else ""
        return [_raw(code(token.content, language), token.content)]
    if token.type == "html_block" and token.content.lstrip().startswith("<!--"):
        return []
    if token.type == "table_open":
        return [_raw('<div class="scroll" tabindex="0" role="group" aria-label="a table">'), token]
    if token.type == "table_close":
        return [token, _raw("</div>\n")]
    if token.type == "inline" and token.children:
        token.children = _led(token.children, lead)
    return [token]


def _led(children: list[Token], lead: Lead) -> list[Token]:
    """A line with its links and pictures led on; a link that leads nowhere is its text."""
    found: list[Token] = []
    dropped = 0
    for child in children:
        if child.type == "link_open":
            target = lead(str(child.attrs["href"]))
            if target is None:
                dropped += 1
                continue
            child.attrs["href"] = target
        elif child.type == "link_close" and dropped:
            dropped -= 1
            continue
        elif child.type == "image":
            target = lead(str(child.attrs["src"]))
            if target is not None:
                child.attrs["src"] = target
                child.attrs["loading"] = "lazy"
        found.append(child)
    return found


def _raw(html: str, said: str = "") -> Token:
    return Token("html_block", "", 0, content=html, meta={"said": said})


def _named(tokens: list[Token]) -> tuple[Section, ...]:
    """Give headings, and the entries of words, their anchors, and gather what is said below each."""
    level, title, anchor = 0, "", ""
    said: list[str] = []
    found: list[Section] = []
    seen: dict[str, int] = {}
    for i, token in enumerate(tokens):
        entry = _entry(tokens[i + 1]) if token.type == "paragraph_open" else ""
        if token.type == "heading_open" or entry:
            found.append(Section(level, title, anchor, " ".join(said)))
            heading = not entry
            title, said = _plain(tokens[i + 1]) if heading else entry, []
            level = int(token.tag[1:]) if heading else LEVEL_OF_ENTRIES
            base = slug(tokens[i + 1].content) if heading else slug(entry.split()[0])
            count = seen[base] = seen.get(base, -1) + 1
            anchor = f"{base}-{count}" if count else base
            token.attrs["id"] = anchor
        elif token.type == "inline" and tokens[i - 1].type != "heading_open":
            said.append(_plain(token))
        elif token.type == "html_block" and token.meta.get("said"):
            said.append(str(token.meta["said"]))
    found.append(Section(level, title, anchor, " ".join(said)))
    return tuple(section for section in found if section.title or section.text)


def _entry(token: Token) -> str:
    """`conv FxKxK` of a paragraph that begins with it in bold, as the entry of a word does; empty for any other."""
    children = [child for child in token.children or () if child.type != "text" or child.content]
    kinds = [child.type for child in children[:3]]
    return children[1].content if kinds == ["strong_open", "code_inline", "strong_close"] else ""


def _plain(token: Token) -> str:
    parts = [
        c.content if c.type in ("text", "code_inline") else " " * (c.type == "softbreak")
        for c in token.children or ()
    ]
    return "".join(parts)
