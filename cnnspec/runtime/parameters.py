"""The parameters of a model: kept in the plan's order in one block, seen in PyTorch's."""

from __future__ import annotations

from collections.abc import Callable, Iterator, MutableMapping
from contextlib import AbstractContextManager, nullcontext
from math import prod

import numpy as np

from ..ir.op import Parameter
from ..ir.owned import distribution


class ParameterBlock:
    """Arrays one after the other in one block of memory, each in its parameter's stored order."""

    def __init__(self, parameters: dict[str, Parameter], memory: np.ndarray) -> None:
        self.flat = memory
        self.arrays: dict[str, np.ndarray] = {}
        self.places: dict[str, tuple[int, int]] = {}  # from where to where each lies
        start = 0
        for name, parameter in parameters.items():
            stop = start + parameter.type.elements
            self.arrays[name] = memory[start:stop].reshape(parameter.stored_shape)
            self.places[name] = start, stop
            start = stop


class ChangeCounter:
    """How often parameters have changed."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self) -> None:
        self.count += 1


class View(MutableMapping[str, np.ndarray]):
    """Arrays by name in PyTorch's layouts: reading copies, assigning sets.

    `model.parameters["conv1.weight"]` is (F, C, KH, KW), `["dense1.weight"]` (out, in). Each waits for its `turn`.
    What is assigned is set in the arrays `also` too.
    """

    def __init__(
        self,
        parameters: dict[str, Parameter],
        arrays: dict[str, np.ndarray],
        changed: Callable[[], None] = lambda: None,
        turn: AbstractContextManager[object] | None = None,
        also: dict[str, np.ndarray] | None = None,
    ) -> None:
        self._parameters, self._arrays, self._changed, self._also = parameters, arrays, changed, also or {}
        self._turn = turn or nullcontext()

    def __getitem__(self, name: str) -> np.ndarray:
        parameter = self._parameters[name]
        back = np.argsort(parameter.order) if parameter.order else ()
        with self._turn:
            return np.ascontiguousarray(self._arrays[name].transpose(back)).reshape(parameter.type.shape).copy()

    def __setitem__(self, name: str, value: np.ndarray) -> None:
        if name not in self._parameters:
            raise KeyError(f"no parameter is called {name!r}; there are {', '.join(self._parameters)}")
        parameter = self._parameters[name]
        value = np.asarray(value)
        if value.shape != parameter.type.shape:
            raise ValueError(f"{name} has shape {parameter.type.shape}, got {value.shape}")
        unfolded = value.reshape([size for _, size in parameter.unfolded])
        with self._turn:
            self._arrays[name][...] = unfolded.transpose(parameter.order)
            if name in self._also:
                self._also[name][...] = self._arrays[name]
            self._changed()

    def __delitem__(self, name: str) -> None:
        raise TypeError("parameters belong to the network; they can be set, not removed")

    def __iter__(self) -> Iterator[str]:
        return iter(self._parameters)

    def __len__(self) -> int:
        return len(self._parameters)

    def __repr__(self) -> str:
        return "\n".join(f"{name}: {parameter.type}" for name, parameter in self._parameters.items())


def initial(parameter: Parameter, generator: np.random.Generator) -> np.ndarray:
    """A parameter as it begins (`ir.owned.distribution`), in PyTorch's layout (float64)."""
    shape = parameter.type.shape
    kind, number = distribution(parameter)
    match kind:
        case "uniform":
            return generator.uniform(-number, number, shape)
        case "normal":
            return generator.normal(0, number, shape)
        case "orthogonal":
            rows, columns = shape[0], prod(shape[1:])
            matrix = generator.normal(size=(max(rows, columns), min(rows, columns)))
            q, r = np.linalg.qr(matrix)
            q *= np.sign(np.diag(r))
            return (q if rows >= columns else q.T).reshape(shape)
    return np.full(shape, number)
