"""Inspection of data: images of each class, the numbers that a network gets, and oddities.

Odd are images that are one colour all over, images that come again in the same part, images that are of two classes
at once, and images to learn from that are tested on as well.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import blake2b

import numpy as np

from ..ir import TensorType
from .dataset import Dataset, Split

PARTS = ("train", "validation", "test")
CHUNK = 1 << 24  # bytes of images that are looked at together
MOST_PLACES = 20  # of odd images that are named
MOST_NUMBERS = 64  # of an image, each of which is told; of more, or of pictures, all together
UNEVEN = 10  # times as many images as another class has


@dataclass(frozen=True)
class PartSummary:
    """A part of the data: images of each class, or the range of each regression target."""

    images: int
    classes: tuple[int, ...] | None
    numbers: tuple[tuple[float, float, float], ...] = ()  # least, mean, largest


@dataclass(frozen=True)
class Channel:
    """The numbers of a channel (of a vector: of a column) in the images to learn from, as a network gets them."""

    mean: float
    deviation: float
    least: float
    largest: float


@dataclass(frozen=True)
class Odd:
    """Images that look odd: what they are, of which part, and the places of the first of them, counted from 0."""

    kind: str
    said: str
    count: int
    part: str = ""
    places: tuple[int, ...] = ()


@dataclass(frozen=True)
class Inspection:
    """What was found."""

    name: str
    input: TensorType
    stored: str
    classes: tuple[str, ...] | None
    parts: Mapping[str, PartSummary]
    channels: tuple[Channel, ...]
    odd: tuple[Odd, ...]


def inspect(data: Dataset) -> Inspection:
    """Look at all of the data once, a chunk at a time."""
    parts = {name: getattr(data, name) for name in PARTS}
    return Inspection(
        name=data.name,
        input=data.input_type,
        stored=str(data.train.x.dtype),
        classes=data.classes,
        parts={name: _part(split, data.classes) for name, split in parts.items()},
        channels=_channels(data.train),
        odd=tuple(_odd(parts, data.classes)),
    )


def _part(split: Split, classes: tuple[str, ...] | None) -> PartSummary:
    if classes is not None:
        y = split.y
        if y.ndim == 2:  # rows of several labels
            return PartSummary(len(split), tuple(int(count) for count in (y > 0.5).sum(axis=0)))
        return PartSummary(
            len(split), tuple(np.bincount(y.reshape(-1).astype(np.int64), minlength=len(classes)).tolist())
        )
    rows = split.y.reshape(len(split), -1) if len(split) else np.empty((0, 0))
    columns = rows.T if split.y.ndim == 2 and rows.shape[1] <= MOST_NUMBERS else rows.reshape(1, -1)
    return PartSummary(len(split), None, tuple((float(c.min()), float(c.mean()), float(c.max())) for c in columns))


def _chunks(x: np.ndarray) -> Iterator[np.ndarray]:
    several = max(1, CHUNK // max(1, x[0].nbytes)) if len(x) else 1
    for first in range(0, len(x), several):
        yield x[first : first + several]


def _channels(split: Split) -> tuple[Channel, ...]:
    x = split.x
    if not len(x):
        return ()
    over = (0, *range(2, x.ndim))
    column = (-1, *(1,) * (x.ndim - 2))
    count = x.size // x.shape[1]
    mean = sum(chunk.sum(over, np.float64) for chunk in _chunks(x)) / count
    square = sum(np.square(chunk - mean.reshape(column)).sum(over) for chunk in _chunks(x)) / count
    least = np.min([chunk.min(over) for chunk in _chunks(x)], axis=0)
    largest = np.max([chunk.max(over) for chunk in _chunks(x)], axis=0)
    scale, offset = (np.broadcast_to(n, mean.shape) for n in (split.scaling.scale, split.scaling.offset))
    rows = zip(
        mean * scale + offset,
        np.sqrt(square) * scale,
        least * scale + offset,
        largest * scale + offset,
        strict=True,
    )
    return tuple(Channel(*map(float, row)) for row in rows)


def _odd(parts: Mapping[str, Split], classes: tuple[str, ...] | None) -> Iterator[Odd]:
    pictures = parts["train"].x.ndim > 2
    keys = {name: [_key(image) for chunk in _chunks(split.x) for image in chunk] for name, split in parts.items()}
    for name, split in parts.items():
        if pictures:
            yield from _found("constant", "one colour all over", name, _constant(split.x))
        first: dict[bytes, int] = {}
        again, torn = [], []
        for place, key in enumerate(keys[name]):
            if key not in first:
                first[key] = place
            elif np.array_equal(split.y[first[key]], split.y[place]):
                again.append(place)
            else:
                torn.append(place)
        same = "another one of this part" if pictures else "another row of this part"
        yield from _found("repeated", f"the same as {same}", name, again)
        yield from _found("contradictory", f"the same as {same}, with another answer", name, torn)
    learnt = set(keys["train"])
    for name in ("validation", "test"):
        places = [place for place, key in enumerate(keys[name]) if key in learnt]
        yield from _found("shared", "learnt from too", name, places)
    if classes is not None and len(parts["train"]):
        yield from _uneven(_part(parts["train"], classes).classes or (), classes)


def _uneven(counts: tuple[int, ...], classes: tuple[str, ...]) -> Iterator[Odd]:
    missing = [name for name, count in zip(classes, counts, strict=True) if not count]
    if missing:
        yield Odd("missing", f"no images to learn from: {', '.join(missing[:MOST_PLACES])}", len(missing), "train")
    known = [count for count in counts if count]
    if known and max(known) >= UNEVEN * min(known):
        least, most = classes[counts.index(min(known))], classes[counts.index(max(known))]
        said = f"{max(known):,} images of {most}, and {min(known):,} of {least}"
        yield Odd("uneven", said, max(known) // min(known), "train")


def _found(kind: str, said: str, part: str, places: list[int]) -> Iterator[Odd]:
    if places:
        yield Odd(kind, said, len(places), part, tuple(places[:MOST_PLACES]))


def _key(image: np.ndarray) -> bytes:
    return blake2b(image.tobytes(), digest_size=16).digest()


def _constant(x: np.ndarray) -> list[int]:
    places: list[int] = []
    done = 0
    for chunk in _chunks(x):
        flat = chunk.reshape(len(chunk), chunk.shape[1], -1)
        places += (done + np.flatnonzero((flat == flat[:, :, :1]).all(axis=(1, 2)))).tolist()
        done += len(chunk)
    return places
