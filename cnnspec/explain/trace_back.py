"""How the cost's gradient comes back to a number: from whoever was made of it, each by its share."""

from __future__ import annotations

import numpy as np

from ..ir import Graph, Node
from .columns import aligned, number
from .explanation import account, image_shape
from .probe import Seen

SHOWN = 8  # contributions that are written out


def back(
    graph: Graph, seen: Seen, parameters: dict[str, np.ndarray], node: Node, place: tuple[int, int, int]
) -> list[str]:
    """What each reader that sums products gives back to the number at (c, i, j): slope × weight, added up."""
    lines: list[str] = []
    for reader in graph.readers().get(node.name, []):
        told = account(graph, reader)
        weight = parameters.get(f"{reader.owner}.weight")
        if weight is None or told.kind not in ("filter", "all") or told.detail.get("turned"):
            continue
        slope = seen.gradients[reader.name][0].reshape(image_shape(reader.type))
        if told.kind == "all":
            k = int(np.ravel_multi_index(place, image_shape(node.type)))
            terms = [((o, 0, 0), float(slope[o, 0, 0]), float(weight[o, k])) for o in range(len(slope))]
        else:
            terms = filter_terms(slope, weight, told.detail, node.type["c"], place)
        lines += _told(reader, terms)
    return lines


Term = tuple[tuple[int, int, int], float, float]
"""The place of a number that was made of this one, its slope, and the weight between them."""


def filter_terms(
    slope: np.ndarray, weight: np.ndarray, detail: dict, channels: int, place: tuple[int, int, int]
) -> list[Term]:
    """Every output of a convolution that met the number: for tap u that is row (i + pad - u * dilate) / stride.

    With a stride above one that is a whole number for some taps only, the others never met this number.
    """
    c, i, j = place
    kernel, stride, pad, dilate = (detail[key] for key in ("kernel", "stride", "pad", "dilate"))
    share = channels // detail["groups"]
    filters = len(slope) // detail["groups"]
    kernels = weight.reshape(*weight.shape[:2], *kernel)
    terms = []
    for f in range(c // share * filters, (c // share + 1) * filters):
        for u, v in np.ndindex(*kernel):
            row, row_rest = divmod(i + pad[0] - u * dilate[0], stride[0])
            column, column_rest = divmod(j + pad[1] - v * dilate[1], stride[1])
            met = row_rest == column_rest == 0
            if met and 0 <= row < slope.shape[1] and 0 <= column < slope.shape[2]:
                at = (f, row, column)
                terms.append((at, float(slope[at]), float(kernels[f, c % share, u, v])))
    return terms


def _told(reader: Node, terms: list[Term]) -> list[str]:
    """The strongest terms, the rest, and their sum."""
    products = [slope * weight for _, slope, weight in terms]
    order = sorted(range(len(terms)), key=lambda k: -abs(products[k]))
    rows = [["", "slope", "", "weight", "", "product"]]
    for k in order[:SHOWN]:
        at, slope, weight = terms[k]
        index = (at[0], *at[3 - len(reader.type.spatial) :]) if reader.type.spatial else at[:1]
        name = f"{reader.name}[{','.join(map(str, index))}]"
        rows.append([name, number(slope), "×", number(weight), "=", number(products[k])])
    times = "once" if len(terms) == 1 else f"{len(terms)} times"
    lines = ["", f"  {reader.name} met it {times}; what met it gives back its slope times the weight between:"]
    lines += [f"    {line}" for line in aligned(rows)]
    rest = sum(products[k] for k in order[SHOWN:])
    if len(order) > SHOWN:
        lines.append(f"    and {len(order) - SHOWN} others, together {number(rest)}")
    return [*lines, f"    sum {number(sum(products))}"]


def way_back(graph: Graph, seen: Seen, node: Node) -> list[str]:
    """The values from here to the cost, each with the mean and the largest size of its gradients."""
    readers = graph.readers()
    way, names = [node], {node.name}
    while way[-1].name in readers:
        after = readers[way[-1].name][0]
        if after.name in names:
            break
        way.append(after)
        names.add(after.name)
    rows = [["value", "shape", "mean |slope|", "largest"]]
    for step in reversed(way):
        sizes = np.abs(seen.gradients[step.name][0])
        rows.append([step.name, str(step.type), f"{sizes.mean():.3g}", f"{sizes.max():.3g}"])
    return aligned(rows)
