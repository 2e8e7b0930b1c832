"""Ownership: the parameters of its words, each once, and how each begins."""

from __future__ import annotations

from collections.abc import Container
from math import sqrt

from .graph import Graph
from .op import Parameter


def parameters_of(words: Graph) -> dict[str, Parameter]:
    """Every parameter of a graph of words by its full name, in order of the text; shared ones once."""
    found: dict[str, Parameter] = {}
    for node in words:
        for parameter in node.op.parameters(*words.types(node)):
            found.setdefault(f"{node.owner}.{parameter.name}", parameter)
    return found


def owner_of(parameter: str, layers: Container[str]) -> str:
    """Which of the layers a parameter belongs to, `sepconv1` of `sepconv1.depth.weight`; "" for none of them."""
    layer, _, _ = parameter.rpartition(".")
    while layer and layer not in layers:
        layer, _, _ = layer.rpartition(".")
    return layer


def distribution(parameter: Parameter) -> tuple[str, float]:
    """What a parameter's first numbers are drawn from, in PyTorch's definitions.

        ("fill", v)       all are v
        ("uniform", b)    from -b to b
        ("normal", s)     mean 0, deviation s
        ("orthogonal", 1) the rows of [first axis][the others], or its columns, are orthonormal

    kaiming_uniform is what torch.nn.Conv2d and Linear do: uniform within 1/sqrt(fan_in).
    """
    fan_in, fan_out = parameter.fan_in, parameter.fan_out
    if not isinstance(parameter.init, str):
        return "fill", float(parameter.init)
    match parameter.init:
        case "zeros":
            return "fill", 0.0
        case "kaiming_uniform" | "fan_in_uniform":
            return "uniform", 1 / sqrt(fan_in)
        case "kaiming_normal":
            return "normal", sqrt(2 / fan_in)
        case "lecun_normal":
            return "normal", sqrt(1 / fan_in)
        case "xavier_uniform":
            return "uniform", sqrt(6 / (fan_in + fan_out))
        case "xavier_normal":
            return "normal", sqrt(2 / (fan_in + fan_out))
        case "orthogonal":
            return "orthogonal", 1.0
    raise AssertionError(f"no initialiser is called {parameter.init}")
