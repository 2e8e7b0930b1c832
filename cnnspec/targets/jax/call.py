"""The context of a word beside its inputs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar
from zlib import crc32

import jax
import jax.numpy as jnp
from jax import Array
from jax.typing import DTypeLike

from ...ir import Node, TensorType
from ...ir.op import Op

T = TypeVar("T")
Word = Callable[..., Array]  # of an op, its Call and its inputs


@dataclass
class Call:
    """One application of a word: its node, the types of its inputs, its parameters, and the mode.

    `call["weight"]` is a parameter in the dtype of the computation; `call.state("running_mean")` one as it is
    kept. For a cost, `judged` is the op that it judges, and `logits`, where that is the activation the cost is
    made for, what stands before it; `weights` (n, 1) multiply the cost of each image. `frozen`
    where the word keeps its parameters while others are trained.
    """

    node: Node
    types: tuple[TensorType, ...]
    parameters: Mapping[str, Array]
    dtype: DTypeLike
    training: bool
    step_key: Array | None = None
    judged: Op | None = None
    logits: Array | None = None
    weights: Array | None = None
    updates: dict[str, Array] = field(default_factory=dict)
    frozen: bool = False

    def __getitem__(self, name: str) -> Array:
        return self.state(name).astype(self.dtype)

    def state(self, name: str) -> Array:
        return self.parameters[f"{self.node.owner}.{name}"]

    def mean(self, costs: Array) -> Array:
        """The mean of the costs (n, ...) of images or of parts of them, each image's times its weight."""
        if self.weights is not None:
            costs = costs * self.weights.reshape(-1, *(1,) * (costs.ndim - 1))
        return costs.mean()

    def update(self, name: str, value: Array) -> None:
        """A training step moves this state."""
        self.updates[f"{self.node.owner}.{name}"] = value

    @property
    def key(self) -> Array:
        """Random numbers for this word: a function of the seed, the step and the word's name."""
        assert self.step_key is not None
        return jax.random.fold_in(self.step_key, crc32(self.node.name.encode()))


def wide(x: Array) -> Array:
    """x in a dtype that sums are safe in: halves as float32, others as they are."""
    return x.astype(jnp.promote_types(x.dtype, jnp.float32))


def along(pair: tuple[T, T], x: Array) -> tuple[T, ...]:
    """What a geometry says for height and width, for the directions that x has."""
    return tuple([*pair][4 - x.ndim :])
