"""The provenance of a training: its spec, its imports, its settings and how images were prepared, as they were at
the time, read from the folder of a run or from a weights file.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ..data.preparation import Preparation
from ..diagnostics import Diagnostic, Imported, Source, SpecError
from ..lang.files import read_file
from ..train import documents, tensors, weights
from ..train.checkpoints import Stamp, check_spec
from ..train.documents import Settings
from ..train.folder import RunFolder


@dataclass(frozen=True)
class Provenance:
    """The provenance of a training.

    path         where the spec lay; paths of data start from its folder
    data_folder  the folder of data that was named beside it, where it is still there
    source       the spec as run, with its imports
    overrides    the settings in place of its own
    preparation  of the images; None in files older than that record
    settings     all of a run's settings.json, where it is one
    """

    path: Path
    source: Source
    overrides: tuple[str, ...]
    preparation: Preparation | None
    data_folder: Path | None = None
    settings: Settings = field(default_factory=lambda: Settings(spec="", set=[], shards=1))


@dataclass(frozen=True)
class SavedNetwork(Provenance):
    """The provenance of a trained network, with the arrays of its weights file."""

    weights: Path = Path()
    arrays: Mapping[str, np.ndarray] = field(default_factory=dict)
    layout: str = ""  # who must have published them


def of_run(run: RunFolder) -> Provenance:
    """The provenance of a run in its folder; SpecError, by what is wrong, where it was edited or damaged."""
    settings = run.settings()
    path = run.origin(settings)
    source = _read(run.spec(path.name))
    if "imports" in settings:
        imports = tuple(Imported(tuple(p), _read(run.path / file).text) for file, p in settings["imports"].items())
        source = Source(source.name, source.text, imports)
    else:  # written before runs kept them: they are looked for where the spec lay
        source = Source(str(path), source.text)
    overrides, preparation = tuple(settings["set"]), run.preparation(settings)
    return Provenance(path, source, overrides, preparation, run.data_folder(settings), settings)


def of_stopped(run: RunFolder) -> Provenance:
    """The provenance of a run to resume; refused, before any work, if its state belongs to another spec."""
    made = of_run(run)
    check_spec(run.state, tensors.read_metadata(run.state), Stamp.of(made.source, made.overrides, made.preparation))
    return made


def of_trained(path: Path, spec: Path | None = None, layout: str = "") -> SavedNetwork:
    """The network in a run's folder (with the weights of its test) or in a weights file.

    `spec` is that of weights which tell none, such as those that others publish, as `layout` says.
    """
    if spec is not None:
        found = weights.read(path)
        preparation = Preparation.from_metadata(found.metadata, str(path))
        return SavedNetwork(spec, _read(spec), (), preparation, weights=path, arrays=found.arrays, layout=layout)
    if path.is_dir():
        run = RunFolder(path)
        file = run.tested
        if not (run.best.is_file() or run.last.is_file()):
            raise SpecError((Diagnostic.of("CNN462", case="folder", path=path),))
        made, found = of_run(run), tensors.read(file)
        if found.metadata.get("spec"):
            check_spec(file, found.metadata, Stamp.of(made.source, made.overrides, made.preparation))
        preparation = made.preparation or Preparation.from_metadata(found.metadata, str(file))
        return SavedNetwork(**{**vars(made), "preparation": preparation}, weights=file, arrays=found.arrays)
    found = tensors.read(path)
    stamp = Stamp.read(path, found.metadata)
    if stamp is None:
        raise SpecError((Diagnostic.of("CNN463", path=path),))
    lay, data_folder = _beside(path)
    return SavedNetwork(
        lay, stamp.source, stamp.overrides, stamp.preparation, data_folder, weights=path, arrays=found.arrays
    )


def _read(path: Path) -> Source:
    found = read_file(path)
    if isinstance(found, Diagnostic):
        documents.damaged(path, "spec", what=found.message.removeprefix(f"{path} "))
    return found


def _beside(file: Path) -> tuple[Path, Path | None]:
    """A path in the folder that the data of a weights file are looked for from, and the folder of data beside it.

    Weights in a run's folder are of its spec, which lay elsewhere.
    """
    run = RunFolder(file.absolute().parent.parent)
    if file.absolute().parent != run.best.parent or not run.settings_file.is_file():
        return file, None
    try:
        settings = run.settings()
    except SpecError:  # another program's settings.json
        return file, None
    return run.origin(settings), run.data_folder(settings)
