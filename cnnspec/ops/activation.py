"""Activations: one number in, one number out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ..ir import TensorType
from .base import Op
from .fields import Number, setting


@dataclass(frozen=True)
class Activation(Op):
    """What the words share: how a gradient is made and how lines are written.

    `needs` says which value the gradient is computed from: the input `x` or the output `y` (cheaper: the
    input's memory is free again). `monotone`: rising everywhere, so it commutes with max pooling.
    `kernel` is the function in `kernels/activation.py`; its gradient is `<kernel>_gradient(dy, value, ...)`.
    `scratch` and `gradient_scratch` are the types of scratch that they want (`float`, `bool`, or none).
    """

    family = "activation"
    overwrites = (0,)
    any_order = True
    needs: ClassVar[str] = "y"
    monotone: ClassVar[bool] = False
    kernel: ClassVar[str] = ""
    scratch: ClassVar[str] = ""
    gradient_scratch: ClassVar[str] = "float"

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

    def emit(self, node, e) -> None:
        (x,) = node.inputs
        extra = "".join(f"{e.number(number)}, " for number in self.numbers)
        if self.scratch:
            extra += f"scratch={e.scratch('scratch', e.shape(x), self.scratch)}, "
        name = self.kernel if self.kernel.startswith("np.") else (self.kernel or self.word)
        e.line(f"{name}({e[x]}, {extra}out={e[node.name]})")


@dataclass(frozen=True)
class ActivationGradient(Op):
    """dy times the slope of an activation."""

    overwrites = (0,)
    activation: Activation

    def type(self, dy: TensorType, value: TensorType) -> TensorType:
        return value

    def evaluate(self, dy, value):
        return (dy * self.activation.derivative(value)).astype(dy.dtype)

    def emit(self, node, e) -> None:
        dy, value = node.inputs
        op = self.activation
        extra = "".join(f"{e.number(number)}, " for number in op.numbers)
        if op.gradient_scratch:
            extra += f"scratch={e.scratch('scratch', e.shape(value), op.gradient_scratch)}, "
        e.line(f"{op.word}_gradient({e[dy]}, {e[value]}, {extra}out={e[node.name]})")


@dataclass(frozen=True)
class Relu(Activation):
    """Rectified linear unit: max(x, 0)."""

    word = "relu"
    example = "conv 4x3x3 -> relu"
    monotone = True
    kernel = "relu"
    gradient_scratch = "bool"

    def apply(self, x):
        return x * (x > 0)

    def derivative(self, y):
        return y > 0


@dataclass(frozen=True)
class Leaky(Activation):
    """Leaky rectifier: x where positive, slope * x elsewhere."""

    word = "leaky"
    example = "conv 4x3x3 -> leaky slope 0.2"
    aliases = ("leakyrelu", "leaky_relu", "lrelu")
    monotone = True
    scratch = "float"

    slope: float = setting(Number(0, 1, open_low=True), 0.01, "slope of the negative part")

    @property
    def numbers(self) -> tuple[float, ...]:
        return (self.slope,)

    def apply(self, x):
        return (x > 0) * x + (x <= 0) * x * self.slope

    def derivative(self, y):
        return (y > 0) + (y <= 0) * self.slope


@dataclass(frozen=True)
class Sigmoid(Activation):
    """Logistic function: 1 / (1 + exp(-x)), between 0 and 1."""

    word = "sigmoid"
    example = "dense 4 -> sigmoid"
    aliases = ("logistic",)
    monotone = True

    def apply(self, x):
        import numpy as np

        return np.exp(-np.logaddexp(0, -x))

    def derivative(self, y):
        return y * (1 - y)


@dataclass(frozen=True)
class Tanh(Activation):
    """Hyperbolic tangent, between -1 and 1."""

    word = "tanh"
    example = "conv 4x3x3 -> tanh"
    monotone = True
    kernel = "np.tanh"

    def apply(self, x):
        import numpy as np

        return np.tanh(x)

    def derivative(self, y):
        return 1 - y * y


@dataclass(frozen=True)
class Softmax(Op):
    """Softmax over the channels: exp(x) / sum of exp(x), a distribution; at the end it means cross-entropy."""

    word = "softmax"
    family = "activation"
    example = "dense 10 -> softmax"
    any_order = True

    def flops(self, x: TensorType) -> int:
        return 5 * x.elements

    def gradient(self, node, dy, b):
        return (b.add(SoftmaxGradient(), dy, node.name, name=f"{node.name}.dx", like=node),)

    def evaluate(self, x):
        import numpy as np

        powers = np.exp(x - x.max(axis=1, keepdims=True))
        return powers / powers.sum(axis=1, keepdims=True)

    def emit(self, node, e) -> None:
        (x,) = node.inputs
        axis, single = channel_axis(e.shape(x))
        scratch = e.scratch("sums", single)
        e.line(f"softmax({e[x]}, {axis}, scratch={scratch}, out={e[node.name]})")


@dataclass(frozen=True)
class SoftmaxGradient(Op):
    """dx = y * (dy - sum of dy * y)"""

    def type(self, dy: TensorType, y: TensorType) -> TensorType:
        return y

    def evaluate(self, dy, y):
        return y * (dy - (dy * y).sum(axis=1, keepdims=True))

    def emit(self, node, e) -> None:
        dy, y = node.inputs
        axis, single = channel_axis(e.shape(y))
        part, scratch = e.scratch("part", e.shape(y)), e.scratch("sums", single)
        e.line(f"softmax_gradient({e[dy]}, {e[y]}, {axis}, part={part}, scratch={scratch}, out={e[node.name]})")


def channel_axis(shape: tuple[int, ...]) -> tuple[int, tuple[int, ...]]:
    """Where the channels stand in an array of the plan, and its shape with that axis 1."""
    axis = 0 if len(shape) == 2 else 1
    return axis, (*shape[:axis], 1, *shape[axis + 1 :])
