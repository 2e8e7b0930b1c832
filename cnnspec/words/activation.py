"""Activations: one number in, one number out. The formula of each stands here, and nowhere else.

To add one: a class with its `formula`, and its entry in ACTIVATIONS below. Definition, gradient, lines of plan,
PyTorch, ONNX, JAX and JavaScript follow from the formula. `derivative` is a formula of the output, if there is one,
and frees the memory of the input; `monotone` lets max pooling move before it; `by_hand` names faster kernels.
"""

from __future__ import annotations

from math import inf, tau

from .. import kernels
from ..diagnostics import Fault
from ..ir import TensorType
from ..ir.expression import Expression, absolute, erf, expm1, maximum, minimum, sigmoid, softplus, tanh, where
from ..ir.fields import Choice, Number, setting
from ..primitives.activation import Activation, Kernel, Rectifier
from ..record import record
from .elementary import Abs, Exp, Log, Reciprocal, Shrink, Sqrt, ThresholdedRelu

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


@record
class Gelu(Activation):
    """Gaussian error linear unit: x * Phi(x), Phi the normal distribution.

    `form tanh` is the older approximation x/2 * (1 + tanh(sqrt(2/pi) * (x + 0.044715 x^3))).
    """

    word = "gelu"
    example = "conv 4x3x3 -> gelu"

    form: str = setting(Choice(("exact", "tanh")), "exact", "the definition, or the approximation by tanh")

    def formula(self, x: Expression) -> Expression:
        if self.form == "exact":
            return 0.5 * x * (1 + erf(0.5**0.5 * x))
        return 0.5 * x * (1 + tanh((4 / tau) ** 0.5 * (x + 0.044715 * x**3)))

    def by_hand(self) -> tuple[Kernel, Kernel]:
        k = kernels.gates
        if self.form == "exact":
            return Kernel(k.gelu, rows=4), Kernel(k.gelu_and_derivative, rows=4)
        return Kernel(k.gelu_tanh, rows=3), Kernel(k.gelu_tanh_and_derivative, rows=3)


@record
class Swish(Activation):
    """Swish, or SiLU: x * sigmoid(x)."""

    word = "swish"
    example = "conv 4x3x3 -> swish"
    aliases = ("silu",)

    def formula(self, x: Expression) -> Expression:
        return x * sigmoid(x)

    def by_hand(self) -> tuple[Kernel, Kernel]:
        return Kernel(kernels.gates.swish, rows=1), Kernel(kernels.gates.swish_and_derivative, rows=2)


@record
class HardSwish(Activation):
    """Swish in three pieces: x * min(max(x / 6 + 1/2, 0), 1)."""

    word = "hardswish"
    example = "conv 4x3x3 -> hardswish"
    aliases = ("hard_swish", "hswish")

    def formula(self, x: Expression) -> Expression:
        return x * minimum(maximum(x / 6 + 0.5, 0), 1)

    def by_hand(self) -> tuple[Kernel, Kernel]:
        return Kernel(kernels.gates.hardswish, rows=1), Kernel(kernels.gates.hardswish_and_derivative, rows=2)


@record
class Mish(Activation):
    """Mish: x * tanh(softplus(x))."""

    word = "mish"
    example = "conv 4x3x3 -> mish"

    def formula(self, x: Expression) -> Expression:
        return x * tanh(softplus(x))

    def by_hand(self) -> tuple[Kernel, Kernel]:
        return Kernel(kernels.gates.mish, rows=2), Kernel(kernels.gates.mish_and_derivative, rows=3)


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


ACTIVATIONS: tuple[type[Activation], ...] = (
    Relu,
    Relu6,
    Clip,
    Leaky,
    Elu,
    Celu,
    Selu,
    Gelu,
    Swish,
    HardSwish,
    Mish,
    Sigmoid,
    HardSigmoid,
    Tanh,
    Softplus,
    Softsign,
    Step,
    Abs,
    Shrink,
    ThresholdedRelu,
    Exp,
    Log,
    Sqrt,
    Reciprocal,
)
