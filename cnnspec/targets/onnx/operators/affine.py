"""Constants beside a layer: `x / 255`, `(x - mean) / std`, `0.1 * f(x)`, a normalisation written out in full.

Steps in a row wait as one `Affine`, `x * scale + shift`, until something else reads them. Then it becomes part of
the layer that made x, where that is linear in its weights and nothing else reads x; elsewhere the word `scale`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np

from ....diagnostics import SpecError
from ..layout import repeated, straightened, viewed, with_rank
from ..page import INIT, WORD
from ..steps import Step, refuse
from ..values import Seen, word

if TYPE_CHECKING:
    from ..reader import Reader

Array = np.ndarray
NORMS = ("bn", "groupnorm", "layernorm", "scale")


@dataclass(frozen=True)
class Affine:
    """value * scale + shift, each one number or one for each channel.

    `gate` tells that it is one product with factors for channels, as a learnt scale is; `sources` its constants.
    """

    step: Step
    value: Seen
    scale: Array
    shift: Array
    gate: bool
    sources: tuple[str | bytes, ...]

    def settled(self, r: Reader) -> Seen:
        """The value that an affine map is, now that something reads it."""
        value, scale, shift = self.value, self.scale, self.shift
        ours = bool(self.step.notes.get(WORD))
        if (scale == 1).all() and not shift.any() and not ours:
            return value
        node = r.b.nodes[value.value]
        normed = node.op.word in ("groupnorm", "layernorm") and (r.weights[f"{node.owner}.weight"] == 1).all()
        whole = normed or not self.gate
        if not ours and whole and r.alone(value.value) and folded(r, value.value, scale, shift):
            return value
        channels = r.type(value.value)["c"]
        op: Any = word("scale", bias=bool(shift.any()) or "bias" in self.step.notes.get(WORD, ""))
        arrays = {"weight": np.broadcast_to(scale, channels), "bias": np.broadcast_to(shift, channels)}
        step = replace(self.step, notes={INIT: self.step.notes.get(INIT, "")})
        return r.like(value, r.learnt(step, op, value.value, arrays, self.sources).value)


def affine(r: Reader, step: Step, index: int, scale: Array | float = 1.0, shift: Array | float = 0.0) -> Affine:
    """The step's input `index`, times constants, plus constants, which broadcast as the standard says."""
    name = step.input(index)
    before = r.waiting.get(name)
    if not isinstance(before, Affine):
        before = None
    if before and (r.readers.get(name, 0) != 1 or before.step.notes.get(WORD)):
        before = None
    value = before.value if before else r.at(name, step) if r.model.free else r.loose(step, index)
    value = straightened(r, value) if value.ravel else value
    given = [np.asarray(array, np.float64) for array in (scale, shift)]
    try:
        factors, offsets = (by_channel(r, step, value, array) for array in given)
    except SpecError:
        if not r.model.free:
            raise
        value, (factors, offsets) = by_number(r, step, r.at(name, step), given)
        before = None
    gate = factors.size > 1 and not offsets.any()
    names = [name for name in step.inputs if name in r.known]
    sources: tuple[str | bytes, ...] = (step.op, str(index), *names, factors.tobytes(), offsets.tobytes())
    if before:
        factors, offsets, gate = before.scale * factors, before.shift * factors + offsets, False
        sources = (*before.sources, *sources)
    if not (np.isfinite(factors).all() and np.isfinite(offsets).all()):
        refuse("CNN504", case="not finite", step=step)
    factors, offsets = np.broadcast_arrays(factors, offsets)
    return Affine(step, value, factors, offsets, gate, sources)


def by_channel(r: Reader, step: Step, value: Seen, array: Array) -> Array:
    """A constant as one number, or one for each channel of the value; what differs between pixels is refused."""
    rank = len(value.perm) + r.lead
    shown = "x".join(map(str, array.shape))
    if array.ndim > rank:
        refuse("CNN504", case="constant, more axes", step=step, constant=shown)
    full = array.reshape((1,) * (rank - array.ndim) + array.shape)
    if r.lead and full.shape[0] > 1:
        refuse("CNN504", case="constant, each image", step=step, constant=shown)
    for axis, (ours, size) in enumerate(zip(value.perm, value.sizes, strict=True), r.lead):
        if full.shape[axis] not in (1, size):
            refuse("CNN504", case="constant, larger", step=step, constant=shown)
        if ours and full.shape[axis] > 1:
            first = full.take([0], axis)
            if (full != first).any():
                refuse("CNN504", case="constant, each pixel", step=step, constant=shown)
            full = first
    flat = full.reshape(-1)
    if flat.size not in (1, r.type(value.value)["c"]):
        refuse("CNN504", case="constant, each channel", step=step, constant=shown)
    return flat


def by_number(r: Reader, step: Step, value: Seen, arrays: Sequence[Array]) -> tuple[Seen, list[Array]]:
    """A value as a vector, and constants as one number for each of its own; repeated where they have more."""
    rank = max(len(value.perm) + r.lead, *(array.ndim for array in arrays))
    if r.lead and any(array.ndim == rank and len(array) > 1 for array in arrays):
        refuse("CNN504", case="constant, each image", step=step, constant="x".join(map(str, arrays[0].shape)))
    if r.lead and rank > len(value.perm) + 1:
        refuse("CNN504", case="constant, more axes", step=step, constant="x".join(map(str, arrays[0].shape)))
    value = with_rank(straightened(r, value) if value.ravel else value, rank - r.lead)
    full = [array.reshape((1,) * (rank - array.ndim) + array.shape)[(0,) * r.lead] for array in arrays]
    sizes = np.broadcast_shapes(value.sizes, *(array.shape for array in full))
    value = repeated(r, value, sizes)
    order = [value.perm.index(axis) for axis in range(len(sizes))]
    flat = [np.broadcast_to(array, sizes).transpose(order).reshape(-1) for array in full]
    return replace(value, value=viewed(r, value.value, (prod(sizes),))), flat


def folded(r: Reader, name: str, scale: Array, shift: Array) -> bool:
    """Whether a layer's own weights could take the map in; they have, then."""
    node = r.b.nodes[name]
    word = node.op.word
    shared = node.weights or any(other.weights == name for other in r.b.nodes.values())
    if shared or word not in (*NORMS, "conv", "dwconv", "upconv", "dense"):
        return False
    op: Any = node.op
    weight, bias = f"{name}.weight", f"{name}.bias"
    made = r.weights[weight]
    filters = node.type["c"]
    factors = np.broadcast_to(scale, filters)
    if word == "upconv":  # (in channels, filters of a group, ...)
        groups = op.groups
        split = made.reshape(groups, made.shape[0] // groups, filters // groups, -1)
        product = split * factors.reshape(groups, 1, -1, 1)
    else:
        product = made.reshape(filters, -1) * factors[:, None]
    before = r.weights.get(bias, np.zeros(filters, made.dtype))
    r.weights[weight] = product.reshape(made.shape).astype(made.dtype)
    if bias in r.weights or shift.any():
        r.weights[bias] = (before * factors + shift).astype(made.dtype)
    if bias in r.weights and word not in ("bn", "groupnorm", "layernorm") and not op.bias:
        r.b.nodes[name] = replace(node, op=op.changed(bias=True))
    r.owners = {key: owner for key, owner in r.owners.items() if owner != name}
    return True
