"""Activations that multiply a number by a gate of itself, between 0 and 1: they fall before they rise."""

from __future__ import annotations

from math import tau

from ... import kernels
from ...ir.expression import Expression, erf, maximum, minimum, sigmoid, softplus, tanh
from ...ir.fields import Choice, setting
from ...primitives.activation import Activation, Kernel
from ...record import record


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


OPS: tuple[type[Activation], ...] = (Gelu, Swish, HardSwish, Mish)
