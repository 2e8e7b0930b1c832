"""A training step as one function: forward, backward, clipping, the optimiser.

The optimiser's formula stands in `settings/optimisers.py` as lines of NumPy that write through `out=`:

    np.multiply(m, beta1, out=m)
    np.add(m, g, out=m)

Each is an assignment in disguise, and as one it is JAX: `m = np.multiply(m, beta1)`. So there is one formula
for both engines, the moments mean the same, and a checkpoint of one goes on with the other.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp

from ..ir import Graph
from ..settings.optimisers import Optimiser
from .forward import Values, forward

Array = Any
Arrays = Mapping[str, Array]
LINE = re.compile(r"(np\.\w+)\((.*), out=(\w+)\)")
FLOAT16_SCALE = 1024.0  # the cost times this keeps most gradients above the smallest float16


def assignments(optimiser: Optimiser) -> str:
    """The lines of an optimiser with their results assigned, as source of `update`.

    np.multiply(m, beta1, out=m)
    m = np.multiply(m, beta1)
    """
    names = ", ".join(["p", "g", *optimiser.moments, *scalars(optimiser)])
    lines = []
    for line in optimiser.lines():
        found = LINE.fullmatch(line)
        assert found, f"{line} does not write through out="
        lines.append(f"    {found[3]} = {found[1]}({found[2]})")
    return (
        "\n".join([f"def update({names}):", *lines, f"    return ({', '.join(['p', *optimiser.moments])},)"]) + "\n"
    )


def scalars(optimiser: Optimiser) -> tuple[str, ...]:
    """Names of the numbers that the lines read, `scale` of a clipped gradient included."""
    clip = ("scale",) if optimiser.clip is not None else ()
    return (*optimiser.scalars(1, 1.0), *clip)


def update(optimiser: Optimiser) -> Callable[..., tuple[Array, ...]]:
    """The optimiser's step on one array: p, g, moments, scalars -> p, moments."""
    names: dict[str, Any] = {"np": jnp}
    exec(compile(assignments(optimiser), f"<{optimiser.written()} for JAX>", "exec"), names)
    return names["update"]


def gradient(
    judged: Graph, trained: Arrays, state: Arrays, arrays: Arrays, clock: Array, dtype: Any
) -> tuple[Array, Values, dict[str, Array]]:
    """The mean cost of a batch, the other values, and the gradient; `clock` is (seed, step)."""
    key = jax.random.fold_in(jax.random.key(clock[0]), clock[1])
    scale = FLOAT16_SCALE if dtype == jnp.float16 else 1.0

    def cost(trained: Arrays) -> tuple[Array, tuple[Array, Array, dict[str, Array]]]:
        found = forward(judged, {**trained, **state}, arrays, dtype=dtype, training=True, step_key=key)
        return found.cost * scale, (found.cost, found.correct, found.updates)

    (_, (plain, correct, updates)), gradients = jax.value_and_grad(cost, has_aux=True)(dict(trained))
    found = Values(costs=[plain], correct=correct, updates=updates)
    return plain, found, {name: g / scale for name, g in gradients.items()} if scale != 1 else gradients


def make_step(judged: Graph, optimiser: Optimiser, dtype: Any) -> Callable[..., Any]:
    """The step: trained, state, moments, arrays, clock, numbers -> trained, state, moments, cost, correct.

    `numbers` are the optimiser's scalars, the learning rate among them. Where the cost is not finite all
    stays as it was, and with float16 also where a gradient left its range.
    """
    move, names = update(optimiser), tuple(optimiser.scalars(1, 1.0))

    def step(
        trained: Arrays, state: Arrays, moments: Mapping[str, Arrays], arrays: Arrays, clock: Array, numbers: Array
    ) -> tuple[Any, ...]:
        cost, found, gradients = gradient(judged, trained, state, arrays, clock, dtype)
        known = dict(zip(names, numbers, strict=True))
        fine = jnp.isfinite(cost)
        square = sum(jnp.vdot(g, g) for g in gradients.values())
        if optimiser.clip is not None:
            scale = optimiser.clip / (jnp.sqrt(square) + 1e-6)
            known["scale"] = jnp.where(scale > 1, jnp.ones_like(scale), scale)
        if dtype == jnp.float16:
            fine &= jnp.isfinite(square)

        def chosen(new: Array, old: Array) -> Array:
            return jnp.where(fine, new, old)

        moved: dict[str, Array] = {}
        kept: dict[str, dict[str, Array]] = {moment: {} for moment in moments}
        for name, p in trained.items():
            before = {moment: moments[moment][name] for moment in moments}
            moved[name], *after = move(p=p, g=gradients[name], **before, **known)
            moved[name] = chosen(moved[name], p)
            for moment, new in zip(optimiser.moments, after, strict=True):
                kept[moment][name] = chosen(new, before[moment])
        settled = {name: chosen(found.updates.get(name, old), old) for name, old in state.items()}
        return moved, settled, kept, cost, found.correct

    return step
