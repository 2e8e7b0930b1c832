"""A program becomes functions, and its buffers arrays."""

from __future__ import annotations

import linecache
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from math import prod
from types import SimpleNamespace
from typing import Any, NamedTuple, Protocol

import numpy as np

from ..kernels import KERNELS


class Loadable(Protocol):
    """What is bound of a program: `codegen.emit.Program`, or its `Text` in a process that has no more of it."""

    @property
    def source(self) -> str: ...

    @property
    def filename(self) -> str: ...

    @property
    def constants(self) -> Mapping[str, np.ndarray]: ...

    @property
    def parameters(self) -> Mapping[str, str]:
        """What each parameter is called in p and g."""


class Text(NamedTuple):
    """A program as plain data."""

    source: str
    filename: str
    constants: Mapping[str, np.ndarray]
    parameters: Mapping[str, str]


class Arena:
    """Gives out pieces of one block of memory."""

    def __init__(self, memory: np.ndarray, dtype: str) -> None:
        self.memory, self.dtype = memory, dtype

    def __call__(self, offset: int, shape: tuple[int, ...], dtype: str | None = None) -> np.ndarray:
        kind = np.dtype(dtype or self.dtype)
        size = prod(shape) * kind.itemsize
        return self.memory[offset : offset + size].view(kind).reshape(shape)


@dataclass
class BoundProgram:
    """A program with its arrays: what a shard runs."""

    program: Loadable
    prepare: Callable[[SimpleNamespace, SimpleNamespace], None] | None
    forward: Callable[[SimpleNamespace, SimpleNamespace], Iterator[None]]  # to its barriers; None without any
    backward: Callable[[SimpleNamespace, SimpleNamespace, SimpleNamespace], Iterator[None]] | None
    update_statistics: Callable[[SimpleNamespace, SimpleNamespace], None] | None
    b: SimpleNamespace
    p: SimpleNamespace
    g: SimpleNamespace | None

    def back(self) -> Iterator[None]:
        """The backward phase, to its barriers, of a program that has one."""
        assert self.backward is not None and self.g is not None
        return self.backward(self.b, self.p, self.g)


def namespace(program: Loadable, arrays: Mapping[str, np.ndarray]) -> SimpleNamespace:
    """The parameters of a plan (or their gradients) by what it calls them."""
    return SimpleNamespace(**{name: arrays[full] for full, name in program.parameters.items() if full in arrays})


def functions(program: Loadable, dtype: str) -> dict[str, Any]:
    """Run the program's source (functions only) and register it, so that tracebacks show its lines."""
    lines = program.source.splitlines(keepends=True)
    linecache.cache[program.filename] = (len(program.source), None, lines, program.filename)
    names: dict[str, Any] = {"np": np, "f": np.dtype(dtype).type, **KERNELS}
    exec(compile(program.source, program.filename, "exec"), names)
    return names


def bind(
    program: Loadable,
    dtype: str,
    arena: np.ndarray,
    prepared: np.ndarray,
    parameters: Mapping[str, np.ndarray],
    gradients: Mapping[str, np.ndarray] | None,
    partials: Mapping[str, np.ndarray],
    feeds: Mapping[str, np.ndarray],
    fetches: Mapping[str, np.ndarray],
    numbers: Mapping[str, np.ndarray | int],
) -> BoundProgram:
    """Make the program's functions and lay its buffers over the memory given.

    `numbers` are the small arrays of a shard: costs, correct, clock.
    """
    names = functions(program, dtype)
    b, p = SimpleNamespace(**numbers), namespace(program, parameters)
    g = namespace(program, gradients) if gradients is not None else None
    names["buffers"](
        b, p, g, Arena(arena, dtype), Arena(prepared, dtype), partials, program.constants, feeds, fetches
    )
    prepare, backward, update_statistics = (
        names.get(name) for name in ("prepare", "backward", "update_statistics")
    )
    return BoundProgram(program, prepare, names["forward"], backward, update_statistics, b, p, g)
