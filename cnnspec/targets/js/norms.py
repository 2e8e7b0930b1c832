"""The lines of JavaScript of normalisation and of what drops numbers."""

from __future__ import annotations

from collections.abc import Callable

from ...ir.op import Node, Op
from ...primitives import norm
from ...primitives.regularise import Drop, Masked
from ...primitives.standardise import (
    LrnGradient,
    ResponseNorm,
    ResponseNormGradient,
    Standardise,
    StandardiseGradient,
)
from ...words.standardise import Lrn
from .emit import Emitter

Line = Callable[..., None]


def epilogue_of(e: Emitter, relu: bool, add: list[str], relu_mask: str = "") -> str:
    """What comes after a bias or a normalisation, as an argument."""
    parts = (
        [f"add: {e[value]}" for value in add] + ["relu: true"] * relu + [f"reluMask: {relu_mask}"] * bool(relu_mask)
    )
    return f", {{ {', '.join(parts)} }}" if parts else ""


def normalise(e: Emitter, node: Node[norm.Normalise]) -> None:
    x, mean, var, weight, bias, *add = node.inputs
    epilogue = epilogue_of(e, node.op.relu, add)
    given = ", ".join(e[value] for value in (x, mean, var, weight, bias))
    e.line(f"normalise(room, {given}, {node.op.eps!r}, {e[node.name]}, {e.rows(x)}{epilogue})")


def normalise_gradient(e: Emitter, node: Node[norm.NormaliseGradient]) -> None:
    dy, var, weight = node.inputs
    e.line(f"normaliseGradient({e[dy]}, {e[var]}, {e[weight]}, {node.op.eps!r}, {e[node.name]}, {e.rows(dy)})")


def batch_norm(e: Emitter, node: Node[norm.BatchNorm]) -> None:
    x, weight, bias, *add = node.inputs
    mean, var = e[f"{node.name}:mean"], e[f"{node.name}:var"]
    epilogue = epilogue_of(e, node.op.relu, add, e[f"{node.name}:relu_mask"] if node.op.relu else "")
    e.line(f"batchMoments(room, {e[x]}, {mean}, {var}, {e.rows(x)})", margin=False)
    given = f"{e[x]}, {mean}, {var}, {e[weight]}, {e[bias]}"
    e.line(f"normalise(room, {given}, {node.op.eps!r}, {e[node.name]}, {e.rows(x)}{epilogue})")


def batch_norm_sums(e: Emitter, node: Node[norm.BatchNormSums]) -> None:
    """Together with dx, channel by channel while it is in the cache, where that is wanted."""
    if not norm_gradients(e, node, node.name):
        emit_norm_gradient(e, node, node.inputs[0], "null", "null")


def relu_batch_norm_sums(e: Emitter, node: Node[norm.ReluBatchNormSums]) -> None:
    dy, *_, relu_mask = node.inputs
    e.line(f"masked({e[dy]}, {e[relu_mask]}, {e[node.name]})")
    if not norm_gradients(e, node, f"{node.name}:sums"):
        emit_norm_gradient(e, node, node.name, "null", "null")


def norm_gradients(e: Emitter, node: Node, sums: str) -> list[Node]:
    """The nodes that make dx from the sums of a node; there is one, or none."""
    return [other for other in e.graph if sums in other.inputs and isinstance(other.op, norm.BatchNormGradient)]


def batch_norm_gradient(e: Emitter, node: Node) -> None:
    dy, *_, weight, sums = node.inputs
    emit_norm_gradient(e, e.graph[sums], dy, e[weight], e[node.name])


def emit_norm_gradient(e: Emitter, node: Node, dy: str, weight: str, dx: str) -> None:
    """The gradients of weight and bias, which are by-products of the sums `node`, and dx."""
    assert isinstance(node.op, norm.BatchNormSums)
    _, x, mean, var, *_ = node.inputs
    gradients = ", ".join(e[f"{node.name}:{name}"] for name in ("dweight", "dbias"))
    given = f"{e[dy]}, {e[x]}, {e[mean]}, {e[var]}, {weight}, {node.op.eps!r}"
    e.line(f"batchNormGradient(room, {given}, {gradients}, {dx}, {e.rows(x)})")


def fold_filters(e: Emitter, node: Node[norm.FoldFilters]) -> None:
    w, var, weight = node.inputs
    given = f"{e[w]}, {e[var]}, {e[weight]}, {node.op.eps!r}"
    e.line(f"foldFilters({given}, {e[node.name]}, {e.type(w)['f']})")


def fold_bias(e: Emitter, node: Node[norm.FoldBias]) -> None:
    mean, var, weight, bias, *before = node.inputs
    own = e[before[0]] if before else "null"
    given = f"{e[mean]}, {e[var]}, {e[weight]}, {e[bias]}, {own}, {node.op.eps!r}"
    e.line(f"foldBias({given}, {e[node.name]})")


def blend(e: Emitter, node: Node[norm.Blend]) -> None:
    state, new = node.inputs
    op = node.op
    factor = f", unbiased({op.pixels} * n)" if op.pixels else ""
    e.update_statistics(f"blend({e[state]}, {e[new]}, {op.momentum!r}{factor})")


def standardise(e: Emitter, node: Node[Standardise]) -> None:
    (x,) = node.inputs
    r, groups = e[f"{node.name}:r"], node.op.groups
    if groups:
        how = f"{groups}, {e.type(x).elements // groups}, n, {node.op.eps!r}"
        e.line(f"standardiseGroups({e[x]}, {e[node.name]}, {r}, {how})")
    else:
        e.line(f"standardisePixels({e[x]}, {e[node.name]}, {r}, {e.rows(x)}, {node.op.eps!r})")


def standardise_gradient(e: Emitter, node: Node[StandardiseGradient]) -> None:
    dy, z, r = node.inputs
    given, groups = f"{e[dy]}, {e[z]}, {e[r]}, {e[node.name]}", node.op.groups
    if groups:
        e.line(f"standardiseGroupsGradient({given}, {groups}, {e.type(z).elements // groups}, n)")
    else:
        e.line(f"standardisePixelsGradient({given}, {e.rows(z)})")


def lrn(e: Emitter, node: Node[Lrn]) -> None:
    (x,) = node.inputs
    op = node.op
    how = f"{{ size: {op.size}, alpha: {op.alpha!r}, beta: {op.beta!r}, k: {op.k!r} }}"
    e.line(f"lrn({e[x]}, {e[f'{node.name}:base']}, {e[node.name]}, {e.rows(x)}, {how})")


def lrn_gradient(e: Emitter, node: Node[LrnGradient]) -> None:
    dy, x, base = node.inputs
    op = node.op
    how = f"{{ size: {op.size}, alpha: {op.alpha!r}, beta: {op.beta!r} }}"
    e.line(f"lrnGradient({e[dy]}, {e[x]}, {e[base]}, {e[node.name]}, {e.rows(x)}, {how})")


def drop(e: Emitter, node: Node[Drop]) -> None:
    (x,) = node.inputs
    mask = f"{node.name}:mask"
    e.line(f"randomMask(random, {node.op.rate!r}, {e[mask]})", margin=False)
    emit_masked(e, x, mask, node.name)


def masked(e: Emitter, node: Node) -> None:
    x, mask = node.inputs
    emit_masked(e, x, mask, node.name)


def emit_masked(e: Emitter, x: str, mask: str, y: str) -> None:
    if e.type(mask).elements == e.type(x).elements:
        e.line(f"multiply({e[x]}, {e[mask]}, {e[y]})")
    else:
        e.line(f"multiplyImages({e[x]}, {e[mask]}, {e[y]}, n)")


def response_norm(e: Emitter, node: Node[ResponseNorm]) -> None:
    kernel = "responseNormGradient" if isinstance(node.op, ResponseNormGradient) else "responseNorm"
    inputs, made = ", ".join(e[value] for value in node.inputs), node.name
    e.line(f"{kernel}({inputs}, {e[made]}, {e.channels(made)}, {e.pixels(made)}, n, {node.op.eps!r})")


LINES: dict[type[Op], Line] = {
    ResponseNorm: response_norm,
    ResponseNormGradient: response_norm,
    norm.Normalise: normalise,
    norm.NormaliseGradient: normalise_gradient,
    norm.BatchNorm: batch_norm,
    norm.BatchNormSums: batch_norm_sums,
    norm.ReluBatchNormSums: relu_batch_norm_sums,
    norm.BatchNormGradient: batch_norm_gradient,
    norm.FoldFilters: fold_filters,
    norm.FoldBias: fold_bias,
    norm.Blend: blend,
    Standardise: standardise,
    StandardiseGradient: standardise_gradient,
    Lrn: lrn,
    LrnGradient: lrn_gradient,
    Drop: drop,
    Masked: masked,
}
