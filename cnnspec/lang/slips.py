"""Syntax errors in words: what was probably meant.

Each slip that people make has a function; the first that recognises the place tells it in its own words.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from lark import Token

from ..diagnostics import Source, Span
from ..ops import WORDS
from .findings import Findings, Proposal, replace
from .spelling import ELSEWHERE, british
from .suggest import nearest
from .tree import Attr, Call, Name, Value


def explain(tokens: list[Token], index: int, expected: set[str], source: Source, findings: Findings) -> None:
    """Report the syntax error at a token (`index` may be past the last one: the end of the file)."""
    token = tokens[index] if index < len(tokens) else None
    if token is not None and not token:  # added by the layout, which has reported why
        return
    span = place(token, tokens[-1], source)
    shown = (
        "the end of the file" if token is None else "the end of the line" if token.type == "_SEP" else f"`{token}`"
    )
    findings.report("CNN001", f"{shown} cannot stand here", span)


def place(token: Token | None, last: Token, source: Source) -> Span:
    """Where a token stands; for the end of a line or of the file, the place right after the last one."""
    if token is None:
        assert last.end_pos is not None
        return Span(source, last.end_pos, last.end_pos)
    assert token.start_pos is not None and token.end_pos is not None
    return Span(source, token.start_pos, token.start_pos if token.type == "_SEP" else token.end_pos)


def explain_hole(token: Token, span: Span, findings: Findings) -> None:
    """Report an error in the arithmetic of a hole."""
    if token.type == "$END":
        findings.report("CNN001", "the arithmetic in this hole ends too early", span)
        return
    assert token.start_pos is not None and token.end_pos is not None
    start = span.start + 1
    at = Span(span.source, start + token.start_pos, start + token.end_pos)
    findings.report("CNN001", f"`{token}` cannot stand in arithmetic", at)


# ---- slips that parse ------------------------------------------------------------------------------------


def unknown_word(
    word: Name, known: dict[str, Any], what: str, findings: Findings, others: Iterable[str] = ()
) -> None:
    """Report a word that nobody knows, with the one that was probably meant."""
    plain = word.text.lower().replace("_", "")
    meant = next(
        (
            own
            for own, cls in known.items()
            if plain in (own, *(alias.replace("_", "") for alias in getattr(cls, "aliases", ())))
        ),
        "",
    )
    meant = meant or nearest(word.text, (*known, *others))
    help = "" if meant else f"there are {', '.join(known)}" if len(known) <= 12 else "`cnnspec ops` lists them all"
    proposals = [replace(word.span, meant)] if meant else []
    findings.report("CNN201", f"there is no {what} called `{word.text}`", word.span, *proposals, help=help)


def unknown_setting(
    cls: Any,
    word: Name,
    attr: Attr,
    known: Iterable[str],
    findings: Findings,
    size: Value | None,
    siblings: Iterable[str] = (),
) -> None:
    """Report a setting that a word does not take; see `declared.read_word` for `siblings`."""
    name = attr.name.text
    if name in WORDS and not WORDS[name].join and cls.word in WORDS:
        before = Span(attr.span.source, attr.span.start, attr.span.start)
        arrow = replace(before, "-> ", help=f"write `-> {name}`")
        findings.report("CNN002", f"an arrow is missing before `{name}`", attr.name.span, arrow)
        return
    if name in ("x", "X") and size is not None:
        whole = size.span.to(attr.value.span)
        following = whole.source.text[whole.end :]
        more = re.match(r"(?:\s*[xX]\s*[\d?]+)+", following)
        whole = Span(whole.source, whole.start, whole.end + (more.end() if more else 0))
        joined = re.sub(r"\s+", "", whole.text).lower()
        findings.report("CNN012", "a size is written without spaces", whole, replace(whole, joined))
        return
    if british(name) in siblings:
        findings.report(
            "CNN003", f"`{name}` is no setting of `{word.text}`; it is one of its own", attr.span, separated(attr)
        )
        return
    meant = ELSEWHERE.get(name.lower(), "")
    meant = meant if meant in known else nearest(name, known)
    message = f"`{word.text}` has no setting `{name}`"
    if meant:
        findings.report("CNN202", message, attr.name.span, replace(attr.name.span, meant))
        return
    listed = ", ".join(known)
    help = f"its settings are {listed}" if listed else f"`{word.text}` has no settings"
    findings.report("CNN202", message, attr.name.span, help=help)


def separated(attr: Attr) -> Proposal:
    """Propose to begin a new line, or put `;`, before a setting of a block."""
    gap = len(attr.span.source.text[: attr.span.start]) - len(attr.span.source.text[: attr.span.start].rstrip())
    before = Span(attr.span.source, attr.span.start - gap, attr.span.start)
    return replace(before, " ; ", help=f"put `;` or a new line before `{attr.name.text}`")


def called_like_python(call: Call, recipes: Iterable[str], findings: Findings) -> None:
    """Report a call of what cannot be called: `conv(8, 3, 3)`."""
    name = call.name.text
    if name not in WORDS:
        blocks = {recipe: None for recipe in recipes}
        layers = [word for word, cls in WORDS.items() if not cls.join]
        unknown_word(call.name, blocks, "block", findings, layers)
        return
    sizes = [arg.value.span.text for arg in call.arguments if arg.name is None]
    settings = [f"{arg.name.text} {arg.value.span.text}" for arg in call.arguments if arg.name]
    written = " ".join((name, *(["x".join(sizes)] if sizes else []), *settings))
    findings.report(
        "CNN208", f"`{name}` is a layer, and layers take no parentheses", call.span, replace(call.span, written)
    )
