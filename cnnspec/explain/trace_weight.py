"""One weight, traced: every place that it had a part in, and how the cost's gradient reaches it from there."""

from __future__ import annotations

import numpy as np

from ..ir import Graph
from .columns import aligned, number
from .explanation import account, image_shape
from .probe import Seen
from .trace_back import way_back
from .trace_place import SHOWN, Selection


def trace_weight(graph: Graph, seen: Seen, parameters: dict[str, np.ndarray], place: Selection) -> str:
    """d cost / d weight as the sum of slope × input over all places where the weight was used."""
    node, value = place.node, parameters[place.name][place.index]
    where = f"    {node.span}" if node.span else ""
    lines = [f"{place} = {number(value)}", f"  {node.op.written()} of {', '.join(node.inputs)}{where}"]
    terms = _terms(graph, seen, parameters, place)
    if terms is None:
        lines += ["", "  how it enters is told by the formula:", f"  {account(graph, node).formula}"]
    else:
        gradients, factors, formula, names = terms
        products = gradients * factors
        order = np.argsort(-np.abs(products))
        lines += [f"  {formula}", ""]
        lines.append(f"  it had a part in {len(products):,} numbers of {node.name}; the strongest of them:")
        rows = [["", "slope", "", "factor", "", "product"]]
        rows += [
            [names[k], number(gradients[k]), "×", number(factors[k]), "=", number(products[k])]
            for k in order[: 2 * SHOWN]
        ]
        lines += [f"    {line}" for line in aligned(rows)]
        rest = products[order[2 * SHOWN :]]
        if len(rest):
            lines.append(f"    and {len(rest):,} others, together {number(rest.sum())}")
        lines += ["", f"d cost / d {place} = {number(products.sum())}"]
    lines += ["", f"the way from the cost, {number(seen.cost)}, back to {node.name}:"]
    lines += [f"  {line}" for line in way_back(graph, seen, node)]
    return "\n".join(line.rstrip() for line in lines) + "\n"


Terms = tuple[np.ndarray, np.ndarray, str, list[str]]


def _terms(graph: Graph, seen: Seen, parameters: dict[str, np.ndarray], place: Selection) -> Terms | None:
    """The gradients and the factors that they are multiplied with, a formula, and the gradients' places."""
    node, told = place.node, account(graph, place.node)
    derivative = seen.gradients[node.name][0].reshape(image_shape(node.type))
    x = seen.values[node.inputs[0]][0].reshape(image_shape(graph.type(node.inputs[0])))
    if told.kind == "filter" and place.weight == "weight" and not told.detail["flipped"]:
        return _of_filter(node.name, derivative, x, told.detail, place.index)
    if told.kind == "all" and place.weight == "weight":
        o, c = place.index
        formula = f"d cost / d weight[{o},{c}] = slope[{o}] × in[{c}]"
        return derivative[o].reshape(-1), x.reshape(-1)[c : c + 1], formula, [f"{node.name}[{o}]"]
    if told.kind in ("filter", "all", "point") and place.weight == "bias":
        f = place.index[0]
        part = derivative[f].reshape(-1)
        formula = f"d cost / d bias[{f}] = Σ of the gradients of its {part.size:,} numbers"
        return part, np.ones(part.size), formula, _names(node.name, f, derivative[f].shape)
    if node.op.word in ("scale", "prelu") and place.weight == "weight":
        c = place.index[0]
        factors, where = x[c].reshape(-1), ""
        if node.op.word == "prelu":
            factors, where = np.where(factors > 0, 0.0, factors), " where that is below 0"
        formula = f"d cost / d weight[{c}] = Σ of slope × in{where}"
        return derivative[c].reshape(-1), factors, formula, _names(node.name, c, derivative[c].shape)
    if node.op.word == "bn" and place.weight == "weight":
        c = place.index[0]
        mean, var = (parameters[f"{node.owner}.{name}"][c] for name in ("running_mean", "running_var"))
        factors = (x[c].reshape(-1) - mean) / np.sqrt(var + told.detail["eps"])
        formula = f"d cost / d weight[{c}] = Σ of slope × normalised number"
        return derivative[c].reshape(-1), factors, formula, _names(node.name, c, derivative[c].shape)
    return None


def _of_filter(name: str, derivative: np.ndarray, x: np.ndarray, detail: dict, index: tuple[int, ...]) -> Terms:
    """Every output pixel of the filter, and the input pixel that this tap met for it."""
    f, c, *taps = index
    u, v = (0, *taps)[-2:]
    channel = f // (len(derivative) // detail["groups"]) * (len(x) // detail["groups"]) + c
    rows = np.arange(derivative.shape[1]) * detail["stride"][0] - detail["pad"][0] + u * detail["dilate"][0]
    columns = np.arange(derivative.shape[2]) * detail["stride"][1] - detail["pad"][1] + v * detail["dilate"][1]
    inside = (((rows >= 0) & (rows < x.shape[1]))[:, None] & ((columns >= 0) & (columns < x.shape[2]))).reshape(-1)
    met = x[channel][np.clip(rows, 0, x.shape[1] - 1)][:, np.clip(columns, 0, x.shape[2] - 1)].reshape(-1)
    at = ",".join(map(str, index))
    formula = (
        f"d cost / d weight[{at}] = Σ over i, j of slope[{f},i,j] × "
        f"in[{channel}, {_step('i', detail, 0, u)}, {_step('j', detail, 1, v)}]"
    )
    names = np.array(_names(name, f, derivative[f].shape))[inside].tolist()
    return derivative[f].reshape(-1)[inside], met[inside], formula, names


def _step(pixel: str, detail: dict, axis: int, tap: int) -> str:
    """Where a tap meets the input: `2i − 1`."""
    stride = detail["stride"][axis]
    offset = tap * detail["dilate"][axis] - detail["pad"][axis]
    told = pixel if stride == 1 else f"{stride}{pixel}"
    return told + (f" + {offset}" if offset > 0 else f" − {-offset}" if offset else "")


def _names(name: str, c: int, shape: tuple[int, ...]) -> list[str]:
    return [f"{name}[{','.join(map(str, (c, *place)))}]" for place in np.ndindex(shape)]
