"""The base of optimisers: how a training step moves the parameters.

An optimiser is declared once. Its fields are its settings; `lines` is its formula as NumPy source, which
the plan writes into `update` and runs chunk by chunk; `scalars` gives the numbers that change from step to
step; `reference` is the same formula out of the text book, the oracle for `lines`.

The names in `lines`:

    p         a chunk of the parameters, changed in place
    g         the same chunk of the gradient of the mean cost, only read
    m, v      the same chunk of each array named by `moments`, zero before the first step
    t, u      scratch
    others    the keys of `scalars`, in the plan's dtype, and `scale` where `clip` is set

Weight decay and clipping concern every trained parameter, biases and normalisation included, as in
PyTorch; with `decay_norm off` weight decay leaves out what has one number for each channel (biases, the weights
of normalisation, slopes and scales). `clip` comes first: the plan measures the norm of the whole gradient and
hands over `scale` (`kernels.activation.clip_scale`), with which the lines multiply g. Then comes weight decay: it
adds weight_decay * p to the gradient (L2, so it enters the moments too), or shrinks p itself by 1 - lr *
weight_decay, untouched by the moments, if the optimiser is `decoupled`.

Moments are kept without the factor (1 - beta), which is constant and waits in the rate: `m = beta m + g`
is one pass over memory less than `m = beta m + (1 - beta) g`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from ..ir.fields import Declared, Number, Switch, setting, written

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np

    Chunk = np.ndarray
    State = dict[str, Chunk]

POSITIVE = Number(0, open_low=True)
FRACTION = Number(0, 1, open_high=True)


def lr_setting(default: float) -> float:
    return setting(POSITIVE, default, "the learning rate that the schedule starts from")


def weight_decay_setting(default: float = 0.0) -> float:
    return setting(Number(0), default, "pulls every parameter towards zero")


def decay_norm_setting() -> bool:
    return setting(Switch(), True, "off: weight decay leaves out biases and the parameters of normalisation")


def clip_setting() -> float | None:
    return setting(POSITIVE, None, "the longest gradient (its norm over all parameters); off unless set")


def eps_setting(default: float = 1e-8) -> float:
    return setting(POSITIVE, default, "added to the divisor")


class Optimiser(Declared):
    """The base of all optimisers; see the module's text."""

    usual: ClassVar[tuple[float, float]] = (1e-4, 1e-3)  # learning rates that most networks take
    in_torch: ClassVar[str] = ""  # the class of torch.optim with this formula and these settings; "" for none
    fused: ClassVar[bool] = False  # whether that has a form in which it is one kernel
    decoupled: ClassVar[bool] = False  # weight decay shrinks the parameters and stays out of the gradient
    lr: float
    weight_decay: float
    decay_norm: bool
    clip: float | None

    @property
    def moments(self) -> tuple[str, ...]:
        """Names of the arrays, each as long as the parameters, that it keeps from step to step."""
        return ()

    def scalars(self, step: int, rate: float) -> dict[str, float]:
        """The numbers of the formula that change from step to step (counted from 1), at a learning rate.

        `targets/js/translate.py` makes a function of JavaScript of it, and says what Python it may hold.
        """
        raise AssertionError(f"{type(self).__name__} has no scalars")

    def lines(self) -> tuple[str, ...]:
        """NumPy source of one step over one chunk; every line writes through `out=`."""
        return tuple(self.emit())

    def emit(self) -> Iterator[str]:
        raise AssertionError(f"{type(self).__name__} has no lines")

    def reference(self, p: Chunk, g: Chunk, state: State, step: int, rate: float) -> Chunk:
        """The parameters after a step, by the text book; `state`, empty at first, holds its moments.

        `g` is already clipped.
        """
        raise AssertionError(f"{type(self).__name__} has no reference")

    def written(self, explicit: bool = False) -> str:
        """The optimiser as its author would write it."""
        return written(self, explicit)

    @property
    def _coupled(self) -> bool:
        return self.weight_decay > 0 and not self.decoupled

    @property
    def _gradient(self) -> str:
        """The array that `_prepared` leaves the gradient in."""
        return "u" if self.clip is not None or self._coupled else "g"

    def _prepared(self) -> Iterator[str]:
        """The gradient clipped, and the weight decay: added to it, or shrinking the parameters."""
        g = "g"
        if self.clip is not None:
            yield "np.multiply(g, scale, out=u)"
            g = "u"
        if self._coupled:
            yield "np.multiply(p, decay, out=t)"
            yield f"np.add({g}, t, out=u)"
        elif self.weight_decay:
            yield "np.multiply(p, shrink, out=p)"

    def _decay(self, rate: float) -> dict[str, float]:
        """The number that weight decay takes."""
        if not self.weight_decay:
            return {}
        return {"decay": self.weight_decay} if self._coupled else {"shrink": 1 - rate * self.weight_decay}
