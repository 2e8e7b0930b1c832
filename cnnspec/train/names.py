"""Maps of names: how another program calls our parameters.

A map is a text with a pair a line, ours and theirs, or a JSON object; what follows a `#` is a comment. A pair may
be of layers, or of patterns in which `*` stands for the same letters in both.

    conv1.weight    features.0.weight     # 64x3x11x11
    conv1.bias      features.0.bias       # 64
    dense1          classifier.1          # its weight and its bias
    stage1.*        layer1.*
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping

import numpy as np

from ..diagnostics import Diagnostic, Fault, Source, Span, SpecError
from ..settings.tuning import fits
from .layouts import bare, in_order, natural, published
from .tensors import shown
from .weights import COUNTER, size

UNKNOWN = "?"


def read(source: Source, parameters: Collection[str]) -> dict[str, str]:
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
        span = Span(source, start + at, start + at + len(ours))
        pairs = _pairs(ours, words[-1][0], names, parameters)
        if len(words) != 2:
            end = start + words[-1][1] + len(words[-1][0])
            pairs, span = Fault.of("CNN459", case="words", words=len(words)), Span(source, span.start, end)
        if isinstance(pairs, Fault):
            findings.append(pairs.diagnostic(span))
        elif words[1][0] != UNKNOWN:
            names |= pairs
    if findings:
        raise SpecError(tuple(findings))
    return names


def _read_json(source: Source, parameters: Collection[str]) -> dict[str, str]:
    try:
        names = json.loads(source.text)
    except (ValueError, RecursionError) as error:
        raise SpecError((Diagnostic.of("CNN459", case="JSON", file=source.name, reason=error),)) from None
    if not all(isinstance(theirs, str) for theirs in names.values()):
        raise SpecError((Diagnostic.of("CNN459", case="values", file=source.name),))
    found: dict[str, str] = {}
    faults = []
    for ours, theirs in names.items():
        pairs = _pairs(ours, theirs, found, parameters)
        if isinstance(pairs, Fault):
            faults.append(pairs.diagnostic())
        else:
            found |= pairs
    if faults:
        raise SpecError(tuple(faults))
    return found


def _pairs(ours: str, theirs: str, names: Mapping[str, str], parameters: Collection[str]) -> dict[str, str] | Fault:
    """The parameters that a line means and their names there, or what is wrong with it."""
    if ours in parameters:
        found = {ours: theirs}
    elif ours.count("*") == 1:
        if theirs.count("*") != 1 and theirs != UNKNOWN:
            return Fault.of("CNN459", case="star", ours=shown(ours), theirs=shown(theirs))
        before, after = ours.split("*")
        inner = {name: name[len(before) : len(name) - len(after)] for name in parameters if fits(ours, name)}
        found = {name: theirs.replace("*", letters) for name, letters in inner.items()}
    else:
        found = {name: theirs + name[len(ours) :] for name in parameters if name.startswith(f"{ours}.")}
    if not found:
        return Fault.of("CNN459", ours=shown(ours))
    twice = next((name for name in found if name in names), "")
    return Fault.of("CNN459", case="twice", name=twice) if twice else found


def template(parameters: Mapping[str, np.ndarray], arrays: Mapping[str, np.ndarray]) -> str:
    """A map to start from, in which nothing is guessed: where several tensors could be meant stands a `?`.

    A published layout says all. Else layers are taken by their names where those agree, by their order where the
    file's, counted as people do, have the same shapes one by one, and a tensor where it is the only one of its kind
    (the last part of its name) and shape on both sides.
    """
    ours, theirs = ({name: values.shape for name, values in each.items()} for each in (parameters, arrays))
    known = published(ours, theirs)
    found = dict(known or {})
    if known is None:
        names = bare(theirs)
        found = {name: names[name] for name in ours if name in names and theirs[names[name]] == ours[name]}
        rest = [{n: s for n, s in each.items() if n not in {*found, *found.values()}} for each in (ours, theirs)]
        found |= in_order(*rest)
        for name, shape in ours.items():
            alike = [other for other, its in ours.items() if (its, _kind(other)) == (shape, _kind(name))]
            there = [other for other, its in theirs.items() if (its, _kind(other)) == (shape, _kind(name))]
            if name not in found and len(alike) == len(there) == 1:
                found[name] = there[0]
    pairs = [(name, found.get(name, UNKNOWN), size(values)) for name, values in parameters.items()]
    wide = [max((len(pair[i]) for pair in pairs), default=0) for i in (0, 1)]
    lines = ["# ours  theirs  # shape"]
    lines += [f"{name:{wide[0]}}  {other:{wide[1]}}  # {shape}" for name, other, shape in pairs]
    free = sorted(set(theirs) - set(found.values()), key=natural)
    lines += [f"# not used: {shown(name)}  # {size(arrays[name])}" for name in free if not name.endswith(COUNTER)]
    return "\n".join(lines) + "\n"


def _kind(name: str) -> str:
    return name.rpartition(".")[2]
