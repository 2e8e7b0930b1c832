"""Batch normalisation's moments and sums, taken where the rows are made."""

from __future__ import annotations

from ..ir import Builder, Graph, Node
from ..primitives.convolution.convolve import Convolve
from ..primitives.convolution.winograd_1d import WinogradConvolve, WinogradConvolveGradient
from ..primitives.norm import BatchNorm, ReluBatchNormSums
from ..words.merge import Add
from .rewrite import Absorbed, rewrite


def moments_of_rows(graph: Graph) -> Graph:
    """A convolution takes the moments of what it makes, block by block, for the batch normalisation that follows.

    y = winograd x w;  n = batch_norm y g b
    y = winograd x w, moments;  n = batch_norm y g b y:moments
    """
    summed = {node.inputs[0] for node in graph if isinstance(node.op, BatchNorm) and by_rows(graph, node.inputs[0])}

    def rule(node: Node, inputs: tuple[str, ...], b: Builder) -> str | None:
        if node.name in summed:
            return b.add(node.op.changed(moments=True), *inputs, name=node.name, like=node, why=node.why)
        if isinstance(node.op, BatchNorm) and node.inputs[0] in summed:
            return b.add(node.op.changed(summed=True), *inputs, f"{inputs[0]}:moments", name=node.name, like=node)
        return None

    return rewrite(graph, rule)


def by_rows(graph: Graph, value: str) -> bool:
    """Whether a convolution makes the value block by block."""
    op = graph[value].op
    makes = isinstance(op, WinogradConvolve) or (isinstance(op, Convolve) and op.polyphase)
    return makes and value == graph[value].name


def sums_of_gradients(graph: Graph) -> Graph:
    """The gradient that comes out of a convolution goes through relu, and is summed for bn, block by block.

        dx = winograd_gradient dy x w;  d = add dx r;  dz = relu_batch_norm_sums d z m v x
        dz = winograd_gradient dy x w z m v x r, sums

    Not where another node reads the gradient in between: it does not last.
    """
    readers, results = graph.readers(), set(graph.results)

    def alone(value: str) -> bool:
        return len(readers[value]) == 1 and value not in results

    def gradient(value: str) -> bool:
        """Whether a convolution's gradient makes this value, for one reader, and the filters' for none."""
        made = graph[value]
        its = isinstance(made.op, WinogradConvolveGradient) and value == made.name
        return its and alone(value) and f"{value}:dw" not in readers

    found: dict[str, tuple[str, str]] = {}  # what the sums' node joins: the convolution's gradient, and the sum
    for node in graph:
        if isinstance(node.op, ReluBatchNormSums):
            total = graph[node.inputs[0]]
            if gradient(total.name):
                found[node.name] = total.name, ""
            elif isinstance(total.op, Add) and len(total.inputs) == 2 and alone(total.name):
                parts = [value for value in total.inputs if gradient(value)]
                if parts:
                    found[node.name] = parts[0], total.name
    gone: Absorbed = {name: () for pair in found.values() for name in pair if name}

    def rule(node: Node, inputs: tuple[str, ...], b: Builder) -> str | dict[str, str] | None:
        if node.name not in found:
            return None
        name, total = found[node.name]
        rest = [value for value in gone[total] if value != name] if total else []
        op = graph[name].op.changed(sums=node.op)
        made = b.add(op, *gone[name], *inputs[1:], *rest, name=name, like=graph[name])
        return {node.name: made, **{f"{node.name}:{extra}": f"{made}:{extra}" for extra in node.extras}}

    return rewrite(graph, rule, gone)
