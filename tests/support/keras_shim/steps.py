"""Optimisers of Keras as `train { optimiser ... }`: one step of ours from Keras' state, and what becomes of both.

A network of one factor for each number learns by a squared error whose gradient is the one that Keras was given.
Where Keras writes a step otherwise, its state is written in our form first: rates inside of a momentum, eps under
a root, moments with or without their 1 - beta.
"""

from __future__ import annotations

import functools
from math import sqrt

import keras
import numpy as np

from . import said as plans
from .record import LEDGER, Record
from .said import NotComparable
from .watched import numbers

CLASSES = ("SGD", "RMSprop", "Adam", "AdamW", "Adagrad", "Adamax", "Lion")
NAMES = {
    "SGD": ("momentums",), "RMSprop": ("_velocities", "_momentums"), "Adam": ("_momentums", "_velocities"),
    "AdamW": ("_momentums", "_velocities"), "Adagrad": ("_accumulators",), "Adamax": ("_m", "_u"),
    "Lion": ("_momentums",),
}  # fmt: skip


def refused(o, variables) -> str:
    """What of an optimiser has no setting."""
    if o.clipvalue is not None:
        return "clipping of each number"
    if o.clipnorm is not None and len(variables) > 1:
        return "clipping of each parameter by its own norm"
    if o.use_ema:
        return "an average of the parameters that overwrites them"
    if o.gradient_accumulation_steps:
        return "gradients added up over steps"
    if getattr(o, "amsgrad", False) or getattr(o, "centered", False):
        return "amsgrad, or a centred variance"
    if o.loss_scale_factor is not None:
        return "a scaled loss"
    if any(v.constraint is not None for v in variables):
        return "constraints"
    if any(v.dtype not in ("float32", "float64") for v in variables):
        return "numbers that are not float32 or float64"
    if any(v.overwrite_with_gradient for v in variables):
        return "variables that become their gradient"
    return ""


def joined(arrays) -> np.ndarray:
    return np.concatenate([numbers(a).astype(np.float64).reshape(-1) for a in arrays]) if arrays else np.zeros(0)


def held(o, variables) -> list[np.ndarray]:
    """The optimiser's moments of some variables, each as one array."""
    found = []
    for name in NAMES[type(o).__name__]:
        moments = getattr(o, name, None)
        if moments and (name != "momentums" or o.momentum) and (name != "_momentums" or getattr(o, "momentum", 1)):
            found.append(joined([moments[o._get_variable_index(v)] for v in variables]))
    return found


class Settings:
    """Ours for a step of Keras', and its moments in our form (as a checkpoint of ours has them)."""

    def __init__(self, o, step: int, rate: float, moments: list[np.ndarray]) -> None:
        kind = type(o).__name__
        decay = o.weight_decay or 0
        self.word, self.said, self.m = kind.lower(), f"lr {rate!r}", {}
        if kind == "SGD":
            self.said += f" momentum {float(o.momentum)!r}{' nesterov on' if o.nesterov and o.momentum else ''}"
            if moments:
                self.m["m"] = -moments[0] / rate
            if decay and o.momentum:
                raise NotComparable("weight decay outside of a momentum")
        elif kind == "RMSprop":
            alpha = float(o.rho)
            self.said += f" alpha {alpha!r} momentum {float(o.momentum)!r} eps 1e-300"
            self.m["v"] = (moments[0] + float(o.epsilon) / alpha) / (1 - alpha)
            if o.momentum:
                self.m["m"] = moments[1] / rate * np.sqrt(1 - alpha)
        elif kind in ("Adam", "AdamW"):
            one, two = float(o.beta_1), float(o.beta_2)
            self.word = "adamw" if decay else "adam"
            self.said += f" beta1 {one!r} beta2 {two!r} eps {float(o.epsilon) / sqrt(1 - two**step)!r}"
            self.m = {"m": moments[0] / (1 - one), "v": moments[1] / (1 - two)}
        elif kind == "Adagrad":
            self.said += " eps 1e-300"
            self.m["v"] = moments[0] + float(o.epsilon)
        elif kind == "Adamax":
            one, two = float(o.beta_1), float(o.beta_2)
            self.said += f" beta1 {one!r} beta2 {two!r} eps {float(o.epsilon)!r}"
            self.m = {"m": moments[0] / (1 - one), "v": moments[1] + float(o.epsilon) / two}
        else:
            self.said += f" beta1 {float(o.beta_1)!r} beta2 {float(o.beta_2)!r}"
            self.m["m"] = moments[0] / (1 - float(o.beta_2))
        if decay:
            if kind in ("RMSprop", "Adagrad", "Adamax"):
                raise NotComparable("weight decay outside of the gradient")
            self.said += f" weight_decay {float(decay)!r}"
        clip = o.clipnorm if o.clipnorm is not None else o.global_clipnorm
        if clip is not None:
            if decay:
                raise NotComparable("weight decay beside clipping")
            self.said += f" clip {float(clip)!r}"


def compare(record: Record, o, step: int, rate: float, before, moments, gradient, after) -> None:
    if rate <= 0:
        raise NotComparable("a rate of 0")
    settings, count = Settings(o, step, rate, moments), len(before)
    if not count:
        raise NotComparable("an array without numbers")
    text = f"input {count}\nscale as layer\ntrain {{ cost mse ; optimiser {settings.word} {settings.said} }}\n"
    model = plans.compiled(text)
    model.parameters["layer.weight"] = before
    state = {f"{name}/layer.weight": values for name, values in settings.m.items()}
    model.load_state({**model.state, **state, "steps": np.array([step - 1, 0, 0, 0])})
    # the mean of (w - y)² has the gradient 2 (w - y) / count
    model.train_step(np.ones((1, count)), (before - gradient * count / 2)[None])
    ours, theirs = model.parameters["layer.weight"] - before, after - before
    size = max(np.abs(theirs).max(), 1e-30)  # the step itself is compared, in units of its largest; float32 keeps
    loss = np.finfo(np.float32).eps * max(1e-30, np.abs(before).max(), np.abs(after).max())  # this much of it
    error = np.abs(ours - theirs).max()
    LEDGER.note(
        record, "steps", type(o).__name__,
        "" if error <= 2e-5 * size + 2 * loss else f"off by {error:.3g} of {size:.3g}: {text}",
    )  # fmt: skip


def watch() -> None:
    base = keras.optimizers.Optimizer
    original = base.apply

    @functools.wraps(original)
    def apply(self, grads, trainable_variables=None):
        kind = type(self).__name__
        if LEDGER.now is None or LEDGER.busy:
            return original(self, grads, trainable_variables)
        if kind not in CLASSES:
            LEDGER.now.reasons[f"no optimiser {kind}"] += 1
            return original(self, grads, trainable_variables)
        known = {}

        def look(record: Record) -> None:
            given = list(trainable_variables) if trainable_variables is not None else self._trainable_variables
            pairs = [(g, v) for g, v in zip(grads, given, strict=True) if g is not None]
            if not self.built:
                self.build(given)
            variables = [v for _, v in pairs]
            if why := refused(self, variables):
                raise NotComparable(why)
            if any(getattr(g, "is_sparse", False) or not hasattr(g, "shape") for g, _ in pairs):
                raise NotComparable("sparse or placeholder arrays")
            excluded = self.weight_decay and any(not self._use_weight_decay(v) for v in variables)
            if excluded:
                raise NotComparable("parameters that weight decay leaves out")
            known.update(
                variables=variables, gradient=joined([g for g, _ in pairs]), before=joined(variables),
                moments=held(self, variables), step=int(numbers(self.iterations)) + 1,
                rate=float(numbers(self.learning_rate)),
            )  # fmt: skip

        LEDGER.compare(kind, look)
        busy, LEDGER.busy = LEDGER.busy, True
        try:
            result = original(self, grads, trainable_variables)
        finally:
            LEDGER.busy = busy
        if known:
            variables = known.pop("variables")
            LEDGER.compare(kind, lambda record: compare(record, self, after=joined(variables), **known))
        return result

    base.apply = apply
