"""Weights from a file into a model: which tensor is which parameter, and what does not fit."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, MutableMapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..diagnostics import Diagnostic, SpecError
from ..ir import Graph
from . import keras, tensors
from .layouts import bare, published, same_numbers
from .tensors import shown

Array = np.ndarray
COUNTER = ".num_batches_tracked"  # kept by PyTorch beside the running statistics; nothing here reads it


@dataclass(frozen=True)
class LoadReport:
    """The differences of a file and a model: names, and for shapes a sentence each."""

    missing: tuple[str, ...] = ()
    unexpected: tuple[str, ...] = ()
    mismatched: tuple[str, ...] = ()


def read(path: Path) -> tensors.Tensors:
    """The arrays of a file: safetensors, or what Keras wrote, by PyTorch's names."""
    return keras.read(path) if keras.written_by_keras(path) else tensors.read(path)


def load(
    path: Path,
    parameters: MutableMapping[str, Array],
    *,
    graph: Graph | None = None,
    partial: bool = False,
    names: Mapping[str, str] | None = None,
    layout: str = "",
) -> LoadReport:
    """Set the parameters from a file; all of them, or with `partial` those that fit.

    `names` tells under which name the file keeps a parameter, where it is not its own.
    Without it, names are also found with what wrappers put before all of them (`module.`), and those of a published
    layout (`layouts.py`, `keras/`), which `layout` demands. Files of Keras want the `graph` of the parameters.
    Nothing is set where anything is refused. Returns what `partial` passed over.
    """
    arrays = read(path).arrays
    return assign(parameters, arrays, path, graph=graph, partial=partial, names=names, layout=layout)


def assign(
    parameters: MutableMapping[str, Array],
    arrays: Mapping[str, Array],
    path: Path,
    *,
    graph: Graph | None = None,
    partial: bool = False,
    names: Mapping[str, str] | None = None,
    layout: str = "",
) -> LoadReport:
    """Set the parameters from arrays that came from `path`; see `load`."""
    mapped = names is not None
    if names is not None and graph is not None:
        arrays = keras.mapped(arrays, graph, names)
    elif names is None:
        layers = arrays if isinstance(arrays, keras.Layers) else keras.of_names(arrays)
        if graph is not None and layers is not None and layout in ("", "keras"):
            names, arrays = keras.fitted(layers, graph, parameters, path, partial=partial)
        else:
            names, arrays = _found(parameters, arrays, path, partial, layout)
    wanted = {ours: names.get(ours, ours) for ours in parameters}
    there = {ours: theirs for ours, theirs in wanted.items() if theirs in arrays}
    shapes = {ours: parameters[ours].shape for ours in there}
    mismatched = {
        ours: theirs for ours, theirs in there.items() if not same_numbers(shapes[ours], arrays[theirs].shape)
    }
    used = set(wanted.values())
    report = LoadReport(
        missing=tuple(
            ours if ours == theirs else f"{ours} (as {shown(theirs)})"
            for ours, theirs in wanted.items()
            if ours not in there
        ),
        unexpected=tuple(shown(name) for name in arrays if name not in used and not name.endswith(COUNTER)),
        mismatched=tuple(
            f"{ours} is {size(arrays[theirs])} there and {size(parameters[ours])} here"
            for ours, theirs in mismatched.items()
        ),
    )
    fitting = {ours: arrays[theirs] for ours, theirs in there.items() if ours not in mismatched}
    findings = _unusable(fitting, path)
    if not partial:
        findings += _mismatches(report, path, mapped=mapped)
    elif not fitting:
        findings.append(Diagnostic.of("CNN455", case="none", file=shown(str(path))))
    if findings:
        raise SpecError(tuple(findings))
    for ours, values in fitting.items():
        parameters[ours] = values.reshape(shapes[ours])
    return report


def _found(
    parameters: Mapping[str, Array], arrays: Mapping[str, Array], path: Path, partial: bool, layout: str
) -> tuple[dict[str, str], Mapping[str, Array]]:
    """Under which names a file has the parameters, where nobody says it, and what of the file counts."""
    stripped = {name: own for name, own in bare(arrays).items() if name in parameters}
    if not layout and all(ours in stripped or ours in arrays for ours in parameters):
        return {ours: ours if ours in arrays else stripped[ours] for ours in parameters}, arrays
    shapes = {name: values.shape for name, values in parameters.items()}
    known = published(shapes, {n: a.shape for n, a in arrays.items()}, source=layout, new_head=partial)
    if known is not None:
        used = set(known.values())
        return known, arrays if partial else {name: values for name, values in arrays.items() if name in used}
    if layout:
        raise SpecError((Diagnostic.of("CNN467", file=shown(str(path)), layout=layout),))
    return {ours: own for ours, own in stripped.items() if ours not in arrays}, arrays


def size(values: Array) -> str:
    return "x".join(map(str, values.shape)) or "one number"


def _unusable(arrays: Mapping[str, Array], path: Path) -> list[Diagnostic]:
    """Findings about arrays that fit but cannot be weights."""
    findings = []
    for name, values in arrays.items():
        if not np.issubdtype(values.dtype, np.floating):
            findings.append(
                Diagnostic.of("CNN453", case="whole", file=shown(str(path)), name=name, dtype=values.dtype)
            )
        elif not np.isfinite(values).all():
            what = "NaN" if np.isnan(values).any() else "infinity"
            findings.append(Diagnostic.of("CNN458", file=shown(str(path)), name=name, what=what))
    return findings


def _mismatches(report: LoadReport, path: Path, mapped: bool) -> list[Diagnostic]:
    file, findings = shown(str(path)), []
    renamed = "renamed" if report.missing and report.unexpected and not mapped else ""
    if report.missing:
        findings.append(Diagnostic.of("CNN455", case=renamed, file=file, arrays=_listed(report.missing)))
    if report.unexpected:
        findings.append(Diagnostic.of("CNN456", case=renamed, file=file, arrays=_listed(report.unexpected)))
    if report.mismatched:
        findings.append(Diagnostic.of("CNN457", file=file, arrays=_listed(report.mismatched, "; ")))
    return findings


def _listed(names: Iterable[str], between: str = ", ") -> str:
    """The first names, and how many more."""
    names = list(names)
    more = f" and {len(names) - 8} more" if len(names) > 8 else ""
    return between.join(names[:8]) + more
