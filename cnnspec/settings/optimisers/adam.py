"""Adam and its variants: a moving average of the gradient, divided by one of its size."""

from __future__ import annotations

from math import sqrt
from typing import TYPE_CHECKING, ClassVar

from ...ir.fields import setting
from ...record import record
from ..optimiser import (
    FRACTION,
    Optimiser,
    clip_setting,
    decay_norm_setting,
    eps_setting,
    lr_setting,
    weight_decay_setting,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..optimiser import Chunk, State


@record
class Adam(Optimiser):
    """Moving averages of the gradient and of its square (Kingma and Ba 2015).

    m = beta1 m + (1 - beta1) g;  v = beta2 v + (1 - beta2) g²;  p -= lr m̂ / (√v̂ + eps), where a hat divides
    by 1 - beta**step.
    """

    word: ClassVar[str] = "adam"
    in_torch: ClassVar[str] = "Adam"
    fused: ClassVar[bool] = True
    lr: float = lr_setting(1e-3)
    beta1: float = setting(FRACTION, 0.9, "decay rate of the mean gradient")
    beta2: float = setting(FRACTION, 0.999, "decay rate of the mean squared gradient")
    eps: float = eps_setting()
    weight_decay: float = weight_decay_setting()
    decay_norm: bool = decay_norm_setting()
    clip: float | None = clip_setting()

    @property
    def moments(self) -> tuple[str, ...]:
        return ("m", "v")

    def scalars(self, step: int, rate: float) -> dict[str, float]:
        # division by 1 - beta**step, for moments kept without (1 - beta)
        grown1 = (1 - self.beta1**step) / (1 - self.beta1)  # what m holds of a gradient of ones
        grown2 = sqrt((1 - self.beta2**step) / (1 - self.beta2))
        own = {"eps": self.eps * grown2, "rate": rate * grown2 / grown1}
        return {"beta1": self.beta1, "beta2": self.beta2, **own, **self._decay(rate)}

    def emit(self) -> Iterator[str]:
        yield from self._prepared()
        g = self._gradient
        yield "np.multiply(m, beta1, out=m)"
        yield f"np.add(m, {g}, out=m)"
        yield f"np.multiply({g}, {g}, out=t)"
        yield "np.multiply(v, beta2, out=v)"
        yield "np.add(v, t, out=v)"
        yield "np.sqrt(v, out=t)"
        yield "np.add(t, eps, out=t)"
        yield "np.divide(m, t, out=t)"
        yield "np.multiply(t, rate, out=t)"
        yield "np.subtract(p, t, out=p)"

    def reference(self, p: Chunk, g: Chunk, state: State, step: int, rate: float) -> Chunk:
        if self.decoupled:
            p = p - rate * self.weight_decay * p
        else:
            g = g + self.weight_decay * p
        state["m"] = self.beta1 * state.get("m", 0 * p) + (1 - self.beta1) * g
        state["v"] = self.beta2 * state.get("v", 0 * p) + (1 - self.beta2) * g**2
        m_hat = state["m"] / (1 - self.beta1**step)
        v_hat = state["v"] / (1 - self.beta2**step)
        return p - rate * m_hat / (v_hat**0.5 + self.eps)


@record
class AdamW(Adam):
    """Adam whose weight decay leaves the moments alone (Loshchilov and Hutter 2019).

    Adam's step, and before it p *= 1 - lr weight_decay.
    """

    word: ClassVar[str] = "adamw"
    in_torch: ClassVar[str] = "AdamW"
    decoupled: ClassVar[bool] = True
    weight_decay: float = weight_decay_setting(0.01)


@record
class Adamax(Optimiser):
    """Adam by the largest gradient of late, not the root of its squares (Kingma and Ba 2015, section 7).

    m = beta1 m + (1 - beta1) g;  v = max(beta2 v, |g| + eps);  p -= lr m / (1 - beta1**step) / v. As PyTorch's,
    eps is inside of the maximum, so that nothing is divided by 0.
    """

    word: ClassVar[str] = "adamax"
    in_torch: ClassVar[str] = "Adamax"
    usual: ClassVar[tuple[float, float]] = (1e-4, 2e-3)
    lr: float = lr_setting(2e-3)
    beta1: float = setting(FRACTION, 0.9, "decay rate of the mean gradient")
    beta2: float = setting(FRACTION, 0.999, "decay rate of the largest gradient")
    eps: float = eps_setting()
    weight_decay: float = weight_decay_setting()
    decay_norm: bool = decay_norm_setting()
    clip: float | None = clip_setting()

    @property
    def moments(self) -> tuple[str, ...]:
        return ("m", "v")

    def scalars(self, step: int, rate: float) -> dict[str, float]:
        grown = (1 - self.beta1**step) / (1 - self.beta1)  # what m holds of a gradient of ones
        return {
            "beta1": self.beta1,
            "beta2": self.beta2,
            "eps": self.eps,
            "rate": rate / grown,
            **self._decay(rate),
        }

    def emit(self) -> Iterator[str]:
        yield from self._prepared()
        g = self._gradient
        yield "np.multiply(m, beta1, out=m)"
        yield f"np.add(m, {g}, out=m)"
        yield "np.multiply(v, beta2, out=v)"
        yield f"np.abs({g}, out=t)"
        yield "np.add(t, eps, out=t)"
        yield "np.maximum(v, t, out=v)"
        yield "np.divide(m, v, out=t)"
        yield "np.multiply(t, rate, out=t)"
        yield "np.subtract(p, t, out=p)"

    def reference(self, p: Chunk, g: Chunk, state: State, step: int, rate: float) -> Chunk:
        g = g + self.weight_decay * p
        state["m"] = self.beta1 * state.get("m", 0 * p) + (1 - self.beta1) * g
        decayed, size = self.beta2 * state.get("v", 0 * p), abs(g) + self.eps
        state["v"] = decayed * (decayed > size) + size * (decayed <= size)
        return p - rate / (1 - self.beta1**step) * state["m"] / state["v"]


OPTIMISERS: tuple[type[Optimiser], ...] = (Adam, AdamW, Adamax)
