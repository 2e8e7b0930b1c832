"""What activations are made of: their lines, and their gradient."""

from __future__ import annotations

from math import prod
from typing import ClassVar

from ..ir import TensorType
from ..ir.op import Op
from ..record import record


@record
class Activation(Op):
    """What the words share: how a gradient is made and how lines are written.

    `needs` says which value the gradient is computed from: the input `x` or the output `y` (cheaper: the
    input's memory is free again). `monotone`: rising everywhere, so it commutes with max pooling.
    `kernel` is the function in `kernels/` (default: the word); its gradient is `<kernel>_gradient(dy, value, ...)`.
    `scratch` and `gradient_scratch` are the types of scratch that they want: `float`, `bool`, or several of
    them, which they get as a tuple.
    """

    family = "activation"
    can_alias: ClassVar[tuple[int, ...]] = (0,)
    layout_agnostic = True
    any_order = True
    needs: ClassVar[str] = "y"
    monotone: ClassVar[bool] = False
    kernel: ClassVar[str] = ""
    scratch: ClassVar[str] = ""
    gradient_scratch: ClassVar[str] = "float"

    @property
    def gradient_kernel(self) -> str:
        return f"{self.word if self.kernel.startswith('np.') else self.kernel or self.word}_gradient"

    @property
    def numbers(self) -> tuple[float, ...]:
        """Settings that the kernels take after the arrays."""
        return ()

    def apply(self, x):
        """The definition."""
        raise AssertionError(f"{type(self).__name__} has no definition")

    def derivative(self, value):
        """The derivative, at the input or the output as `needs` says."""
        raise AssertionError(f"{type(self).__name__} has no derivative")

    def gradient(self, node, dy, b):
        value = node.name if self.needs == "y" else node.inputs[0]
        return (b.add(ActivationGradient(self), dy, value, name=f"{node.name}.dx", like=node),)

    def evaluate(self, x):
        return self.apply(x).astype(x.dtype)

    def arguments(self, x: str, scratch: str, e) -> str:
        """What stands between the values and `out=`: numbers, and scratch of the value's shape."""
        found = "".join(f"{e.number(number)}, " for number in self.numbers)
        kinds = scratch.split()
        places = [e.scratch(f"scratch{k or ''}", e.shape(x), kind) for k, kind in enumerate(kinds)]
        if not places:
            return found
        return found + (f"scratch={places[0]}, " if len(places) == 1 else f"scratch=({', '.join(places)}), ")

    def emit(self, node, e) -> None:
        (x,) = node.inputs
        extra = self.arguments(x, self.scratch, e)
        e.line(f"{self.kernel or self.word}({e[x]}, {extra}out={e[node.name]})")


@record
class ActivationGradient(Op):
    """dy times the slope of an activation."""

    can_alias = (0,)
    activation: Activation

    def type(self, dy: TensorType, value: TensorType) -> TensorType:
        return value

    def evaluate(self, dy, value):
        return (dy * self.activation.derivative(value)).astype(dy.dtype)

    def emit(self, node, e) -> None:
        dy, value = node.inputs
        op = self.activation
        extra = op.arguments(value, op.gradient_scratch, e)
        e.line(f"{op.gradient_kernel}({e[dy]}, {e[value]}, {extra}out={e[node.name]})")


@record
class Rectifier(Activation):
    """max(x, 0), which other primitives have in them as well."""

    monotone = True
    kernel = "relu"
    gradient_scratch = "bool"

    def apply(self, x):
        return x * (x > 0)

    def derivative(self, y):
        return y > 0


PIECE = 8192  # numbers that a kernel works on at a time: its scratch stays in the cache


@record
class Gate(Activation):
    """What the words share: the gradient needs the input, and kernels work piece by piece.

    `scratch` and `gradient_scratch` tell the rows of scratch, each as long as a piece.
    """

    needs = "x"
    scratch = "1"
    gradient_scratch = "2"

    def arguments(self, x: str, scratch: str, e) -> str:
        return f"scratch={e.scratch('scratch', (int(scratch), min(PIECE, prod(e.shape(x)))))}, "
