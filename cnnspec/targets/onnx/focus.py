"""An image taken apart by every nth pixel, its pieces put together as channels: as detectors begin (YOLOX's focus).

concat(x[..., 0::2, 0::2], x[..., 1::2, 0::2], x[..., 0::2, 1::2], x[..., 1::2, 1::2])
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from .steps import Step

LAST = (1 << 31) - 1  # an end from here on is that of the axis
Phases = dict[int, tuple[int, int]]  # by axis: the first pixel, and how many further the next one is


def focus(
    step: Step, makers: Mapping[str, Step], known: Mapping[str, np.ndarray]
) -> tuple[str, list[Phases]] | None:
    """Of a Concat the image and the pixels of each piece, in order; None if it is no image taken apart."""
    if step.op != "Concat" or step.get("axis") not in (1, -3) or len(step.inputs) < 2:
        return None
    found = [piece(name, makers, known) for name in step.inputs]
    images = {image for image, _ in found}
    pieces = [phases for _, phases in found]
    strides = {tuple(sorted((axis, by) for axis, (_, by) in phases.items())) for phases in pieces}
    if len(images) != 1 or len(strides) != 1:
        return None
    factors, (image,) = dict(strides.pop()), images
    starts = {tuple(phases[axis][0] for axis in sorted(factors)) for phases in pieces}
    every = {tuple(start) for start in np.ndindex(*(factors[axis] for axis in sorted(factors)))}
    whole = len(pieces) == len(every) and starts == every and set() < factors.keys() <= {2, 3}
    return (image, pieces) if whole else None


def piece(name: str, makers: Mapping[str, Step], known: Mapping[str, np.ndarray]) -> tuple[str, Phases]:
    """The value of which slices take every nth pixel, and which; the value itself where none does."""
    phases: Phases = {}
    while (step := makers.get(name)) is not None and step.op == "Slice" and len(step.inputs) == 5:
        if any(other not in known for other in step.inputs[1:]):
            break
        cuts: Sequence[list[int]] = [known[other].tolist() for other in step.inputs[1:]]
        axes = [axis % 4 for axis in cuts[2]]
        if min(cuts[0]) < 0 or min(cuts[1]) < LAST or min(cuts[3]) < 2 or phases.keys() & set(axes):
            break
        phases |= {axis: (start, by) for axis, start, by in zip(axes, cuts[0], cuts[3], strict=True)}
        name = step.inputs[0]
    return name, phases
