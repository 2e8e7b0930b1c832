"""Overrides of the command line: `--set train.epochs=3`, `--set "train.optimiser=adam lr 1e-3"`, `--set w=16`.

Each is read by the grammar as the line of a block that it stands for, so it may say whatever a file may say,
and its mistakes are findings like others.
"""

from __future__ import annotations

import re
from contextlib import suppress

from ..diagnostics import Source, Span
from ..ir.fields import settings
from ..ir.nested import Nested
from ..settings.data import Data
from ..settings.train import Train
from .findings import Findings
from .hints.spelling import own_setting, own_word
from .parse.parser import parse
from .parse.tree import File, Let, Name, Setting, Settings

FORM = re.compile(r"\s*(?P<block>train|data)\.(?P<name>\w+)(?:\.(?P<part>\w+))?\s*=(?P<value>[^{};\n]*)")
NUMBER = re.compile(r"\s*(?P<name>[A-Za-z_]\w*)\s*=(?P<value>[^{};\n]*)")  # of a `let`
BLOCKS = {"train": Train, "data": Data}


def read_overrides(
    texts: tuple[str, ...], stated: dict[str, list[Setting]], findings: Findings
) -> dict[str, list[Setting]]:
    """The lines that take the place of those of the file, by block; `stated` is what the file has."""
    found: dict[str, list[Setting]] = {"train": [], "data": []}
    for text in texts:
        match = FORM.fullmatch(text)
        if match is None and NUMBER.fullmatch(text):
            continue  # see `with_numbers`
        if match is None:
            source = Source("--set", text)
            findings.tell("CNN026", Span(source, 0, len(text)), form=_meant(text))
            continue
        block = match["block"]
        known = settings(BLOCKS[block])
        name = own_setting(match["name"], known)
        before = [line for line in (*found[block], *stated[block]) if own_setting(line.name.text, known) == name]
        if match["part"] is None:
            line = _line(block, f"{match['name']} {match['value'].strip()}", findings)
        else:
            line = _changed(block, name, match["part"], match["value"].strip(), before, findings)
        if line is not None:
            several = name in known and known[name].metadata.get("repeat", False)
            others = [other for other in found[block] if several or own_setting(other.name.text, known) != name]
            found[block] = [*others, line]
    return found


def with_numbers(file: File, texts: tuple[str, ...], findings: Findings) -> File:
    """The file with the numbers that overrides give in place of those of its `let`: `let w = 4` with `w=16`."""
    lets = {one.name.text: one for one in file.statements if isinstance(one, Let)}
    instead: dict[str, Let] = {}
    for text in texts:
        match = NUMBER.fullmatch(text)
        if match is None:
            continue
        name, source = match["name"], Source("--set", text)
        if name not in lets:
            from difflib import get_close_matches  # which a spec without a mistake needs not

            from .hints.placed import override_of

            near = get_close_matches(name, lets, 1)
            span = Span(source, match.start("name"), match.end("name"))
            if near:
                findings.tell("CNN026", span, case="near", name=name, near=near[0])
            else:
                form = override_of(name, match["value"].strip()) or "train.name=value"
                findings.tell("CNN026", span, case="unknown", name=name, form=form)
            continue
        found = parse(Source("--set", f"let {name} = {match['value'].strip()}"), findings).statements
        if found and isinstance(found[0], Let):
            instead[name] = found[0]._replace(name=lets[name].name)
    statements = (instead.get(one.name.text, one) if isinstance(one, Let) else one for one in file.statements)
    return file._replace(statements=tuple(statements)) if instead else file


def numbers_of(texts: tuple[str, ...]) -> dict[str, float]:
    """The numbers of `let` that overrides give, where they are written as numbers."""
    found: dict[str, float] = {}
    for match in filter(None, map(NUMBER.fullmatch, texts)):
        for kind in (int, float):
            with suppress(ValueError):
                found[match["name"]] = kind(match["value"])
                break
    return found


def _line(block: str, text: str, findings: Findings) -> Setting | None:
    file = parse(Source("--set", f"{block} {{ {text} }}"), findings)
    lines = [
        line for statement in file.statements if isinstance(statement, Settings) for line in statement.settings
    ]
    return lines[0] if lines else None


def _changed(
    block: str, name: str, part: str, value: str, before: list[Setting], findings: Findings
) -> Setting | None:
    """`train.optimiser.lr=0.1`: the line of the file, or the default, with one of its settings changed."""
    known = settings(BLOCKS[block])
    default = getattr(known[name].default, "word", "none") if name in known else "none"
    word = before[0].value.text if before and isinstance(before[0].value, Name) else default
    line = _line(block, f"{name} {word} {part} {value}", findings)
    if line is None or not before:
        return line
    kind = known[name].metadata["kind"]
    inner = kind.by_word if isinstance(kind, Nested) else {}
    own = settings(inner[own_word(word, inner)]) if own_word(word, inner) in inner else ()
    unchanged = tuple(
        attr for attr in before[0].attrs if own_setting(attr.name.text, own) != own_setting(part, own)
    )
    return before[0]._replace(attrs=(*unchanged, *line.attrs))


def _meant(text: str) -> str:
    """The override that was probably meant by `train.epochs:3`, `--train.epochs=3`, `optimiser.lr=0.1`."""
    from .hints.placed import override_of

    parts = re.fullmatch(r"-*(?:[\w.]*\.)?(?P<name>[A-Za-z_]\w*)\s*[:=\s]\s*(?P<value>\S+)", text.strip())
    return (override_of(parts["name"], parts["value"]) if parts else "") or "train.epochs=3"
