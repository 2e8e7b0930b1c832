"""Words and settings that nobody knows: what was probably meant.

These slips parse. `relu maxpool 2` is a layer with a setting, `8 x 3 x 3` a size with two; only the meaning
tells that they are none.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from ..diagnostics import Span
from ..ops import WORDS
from .findings import Findings, Proposal, replace
from .spelling import ELSEWHERE, british
from .suggest import nearest
from .tree import Attr, Call, Name, Value


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
    siblings: Iterable[str] = (),
) -> None:
    """Report a setting that a word does not take; see `declared.read_word` for `siblings`."""
    name = attr.name.text
    if name in WORDS and not WORDS[name].join and cls.word in WORDS:
        before = Span(attr.span.source, attr.span.start, attr.span.start)
        arrow = replace(before, "-> ", help=f"write `-> {name}`")
        findings.report("CNN002", f"an arrow is missing before `{name}`", attr.name.span, arrow)
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


def spaced_size(size: Value | None, attrs: tuple[Attr, ...], findings: Findings) -> bool:
    """Report a size with spaces in it: `8 x 3 x 3`, which reads as a size and settings called `x`."""
    parts = []
    for attr in attrs:
        if attr.name.text not in ("x", "X"):
            break
        parts.append(attr)
    if size is None or not parts:
        return False
    whole = size.span.to(parts[-1].span)
    joined = re.sub(r"\s+", "", whole.text).replace("X", "x")
    findings.report("CNN012", "a size is written without spaces", whole, replace(whole, joined))
    return True


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
