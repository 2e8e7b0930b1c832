"""Gradient descent, with and without momentum."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from ...diagnostics import Fault
from ...ir.fields import Switch, setting
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


OPTIMISERS: tuple[type[Optimiser], ...] = (Sgd,)
