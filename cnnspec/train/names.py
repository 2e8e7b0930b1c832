"""Maps of names: how another program calls our parameters.

A map is a text with a pair a line, ours and theirs, or a JSON object; what follows a `#` is a comment.

    conv1.weight    features.0.weight     # 64x3x11x11
    conv1.bias      features.0.bias       # 64
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from numpy.typing import NDArray

from ..diagnostics import Diagnostic, Source, Span, SpecError
from .tensors import shown
from .weights import COUNTER, size

UNKNOWN = "?"


def read(source: Source, parameters: Mapping[str, Any]) -> dict[str, str]:
    """The map in a text, our names to theirs; every mistake in it is a diagnostic with its place."""
    if source.text.lstrip().startswith("{"):
        return _read_json(source, parameters)
    names: dict[str, str] = {}
    findings = []
    for number, start in enumerate(source.line_starts, 1):
        line = source.line(number)
        words = [(m.group(), m.start()) for m in re.finditer(r"\S+", line.partition("#")[0])]
        if not words:
            continue
        ours, at = words[0]
        fault, span = _fault(ours, names, parameters), Span(source, start + at, start + at + len(ours))
        if len(words) != 2:
            end = start + words[-1][1] + len(words[-1][0])
            fault, span = f"a line has our name and theirs, not {len(words)} words", Span(source, span.start, end)
        if fault:
            findings.append(Diagnostic("CNN459", fault, span))
        elif words[1][0] != UNKNOWN:
            names[ours] = words[1][0]
    if findings:
        raise SpecError(tuple(findings))
    return names


def _read_json(source: Source, parameters: Mapping[str, Any]) -> dict[str, str]:
    try:
        names = json.loads(source.text)
    except (ValueError, RecursionError) as error:
        raise SpecError((Diagnostic("CNN459", f"{source.name} is not JSON: {error}"),)) from None
    if not all(isinstance(theirs, str) for theirs in names.values()):
        raise SpecError((Diagnostic("CNN459", f"{source.name} maps names to something else than names"),))
    faults = [fault for ours in names if (fault := _fault(ours, {}, parameters))]
    if faults:
        raise SpecError(tuple(Diagnostic("CNN459", fault) for fault in faults))
    return names


def _fault(ours: str, names: Mapping[str, str], parameters: Mapping[str, Any]) -> str:
    if ours not in parameters:
        return f"the network has no parameter {shown(ours)}"
    return f"{ours} stands there twice" if ours in names else ""


def template(parameters: Mapping[str, NDArray[Any]], arrays: Mapping[str, NDArray[Any]]) -> str:
    """A map to start from: to each parameter the first tensor of its shape and kind that is still free.

    The kind is the last part of a name, `weight` or `running_mean`. Files often hold their tensors in the
    order of the alphabet, so a guess may be wrong where shapes repeat; a `?` has found none.
    """
    free = sorted((name for name in arrays if not name.endswith(COUNTER)), key=_natural)
    lines = ["# ours  theirs  # shape"]
    pairs = []
    for ours, values in parameters.items():
        alike = [name for name in free if arrays[name].shape == values.shape and _kind(name) == _kind(ours)]
        theirs = ours if ours in alike else alike[0] if alike else UNKNOWN
        if alike:
            free.remove(theirs)
        pairs.append((ours, theirs, size(values)))
    wide = [max((len(pair[i]) for pair in pairs), default=0) for i in (0, 1)]
    lines += [f"{ours:{wide[0]}}  {theirs:{wide[1]}}  # {shape}" for ours, theirs, shape in pairs]
    lines += [f"# not used: {shown(name)}  # {size(arrays[name])}" for name in free]
    return "\n".join(lines) + "\n"


def _kind(name: str) -> str:
    return name.rpartition(".")[2]


def _natural(name: str) -> list[tuple[int, str]]:
    """Sorts layer10 behind layer9."""
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", name)]
