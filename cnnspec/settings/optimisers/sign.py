"""Optimisers that take the sign of a direction, so that every parameter moves by the same step."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from ...ir.fields import setting
from ...record import record
from ..optimiser import (
    FRACTION,
    Optimiser,
    clip_setting,
    decay_norm_setting,
    lr_setting,
    weight_decay_setting,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..optimiser import Chunk, State


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


OPTIMISERS: tuple[type[Optimiser], ...] = (Lion,)
