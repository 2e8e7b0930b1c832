"""A training step as one function: forward, backward, clipping, the optimiser.

The optimiser's formula stands in `settings/optimisers/` as lines of NumPy that write through `out=`:

    np.multiply(m, beta1, out=m)
    np.add(m, g, out=m)

Each is an assignment in disguise, and as one it is JAX: `m = np.multiply(m, beta1)`. So there is one formula
for both engines, the moments mean the same, and a checkpoint of one goes on with the other.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import cast

import jax
import jax.numpy as jnp
from jax import Array
from jax.typing import DTypeLike

from ..ir import Graph
from ..runtime.update import AVERAGE, AVERAGED
from ..settings.optimiser import Optimiser
from ..settings.tuning import ParameterGroup, Tuning
from .forward import Values, forward

Arrays = Mapping[str, Array]
Stepped = tuple[dict[str, Array], dict[str, Array], dict[str, dict[str, Array]], Array, Array]
LINE = re.compile(r"(np\.\w+)\((.*), out=(\w+)\)")
FLOAT16_SCALE = 1024.0  # the cost times this keeps most gradients above the smallest float16


def assignments(optimiser: Optimiser, average: bool = False) -> str:
    """The lines of an optimiser with their results assigned, as source of `update`; done moments are settled.

    np.multiply(m, beta1, out=m);  np.add(m, g, out=m)
    m = np.multiply(m, beta1);     m = np.add(m, g);    m = settle('m', m)
    """
    slots = (*optimiser.moments, *(["e"] if average else []))
    names = ", ".join(["p", "g", "settle", *slots, *scalars(optimiser), *(AVERAGED if average else ())])
    lines: list[str] = []
    for line in (*optimiser.lines(), *(AVERAGE if average else ())):
        found = LINE.fullmatch(line)
        assert found, f"{line} does not write through out="
        lines.append(f"    {found[3]} = {found[1]}({found[2]})")
    for moment in optimiser.moments:
        last = max(at for at, line in enumerate(lines) if line.startswith(f"    {moment} = "))
        lines.insert(last + 1, f"    {moment} = settle({moment!r}, {moment})")
    return "\n".join([f"def update({names}):", *lines, f"    return ({', '.join(['p', *slots])},)"]) + "\n"


def scalars(optimiser: Optimiser) -> tuple[str, ...]:
    """Names of the numbers that the lines read, `scale` of a clipped gradient included."""
    clip = ("scale",) if optimiser.clip is not None else ()
    return (*optimiser.scalars(1, 1.0), *clip)


def update(optimiser: Optimiser, average: bool = False) -> Callable[..., tuple[Array, ...]]:
    """One array's step: p, g, settle, moments, scalars -> p, moments; with `average` e comes last."""
    names: dict[str, object] = {"np": jnp}
    exec(compile(assignments(optimiser, average), f"<{optimiser.written()} for JAX>", "exec"), names)
    return cast(Callable[..., tuple[Array, ...]], names["update"])


def gradient(
    judged: Graph, trained: Arrays, state: Arrays, arrays: Arrays, clock: Array, dtype: DTypeLike, go: int = 0
) -> tuple[Array, Values, dict[str, Array]]:
    """The mean cost of a batch, the other values, and the gradient; `clock` is (seed, step).

    `go` counts the goes of a step that come after this one: each drops others.
    """
    key = jax.random.fold_in(jax.random.key(clock[0]), clock[1])
    key = jax.random.fold_in(key, go) if go else key
    scale = FLOAT16_SCALE if dtype == jnp.float16 else 1.0

    def cost(trained: Arrays) -> tuple[Array, tuple[Array, Array, dict[str, Array]]]:
        found = forward(judged, {**trained, **state}, arrays, dtype=dtype, training=True, step_key=key)
        return found.cost * scale, (found.cost, found.correct, found.updates)

    (_, (plain, correct, updates)), gradients = jax.value_and_grad(cost, has_aux=True)(dict(trained))
    found = Values(costs=[plain], correct=correct, updates=updates)
    return plain, found, {name: g / scale for name, g in gradients.items()} if scale != 1 else gradients


def gathered(
    judged: Graph,
    trained: Arrays,
    state: Arrays,
    arrays: Arrays,
    clock: Array,
    dtype: DTypeLike,
    goes: tuple[int, ...],
) -> tuple[Array, Values, dict[str, Array]]:
    """The same of a batch that is computed in several goes, one after the other, each of so many images."""
    if len(goes) == 1:
        return gradient(judged, trained, state, arrays, clock, dtype)
    n, start = sum(goes), 0
    cost = jnp.asarray(0.0)
    correct = jnp.asarray(0)
    total: dict[str, Array] = {}
    updates: dict[str, Array] = {}
    for k, size in enumerate(goes):
        part = {name: a[start : start + size] for name, a in arrays.items()}
        if total:  # a go begins when the one before it has ended, so that one's memory is enough
            part, total = jax.lax.optimization_barrier((part, total))
        now = {**state, **updates}
        mean, found, gradients = gradient(judged, trained, now, part, clock, dtype, len(goes) - 1 - k)
        fraction, start = size / n, start + size
        total = {name: g * fraction + (total[name] if total else 0) for name, g in gradients.items()}
        cost, correct, updates = cost + mean * fraction, correct + found.correct, {**updates, **found.updates}
    return cost, Values(costs=[cost], correct=correct, updates=updates), total


def make_step(
    judged: Graph,
    optimiser: Optimiser,
    dtype: DTypeLike,
    groups: tuple[ParameterGroup, ...],
    tuning: Tuning,
    goes: tuple[int, ...],
) -> Callable[..., Stepped]:
    """The step: trained, state, moments, arrays, clock, numbers -> trained, state, moments, cost, correct.

    `trained` are the parameters of the groups that learn, and `state` all others. `numbers` are the optimiser's
    scalars for each group, the learning rate among them. Where the cost is not finite all stays as it was, and with
    float16 also where a gradient left its range.

    A parameter moves by the moments that are kept, which is the same where it moves. By moments before that choice
    XLA would compute them a second time, out of the old ones, which it then had to copy first.
    """
    average = tuning.ema is not None
    moves = [update(group.optimiser, average) for group in groups]
    names = [(*group.optimiser.scalars(1, 1.0), *(AVERAGED if average else ())) for group in groups]

    def step(
        trained: Arrays, state: Arrays, moments: Mapping[str, Arrays], arrays: Arrays, clock: Array, numbers: Array
    ) -> Stepped:
        stepped = moments["stepped"] if average else trained
        cost, found, gradients = gathered(judged, stepped, state, arrays, clock, dtype, goes)
        fine = jnp.isfinite(cost)
        square = sum(jnp.vdot(g, g) for g in gradients.values())
        scale = {}
        if optimiser.clip is not None:
            shorter = optimiser.clip / (jnp.sqrt(square) + 1e-6)
            scale["scale"] = jnp.where(shorter > 1, jnp.ones_like(shorter), shorter)
        if dtype == jnp.float16:
            fine &= jnp.isfinite(square)

        def chosen(new: Array, old: Array) -> Array:
            return jnp.where(fine, new, old)

        slots: dict[str, dict[str, Array]] = {moment: {} for moment in moments}
        new_trained: dict[str, Array] = {}
        start = 0
        for group, move, told in zip(groups, moves, names, strict=True):
            known = dict(zip(told, numbers[start : start + len(told)], strict=True)) | scale
            start += len(told)
            for name in group.names:
                before = {moment: moments[moment][name] for moment in optimiser.moments}
                last = {"e": trained[name]} if average else {}

                def settle(moment: str, new: Array, before: dict[str, Array] = before) -> Array:
                    return chosen(new, before[moment])

                p, *after = move(p=stepped[name], g=gradients[name], settle=settle, **before, **last, **known)
                if average:
                    slots["stepped"][name] = chosen(p, stepped[name])
                    p = after.pop()
                new_trained[name] = chosen(p, trained[name])
                for moment, new in zip(optimiser.moments, after, strict=True):
                    slots[moment][name] = new
        settled = {name: chosen(found.updates.get(name, old), old) for name, old in state.items()}
        return new_trained, settled, slots, cost, found.correct

    return step
