"""The devices that a network runs on, and how arrays lie on them.

The batch is cut into as many parts as there are devices, of all processes; parameters lie on each of them.
A batch that cannot be cut evenly (the last of an epoch) lies whole on each: every device then computes
the same, and what it gives does not differ.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from math import prod

import jax
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec
from jax.typing import DTypeLike

from ..diagnostics import Diagnostic, SpecError

DETERMINISTIC = "xla_gpu_deterministic_ops"


@dataclass(frozen=True)
class Devices:
    """A line of devices, those of process 0 first."""

    mesh: Mesh

    @classmethod
    def of(cls, count: int | None = None) -> Devices:
        """The first `count` devices of each process (default: all); a machine's cores stand for as many."""
        prepare(count)
        own = [device for device in jax.devices() if device.process_index == jax.process_index()]
        if count is not None and count > len(own):
            raise SpecError(
                (Diagnostic.of("CNN312", wanted=count, found=len(own), devices=", ".join(map(str, own))),)
            )
        chosen = []
        for process in range(jax.process_count()):
            chosen += [device for device in jax.devices() if device.process_index == process][:count]
        return cls(Mesh(np.array(chosen), ("batch",)))

    @property
    def count(self) -> int:
        return self.mesh.size

    @property
    def everywhere(self) -> NamedSharding:
        """How parameters lie: whole on each device."""
        return NamedSharding(self.mesh, PartitionSpec())

    def batch(self, n: int) -> NamedSharding:
        """How n images lie."""
        return NamedSharding(self.mesh, PartitionSpec("batch")) if n % self.count == 0 else self.everywhere

    def rows(self, n: int) -> slice:
        """The images of a batch of n that the devices of this process see."""
        if n % self.count:
            return slice(0, n)
        per_process, mine = n // jax.process_count(), jax.process_index()
        return slice(mine * per_process, (mine + 1) * per_process)

    def put(self, array: np.ndarray | jax.Array, sharding: NamedSharding) -> jax.Array:
        """An array onto the devices, if it is not there; of a batch, only this process's rows are looked at."""
        if isinstance(array, jax.Array) and array.sharding == sharding:
            return array
        if jax.process_count() == 1:
            return jax.device_put(array, sharding)
        return jax.make_array_from_callback(array.shape, sharding, lambda index: array[index])

    def __str__(self) -> str:
        first = self.mesh.devices.flat[0]
        kind = {"cpu": "CPU"}.get(first.platform, first.device_kind)
        machines = f" of {jax.process_count()} processes" if jax.process_count() > 1 else ""
        return f"{self.count} device{'s' * (self.count > 1)} ({kind}){machines}"


def prepare(count: int | None) -> None:
    """Say how devices shall be, before JAX first looks at them; once it has, they are what they are.

    A processor shows itself as `count` devices, and GPUs add in one order, so that bits repeat.
    """
    flags = os.environ.get("XLA_FLAGS", "")
    if DETERMINISTIC not in flags:
        os.environ["XLA_FLAGS"] = f"{flags} --{DETERMINISTIC}=true".strip()
    with suppress(RuntimeError):  # JAX has begun already
        if count is not None and "xla_force_host_platform_device_count" not in flags:
            jax.config.update("jax_num_cpu_devices", count)


def abstract(
    arrays: Mapping[str, tuple[int, ...]], dtype: DTypeLike, sharding: NamedSharding
) -> dict[str, jax.ShapeDtypeStruct]:
    """Arrays by name as JAX traces them: shape, dtype and place, without numbers."""
    return {name: jax.ShapeDtypeStruct(shape, dtype, sharding=sharding) for name, shape in arrays.items()}


def nbytes(arrays: Mapping[str, jax.Array | jax.ShapeDtypeStruct]) -> int:
    return sum(prod(array.shape) * array.dtype.itemsize for array in arrays.values())
