"""Arrays on the devices by name, as a model shows them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, MutableMapping
from contextlib import AbstractContextManager, nullcontext

import numpy as np
from jax import Array

from ..ir.op import Parameter
from ..targets.jax.layout import filters_first, filters_last
from .devices import Devices


class Held(MutableMapping[str, np.ndarray]):
    """Arrays on the devices by name: reading copies and assigning sets, in PyTorch's layouts.

    They lie as words compute with them, and are turned once, when they are set, not in every step. Each waits for
    its `turn`: a step gives the memory of what it read away, and replaces what is set meanwhile.
    """

    def __init__(
        self,
        parameters: Mapping[str, Parameter],
        devices: Devices,
        dtype: str,
        turn: AbstractContextManager[object] | None = None,
        changed: Callable[[], None] = lambda: None,
    ) -> None:
        self._parameters, self._devices, self._dtype = dict(parameters), devices, dtype
        self._turn, self._changed = turn or nullcontext(), changed
        self.arrays: dict[str, Array] = {}
        self.also: Held | None = None  # where what is assigned is set too

    def __getitem__(self, name: str) -> np.ndarray:
        with self._turn:
            return np.array(filters_first(np.asarray(self.arrays[name])), order="C")

    def __setitem__(self, name: str, value: np.ndarray) -> None:
        if name not in self._parameters:
            raise KeyError(f"no parameter is called {name!r}; there are {', '.join(self._parameters)}")
        shape = self._parameters[name].type.shape
        value = np.array(value, self._dtype)
        if value.shape != shape:
            raise ValueError(f"{name} has shape {shape}, got {value.shape}")
        put = self._devices.put(np.ascontiguousarray(filters_last(value)), self._devices.everywhere)
        with self._turn:
            self.arrays[name] = put
            if self.also is not None and name in self.also._parameters:
                self.also[name] = value
            self._changed()

    def __delitem__(self, name: str) -> None:
        raise TypeError("parameters belong to the network; they can be set, not removed")

    def __iter__(self) -> Iterator[str]:
        return iter(self._parameters)

    def __len__(self) -> int:
        return len(self._parameters)

    def __repr__(self) -> str:
        return "\n".join(f"{name}: {parameter.type}" for name, parameter in self._parameters.items())

    def part(self, names: Mapping[str, Parameter]) -> dict[str, Array]:
        return {name: self.arrays[name] for name in names}
