"""The optimisers of the language, a class for each: settings, moments, lines of plan, text-book formula.

To add one: a class here, with its entry in `OPTIMISERS`. What the methods are for stands in `optimiser.py`.
"""

from __future__ import annotations

from math import sqrt
from typing import TYPE_CHECKING, ClassVar

from ..diagnostics import Fault
from ..ir.fields import Number, Switch, setting
from ..record import record
from .optimiser import (
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

    from .optimiser import Chunk, State


@record
class Sgd(Optimiser):
    """Gradient descent: p -= lr g, or with momentum p -= lr m where m = momentum m + g.

    Nesterov's form looks ahead: p -= lr (g + momentum m). As PyTorch's, the rate is outside of m, so that
    a new rate acts at once on all of it.
    """

    word: ClassVar[str] = "sgd"
    in_torch: ClassVar[str] = "SGD"
    fused: ClassVar[bool] = True
    usual: ClassVar[tuple[float, float]] = (1e-3, 0.1)
    lr: float = lr_setting(0.01)
    momentum: float = setting(FRACTION, 0.0, "momentum coefficient: the fraction of the last update that is added")
    nesterov: bool = setting(Switch(), False, "look ahead along the momentum")
    weight_decay: float = weight_decay_setting()
    decay_norm: bool = decay_norm_setting()
    clip: float | None = clip_setting()

    def __post_init__(self) -> None:
        if self.nesterov and not self.momentum:
            raise Fault.of("CNN206", "nesterov", case="nesterov")  # fmt: skip

    @property
    def moments(self) -> tuple[str, ...]:
        return ("m",) if self.momentum else ()

    def scalars(self, step: int, rate: float) -> dict[str, float]:
        momentum = {"momentum": self.momentum} if self.momentum else {}
        return {"rate": rate, **momentum, **self._decay(rate)}

    def emit(self) -> Iterator[str]:
        yield from self._prepared()
        move = g = self._gradient
        if self.momentum:
            yield "np.multiply(m, momentum, out=m)"
            yield f"np.add(m, {g}, out=m)"
            move = "m"
        if self.nesterov:
            yield "np.multiply(m, momentum, out=t)"
            yield f"np.add({g}, t, out=t)"
            move = "t"
        yield f"np.multiply({move}, rate, out=t)"
        yield "np.subtract(p, t, out=p)"

    def reference(self, p: Chunk, g: Chunk, state: State, step: int, rate: float) -> Chunk:
        g = g + self.weight_decay * p
        state["m"] = self.momentum * state.get("m", 0 * p) + g
        return p - rate * (g + self.momentum * state["m"] if self.nesterov else state["m"])


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


@record
class Lion(Optimiser):
    """Steps of one size, in the direction of a moving average's sign (Chen et al. 2023).

    p -= lr (sign(beta1 m + (1 - beta1) g) + weight_decay p);  m = beta2 m + (1 - beta2) g. Wants a rate some
    3 to 10 times smaller than adam's, and a weight decay as many times larger.
    """

    word: ClassVar[str] = "lion"
    usual: ClassVar[tuple[float, float]] = (1e-5, 3e-4)
    decoupled: ClassVar[bool] = True
    lr: float = lr_setting(1e-4)
    beta1: float = setting(FRACTION, 0.9, "weight of the mean gradient in the direction of a step")
    beta2: float = setting(FRACTION, 0.99, "decay rate of the mean gradient")
    weight_decay: float = weight_decay_setting()
    decay_norm: bool = decay_norm_setting()
    clip: float | None = clip_setting()

    @property
    def moments(self) -> tuple[str, ...]:
        return ("m",)

    def scalars(self, step: int, rate: float) -> dict[str, float]:
        # a sign does not mind a factor: beta1 m + (1 - beta1) g, divided by 1 - beta1
        blend = self.beta1 * (1 - self.beta2) / (1 - self.beta1)
        return {"blend": blend, "beta2": self.beta2, "rate": rate, **self._decay(rate)}

    def emit(self) -> Iterator[str]:
        yield from self._prepared()
        g = self._gradient
        yield "np.multiply(m, blend, out=t)"
        yield f"np.add(t, {g}, out=t)"
        yield "np.sign(t, out=t)"
        yield "np.multiply(t, rate, out=t)"
        yield "np.subtract(p, t, out=p)"
        yield "np.multiply(m, beta2, out=m)"
        yield f"np.add(m, {g}, out=m)"

    def reference(self, p: Chunk, g: Chunk, state: State, step: int, rate: float) -> Chunk:
        m = state.get("m", 0 * p)
        direction = self.beta1 * m + (1 - self.beta1) * g
        state["m"] = self.beta2 * m + (1 - self.beta2) * g
        return p - rate * ((direction > 0).astype(p.dtype) - (direction < 0) + self.weight_decay * p)


OPTIMISERS: tuple[type[Optimiser], ...] = (Sgd, RmsProp, AdaGrad, Adam, AdamW, Adamax, Lion)
