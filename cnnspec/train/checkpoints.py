"""Checkpoints: weights to use, and training states to go on from.

Both are safetensors files stamped with the spec that they belong to. Weights hold the parameters by their
names. A state holds all that a training needs: parameters, moments and counters of the model, and the
progress of the loop; it needs no second file, so no kill can leave two that do not belong together.
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import numpy as np

from .._version import __version__
from ..data.fingerprint import changes
from ..data.preparation import Preparation
from ..diagnostics import Diagnostic, Imported, Label, Source, Span, SpecError
from ..validation import Json, fault_of
from . import tensors
from .history import Progress
from .tensors import refuse
from .trainable import Trainable
from .weights import size

VERSION = "1"
PARAMETER, STATE, PROGRESS = "parameter/", "state/", "progress"
# settings that may be others when a run goes on: its images, their order and the arrays of its state stay
CHANGED_LATER = re.compile(r"\s*train\.(epochs|patience|checkpoint|schedule(\.\w+)?|optimiser\.\w+)\s*=[^\n]*")
TEXT, GRAPH = ".cnn", ".cnn.json"  # a spec's two formats, by the ends of their names


@dataclass(frozen=True)
class Stamp:
    """What files are stamped with: the spec, whole, so that weights can be used without it at hand.

    name         how messages call the spec; that of a checked graph ends in .cnn.json
    preparation  of the images, where it is known
    imports      the texts that the spec imports
    overrides    the settings that took the place of the spec's: `train.epochs=3`
    images       what was trained on, as `data.fingerprint` tells it, where it is known
    """

    spec: str
    name: str = "the spec"
    preparation: Preparation | None = None
    imports: tuple[Imported, ...] = ()
    overrides: tuple[str, ...] = ()
    images: Mapping[str, Json] | None = None

    @classmethod
    def of(
        cls,
        source: Source,
        overrides: Sequence[str] = (),
        preparation: Preparation | None = None,
        images: Mapping[str, Json] | None = None,
    ) -> Stamp:
        """The stamp of a spec that was read."""
        return cls(source.text, source.name, preparation, source.imports or (), tuple(overrides), images)

    @classmethod
    def read(cls, path: Path, metadata: Mapping[str, str]) -> Stamp | None:
        """The stamp of a file; None where it tells no spec. Raises SpecError where it is damaged."""
        if not metadata.get("spec"):
            return None
        try:
            origin = json.loads(metadata.get("origin", "{}"))
        except (ValueError, RecursionError) as error:
            refuse("CNN451", path, case="origin JSON", reason=tensors.shown(str(error)) or "too deep")
        if fault := fault_of(origin, "origin"):
            refuse("CNN451", path, case="origin", fault=tensors.shown(" ".join(fault)))
        return cls(
            metadata["spec"],
            f"<text>{GRAPH}" if origin.get("format") == GRAPH else "<text>",
            Preparation.from_metadata(metadata, str(path)),
            tuple(Imported(tuple(one["paths"]), one["text"]) for one in origin.get("imports", ())),
            tuple(origin.get("set", ())),
            origin.get("data"),
        )

    @property
    def source(self) -> Source:
        return Source(self.name, self.spec, self.imports)

    @property
    def sha256(self) -> str:
        """Of the spec, and of what it imports where it does."""
        parts = json.dumps([self.spec, [[one.paths, one.text] for one in self.imports]])
        return sha256((parts if self.imports else self.spec).encode()).hexdigest()

    def metadata(self, kind: str, **more: object) -> dict[str, str]:
        origin = {
            "format": GRAPH if self.name.endswith(GRAPH) else TEXT,
            "imports": [{"paths": one.paths, "text": one.text} for one in self.imports],
            "set": self.overrides,
            "data": self.images,
        }
        return {
            "cnnspec": __version__,
            "kind": kind,
            "version": VERSION,
            "spec": self.spec,
            "spec_sha256": self.sha256,
            **(self.preparation.metadata() if self.preparation else {}),
            "origin": json.dumps(origin),
            **{name: str(value) for name, value in more.items()},
        }


def save_weights(path: Path, model: Trainable, stamp: Stamp, step: int = 0, epoch: int = 0) -> None:
    """Write the parameters."""
    tensors.write(path, model.parameters, stamp.metadata("weights", step=step, epoch=epoch))


def save_state(path: Path, model: Trainable, stamp: Stamp, progress: Progress, step: int) -> None:
    """Write everything that a training needs to go on."""
    arrays: dict[str, np.ndarray] = {PARAMETER + name: a for name, a in model.parameters.items()}
    arrays |= {STATE + name: np.asarray(a) for name, a in model.state.items()}
    arrays[PROGRESS] = np.frombuffer(json.dumps(progress.to_json()).encode(), np.uint8)
    tensors.write(path, arrays, stamp.metadata("state", step=step, epoch=progress.epoch))


def load_state(path: Path, model: Trainable, stamp: Stamp, accept_changed_data: bool = False) -> Progress:
    """Put a model back where `save_state` left it, and return the loop's progress.

    Refuses a state of another spec, and says what differs. Data that have changed are refused too or, where that is
    accepted, begin the epoch anew that was under way: its images come in another order.
    """
    found = tensors.read(path)
    kind, version = found.metadata.get("kind"), found.metadata.get("version")
    if kind != "state" or version != VERSION:
        if kind != "state":
            refuse("CNN460", path, case="weights")
        refuse("CNN460", path, case="version", version=version)
    check_spec(path, found.metadata, stamp)
    changed = _changed_data(path, found.metadata, stamp)
    if changed and not accept_changed_data:
        raise SpecError((Diagnostic.of("CNN466", changed="; ".join(changed)),))
    own = {PARAMETER + name: a for name, a in model.parameters.items()}
    own |= {STATE + name: np.asarray(a) for name, a in model.state.items()}
    _check_arrays(path, found.arrays, own)
    try:
        progress = Progress.from_json(json.loads(found.arrays[PROGRESS].tobytes()))
    except (ValueError, RecursionError) as error:
        refuse("CNN460", path, case="progress", reason=tensors.shown(str(error)))
    state = {name.removeprefix(STATE): a for name, a in found.arrays.items() if name.startswith(STATE)}
    for name in model.parameters:
        model.parameters[name] = found.arrays[PARAMETER + name]
    try:
        model.load_state(state)  # last: what steps move may be others than the parameters, their average
    except ValueError as error:
        refuse("CNN460", path, case="counters", reason=tensors.shown(str(error)))
    if changed:
        progress.begin_epoch()
    return progress


def _changed_data(path: Path, metadata: Mapping[str, str], stamp: Stamp) -> tuple[str, ...]:
    """How the data differ from those of a state; nothing where they do not, or where one of them is unknown."""
    was = Stamp.read(path, metadata)
    if stamp.images is None or was is None or was.images is None:
        return ()
    return tuple(map(tensors.shown, changes(was.images, stamp.images)))


def check_spec(path: Path, metadata: Mapping[str, str], stamp: Stamp) -> None:
    """Refuse a file of another spec, of other imports or other settings, and say what differs.

    A run that was resumed with another rate or more epochs has files from before, which belong to it.
    """
    was = Stamp.read(path, metadata) or Stamp("")
    imports = [(one.paths, one.text) for one in was.imports]
    found = [] if was.spec == stamp.spec else differences(was.spec, stamp.source)
    for one in stamp.imports if "origin" in metadata else ():
        before = next((text for paths, text in imports if paths == one.paths), "")
        if before != one.text:
            found += differences(before, Source(one.paths[0], one.text))
    if found:
        first, *others = found
        shown, related = tensors.shown(str(path)), tuple(others[:8])
        raise SpecError((Diagnostic.of("CNN461", first.span, related=related, path=shown, difference=first.text),))
    if was.preparation and stamp.preparation and was.preparation != stamp.preparation:
        refuse("CNN461", path, case="preparation")
    if "origin" in metadata and not goes_on(was.overrides, stamp.overrides):
        told = [" ".join(f"--set {tensors.shown(one)}" for one in stamp.overrides) or "no --set"]
        told += [" ".join(f"--set {tensors.shown(one)}" for one in was.overrides) or "none"]
        refuse("CNN461", path, case="settings", run=told[1], settings=told[0])


def goes_on(was: Sequence[str], now: Sequence[str]) -> bool:
    """Whether settings are those that were, and after them only what a run may change when it is resumed."""
    later = now[len(was) :]
    return tuple(now[: len(was)]) == tuple(was) and all(CHANGED_LATER.fullmatch(one) for one in later)


def differences(old: str, new: Source) -> list[Label]:
    """The lines of a spec that are not what they were, each with what was there; at least one."""
    before, after = _lines(old), _lines(new.text)
    found = []
    for what, i, j, k, m in difflib.SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if what == "replace" and j - i == m - k:
            found += [Label(_line(new, k + n), f"was `{_cut(before[i + n])}`") for n in range(m - k)]
        elif what == "replace":
            found.append(Label(_line(new, k), f"was `{_cut(' ; '.join(before[i:j]))}`"))
        elif what == "delete":
            where = "before" if k < len(after) else "after"
            gone = _cut(" ; ".join(before[i:j]))
            found.append(Label(_line(new, min(k, len(after) - 1)), f"{where} it stood `{gone}`"))
        elif what == "insert":
            more = f", and {m - k - 1} more lines after it" if m - k > 1 else ""
            found.append(Label(_line(new, k), f"is new{more}"))
    return found or [Label(_line(new, 0), "the ends of its lines have changed")]


def _lines(text: str) -> list[str]:
    return [line.rstrip("\r") for line in text.removesuffix("\n").split("\n")]


def _cut(text: str) -> str:
    text = tensors.shown(text.strip())
    return text if len(text) <= 60 else text[:59] + "…"


def _line(source: Source, number: int) -> Span:
    """A line, counted from 0, without the blanks around it."""
    start, text = source.line_starts[number], source.line(number + 1)
    return Span(source, start + len(text) - len(text.lstrip()), start + len(text.rstrip()))


def _check_arrays(path: Path, arrays: dict[str, np.ndarray], own: dict[str, np.ndarray]) -> None:
    """A state must hold exactly the model's own arrays."""
    for name in sorted(set(own) | set(arrays) - {PROGRESS}):
        if name not in arrays:
            refuse("CNN460", path, case="lacks", name=name)
        if name not in own:
            refuse("CNN460", path, case="other", name=tensors.shown(name))
        there, here = arrays[name], own[name]
        if np.issubdtype(there.dtype, np.floating) and np.isnan(there).any():
            refuse("CNN460", path, case="NaN", name=name)
        if there.shape != here.shape or there.dtype != here.dtype:
            told = f"{size(there)} {there.dtype}", f"{size(here)} {here.dtype}"
            refuse("CNN460", path, case="array", name=name, there=told[0], here=told[1])
    if PROGRESS not in arrays:
        refuse("CNN460", path, case="lacks", name=PROGRESS)
