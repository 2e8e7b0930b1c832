"""What the backward pass saves: transformed inputs of Winograd's method, derivatives of activations."""

from __future__ import annotations

from ..ir import Builder, Graph, Node
from ..primitives.activation import Activation, ActivationAndDerivative, ActivationGradient
from ..primitives.convolution.winograd_1d import WinogradConvolve, WinogradConvolveGradient
from .rewrite import rewrite


def save_for_backward(graph: Graph) -> Graph:
    """A convolution saves its transformed input, and the gradient does not compute it again.

        y = winograd x w;  dx = winograd_gradient dy x w
        y = winograd x w, keep;  dx = winograd_gradient dy y:transformed w

    A tenth of the time of a training step, for half as much memory again as the input takes; and the input itself
    need not last.
    """
    forward = {
        (*node.inputs[:2], node.op.geometry): node.name for node in graph if isinstance(node.op, WinogradConvolve)
    }
    keeps: dict[str, str] = {}  # the gradient, and the convolution that saves its input
    for node in graph:
        if isinstance(node.op, WinogradConvolveGradient):
            made = forward.get((*node.inputs[1:3], node.op.geometry))
            if made is not None:
                keeps[node.name] = made
    keepers = set(keeps.values())

    def rule(node: Node, inputs: tuple[str, ...], b: Builder) -> str | None:
        if node.name in keepers:
            return b.add(node.op.changed(keep=True), *inputs, name=node.name, like=node, why=node.why)
        if node.name in keeps:
            dy, x, *rest = inputs
            op = node.op.changed(saved=b.type(x))
            return b.add(op, dy, f"{keeps[node.name]}:transformed", *rest, name=node.name, like=node, why=node.why)
        return None

    return rewrite(graph, rule)


def save_activation_derivatives(graph: Graph) -> Graph:
    """Compute the derivative of an activation with its value, where it is a formula of the input.

        y = gelu x;  dx = gelu_gradient dy x
        y = gelu_and_derivative x;  dx = multiply dy y:derivative

    Value and derivative have most in common (an exponential, say); and it is the input that need not last.
    """
    forward = {(node.op, *node.inputs): node.name for node in graph if isinstance(node.op, Activation)}
    saves: dict[str, str] = {}  # the gradient, and the activation that saves the derivative for it
    for node in graph:
        if isinstance(node.op, ActivationGradient) and node.op.reads == "x":
            made = forward.get((node.op.activation, node.inputs[1]))
            if made is not None:
                saves[node.name] = made
    savers = set(saves.values())

    def rule(node: Node, inputs: tuple[str, ...], b: Builder) -> str | None:
        if node.name in savers and isinstance(node.op, Activation):
            return b.add(ActivationAndDerivative(node.op), *inputs, name=node.name, like=node)
        if node.name in saves:
            op = node.op.changed(saved=True)
            return b.add(op, inputs[0], f"{saves[node.name]}:derivative", name=node.name, like=node)
        return None

    return rewrite(graph, rule)
