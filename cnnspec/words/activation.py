"""Activations: one number in, one number out."""

from __future__ import annotations

from ..ir.fields import Number, setting
from ..primitives.activation import Activation, Rectifier
from ..record import record


@record
class Relu(Rectifier):
    """Rectified linear unit: max(x, 0)."""

    word = "relu"
    example = "conv 4x3x3 -> relu"


@record
class Leaky(Activation):
    """Leaky rectifier: x where positive, slope * x elsewhere."""

    word = "leaky"
    example = "conv 4x3x3 -> leaky slope 0.2"
    aliases = ("leakyrelu", "leaky_relu", "lrelu")
    monotone = True
    scratch = "float"

    slope: float = setting(Number(0, 1), 0.01, "slope of the negative part; 0 makes it relu")

    @property
    def gradient_kernel(self) -> str:
        return f"{self.word if self.kernel.startswith('np.') else self.kernel or self.word}_gradient"

    @property
    def numbers(self) -> tuple[float, ...]:
        return (self.slope,)

    def apply(self, x):
        return (x > 0) * x + (x <= 0) * x * self.slope

    def derivative(self, y):
        return (y > 0) + (y <= 0) * self.slope


@record
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


@record
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


@record
class Clipped(Activation):
    """min(max(factor * x + shift, 0), high): what the piecewise linear words share."""

    monotone = True
    kernel = "clip"
    gradient_scratch = "bool"

    def apply(self, x):
        import numpy as np

        factor, shift, high = self.numbers
        return np.minimum(np.maximum(factor * x + shift, 0), high)

    def derivative(self, y):
        factor, _, high = self.numbers
        return factor * ((y > 0) & (y < high))


@record
class Relu6(Clipped):
    """Rectifier with a ceiling: min(max(x, 0), 6)."""

    word = "relu6"
    example = "conv 4x3x3 -> relu6"

    @property
    def numbers(self) -> tuple[float, ...]:
        return 1.0, 0.0, 6.0


@record
class HardSigmoid(Clipped):
    """Sigmoid in three straight pieces: min(max(x / 6 + 1/2, 0), 1)."""

    word = "hardsigmoid"
    example = "conv 4x3x3 -> hardsigmoid"
    aliases = ("hard_sigmoid",)

    @property
    def numbers(self) -> tuple[float, ...]:
        return 1 / 6, 0.5, 1.0


@record
class Elu(Activation):
    """Exponential linear unit: x where positive, alpha * (exp(x) - 1) elsewhere."""

    word = "elu"
    example = "conv 4x3x3 -> elu"
    monotone = True
    scratch = "float"
    gradient_scratch = "float bool"

    alpha: float = setting(Number(0, open_low=True), 1.0, "what large negative numbers tend to, but for the sign")

    @property
    def numbers(self) -> tuple[float, ...]:
        return self.alpha, 1.0

    def apply(self, x):
        import numpy as np

        low, high = self.numbers
        return np.where(x > 0, high * x, low * np.expm1(np.minimum(x, 0)))

    def derivative(self, y):
        import numpy as np

        low, high = self.numbers
        return np.where(y > 0, high, y + low)


@record
class Selu(Elu):
    """Self-normalising elu: 1.0507 * elu(x) with alpha 1.6733, which keeps mean 0 and variance 1.

    The two constants are those of Klambauer et al. 2017.
    """

    word = "selu"
    example = "dense 8 -> selu"
    kernel = "elu"

    alpha: float = 1.6732632423543772848170429916717

    @property
    def numbers(self) -> tuple[float, ...]:
        scale = 1.0507009873554804934193349852946
        return scale * self.alpha, scale


@record
class Celu(Activation):
    """Continuously differentiable elu: x where positive, alpha * (exp(x / alpha) - 1) elsewhere (Barron 2017)."""

    word = "celu"
    example = "conv 4x3x3 -> celu alpha 0.5"
    monotone = True
    scratch = "float"

    alpha: float = setting(Number(1e-6, 1e6), 1.0, "what large negative numbers tend to, but for the sign")

    @property
    def numbers(self) -> tuple[float, ...]:
        return (self.alpha,)

    def apply(self, x):
        import numpy as np

        return np.where(x > 0, x, self.alpha * np.expm1(np.minimum(x, 0) / self.alpha))

    def derivative(self, y):
        import numpy as np

        return np.minimum(y, 0) / self.alpha + 1


@record
class Softplus(Activation):
    """Soft rectifier: log(1 + exp(x)), always positive. Exact everywhere, also above 20 where PyTorch gives x."""

    word = "softplus"
    example = "conv 4x3x3 -> softplus"
    monotone = True

    def apply(self, x):
        import numpy as np

        return np.logaddexp(0, x)

    def derivative(self, y):
        import numpy as np

        return 1 - np.exp(-y)


@record
class Softsign(Activation):
    """x / (1 + |x|), between -1 and 1."""

    word = "softsign"
    example = "conv 4x3x3 -> softsign"
    monotone = True
    scratch = "float"

    def apply(self, x):
        return x / (1 + abs(x))

    def derivative(self, y):
        return (1 - abs(y)) ** 2


@record
class Step(Activation):
    """Threshold: 1 where x is positive, 0 elsewhere. Its slope is 0, so nothing before it learns through it."""

    word = "step"
    example = "conv 4x3x3 -> tanh -> step"
    aliases = ("heaviside", "threshold", "binary")
    can_alias = ()
    monotone = True

    def gradient(self, node, dy, b):
        return (None,)

    def apply(self, x):
        return x > 0
