"""Activations that saturate between two limits, by an S or a step, and softplus, the integral of the sigmoid."""

from __future__ import annotations

from ... import kernels
from ...ir.expression import Expression, absolute, expm1, maximum, minimum, sigmoid, softplus, tanh, where
from ...ir.fields import Number, setting
from ...primitives.activation import Activation, Kernel
from ...record import record

FLOAT, BOOL = ("float",), ("bool",)  # scratch of the value's shape


@record
class Sigmoid(Activation):
    """Logistic function: 1 / (1 + exp(-x)), between 0 and 1."""

    word = "sigmoid"
    example = "dense 4 -> sigmoid"
    aliases = ("logistic",)
    monotone = True

    def formula(self, x: Expression) -> Expression:
        return sigmoid(x)

    def derivative(self, y: Expression) -> Expression:
        return y * (1 - y)

    def by_hand(self) -> tuple[Kernel, Kernel]:
        return Kernel(kernels.activation.sigmoid), Kernel(kernels.activation.sigmoid_gradient, scratch=FLOAT)


@record
class HardSigmoid(Activation):
    """Sigmoid in three straight pieces: min(max(slope * x + offset, 0), 1), by itself of x / 6 + 1/2."""

    word = "hardsigmoid"
    example = "conv 4x3x3 -> hardsigmoid"
    aliases = ("hard_sigmoid",)
    monotone = True

    slope: float = setting(Number(0, open_low=True), 1 / 6, "slope of the middle piece (old Keras, Paddle: 0.2)")
    offset: float = setting(Number(), 0.5, "value at 0")

    def formula(self, x: Expression) -> Expression:
        return minimum(maximum(self.slope * x + self.offset, 0), 1)

    def derivative(self, y: Expression) -> Expression:
        return where(y > 0, where(y < 1, self.slope, 0), 0)

    def by_hand(self) -> tuple[Kernel, Kernel]:
        numbers = (self.slope, self.offset, 1.0)
        return Kernel(kernels.activation.clip, numbers), Kernel(
            kernels.activation.clip_gradient, numbers, (*BOOL, *BOOL)
        )


@record
class Tanh(Activation):
    """Hyperbolic tangent, between -1 and 1."""

    word = "tanh"
    example = "conv 4x3x3 -> tanh"
    monotone = True

    def formula(self, x: Expression) -> Expression:
        return tanh(x)

    def derivative(self, y: Expression) -> Expression:
        return 1 - y * y

    def by_hand(self) -> tuple[Kernel, Kernel]:
        return Kernel(kernels.np.tanh), Kernel(kernels.activation.tanh_gradient, scratch=FLOAT)


@record
class Softplus(Activation):
    """Soft rectifier: log(1 + exp(x)), always positive. Exact everywhere, also above 20 where PyTorch gives x."""

    word = "softplus"
    example = "conv 4x3x3 -> softplus"
    monotone = True

    def formula(self, x: Expression) -> Expression:
        return softplus(x)

    def derivative(self, y: Expression) -> Expression:
        return -expm1(-y)

    def by_hand(self) -> tuple[Kernel, Kernel]:
        return Kernel(kernels.activation.softplus), Kernel(kernels.activation.softplus_gradient, scratch=FLOAT)


@record
class Softsign(Activation):
    """x / (1 + |x|), between -1 and 1."""

    word = "softsign"
    example = "conv 4x3x3 -> softsign"
    monotone = True

    def formula(self, x: Expression) -> Expression:
        return x / (1 + absolute(x))

    def derivative(self, y: Expression) -> Expression:
        return (1 - absolute(y)) ** 2

    def by_hand(self) -> tuple[Kernel, Kernel]:
        k = kernels.activation
        return Kernel(k.softsign, scratch=FLOAT), Kernel(k.softsign_gradient, scratch=FLOAT)


@record
class Step(Activation):
    """Threshold: 1 where x is positive, 0 elsewhere. Its slope is 0, so nothing before it learns through it."""

    word = "step"
    example = "conv 4x3x3 -> tanh -> step"
    aliases = ("heaviside", "threshold", "binary")
    can_alias = ()
    monotone = True

    def formula(self, x: Expression) -> Expression:
        return where(x > 0, 1, 0)

    def by_hand(self) -> tuple[Kernel, None]:
        return Kernel(kernels.activation.step), None


OPS: tuple[type[Activation], ...] = (Sigmoid, HardSigmoid, Tanh, Softplus, Softsign, Step)
