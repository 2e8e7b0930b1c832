"""The figures of a word: its parameters, its work, its window. No NumPy."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from .geometry import Window
from .op import Op
from .types import TensorType


class Figures(NamedTuple):
    """The figures of a word on inputs of given types.

    parameters  trained numbers
    state       numbers kept and saved but not trained
    elements    numbers of its value, of one image
    steps       of the window, for each axis: kernel, stride, pad, dilate, grow
    everywhere  whether each number of its value may depend on every pixel of its inputs
    """

    written: str
    parameters: int
    state: int
    macs: int
    flops: int
    elements: int
    window: Window | None
    steps: tuple[tuple[int, int, int, int, int], ...]
    everywhere: bool


@lru_cache(4096)  # a network says the same layer again and again
def figures(op: Op, types: tuple[TensorType, ...], kind: TensorType) -> Figures:
    """The figures of an op whose value has the type `kind`."""
    owned = op.parameters(*types)
    window = op.window(*types)
    return Figures(
        written=op.written() if op.word else "",
        parameters=sum(p.type.elements for p in owned if p.trained),
        state=sum(p.type.elements for p in owned if not p.trained),
        macs=op.macs(*types),
        flops=op.flops(*types),
        elements=kind.elements,
        window=window,
        steps=() if window is None else _steps(window),
        everywhere=op.looks_everywhere or (window is None and _other_pixels(types, kind)),
    )


def _steps(window: Window) -> tuple[tuple[int, int, int, int, int], ...]:
    grow = window.grow or (1,) * len(window.kernel)
    return tuple(zip(window.kernel, window.stride, window.pad, window.dilate, grow, strict=True))


def _other_pixels(types: tuple[TensorType, ...], kind: TensorType) -> bool:
    """Whether a value has other pixels than its inputs (reshape), so that nothing tells whence each comes."""
    if not types or not kind.spatial:
        return False
    return kind.spatial != max(types, key=lambda t: t.elements).spatial
