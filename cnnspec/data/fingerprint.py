"""A fingerprint of the images of a training, to notice changes.

    {"input": [1, 28, 28], "stored": "uint8", "classes": 10,
     "train": {"images": 4500, "sha256": "..."}, "validation": {...}, "test": {...}}

A part of up to 64 MiB goes into its digest whole, a larger one by as much of it in images that lie evenly from the
first to the last, and by all of its labels: that takes a tenth of a second. A single image of many that was changed
in place may so be missed.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256

import numpy as np

from ..validation import Json
from .dataset import Dataset, Named, Split

WHOLE = 64 << 20  # bytes
PARTS = {"train": "training images", "validation": "validation images", "test": "test images"}


def fingerprint(data: Dataset) -> dict[str, Json]:
    """The images of every part, as above; of several inputs the sizes and the type of the first."""
    first = data.train.x if isinstance(data.train, Split) else next(iter(data.train.x.values()))
    return {
        "input": list(data.input_type.shape),
        "stored": str(first.dtype),
        "classes": None if data.classes is None else len(data.classes),
        **{part: {"images": len(split), "sha256": digest(split)} for part, split in _splits(data)},
    }


def digest(split: Split | Named) -> str:
    """SHA-256 of the images and of what they show, in their order."""
    if isinstance(split, Named):
        parts = [
            digest(Split(x, y, weights=split.weights, oversample=split.oversample))
            for x in split.x.values()
            for y in split.y.values()
        ]
        return sha256("".join(parts).encode()).hexdigest()
    found = sha256()
    for array in (split.x,) if split.itself else (split.x, split.y):
        found.update(f"{array.dtype} {array.shape}".encode())
        size = array[:1].nbytes or 1
        count = len(array) if array is not split.x else min(len(array), max(1, WHOLE // size))
        taken = np.linspace(0, len(array) - 1, count).astype(np.int64) if len(array) else np.array([], np.int64)
        step = max(1, (1 << 20) // size)
        for first in range(0, count, step):
            found.update(np.ascontiguousarray(array[taken[first : first + step]]).data)
    if split.weights is not None:
        found.update(b"" if split.oversample else b"of the cost")
        found.update(split.weights.tobytes())
    return found.hexdigest()


def changes(was: Mapping[str, Json], now: Mapping[str, Json]) -> tuple[str, ...]:
    """The changes since, in words; empty if there are none."""
    found = []
    for key, name in (("input", "an image was"), ("stored", "its numbers were"), ("classes", "the classes were")):
        if was.get(key) != now[key]:
            found.append(f"{name} {_told(was.get(key))}, now {_told(now[key])}")
    for part, name in PARTS.items():
        before, after = (each if isinstance(each, Mapping) else {} for each in (was.get(part), now[part]))
        if before.get("images") != after.get("images"):
            found.append(f"there were {_told(before.get('images'))} {name}, now {_told(after.get('images'))}")
        elif before.get("sha256") != after.get("sha256"):
            found.append(f"the {name} are not those of before")
    return tuple(found)


def _splits(data: Dataset) -> tuple[tuple[str, Split], ...]:
    return tuple((part, getattr(data, part)) for part in PARTS)


def _told(value: Json) -> str:
    if isinstance(value, list):
        return "x".join(map(str, value))
    return f"{value:,}" if isinstance(value, int) else "none" if value is None else str(value)
