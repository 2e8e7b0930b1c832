"""Words and settings that nobody knows: what was probably meant.

These mistakes parse. `relu maxpool 2` is a layer with a setting, `8 x 3 x 3` a size with two; only the meaning
tells that they are none.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from itertools import takewhile

from ...diagnostics import Label, Span
from ...ir.fields import Declared, Switch, settings
from ...settings.data import Data
from ...settings.optimisers import OPTIMISERS
from ...settings.train import Train
from ...words import WORDS
from ..findings import Findings, Proposal, replace
from ..lowering.scope import Scope
from ..parse.tree import Attr, Call, Name, Quote, Tap, Value
from .spelling import ELSEWHERE, FIRST, OTHER_FIRST, SWITCHES, elsewhere, own_setting


def unknown_word(
    word: Name,
    known: Mapping[str, type[Declared] | None],
    what: str,
    findings: Findings,
    others: Iterable[str] = (),
) -> None:
    """Report a word that nobody knows, with the one that was probably meant."""
    meant = elsewhere(word.text, known)
    meant = meant or findings.work.nearest(word.text, (*known, *others))
    help = "" if meant else f"there are {', '.join(known)}" if len(known) <= 12 else "`cnnspec ops` lists them all"
    proposals = [replace(word.span, meant)] if meant else []
    what = {"augment": "augmentation"}.get(what, what)
    findings.report("CNN201", f"there is no {what} called `{word.text}`", word.span, *proposals, help=help)


def block_of(name: str) -> str:
    """The block, `train` or `data`, that a setting belongs to or that a word is; empty for others."""
    if name in ("train", "data", "expect"):
        return name
    for block in (Train, Data):
        if own_setting(name, settings(block)) in settings(block) and name not in WORDS:
            return block.word
    return ""


def report_outside(block: str, word: Span, line: Span, findings: Findings) -> None:
    """Report a setting, or the word of a block, that stands outside of braces."""
    within = line.text.removeprefix(block).strip()
    message = f"`{word.text}` is not a layer; what belongs to `{block}` stands in braces"
    fix = replace(line, f"{block} {{ {within} }}") if within and "->" not in within else None
    help = f"write `{block} {{ ... }}`"
    findings.report("CNN003", message, word, *([fix] if fix else []), help=help)


def unknown_setting(
    cls: type[Declared],
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
    if own_setting(name, tuple(siblings)) in siblings:
        findings.report(
            "CNN003", f"`{name}` is no setting of `{word.text}`; it is one of its own", attr.span, separated(attr)
        )
        return
    meant = ELSEWHERE.get(name.lower(), "")
    meant = meant if meant in known else findings.work.nearest(name, tuple(known))
    message = f"`{word.text}` has no setting `{name}`"
    if meant:
        findings.report("CNN202", message, attr.name.span, replace(attr.name.span, meant))
        return
    layers = [word for word, op in WORDS.items() if not op.join] if cls.word in WORDS else ()
    layer = findings.work.nearest(name, layers)
    if layer:  # `relu maxpol 2`: an arrow is missing, and a letter
        proposal = replace(attr.name.span, f"-> {layer}")
        findings.report("CNN202", message, attr.name.span, proposal)
        return
    for other in OPTIMISERS if cls is Train else ():
        theirs = settings(other)
        own = name if name in theirs else ELSEWHERE.get(name.lower(), "")
        if own in theirs:
            help = f"it belongs to the optimiser: `optimiser {other.word} {own} {attr.value.span.text}`"
            findings.report("CNN202", message, attr.name.span, help=help)
            return
    listed = ", ".join(known)
    help = f"its settings are {listed}" if listed else f"`{word.text}` has no settings"
    findings.report("CNN202", message, attr.name.span, help=help)


def spaced_size(size: Value | Quote, attrs: tuple[Attr, ...], findings: Findings) -> None:
    """Report a size with spaces in it: `8 x 3 x 3`, which reads as a size and then settings `x`."""
    *_, last = takewhile(lambda attr: attr.name.text in ("x", "X"), attrs)
    whole = size.span.to(last.span)
    joined = re.sub(r"\s+", "", whole.text).replace("X", "x")
    findings.report("CNN012", "a size is written without spaces", whole, replace(whole, joined))


def separated(attr: Attr) -> Proposal:
    """Propose to begin a new line, or put `;`, before a setting of a block."""
    gap = len(attr.span.source.text[: attr.span.start]) - len(attr.span.source.text[: attr.span.start].rstrip())
    before = Span(attr.span.source, attr.span.start - gap, attr.span.start)
    return replace(before, " ; ", help=f"put `;` or a new line before `{attr.name.text}`")


def called_like_python(call: Call, recipes: Iterable[str], findings: Findings) -> None:
    """Report a call of what cannot be called: `conv(8, 3, 3)`, `LeakyReLU(negative_slope=0.2)`."""
    name = call.name.text
    layers = {word: cls for word, cls in WORDS.items() if not cls.join}
    word = name if name in WORDS else elsewhere(name, layers)
    sizes = [arg.value.span.text for arg in call.arguments if arg.name is None]
    if not word:
        unknown_word(call.name, dict.fromkeys(recipes), "block", findings, list(layers))
        return
    known = settings(WORDS[word])
    first = [FIRST[word]] if word in FIRST and len(sizes) == 1 else []
    written = [word, *first, *(["x".join(sizes)] if sizes else [])]
    for arg in call.arguments:
        if arg.name is not None:
            theirs, value = arg.name.text, arg.value.span.text
            own = ELSEWHERE.get(theirs, theirs)
            switch = own in known and isinstance(known[own].metadata["kind"], Switch)
            written += [own if own in known else theirs, SWITCHES.get(value.lower(), value) if switch else value]
    # where there are several sizes, another system counts otherwise: channels first, or a stride last
    sure = len(sizes) < 2 and not (sizes and word in OTHER_FIRST)
    fixes = [replace(call.span, " ".join(written), sure=sure)] if word == name or len(sizes) < 2 else []
    message = f"`{name}` is a layer, and layers take no parentheses"
    if word != name:
        message = f"`{name}` is written `{word}`, and layers take no parentheses"
    findings.report("CNN208", message, call.span, *fixes)


def unknown_value(tap: Tap, scope: Scope, nodes: Iterable[str], findings: Findings) -> None:
    """Report a tap that leads nowhere, with what may have been meant."""
    inner = [name.removeprefix(scope.path) for name in nodes]
    known = [name for around in scope for name in around.values] + inner
    close = next((name for name in inner if name.endswith(f".{tap.name}")), "")
    close = close or findings.work.nearest(tap.name, known)
    later = scope.module.labels.get(tap.name) if not scope.path else None
    findings.report(
        "CNN018",
        f"no value before this is called `{tap.name}`",
        tap.span,
        *([replace(tap.span, f"@{close}")] if close and not later else []),
        related=(Label(later, "named only here"),) if later else (),
        help="a value is tapped after it is made, never before" if later else "",
    )
