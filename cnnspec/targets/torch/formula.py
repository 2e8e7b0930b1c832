"""An activation as a line of PyTorch: its formula, for words that PyTorch has no function for."""

from __future__ import annotations

from collections.abc import Callable

from ...ir.expression import X, source
from ...ir.op import Node
from ...primitives.activation import Activation
from .page import Page

LARGER = '''
def larger(a, b):
    """The larger of two; at a tie the gradient goes to b."""
    return torch.where(a <= b, b, a)
'''
SMALLER = '''
def smaller(a, b):
    """The smaller of two; at a tie the gradient goes to b."""
    return torch.where(a >= b, b, a)
'''


def pointwise(page: Page, node: Node, x: str) -> str:
    """The formula of the node's word, of the variable x."""
    assert isinstance(node.op, Activation)

    def either(condition: str, this: str, that: str) -> str:
        if literal(this) and literal(that):  # two numbers alone would be of PyTorch's own type
            this = f"torch.full_like({x}, {this})"
        return f"torch.where({condition}, {this}, {that})"

    functions: dict[str, str | Callable[..., str]] = {
        **{name: f"torch.{name}" for name in ("exp", "expm1", "log", "log1p", "sqrt", "tanh", "erf", "sigmoid")},
        "absolute": "torch.abs",
        "sign": "torch.sign",
        "power": "torch.pow",
        "softplus": lambda part: f"F.softplus({part}, threshold=40)",  # from its own threshold, 20, PyTorch gives x
        "maximum": lambda a, b: f"{page.piece('larger', LARGER)}({a}, {b})",
        "minimum": lambda a, b: f"{page.piece('smaller', SMALLER)}({a}, {b})",
        "where": either,
    }
    return source(node.op.formula(X), {"x": x}, functions, number)


def number(value: float) -> str:
    return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)


def literal(text: str) -> bool:
    """Whether source is a number."""
    try:
        float(text)
    except ValueError:
        return False
    return True
