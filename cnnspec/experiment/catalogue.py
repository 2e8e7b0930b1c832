"""The runs below a folder, each as what it was made of and what came of it, side by side.

    entries, problems = catalogue(Path("runs"))
    differing(entries)[entries[0].path]               # {"train.optimiser.lr": 0.1}

A run is read from its own folder, never from today's spec; one that is damaged is a problem, and the others stand.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ..api import read_spec
from ..diagnostics import Diagnostic, SpecError
from ..lang import Spec
from ..lang.exchange import fields_as_json
from ..train.checkpoints import Stamp
from ..train.documents import Summary
from ..train.folder import RunFolder
from ..train.lock import ensure_free
from ..validation import Json
from .by_name import by_name
from .provenance import Provenance, of_run

SETTINGS = "settings.json"
Columns = dict[str, list[float | None]]


@dataclass(frozen=True)
class RunEntry:
    """A run: where it is, its settings by dotted names, and its figures (None where there are none).

    status   `finished`, `interrupted`, `failed`, `running`, or `stopped` where it was killed
    figures  epochs, best_epoch, accuracy and cost of the best epoch (on the validation images where there are any),
             test_accuracy, test_cost, test.f1 and what else was measured, seconds, parameters
    columns  of its results: a number an epoch
    text     the SHA-256 of its spec and of what that imports
    """

    path: Path
    spec: str
    status: str
    settings: Mapping[str, Json]
    figures: Mapping[str, float | None]
    columns: Columns
    text: str
    made: Provenance = field(repr=False)

    def known(self) -> dict[str, Json]:
        """All by name: what runs are sorted and chosen by."""
        return {
            "run": str(self.path),
            "spec": self.spec,
            "status": self.status,
            **self.figures,
            **self.settings,
        }

    def read(self) -> Spec:
        """Its spec with its settings, as it ran."""
        return spec_of(self.made)


def spec_of(made: Provenance) -> Spec:
    """The spec of a run with its settings and, if it states none, the input that its data had."""
    spec = read_spec(made.source, overrides=made.overrides)
    if spec.symbolic and made.preparation is not None:
        spec = read_spec(made.source, overrides=made.overrides, input=made.preparation.input_type)
    return spec


def catalogue(folder: Path) -> tuple[list[RunEntry], tuple[Diagnostic, ...]]:
    """The runs in a folder and the folders below it, in order of their names, and what is wrong with others."""
    entries: list[RunEntry] = []
    problems: list[Diagnostic] = []
    for path in folders(folder):
        try:
            entries.append(entry(path))
        except SpecError as error:
            problems += error.diagnostics
    return entries, tuple(problems)


def folders(folder: Path) -> Iterator[Path]:
    """Where runs are; links are not followed, and a run's own folders are passed over."""
    for path, below, names in os.walk(folder):
        if SETTINGS in names and "weights" in below:  # editors have settings of that name too
            below.clear()
            yield Path(path)
        below.sort()


def entry(path: Path) -> RunEntry:
    """The run in a folder; SpecError where that is none, or is damaged."""
    run = RunFolder(path)
    made = of_run(run)
    settings, ended, columns = made.settings, run.ended(), run.columns()
    train, data = settings.get("train"), settings.get("data")
    if not isinstance(train, dict) or not isinstance(data, dict):  # written before settings had fields
        spec = spec_of(made)
        train, data = fields_as_json(spec.train), fields_as_json(spec.data)
    told = by_name({**settings, "train": train, "data": data})
    done = columns.get("epoch", [])
    best = ended.get("best_epoch") or _best(columns, train) or len(done)
    figures: dict[str, float | None] = {"epochs": len(done), "best_epoch": best or None}
    held_out = any(value is not None for value in columns.get("validation_cost", []))
    for name in ("accuracy", "cost"):
        values = columns.get(f"validation_{name}" if held_out else name, [])
        figures[name] = values[best - 1] if 0 < best <= len(values) else None
    figures |= {"test_accuracy": ended.get("test_accuracy"), "test_cost": ended.get("test_cost")}
    for name, value in (ended.get("test") or {}).items():
        if isinstance(value, (int, float)) and name != "accuracy":
            figures[f"test.{name}"] = value
    seconds = sum(filter(None, columns.get("seconds", [])))
    figures["seconds"] = ended.get("seconds", seconds)
    figures["parameters"] = ended.get("parameters", settings.get("parameters"))
    name = made.path.name.removesuffix(".json").removesuffix(".cnn")
    return RunEntry(path, name, _status(path, ended), told, figures, columns, Stamp.of(made.source).sha256, made)


def _status(path: Path, ended: Summary) -> str:
    if ended:
        return str(ended["status"])
    try:
        ensure_free(path)
    except SpecError:
        return "running"
    return "stopped"


def _best(columns: Columns, train: Mapping[str, Json]) -> int:
    """The best epoch of a run that has not ended, as the loop chooses it: the first of equals."""
    held_out = "validation_" if any(value is not None for value in columns.get("validation_cost", [])) else ""
    accuracies = columns.get(f"{held_out}accuracy", [])
    by_cost = train.get("best") == "cost" or all(value is None for value in accuracies)
    values = [-v if v is not None and by_cost else v for v in columns.get(f"{held_out}cost", [])]
    values = values if by_cost else accuracies
    known = [(value, -number) for number, value in enumerate(values, 1) if value is not None]
    return -max(known)[1] if known else 0


def differing(entries: Iterable[RunEntry]) -> dict[Path, dict[str, Json]]:
    """By run, the settings in which those of the same spec differ; `text` where the spec itself was edited."""
    groups: dict[str, list[RunEntry]] = {}
    for one in entries:
        groups.setdefault(one.spec, []).append(one)
    found: dict[Path, dict[str, Json]] = {}
    for group in groups.values():
        names = dict.fromkeys(name for one in group for name in one.settings)
        varied = [name for name in names if len({repr(one.settings.get(name)) for one in group}) > 1]
        edited = len({one.text for one in group}) > 1
        for one in group:
            told: dict[str, Json] = {"text": one.text[:8]} if edited else {}
            found[one.path] = {**told, **{name: one.settings.get(name) for name in varied}}
    return found
