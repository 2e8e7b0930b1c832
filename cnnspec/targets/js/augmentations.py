"""Augmentations in JavaScript: how each draws what happens to an image, by a function of `kernels/augmentation.js`.

To add one: its function there, its arguments here. A test names what is missing; it is refused until then.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ...ir import TensorType
from ...quoting import script_literal
from ...settings.augment import (
    Augmentation,
    Brightness,
    Contrast,
    Crop,
    Cutmix,
    Cutout,
    Flip,
    Mixup,
    Noise,
    ResizedCrop,
    Rotate,
    Saturation,
    Shift,
    Zoom,
)
from .pointwise import refused

KERNELS: dict[type[Augmentation], tuple[str, Callable[[Any, TensorType], str]]] = {
    Flip: ("flipping", lambda change, kind: script_literal(change.direction)),
    Crop: ("shifting", lambda change, kind: f"{sides(change.reach(kind.shape))}, false"),
    Shift: ("shifting", lambda change, kind: f"{sides(change.reach(kind.shape))}, true"),
    Rotate: ("turning", lambda change, kind: repr(change.degrees)),
    Zoom: ("zooming", lambda change, kind: repr(change.amount)),
    ResizedCrop: ("resizing", lambda change, kind: f"{change.area!r}, {change.ratio!r}"),
    Brightness: ("brightening", lambda change, kind: repr(change.amount)),
    Contrast: ("contrasting", lambda change, kind: repr(change.amount)),
    Saturation: ("saturating", lambda change, kind: repr(change.amount)),
    Noise: ("noising", lambda change, kind: repr(change.amount)),
    Mixup: ("mixing", lambda change, kind: repr(change.alpha)),
    Cutmix: ("patching", lambda change, kind: f"{change.alpha!r}, {len(kind.shape) - 1}"),
    Cutout: ("hiding", lambda change, kind: sides(change.sizes(kind.shape))),
}


def sides(sizes: tuple[int, ...]) -> str:
    """Numbers along h and w; of a sequence that along h is 0."""
    return str([0, *sizes][-2:])


def source(change: Augmentation, images: TensorType) -> str:
    """An entry of the module's list: whether answers that are images follow, and what draws a change."""
    if type(change) not in KERNELS:
        raise refused(f"augment {change.word}")
    kernel, arguments = KERNELS[type(change)]
    moves, mixes = ("true" if one else "false" for one in (change.moves, change.mixes))
    return f"{{ moves: {moves}, mixes: {mixes}, draw: (random) => {kernel}(random, {arguments(change, images)}) }}"
