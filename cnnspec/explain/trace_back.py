"""The gradient of the cost at a number, as the sum over the values that read it."""

from __future__ import annotations

import numpy as np

from ..ir import Graph, Node
from .columns import aligned, number
from .derivatives import PartialDerivative, parts
from .explanation import image_shape
from .probe import Seen

SHOWN = 8  # contributions that are written out


def back(
    graph: Graph, seen: Seen, parameters: dict[str, np.ndarray], node: Node, place: tuple[int, int, int]
) -> list[str]:
    """What each reader gives back to the number at (c, i, j): slope × how it changes with the number, added up."""
    lines: list[str] = []
    if node.name in graph.outputs:
        lines += ["", "  the cost is computed from this number: so much it changes with it"]
    for reader in graph.readers().get(node.name, []):
        which = [k for k, name in enumerate(reader.inputs) if graph[name].name == node.name]
        found = [part for k in which for part in parts(graph, seen, parameters, reader, k, place)]
        lines += _told(reader, seen.gradients[reader.name][0].reshape(image_shape(reader.type)), found)
    return lines


def _told(reader: Node, derivative: np.ndarray, found: list[PartialDerivative]) -> list[str]:
    """The strongest parts, the rest, their sum, and why nothing comes back."""
    derivatives = [float(derivative[part.place]) for part in found]
    products = [derivative * part.derivative for derivative, part in zip(derivatives, found, strict=True)]
    order = sorted(range(len(found)), key=lambda k: (-abs(products[k]), -abs(found[k].derivative)))
    weighs = reader.op.family == "convolution" or reader.op.word == "dense"
    rows = [["", "slope", "", "weight" if weighs else "change", "", "product"]]
    for k in order[:SHOWN]:
        part = found[k]
        rank = len(reader.type.shape)
        index = part.place if rank == 3 else (part.place[0], part.place[2])[:rank]
        name = f"{reader.name}[{','.join(map(str, index))}]"
        rows.append([name, number(derivatives[k]), "×", number(part.derivative), "=", number(products[k])])
    times = "once" if len(found) == 1 else f"{len(found)} times"
    how = "the weight between" if weighs else "its change with this number"
    lines = ["", f"  {reader.name} met it {times}; what met it gives back its slope times {how}:"]
    lines += [f"    {line}" for line in aligned(rows)]
    rest = sum(products[k] for k in order[SHOWN:])
    if len(order) > SHOWN:
        lines.append(f"    and {len(order) - SHOWN} others, together {number(rest)}")
    lines.append(f"    sum {number(sum(products))}")
    reason = _reason(reader, derivatives, found)
    return [*lines, f"    {reason}"] if reason else lines


def _reason(reader: Node, derivatives: list[float], found: list[PartialDerivative]) -> str:
    """Why a reader gives nothing back."""
    if not found:
        return f"no number of {reader.name} was made of it: nothing comes back"
    reasons = dict.fromkeys(part.why for part in found)
    if all(part.derivative == 0 and part.why for part in found):
        return f"nothing comes back: {'; '.join(reasons)}"
    if not any(derivatives):
        return f"nothing comes back: the cost does not change with what {reader.name} made of it"
    return ""


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
