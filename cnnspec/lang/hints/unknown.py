"""Words and settings that nobody knows: what was probably meant.

These mistakes parse. `relu maxpool 2` is a layer with a setting, `8 x 3 x 3` a size with two; only the meaning
tells that they are none.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from itertools import takewhile

from ...diagnostics import Label, Span
from ...ir.fields import Declared, Shape, Sizes, size_field
from ...words import WORDS
from ..findings import Findings, Proposal, replace
from ..lowering.arithmetic import Names
from ..lowering.scope import Scope
from ..parse.tree import Attr, Call, Hole, Name, Number, Quote, Setting, Tap, Value
from .placed import BLOCK_NAMES, BLOCKS, ELSEWHERE_SAID, belongs
from .signs import with_braces
from .spelling import APART, ELSEWHERE, MEANT, bare, elsewhere, own_setting, takes_other_first
from .stated import pattern, told_otherwise

INPUTS = frozenset(("x", "X", "img", "image", "images", "input", "inputs", "data", "inp", "in"))
TIMES = frozenset(("x", "X", "times"))
SHORT = {"s": "stride", "p": "pad", "d": "dilate", "g": "groups"}  # where a whole number follows
THEN = frozenset(("then", "to", "into", "and", "followed_by"))  # between two layers


def unknown_word(
    word: Name,
    known: Mapping[str, type[Declared] | None],
    what: str,
    findings: Findings,
    others: Iterable[str] = (),
) -> None:
    """Report a word that nobody knows, with the one that was probably meant."""
    meant = elsewhere(word.text.rpartition(".")[2], known)
    meant = meant or _with_size(word.text, known)
    plain = bare(word.text)
    apart = not meant and (what == "block" or (what == "layer" and plain not in INPUTS))  # `INPUT 1x28x28`
    why = APART.get(plain, "") if apart else ""
    if why:
        findings.tell("CNN201", word.span, case="apart", what="layer", word=word.text, why=why)
        return
    meant = meant or next((own for own in MEANT.get(plain, ()) if own in known), "")
    meant = meant or findings.work.nearest(word.text, (*known, *others))
    kind = {"augment": "augmentation"}.get(what, what)
    if meant:
        findings.tell("CNN201", word.span, replace(word.span, meant), what=kind, word=word.text)
    elif known and len(known) <= 12:
        findings.tell("CNN201", word.span, case="few", what=kind, word=word.text, known=", ".join(known))
    elif known:
        findings.tell("CNN201", word.span, case="many", what=kind, word=word.text)
    elif what == "block":
        of_a_block = word.text.isidentifier() and not word.text[0].isupper()
        case = "no blocks" if of_a_block else "no calls"
        findings.tell("CNN201", word.span, case=case, what=kind, word=word.text)
    else:
        findings.tell("CNN201", word.span, what=kind, word=word.text)


def _with_size(text: str, known: Mapping[str, object]) -> str:
    """A word and the size that has run into it: `conv8x3x3` is `conv 8x3x3`; empty where it is none."""
    parts = re.fullmatch(r"([A-Za-z_]+)(\d[\dx.]*)", text)
    word = elsewhere(parts[1], known) if parts else ""
    return f"{word} {parts[2]}" if parts and word else ""


def block_of_settings(word: Name, findings: Findings) -> bool:
    """tarin { epochs 10 }, options { epochs 10 }"""
    text = word.span.source.text
    braces = re.compile(r"\s*\{\s*[A-Za-z_]+[^\S\n]+[^\s{}+*/-][^{}]*\}").match(text, word.span.end)
    if not braces or text[: word.span.start].rpartition("\n")[2].strip():
        return False
    name = word.text.lower()
    meant = BLOCK_NAMES.get(name, "") or findings.work.nearest(name, ("train", "data", "expect"))
    findings.forget(Span(word.span.source, word.span.start, braces.end()), "CNN001")
    fixes = [replace(word.span, meant, sure=name not in BLOCK_NAMES)] if meant else []
    findings.tell("CNN001", word.span, *fixes, case="block", name=word.text)
    return True


def untapped(word: Name, values: Iterable[str], where: Span | None, findings: Findings) -> bool:
    """img -> conv 8x3x3, where `as img` stands"""
    first = word.text in INPUTS and word.span.source.text[word.span.end :].lstrip().startswith("->")
    if word.text in values:
        related = (Label(where, f"`{word.text}` is this value"),) if where else ()
        tapped = replace(word.span, f"@{word.text}")
        findings.tell("CNN201", word.span, tapped, case="value", related=related, word=word.text)
    elif first:
        after = word.span.source.text.index("->", word.span.end) + 2
        arrow = Span(word.span.source, word.span.start, after)
        fix = replace(arrow, "", help=f"leave `{word.text} ->` out; the input is read by itself", sure=False)
        findings.tell("CNN201", word.span, fix, case="input", word=word.text)
    return word.text in values or first


def unknown_setting(
    cls: type[Declared],
    word: Name,
    attr: Attr,
    known: Iterable[str],
    findings: Findings,
    siblings: Iterable[str] = (),
    lines: tuple[Setting, ...] = (),
) -> None:
    """Report a setting that a word does not take; see `declared.read_word` for `siblings`.

    `lines` are those of the block, where it is a block's.
    """
    name = attr.name.text
    if cls.word in WORDS and WORDS[cls.word].join:  # add relu | id
        findings.tell("CNN207", word.span, word=cls.word)
        return
    if name in WORDS and not WORDS[name].join and cls.word in WORDS:
        before = Span(attr.span.source, attr.span.start, attr.span.start)
        arrow = replace(before, "-> ", help=f"write `-> {name}`")
        findings.tell("CNN002", attr.name.span, arrow, name=name)
        return
    if own_setting(name, tuple(siblings)) in siblings:
        findings.tell("CNN003", attr.span, separated(attr), case="own", name=name, word=word.text)
        return
    shortly = _said_shortly(cls, attr, tuple(known))
    if shortly is not None:
        findings.tell("CNN202", attr.name.span, shortly, word=word.text, name=name)
        return
    meant = ELSEWHERE.get(name.lower(), "")
    if meant not in known:
        theirs = {other: own for other, own in ELSEWHERE.items() if own in known}
        near = findings.work.nearest(name, (*known, *theirs))
        meant = theirs.get(near, near)
    at, said = attr.name.span, word.text
    if meant:
        findings.tell("CNN202", at, replace(at, meant), word=said, name=name)
        return
    layers = [word for word, op in WORDS.items() if not op.join] if cls.word in WORDS else ()
    layer = findings.work.nearest(name, layers)
    if layer:  # `relu maxpol 2`: an arrow is missing, and a letter
        findings.tell("CNN202", at, replace(at, f"-> {layer}"), word=said, name=name)
        return
    why = ELSEWHERE_SAID.get((cls.word, name.lower()), "")
    if cls.word in BLOCKS and not why and belongs(cls, attr, lines, findings):
        return
    if why:
        findings.tell("CNN202", at, case="told", word=said, name=name, why=why)
        return
    listed = ", ".join(known)
    if listed:
        findings.tell("CNN202", at, case="listed", word=said, name=name, listed=listed)
    else:
        findings.tell("CNN202", at, case="none", word=said, name=name)


def _said_shortly(cls: type[Declared], attr: Attr, known: tuple[str, ...]) -> Proposal | None:
    """conv 8x3x3 s 2, conv 8x3x3 no bias, conv 8x3x3 then relu"""
    name, value = attr.name.text, attr.value.span.text
    if cls.word not in WORDS:
        return None
    if SHORT.get(name, "") in known and value.isdigit():
        return replace(attr.name.span, SHORT[name])
    if name in ("no", "without") and value in known:
        return replace(attr.span, f"{value} off")
    if name in THEN and value in WORDS:
        return replace(attr.name.span, "->")
    return None


def misread(
    cls: type[Declared],
    word: Name,
    size: Value | Quote | None,
    attrs: tuple[Attr, ...],
    names: Names,
    findings: Findings,
) -> bool:
    """Report what reads as a setting and was meant otherwise: a size, a count, another system's setting."""
    if told_otherwise(cls, word, size, attrs, findings):
        return True
    if cls.word in WORDS and not size and (meant := with_braces(attrs[0].name.text, frozenset(names))):
        span = attrs[0].name.span
        findings.tell("CNN030", span, replace(span, meant), meant=meant)
        return True
    last = attrs[-1]
    if last.name.text in TIMES and isinstance(last.value, Number | Hole) and cls.word in WORDS:
        spaced = size is not None and all(attr.name.text in TIMES for attr in attrs)
        if size is None or not spaced or size.span.text.count("x") + 1 + len(attrs) > _most_sizes(cls):
            before = (attrs[-2] if len(attrs) > 1 else size or word).span
            gap = Span(before.source, before.end, last.span.end)
            fix = replace(gap, f"*{last.value.span.text}")
            findings.tell("CNN001", last.span, fix, case="times")
            return True
    if size and attrs[0].name.text in ("x", "X"):
        spaced_size(size, attrs, findings)
        return True
    return False


def _most_sizes(cls: type[Declared]) -> int:
    """How many numbers the size of a word may have."""
    sized = size_field(cls)
    kind = sized.metadata["kind"] if sized is not None else None
    return (
        max(kind.lengths) if isinstance(kind, Shape) else 2 if isinstance(kind, Sizes) else int(sized is not None)
    )


def spaced_size(size: Value | Quote, attrs: tuple[Attr, ...], findings: Findings) -> None:
    """Report a size with spaces in it: `8 x 3 x 3`, which reads as a size and then settings `x`."""
    *_, last = takewhile(lambda attr: attr.name.text in ("x", "X"), attrs)
    whole = size.span.to(last.span)
    joined = re.sub(r"\s+", "", whole.text).replace("X", "x")
    findings.tell("CNN012", whole, replace(whole, joined), case="spaces")


def separated(attr: Attr) -> Proposal:
    """Propose to begin a new line, or put `;`, before a setting of a block."""
    gap = len(attr.span.source.text[: attr.span.start]) - len(attr.span.source.text[: attr.span.start].rstrip())
    before = Span(attr.span.source, attr.span.start - gap, attr.span.start)
    return replace(before, " ; ", help=f"put `;` or a new line before `{attr.name.text}`")


def called_like_python(call: Call, recipes: Iterable[str], findings: Findings) -> None:
    """Report a call of what cannot be called: `conv(8, 3, 3)`, `LeakyReLU(negative_slope=0.2)`."""
    from .foreign.calls import called, layer, layer_word, why_not

    name = call.name.text
    if name in BLOCKS and not call.chains:  # train(epochs=5)
        lines = " ; ".join(f"{arg.name.text} {arg.value.span.text}" for arg in call.arguments if arg.name)
        fix = replace(call.span, f"{name} {{ {lines} }}", sure=False)
        findings.tell("CNN003", call.name.span, fix, case="outside", word=name, block=name)
        return
    layers = {word: cls for word, cls in WORDS.items() if not cls.join}
    word = name if name in WORDS else layer_word(name)
    if not word:
        joins = [word for word, cls in WORDS.items() if cls.join] if call.chains else []
        unknown_word(call.name, dict.fromkeys((*recipes, *joins)), "block", findings, list(layers))
        return
    read = called(call.span.text)
    meant = layer(read) if read else ""
    # where there are several, another system counts otherwise: channels first, or a stride last
    given = sum(arg.name is None for arg in call.arguments)
    sure = given < 2 and not (given and takes_other_first(WORDS[word]))
    fixes = [replace(call.span, meant, sure=sure)] if meant else []
    why = why_not(read, word) if read and not meant else ""
    case = "" if word == name else "elsewhere"
    findings.tell(
        "CNN208", call.span, *fixes, case=case, name=name, word=word, pattern=pattern(WORDS[word]), why=why
    )


def unknown_value(tap: Tap, scope: Scope, nodes: Iterable[str], findings: Findings) -> None:
    """Report a tap that leads nowhere, with what may have been meant."""
    inner = [name.removeprefix(scope.path) for name in nodes]
    known = [name for around in scope for name in around.values] + inner
    close = next((name for name in inner if name.endswith(f".{tap.name}")), "")
    close = close or findings.work.nearest(tap.name, known)
    later = scope.module.labels.get(tap.name) if not scope.path else None
    if later:
        there = (Label(later, "named only here"),)
        findings.tell("CNN018", tap.span, case="later", related=there, name=tap.name)
        return
    fixes = [replace(tap.span, f"@{close}")] if close else []
    findings.tell("CNN018", tap.span, *fixes, case="before", name=tap.name)
