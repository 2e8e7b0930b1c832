"""Elementary functions of one number, and those that leave only large numbers: activations like the others."""

from __future__ import annotations

from ...ir.expression import Expression, absolute, exp, log, sqrt, where
from ...ir.fields import Number, setting
from ...primitives.activation import Activation
from ...record import record


@record
class Abs(Activation):
    """Absolute value: x where positive, -x elsewhere; its slope at 0 is 0."""

    word = "abs"
    example = "sub( id | avgpool 3 stride 1 pad 1 ) -> abs"
    aliases = ("absolute",)

    def formula(self, x: Expression) -> Expression:
        return absolute(x)


@record
class Shrink(Activation):
    """Nothing of small numbers: 0 where |x| is at most the threshold; beyond it x, nearer to 0 by the bias.

    By itself it is the hard shrink; with `bias` as large as `threshold` the soft one, which has no jump.
    """

    word = "shrink"
    example = "conv 4x3x3 -> shrink threshold 0.2 bias 0.2"
    aliases = ("hardshrink", "hard_shrink")

    threshold: float = setting(Number(0), 0.5, "what is not larger, with either sign, becomes 0")
    bias: float = setting(Number(), 0.0, "what is taken off all others")

    def formula(self, x: Expression) -> Expression:
        return where(x < -self.threshold, x + self.bias, where(x > self.threshold, x - self.bias, 0))


@record
class ThresholdedRelu(Activation):
    """Rectifier above a threshold: x where it is larger than the threshold, 0 elsewhere."""

    word = "thresholdedrelu"
    example = "conv 4x3x3 -> thresholdedrelu threshold 0.3"
    aliases = ("thresholded_relu",)

    threshold: float = setting(Number(), 1.0, "what is not larger becomes 0")

    def formula(self, x: Expression) -> Expression:
        return where(x > self.threshold, x, 0)


@record
class Exp(Activation):
    """The exponential e^x, always positive."""

    word = "exp"
    example = "conv 4x3x3 -> exp"
    aliases = ("exponential",)
    monotone = True

    def formula(self, x: Expression) -> Expression:
        return exp(x)

    def derivative(self, y: Expression) -> Expression:
        return y


@record
class Log(Activation):
    """The natural logarithm, of positive numbers: -infinity of 0, NaN below."""

    word = "log"
    example = "conv 4x3x3 -> softplus -> log"

    def formula(self, x: Expression) -> Expression:
        return log(x)


@record
class Sqrt(Activation):
    """The square root, NaN of negative numbers; its slope at 0 is infinite."""

    word = "sqrt"
    example = "conv 4x3x3 -> softplus -> sqrt"

    def formula(self, x: Expression) -> Expression:
        return sqrt(x)

    def derivative(self, y: Expression) -> Expression:
        return 0.5 / y


@record
class Reciprocal(Activation):
    """The reciprocal 1 / x, infinite at 0."""

    word = "reciprocal"
    example = "conv 4x3x3 -> exp -> reciprocal"

    def formula(self, x: Expression) -> Expression:
        return 1 / x

    def derivative(self, y: Expression) -> Expression:
        return -(y * y)


OPS: tuple[type[Activation], ...] = (Abs, Shrink, ThresholdedRelu, Exp, Log, Sqrt, Reciprocal)
