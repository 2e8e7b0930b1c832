"""Optimisers that divide each parameter's step by the root of its squared gradients."""

from __future__ import annotations

from math import sqrt
from typing import TYPE_CHECKING, ClassVar

from ...ir.fields import Number, setting
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
class RmsProp(Optimiser):
    """Each parameter's step divided by the root of its recent squared gradients (Tieleman and Hinton 2012).

    v = alpha v + (1 - alpha) g²;  p -= lr g / (√v + eps), the quotient through a momentum where one is set.
    """

    word: ClassVar[str] = "rmsprop"
    in_torch: ClassVar[str] = "RMSprop"
    usual: ClassVar[tuple[float, float]] = (1e-4, 1e-2)
    lr: float = lr_setting(0.01)
    alpha: float = setting(FRACTION, 0.99, "decay rate of the mean squared gradient")
    momentum: float = setting(FRACTION, 0.0, "momentum coefficient: the fraction of the last update that is added")
    eps: float = eps_setting()
    weight_decay: float = weight_decay_setting()
    decay_norm: bool = decay_norm_setting()
    clip: float | None = clip_setting()

    @property
    def moments(self) -> tuple[str, ...]:
        return ("v", "m") if self.momentum else ("v",)

    def scalars(self, step: int, rate: float) -> dict[str, float]:
        factor = sqrt(1 - self.alpha)
        momentum = {"momentum": self.momentum} if self.momentum else {}
        return {
            "alpha": self.alpha,
            "eps": self.eps / factor,
            "rate": rate / factor,
            **momentum,
            **self._decay(rate),
        }

    def emit(self) -> Iterator[str]:
        yield from self._prepared()
        g = self._gradient
        yield f"np.multiply({g}, {g}, out=t)"
        yield "np.multiply(v, alpha, out=v)"
        yield "np.add(v, t, out=v)"
        yield "np.sqrt(v, out=t)"
        yield "np.add(t, eps, out=t)"
        yield f"np.divide({g}, t, out=t)"
        if self.momentum:
            yield "np.multiply(m, momentum, out=m)"
            yield "np.add(m, t, out=m)"
        yield f"np.multiply({'m' if self.momentum else 't'}, rate, out=t)"
        yield "np.subtract(p, t, out=p)"

    def reference(self, p: Chunk, g: Chunk, state: State, step: int, rate: float) -> Chunk:
        g = g + self.weight_decay * p
        state["v"] = self.alpha * state.get("v", 0 * p) + (1 - self.alpha) * g**2
        state["m"] = self.momentum * state.get("m", 0 * p) + g / (state["v"] ** 0.5 + self.eps)
        return p - rate * state["m"]


@record
class AdaGrad(Optimiser):
    """Each parameter's step divided by the root of all its squared gradients (Duchi et al. 2011).

    v += g²;  p -= lr g / (√v + eps).
    """

    word: ClassVar[str] = "adagrad"
    in_torch: ClassVar[str] = "Adagrad"
    fused: ClassVar[bool] = True
    usual: ClassVar[tuple[float, float]] = (1e-3, 0.1)
    lr: float = lr_setting(0.01)
    lr_decay: float = setting(Number(0), 0.0, "divides the rate of step n (from 0) by 1 + n lr_decay")
    eps: float = eps_setting(1e-10)
    weight_decay: float = weight_decay_setting()
    decay_norm: bool = decay_norm_setting()
    clip: float | None = clip_setting()

    @property
    def moments(self) -> tuple[str, ...]:
        return ("v",)

    def scalars(self, step: int, rate: float) -> dict[str, float]:
        return {"eps": self.eps, "rate": rate / (1 + (step - 1) * self.lr_decay), **self._decay(rate)}

    def emit(self) -> Iterator[str]:
        yield from self._prepared()
        g = self._gradient
        yield f"np.multiply({g}, {g}, out=t)"
        yield "np.add(v, t, out=v)"
        yield "np.sqrt(v, out=t)"
        yield "np.add(t, eps, out=t)"
        yield f"np.divide({g}, t, out=t)"
        yield "np.multiply(t, rate, out=t)"
        yield "np.subtract(p, t, out=p)"

    def reference(self, p: Chunk, g: Chunk, state: State, step: int, rate: float) -> Chunk:
        g = g + self.weight_decay * p
        state["v"] = state.get("v", 0 * p) + g**2
        return p - rate / (1 + (step - 1) * self.lr_decay) * g / (state["v"] ** 0.5 + self.eps)


OPTIMISERS: tuple[type[Optimiser], ...] = (RmsProp, AdaGrad)
