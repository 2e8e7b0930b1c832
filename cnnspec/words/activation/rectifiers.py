"""Activations that keep positive numbers and take from negative ones: rectifiers, linear units, bounds."""

from __future__ import annotations

from math import inf

from ... import kernels
from ...diagnostics import Fault
from ...ir import TensorType
from ...ir.expression import Expression, expm1, maximum, minimum, where
from ...ir.fields import Choice, Number, setting
from ...primitives.activation import Activation, Kernel, Rectifier
from ...record import record

BOUND = Choice(("none",), Number())
FLOAT, BOOL = ("float",), ("bool",)  # scratch of the value's shape


@record
class Relu(Rectifier):
    """Rectified linear unit: max(x, 0)."""

    word = "relu"
    example = "conv 4x3x3 -> relu"


@record
class Relu6(Activation):
    """Rectifier with a ceiling: min(max(x, 0), 6)."""

    word = "relu6"
    example = "conv 4x3x3 -> relu6"
    monotone = True

    def formula(self, x: Expression) -> Expression:
        return minimum(maximum(x, 0), 6)

    def derivative(self, y: Expression) -> Expression:
        return where(y > 0, where(y < 6, 1, 0), 0)

    def by_hand(self) -> tuple[Kernel, Kernel]:
        numbers = (1.0, 0.0, 6.0)
        k = kernels.activation
        return Kernel(k.clip, numbers), Kernel(k.clip_gradient, numbers, (*BOOL, *BOOL))


@record
class Clip(Activation):
    """Between two bounds: min(max(x, low), high); with its own -1 and 1 it is the hard tanh."""

    word = "clip"
    example = "conv 4x3x3 -> clip low 0 high 1"
    aliases = ("hardtanh", "hard_tanh", "clamp")
    monotone = True

    low: float | str = setting(BOUND, -1.0, "the lower bound, or none")
    high: float | str = setting(BOUND, 1.0, "the upper bound, or none")

    @property
    def bounds(self) -> tuple[float, float]:
        """Both as numbers; infinite where there is none."""
        return -inf if isinstance(self.low, str) else self.low, inf if isinstance(self.high, str) else self.high

    def type(self, x: TensorType) -> TensorType:
        low, high = self.bounds
        if low >= high:
            raise Fault.of("CNN206", "high", case="bounds", low=low, high=high)
        return x

    def formula(self, x: Expression) -> Expression:
        low, high = self.bounds
        y = x if low == -inf else maximum(x, low)
        return y if high == inf else minimum(y, high)

    def derivative(self, y: Expression) -> Expression:
        low, high = self.bounds
        inside: Expression | float = 1.0 if high == inf else where(y < high, 1, 0)
        return where(y > low, inside, 0) if low != -inf else where(y < high, 1, 0)


@record
class Leaky(Activation):
    """Leaky rectifier: x where positive, slope * x elsewhere."""

    word = "leaky"
    example = "conv 4x3x3 -> leaky slope 0.2"
    order = ("slope",)
    aliases = ("leakyrelu", "leaky_relu", "lrelu")
    monotone = True

    slope: float = setting(Number(0, 1), 0.01, "slope of the negative part; 0 makes it relu")

    def formula(self, x: Expression) -> Expression:
        return where(x > 0, x, self.slope * x)

    def derivative(self, y: Expression) -> Expression:
        return where(y > 0, 1, self.slope)

    def by_hand(self) -> tuple[Kernel, Kernel]:
        k = kernels.activation
        return Kernel(k.leaky, (self.slope,), FLOAT), Kernel(k.leaky_gradient, (self.slope,), FLOAT)


@record
class Elu(Activation):
    """Exponential linear unit: x where positive, alpha * (exp(x) - 1) elsewhere."""

    word = "elu"
    example = "conv 4x3x3 -> elu"
    order = ("alpha",)
    monotone = True

    alpha: float = setting(Number(0, open_low=True), 1.0, "what large negative numbers tend to, but for the sign")

    @property
    def sides(self) -> tuple[float, float]:
        """The factors of the negative and of the positive side."""
        return self.alpha, 1.0

    def formula(self, x: Expression) -> Expression:
        low, high = self.sides
        return where(x > 0, high * x, low * expm1(where(x > 0, 0, x)))  # no overflow above

    def derivative(self, y: Expression) -> Expression:
        low, high = self.sides
        return where(y > 0, high, y + low)

    def by_hand(self) -> tuple[Kernel, Kernel]:
        k = kernels.activation
        return Kernel(k.elu, self.sides, FLOAT), Kernel(k.elu_gradient, self.sides, (*FLOAT, *BOOL))


@record
class Celu(Activation):
    """Continuously differentiable elu: x where positive, alpha * (exp(x / alpha) - 1) elsewhere (Barron 2017)."""

    word = "celu"
    example = "conv 4x3x3 -> celu alpha 0.5"
    order = ("alpha",)
    monotone = True

    alpha: float = setting(Number(1e-6, 1e6), 1.0, "what large negative numbers tend to, but for the sign")

    def formula(self, x: Expression) -> Expression:
        return where(x > 0, x, self.alpha * expm1(where(x > 0, 0, x) / self.alpha))

    def derivative(self, y: Expression) -> Expression:
        return minimum(y, 0) / self.alpha + 1

    def by_hand(self) -> tuple[Kernel, Kernel]:
        k = kernels.activation
        return Kernel(k.celu, (self.alpha,), FLOAT), Kernel(k.celu_gradient, (self.alpha,), FLOAT)


@record
class Selu(Elu):
    """Self-normalising elu: 1.0507 * elu(x) with alpha 1.6733, which keeps mean 0 and variance 1.

    The two constants are those of Klambauer et al. 2017.
    """

    word = "selu"
    example = "dense 8 -> selu"

    alpha: float = 1.6732632423543772848170429916717

    @property
    def sides(self) -> tuple[float, float]:
        scale = 1.0507009873554804934193349852946
        return scale * self.alpha, scale


OPS: tuple[type[Activation], ...] = (Relu, Relu6, Clip, Leaky, Elu, Celu, Selu)
