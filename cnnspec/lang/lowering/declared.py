"""Words and settings against the dataclasses that declare them.

One reader for everything that is a word with settings: layers, costs, optimisers, schedules, sources. An
instance comes out, or None and the reasons among the findings.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from typing import Any, Generic, NamedTuple, TypeVar

from ...diagnostics import Diagnostic, Edit, Fault, Label, Span
from ...ir.fields import Choice, Declared, Kind, Quoted, Shape, Switch, Text, is_required, settings, size_field
from ...ir.fields import Number as Fraction
from ...ir.nested import Clause, Nested
from ..findings import Findings, Proposal, replace
from ..hints.spelling import SWITCHES, VALUES, first_setting, own_setting, own_switch, own_word
from ..parse.tree import Attr, Hole, Listed, Name, Number, Quote, Setting, Sizes, Value
from .arithmetic import Names, evaluate

T = TypeVar("T", bound=Declared)


class Bad:
    """Stands for a value that could not be read, which has been reported."""


BAD = Bad()


class Word(NamedTuple, Generic[T]):
    """An instance that was read, and where each of its fields stands."""

    thing: T | None  # None where something was wrong
    spans: dict[str, Span]


def evaluated(value: Value | Quote, names: Names, findings: Findings) -> Any:
    """A value as the fields want it (int, float, tuple, str, Quoted), or BAD; `?` is None in a tuple."""
    if isinstance(value, Number):
        return BAD if value.value is None else value.value
    if isinstance(value, Hole):
        number = evaluate(value.expr, names, findings)
        return BAD if number is None else number
    if isinstance(value, Sizes):
        return _sizes(value, names, findings)
    if isinstance(value, Listed):
        items = [evaluated(item, names, findings) for item in value.items]
        return BAD if BAD in items else tuple(items)
    return Quoted(value.text) if isinstance(value, Quote) else value.text


def _sizes(sizes: Sizes, names: Names, findings: Findings) -> Any:
    found: list[Any] = []
    findings.work.add(len(sizes.items))
    for item in sizes.items:
        number = None if item is None else evaluated(item, names, findings)
        if isinstance(number, float):
            if not number.is_integer():
                assert item is not None
                findings.tell("CNN203", item.span, case="whole", number=number)
                number = BAD
            else:
                number = int(number)
        found.append(number)
    return BAD if BAD in found else tuple(found)


def read_word(
    cls: type[T],
    word: Name,
    size: Value | Quote | None,
    attrs: tuple[Attr, ...],
    names: Names,
    findings: Findings,
    siblings: Iterable[str] = (),
) -> Word[T]:
    """Read `word size attrs` as an instance of the class that declares the word.

    `siblings` are the settings of the block around it, for which an end of line may have been forgotten.
    """
    known = settings(cls)
    spans = {"": word.span}
    values: dict[str, object] = {}
    if any(own_setting(attr.name.text, known) not in known for attr in attrs):
        from ..hints.unknown import misread

        if misread(cls, word, size, attrs, names, findings):
            return Word(None, spans)
    good = _read_size(cls, word, size, names, findings, spans, values)
    findings.work.add(len(attrs))
    for attr in attrs:
        name = own_setting(attr.name.text, known)
        if name not in known:
            from ..hints.unknown import unknown_setting

            unknown_setting(cls, word, attr, known, findings, siblings)
            good = False
            continue
        if name in spans:
            repeated(attr.name, spans[name], findings)
        spans[name] = attr.value.span
        if unset(known[name], attr.value):
            continue
        value = read_value(known[name].metadata["kind"], attr.name, attr.value, None, (), names, findings)
        good = good and value is not BAD
        values[name] = value
    for name, field in known.items():
        if is_required(field) and name not in spans:
            findings.tell("CNN204", word.span, case="setting", word=word.text, name=name, doc=field.metadata["doc"])
            good = False
    if not good:
        return Word(None, spans)
    try:
        return Word(cls(**values), spans)
    except Fault as fault:
        message = f"`{fault.at}` {fault.message}" if fault.message.startswith("wants ") else fault.message
        findings.add(dataclasses.replace(diagnosed(fault, spans), message=message))
        return Word(None, spans)


def _read_size(
    cls: type[Declared],
    word: Name,
    size: Value | Quote | None,
    names: Names,
    findings: Findings,
    spans: dict[str, Span],
    values: dict[str, object],
) -> bool:
    """Read a word's size into `values`; False where it is wrong."""
    field = size_field(cls)
    if size is None:
        if field is None or field.default is not dataclasses.MISSING:
            return True
        pattern, doc = field.metadata["pattern"], field.metadata["doc"]
        findings.tell("CNN204", word.span, word=word.text, pattern=pattern, doc=doc)
        return False
    if field is None:
        rate = "lr" if "lr" in settings(cls) else ""  # `optimiser adam 0.001`
        findings.tell(
            "CNN203",
            size.span,
            *([replace(size.span, f"{first} {size.span.text}")] if (first := first_setting(cls) or rate) else []),
            Proposal(f"use `{word.text}`", (_dropped(word.span, size.span),)),
            case="no size",
            word=word.text,
        )
        return False
    spans[field.name] = size.span
    if isinstance(size, Sizes) and field.metadata["pattern"].startswith("F"):
        spans["kernel"] = (size.items[1] or size).span.to(size.span)
    value = evaluated(size, names, findings)
    if value is BAD:
        return False
    if isinstance(value, tuple) and None in value:
        findings.tell("CNN203", size.span, case="any size")
        return False
    kind = field.metadata["kind"]
    if isinstance(kind, Shape):
        count = len(value) if isinstance(value, tuple) else 1
        if not isinstance(value, str) and count not in kind.lengths:
            numbers = f"{count} number{'s' * (count > 1)}"
            findings.tell(
                "CNN205",
                size.span,
                word=word.text,
                pattern=field.metadata["pattern"],
                numbers=numbers,
                doc=field.metadata["doc"],
            )
            return False
    try:
        values[field.name] = kind.read(value)
    except Fault as fault:
        said = f"the size of `{word.text}` {fault.message}"
        findings.report(fault.code, said, size.span, *_likely(kind, size, names, findings), help=fault.help)
        return False
    return True


def read_value(
    kind: Kind,
    name: Name,
    value: Value | Quote,
    size: Value | Quote | None,
    attrs: tuple[Attr, ...],
    names: Names,
    findings: Findings,
    siblings: Iterable[str] = (),
) -> object:
    """Read the value of a setting, which may be a word with settings of its own; BAD where it is wrong."""
    if isinstance(kind, Clause):
        return _read_clause(kind, name, value, size, attrs, names, findings, siblings)
    if isinstance(kind, Nested):
        return _read_nested(kind, name, value, size, attrs, names, findings, siblings)
    found = evaluated(value, names, findings)
    if found is BAD:
        return BAD
    if isinstance(kind, Switch) and isinstance(value, Name):
        found = own_switch(value.text)
    try:
        return kind.read(found)
    except Fault as fault:
        findings.report(
            fault.code,
            f"`{name.text}` {fault.message}",
            value.span,
            *_likely(kind, value, names, findings),
            help=fault.help,
        )
        return BAD


def _read_nested(
    kind: Nested,
    name: Name,
    value: Value | Quote,
    size: Value | Quote | None,
    attrs: tuple[Attr, ...],
    names: Names,
    findings: Findings,
    siblings: Iterable[str],
) -> Declared | Bad:
    if not isinstance(value, Name):
        findings.tell(
            "CNN203", value.span, *_bare(value, kind.by_word), case="word", setting=name.text, wanted=kind.wanted
        )
        return BAD
    by_word = kind.by_word
    cls = by_word.get(own_word(value.text, by_word))
    if cls is None:
        from ..hints.unknown import unknown_word

        unknown_word(value, by_word, name.text, findings)
        return BAD
    thing = read_word(cls, value, size, attrs, names, findings, siblings).thing
    return BAD if thing is None else thing


def _read_clause(
    kind: Clause,
    name: Name,
    value: Value | Quote,
    size: Value | Quote | None,
    attrs: tuple[Attr, ...],
    names: Names,
    findings: Findings,
    siblings: Iterable[str],
) -> Declared | Bad:
    """Read `freeze stem until 5`: what follows the name of the setting is its size, and settings of it."""
    if size is not None:
        last = value.items[-1] if isinstance(value, Listed) else None
        if isinstance(last, Name) and isinstance(value, Listed) and last.text in siblings:
            between = Span(last.span.source, value.items[-2].span.end, last.span.start)
            fix = replace(between, " ; ", help="write `;` or a new line")
            findings.tell("CNN003", between, fix, case="comma", what="settings")
        else:
            findings.tell("CNN003", size.span, case="one", name=name.text)
        return BAD
    (cls,) = kind.classes
    thing = read_word(cls, name, value, attrs, names, findings, siblings).thing
    return BAD if thing is None else thing


def _likely(kind: Kind, value: Value | Quote, names: Names, findings: Findings) -> list[Proposal]:
    """What a refused value was probably meant to be."""
    if (
        isinstance(value, Number)
        and isinstance(kind, Fraction)
        and kind.high == 1
        and 2 <= (value.value or 0) <= 100
    ):
        return [replace(value.span, f"{value.span.text}%")]
    if isinstance(value, Quote):
        return _bare(value, {})
    if not isinstance(value, Name):
        return []
    if value.text in names:
        return [replace(value.span, f"{{{value.text}}}")]
    if isinstance(kind, Switch):
        meant = SWITCHES.get(value.text.lower())
        return [replace(value.span, meant)] if meant else []
    known: tuple[str, ...] = kind.names if isinstance(kind, Choice) else ()
    close = VALUES.get(value.text.lower(), "")
    close = close if close in known else findings.work.nearest(value.text, known)
    return [replace(value.span, close)] if close else []


def _bare(value: Value | Quote, by_word: Mapping[str, type[Declared]]) -> list[Proposal]:
    """A name in quotes without them; a path in quotes behind the word that reads it: `csv "a.csv"`."""
    if not isinstance(value, Quote):
        return []
    sized = {word: size_field(cls) for word, cls in by_word.items()}
    readers = [word for word, field in sized.items() if field and isinstance(field.metadata["kind"], Text)]
    suffix = value.text.rpartition(".")[2].lower()
    word = suffix if suffix in readers else "images" if "images" in readers else ""
    named = [replace(value.span, value.text)] if value.text.isidentifier() else []
    return [*named, *([replace(value.span, f"{word} {value.span.text}", sure=False)] if word else [])]


def repeated(name: Name, earlier: Span, findings: Findings) -> None:
    """Warn of a setting that was there already."""
    there = (Label(earlier, "set here first"),)
    findings.tell("CNN239", name.span, related=there, name=name.text)


def diagnosed(fault: Fault, spans: dict[str, Span]) -> Diagnostic:
    """The diagnostic of a fault, at the field that it blames."""
    related = tuple(Label(spans[name], text) for name, text in fault.because if name in spans)
    at = "kernel" if fault.code == "CNN103" and fault.at == "size" and "kernel" in spans else fault.at
    return fault.diagnostic(spans.get(at, spans[""]), related=related)


def _dropped(word: Span, size: Span) -> Edit:
    return Edit(Span(word.source, word.end, size.end), "")


def unset(field: dataclasses.Field[object], value: Value | Quote) -> bool:
    """Whether a value says that a setting is off which is off by default: `patience off`, `freeze off`."""
    optional = field.default is None or field.default == ()
    bare = isinstance(value, Name) and value.text == "off"
    return optional and bare and not field.metadata["kind"].has_off


class Stated(NamedTuple):
    """A value of a block's setting, and the line that states it."""

    value: object
    line: Setting


def read_block(
    cls: type[Declared], lines: Iterable[Setting], names: Names, findings: Findings
) -> dict[str, list[Stated]]:
    """The settings of a block (`train`, `data`) that could be read, by name."""
    known = settings(cls)
    lines = tuple(lines)
    found: dict[str, list[Stated]] = {}
    spans: dict[str, Span] = {}
    for line in lines:
        name = own_setting(line.name.text, known)
        if name not in known:
            from ..hints.unknown import unknown_setting

            block = Name(cls.word, line.name.span)
            unknown_setting(cls, block, Attr(line.name, line.value), known, findings, lines=lines)
            continue
        field = known[name]
        several = field.metadata.get("repeat", False)
        if name in spans and not several:
            repeated(line.name, spans[name], findings)
        spans[name] = line.span
        if unset(field, line.value) and not (line.size or line.attrs):
            found.pop(name, None)
            continue
        kind = field.metadata["kind"]
        if not isinstance(kind, Nested):
            _nothing_more(line, known, findings)
        value = read_value(kind, line.name, line.value, line.size, line.attrs, names, findings, known)
        if value is not BAD:
            found[name] = [*(found.get(name, []) if several else ()), Stated(value, line)]
    return found


def instance(cls: type[T], found: dict[str, list[Stated]]) -> T:
    """A block with what was stated in it, and defaults for the rest."""
    known = settings(cls)
    several = {name for name, field in known.items() if field.metadata.get("repeat", False)}
    return cls(
        **{
            name: tuple(stated.value for stated in lines) if name in several else lines[-1].value
            for name, lines in found.items()
        }
    )


def _nothing_more(line: Setting, known: Iterable[str], findings: Findings) -> None:
    """Report what stands after the one value of a setting."""
    extra = line.size or (line.attrs[0] if line.attrs else None)
    if extra is None:
        return
    proposals: list[Proposal] = []
    if isinstance(extra, Attr):
        from ..hints.placed import of_a_nested_word
        from ..hints.unknown import separated

        if own_setting(extra.name.text, tuple(known)) in known or of_a_nested_word(extra.name.text):
            proposals.append(separated(extra))
    findings.tell("CNN003", extra.span, *proposals, case="one", name=line.name.text)
