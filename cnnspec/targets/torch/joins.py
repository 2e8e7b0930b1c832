"""Words that join branches, in PyTorch."""

from __future__ import annotations

from ...ir import Node
from .page import Page, Writer


def add(page: Page, node: Node, *inputs: str) -> str:
    return " + ".join(inputs)


def mean(page: Page, node: Node, *inputs: str) -> str:
    return f"({' + '.join(inputs)}) / {len(inputs)}"


def maximum(page: Page, node: Node, *inputs: str) -> str:
    # unlike torch.maximum, this gives the gradient of a tie to the first
    return f"torch.stack([{', '.join(inputs)}]).max(0).values"


def minimum(page: Page, node: Node, *inputs: str) -> str:
    return f"torch.stack([{', '.join(inputs)}]).min(0).values"


def sub(page: Page, node: Node, *inputs: str) -> str:
    return " - ".join(inputs)


def mul(page: Page, node: Node, *inputs: str) -> str:
    factors = []
    for value, source in zip(node.inputs, inputs, strict=True):
        missing = len(node.type.shape) - len(page.graph.type(value).shape)
        factors.append(f"{source}[{', '.join([':', ':', *['None'] * missing])}]" if missing else source)
    return " * ".join(factors)


def concat(page: Page, node: Node, *inputs: str) -> str:
    return f"torch.cat([{', '.join(inputs)}], 1)"


WORDS: dict[str, Writer] = {
    "add": add,
    "concat": concat,
    "mul": mul,
    "max": maximum,
    "min": minimum,
    "sub": sub,
    "mean": mean,
}
