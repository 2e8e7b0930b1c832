"""Activations that are x times a gate between 0 and 1: they fall a little before they rise."""

from __future__ import annotations

from math import sqrt, tau

from ..ir.fields import Choice, setting
from ..primitives.activation import Gate
from ..record import record


@record
class Swish(Gate):
    """Swish, or SiLU: x * sigmoid(x)."""

    word = "swish"
    example = "conv 4x3x3 -> swish"
    aliases = ("silu",)

    def apply(self, x):
        return x * logistic(x)

    def derivative(self, x):
        return logistic(x) * (1 + x * logistic(-x))


@record
class HardSwish(Gate):
    """Swish in three pieces: x * min(max(x / 6 + 1/2, 0), 1)."""

    word = "hardswish"
    example = "conv 4x3x3 -> hardswish"
    aliases = ("hard_swish", "hswish")

    def apply(self, x):
        import numpy as np

        return x * np.clip(x / 6 + 0.5, 0, 1)

    def derivative(self, x):
        import numpy as np

        return np.where(x <= -3, 0, np.where(x < 3, x / 3 + 0.5, 1))


@record
class Mish(Gate):
    """Mish: x * tanh(softplus(x))."""

    word = "mish"
    example = "conv 4x3x3 -> mish"
    scratch = "2"
    gradient_scratch = "3"

    def apply(self, x):
        import numpy as np

        return x * np.tanh(np.logaddexp(0, x))

    def derivative(self, x):
        import numpy as np

        gate = np.tanh(np.logaddexp(0, x))
        return gate + x * (1 - gate * gate) * logistic(x)


@record
class Gelu(Gate):
    """Gaussian error linear unit: x * Phi(x), Phi the normal distribution.

    `form tanh` is the older approximation x/2 * (1 + tanh(sqrt(2/pi) * (x + 0.044715 x^3))).
    """

    word = "gelu"
    example = "conv 4x3x3 -> gelu"
    scratch = "3"
    gradient_scratch = "3"

    form: str = setting(Choice(("exact", "tanh")), "exact", "the definition, or the approximation by tanh")

    @property
    def kernel(self) -> str:
        return "gelu" if self.form == "exact" else "gelu_tanh"

    def apply(self, x):
        import numpy as np

        if self.form == "exact":
            return x * normal_distribution(x)
        return 0.5 * x * (1 + np.tanh(self.bent(x)))

    def bent(self, x):
        return sqrt(4 / tau) * (x + 0.044715 * x**3)

    def derivative(self, x):
        import numpy as np

        if self.form == "exact":
            return normal_distribution(x) + x * np.exp(-0.5 * x * x) / sqrt(tau)
        t = np.tanh(self.bent(x))
        return 0.5 * (1 + t) + 0.5 * x * (1 - t * t) * sqrt(4 / tau) * (1 + 3 * 0.044715 * x * x)


def logistic(x):
    import numpy as np

    return np.exp(-np.logaddexp(0, -x))


def normal_distribution(x):
    """Phi(x), number by number, from the standard library's erfc."""
    from math import erfc

    import numpy as np

    return np.vectorize(lambda each: erfc(-each / sqrt(2)) / 2, otypes=[x.dtype])(x)
