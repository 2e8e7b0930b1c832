"""A value of ours as the model sees it, and what waits to become one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from ...ir.op import Op
from ...words import WORDS
from .steps import Step

Shape = tuple[int, ...]
Pads = list[tuple[int, int]]


@dataclass(frozen=True)
class Seen:
    """One of our values as the model sees it: its numbers in `shape`, the axes then taken in the order `perm`."""

    value: str
    shape: Shape
    perm: Shape
    ravel: Shape = ()  # of an image in one row: the order in which its axes were taken, where that is not ours

    @property
    def sizes(self) -> Shape:
        """Sizes of one image, in the model's order."""
        return tuple(self.shape[axis] for axis in self.perm)

    @property
    def straight(self) -> bool:
        return self.perm == tuple(range(len(self.perm)))


def seen(value: str, shape: Shape) -> Seen:
    return Seen(value, shape, tuple(range(len(shape))))


@dataclass(frozen=True)
class Margin:
    """Padding that waits for a window to take it as its own: how much before and after each side, and of what."""

    step: Step
    sides: tuple[tuple[int, int], ...]
    filler: float


class Waiting(Protocol):
    """Becomes a value of the network when something reads it; `value` is its source."""

    @property
    def value(self) -> Seen: ...

    def settled(self, r: Any) -> Seen:
        """The value, made by that reader."""
        ...


def word(name: str, *size: Any, **settings: Any) -> Op:
    """A word with its size and settings."""
    made: Any = WORDS[name]
    return made(*size, **settings)


def order(value: Seen) -> str:
    return ", ".join(["n", *("chw"[axis] if axis < 3 else "?" for axis in value.perm)])
