"""The primitives of activations: definition, gradient and lines, all from one formula."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from math import prod
from typing import ClassVar

from .. import kernels
from ..ir import TensorType
from ..ir.expression import (
    FUNCTIONS,
    ZERO,
    Apply,
    Expression,
    Number,
    Symbol,
    X,
    Y,
    differentiate,
    evaluate,
    maximum,
    walk,
    where,
)
from ..ir.op import Array, GraphBuilder, Node, Op, PlanWriter
from ..record import record
from .formula import emit_formula

DY = Symbol("dy")  # the gradient with respect to the output
PIECE = 32768  # numbers that a kernel works on at a time: few calls, and a core's second cache holds its arrays


@record
class Kernel:
    """A function of `kernels/` that computes an activation, its gradient, or it and its derivative.

    It takes its arrays, the `numbers`, then scratch: an array of the value's shape for each of the types in
    `scratch` (several as a tuple), or `rows` of the length of a piece that it works on at a time.
    """

    function: Callable[..., object]
    numbers: tuple[float, ...] = ()
    scratch: tuple[str, ...] = ()
    rows: int = 0

    def emit(self, e: PlanWriter, *arrays: str, out: str, **more: str) -> None:
        """The call; `arrays`, `out` and what there is `more` of are names of values."""
        shape = e.shape(out)
        if self.rows:
            lent = {"scratch": e.scratch("scratch", (self.rows, min(PIECE, prod(shape))))}
        else:
            found = [e.scratch(f"scratch{k or ''}", shape, kind) for k, kind in enumerate(self.scratch)]
            lent = {"scratch": found[0] if len(found) == 1 else f"({', '.join(found)})"} if found else {}
        numbers = map(e.number, self.numbers)
        named = {name: e[value] for name, value in more.items()}
        e.call(self.function, *(e[value] for value in arrays), *numbers, **lent, **named, out=e[out])


@record
class Activation(Op):
    """What the words share. A word says its `formula`, from which all else follows.

    `monotone`: rising everywhere, so it commutes with max pooling.
    """

    family = "activation"
    account = "point"
    can_alias: ClassVar[tuple[int, ...]] = (0,)
    layout_agnostic = True
    any_order = True
    monotone: ClassVar[bool] = False

    def formula(self, x: Expression) -> Expression:
        """The value as a formula of the input."""
        raise AssertionError(f"{type(self).__name__} has no formula")

    def derivative(self, y: Expression) -> Expression | None:
        """The derivative as a formula of the output, if there is one: the input's memory is free again."""
        return None

    def by_hand(self) -> tuple[Kernel, Kernel | None] | None:
        """Hand-written kernels; without, the plan has lines of the formula.

        One of the value, and one of the gradient from the output, or where the derivative is not a formula of it,
        one of the value and the derivative together.
        """
        return None

    def gradient(self, node: Node, dy: str, b: GraphBuilder) -> tuple[str | None, ...]:
        op = ActivationGradient(self)
        if op.derivative == ZERO:
            return (None,)
        value = node.inputs[0] if op.reads == "x" else node.name
        return (b.add(op, dy, value, name=f"{node.name}.dx", like=node),)

    def evaluate(self, x: Array) -> Array:
        return evaluate(self.formula(X), x=x).astype(x.dtype)

    def emit(self, node: Node, e: PlanWriter) -> None:
        (x,) = node.inputs
        written = self.by_hand()
        if written is None:
            emit_formula(self.formula(X), {"x": x}, node.name, e)
        else:
            written[0].emit(e, x, out=node.name)


@record
class Formula(Activation):
    """A formula of each number that no word is the name of, for words that are made of others.

    Formula(exp(X))
    """

    value: Expression

    def formula(self, x: Expression) -> Expression:
        functions = {name: partial(applied, name) for name in FUNCTIONS}
        return walk(self.value, {"x": x}, functions, Number)


def applied(name: str, *parts: Expression) -> Expression:
    return Apply(name, parts)


@record
class ActivationAndDerivative(Op):
    """An activation that makes its derivative as well, from what both have in common, for the backward pass."""

    can_alias = (0,)
    layout_agnostic = True
    any_order = True
    activation: Activation

    def extras(self, x: TensorType) -> Mapping[str, TensorType]:
        return {"derivative": x}

    def evaluate(self, x: Array) -> tuple[Array, ...]:
        derivative = evaluate(differentiate(self.activation.formula(X)), x=x)
        return self.activation.evaluate(x), derivative.astype(x.dtype)

    def emit(self, node: Node, e: PlanWriter) -> None:
        (x,), derivative = node.inputs, f"{node.name}:derivative"
        _, kernel = self.activation.by_hand() or (None, None)
        if kernel is None:  # the derivative first, since the value may be made where x lies
            emit_formula(differentiate(self.activation.formula(X)), {"x": x}, derivative, e)
            emit_formula(self.activation.formula(X), {"x": x}, node.name, e)
        else:
            kernel.emit(e, x, derivative=derivative, out=node.name)


@record
class ActivationGradient(Op):
    """dy times the derivative of an activation, at its output or at its input, or as it was `saved`."""

    can_alias = (0,)
    activation: Activation
    saved: bool = False

    @property
    def derivative(self) -> Expression:
        """The derivative as a formula of `y`, or else of `x`."""
        of_output = self.activation.derivative(Y)
        return differentiate(self.activation.formula(X)) if of_output is None else of_output

    @property
    def reads(self) -> str:
        """Of which value: `y`, the output, or `x`, the input."""
        return "x" if self.activation.derivative(Y) is None else "y"

    def type(self, dy: TensorType, value: TensorType) -> TensorType:
        return value

    def evaluate(self, dy: Array, value: Array) -> Array:
        derivative = value if self.saved else evaluate(self.derivative, x=value, y=value)
        return (dy * derivative).astype(dy.dtype)

    def emit(self, node: Node, e: PlanWriter) -> None:
        dy, value = node.inputs
        if self.saved:
            e.call(kernels.np.multiply, e[dy], e[value], out=e[node.name])
            return
        _, kernel = self.activation.by_hand() or (None, None)
        if kernel is None or self.reads == "x":
            emit_formula(DY * self.derivative, {"dy": dy, "x": value, "y": value}, node.name, e)
        else:
            kernel.emit(e, dy, value, out=node.name)


@record
class Rectifier(Activation):
    """max(x, 0), which other primitives have in them as well."""

    monotone = True

    def formula(self, x: Expression) -> Expression:
        return maximum(x, 0)

    def derivative(self, y: Expression) -> Expression:
        return where(y > 0, 1, 0)

    def by_hand(self) -> tuple[Kernel, Kernel]:
        return Kernel(kernels.activation.relu), Kernel(kernels.activation.relu_gradient, scratch=("bool",))
