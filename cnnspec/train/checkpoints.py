"""Checkpoints: weights to use, and training states to go on from.

Both are safetensors files stamped with the spec that they belong to. Weights hold the parameters by their
names. A state holds all that a training needs: parameters, moments and counters of the model, and the
progress of the loop; it needs no second file, so no kill can leave two that do not belong together.
"""

from __future__ import annotations

import difflib
import json
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import __version__
from . import tensors
from .history import Progress
from .loop import Trainable
from .tensors import refuse
from .weights import size

VERSION = "1"
PARAMETER, STATE, PROGRESS = "parameter/", "state/", "progress"


@dataclass(frozen=True)
class Stamp:
    """What files are stamped with: the spec, whole, so that weights can be used without it at hand."""

    spec: str

    @property
    def sha256(self) -> str:
        return sha256(self.spec.encode()).hexdigest()

    def metadata(self, kind: str, **more: object) -> dict[str, str]:
        return {
            "cnnspec": __version__,
            "kind": kind,
            "version": VERSION,
            "spec": self.spec,
            "spec_sha256": self.sha256,
            **{name: str(value) for name, value in more.items()},
        }


def save_weights(path: Path, model: Trainable, stamp: Stamp, step: int = 0, epoch: int = 0) -> None:
    """Write the parameters."""
    tensors.write(path, model.parameters, stamp.metadata("weights", step=step, epoch=epoch))


def save_state(path: Path, model: Trainable, stamp: Stamp, progress: Progress, step: int) -> None:
    """Write everything that a training needs to go on."""
    arrays: dict[str, NDArray[Any]] = {PARAMETER + name: a for name, a in model.parameters.items()}
    arrays |= {STATE + name: np.asarray(a) for name, a in model.state.items()}
    arrays[PROGRESS] = np.frombuffer(json.dumps(progress.to_json()).encode(), np.uint8)
    tensors.write(path, arrays, stamp.metadata("state", step=step, epoch=progress.epoch))


def load_state(path: Path, model: Trainable, stamp: Stamp) -> Progress:
    """Put a model back where `save_state` left it, and return the loop's progress.

    Refuses a state of another spec, and says what differs.
    """
    found = tensors.read(path)
    kind, version = found.metadata.get("kind"), found.metadata.get("version")
    if kind != "state" or version != VERSION:
        what = "weights without the state of a training" if kind != "state" else f"a state of version {version}"
        refuse("CNN460", path, f"holds {what}", "to start anew from weights, use `--weights`")
    _check_spec(path, found.metadata, stamp)
    own = {PARAMETER + name: a for name, a in model.parameters.items()}
    own |= {STATE + name: np.asarray(a) for name, a in model.state.items()}
    _check_arrays(path, found.arrays, own)
    try:
        progress = Progress.from_json(json.loads(found.arrays[PROGRESS].tobytes()))
    except (ValueError, RecursionError) as error:
        refuse("CNN460", path, f"holds a progress that cannot be read: {tensors.shown(str(error))}")
    for name in model.parameters:
        model.parameters[name] = found.arrays[PARAMETER + name]
    model.load_state({name.removeprefix(STATE): a for name, a in found.arrays.items() if name.startswith(STATE)})
    return progress


def _check_spec(path: Path, metadata: dict[str, str], stamp: Stamp) -> None:
    if metadata.get("spec_sha256") == stamp.sha256:
        return
    old, new = metadata.get("spec", "").splitlines(), stamp.spec.splitlines()
    changed = [line for line in difflib.unified_diff(old, new, n=0, lineterm="")][2:]
    lines = [tensors.shown(line) for line in changed if not line.startswith("@@")]
    shown = lines[:12] + ["..."] * (len(lines) > 12)
    refuse(
        "CNN461", path, "belongs to another spec; since then\n  " + "\n  ".join(shown),
        "resume with the spec as it was (the run's folder holds it), or start anew from these weights "
        "with `--weights`",
    )  # fmt: skip


def _check_arrays(path: Path, arrays: dict[str, NDArray[Any]], own: dict[str, NDArray[Any]]) -> None:
    """A state must hold exactly the model's own arrays."""
    for name in sorted(set(own) | set(arrays) - {PROGRESS}):
        if name not in arrays:
            refuse("CNN460", path, f"lacks {name}")
        if name not in own:
            refuse("CNN460", path, f"holds {tensors.shown(name)}, which this training does not have")
        there, here = arrays[name], own[name]
        if there.shape != here.shape or there.dtype != here.dtype:
            told = f"{size(there)} {there.dtype}", f"{size(here)} {here.dtype}"
            refuse("CNN460", path, f"holds {name} as {told[0]}, and this training has {told[1]}")
    if PROGRESS not in arrays:
        refuse("CNN460", path, f"lacks {PROGRESS}")
