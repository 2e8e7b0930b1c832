"""Losses of Keras as `train { cost ... }`: the cost of a batch, weighted or not, and that of each row."""

from __future__ import annotations

import functools
import inspect
from math import prod

import keras
import numpy as np
from keras.src import backend
from keras.src.losses import losses as functions

from . import said as plans
from .record import LEDGER, Record
from .said import NotComparable
from .watched import numbers, symbolic

TINY = 1e-7  # Keras keeps probabilities so far from 0 and 1
ROWS = 64  # that are judged one by one
WORDS = {
    "mean_squared_error": "mse", "mean_absolute_error": "mae", "huber": "huber",
    "binary_crossentropy": "binary_cross_entropy", "categorical_crossentropy": "cross_entropy",
    "sparse_categorical_crossentropy": "cross_entropy",
}  # fmt: skip
NO_COST = (
    "mean_absolute_percentage_error", "mean_squared_logarithmic_error", "cosine_similarity", "log_cosh", "hinge",
    "squared_hinge", "categorical_hinge", "kl_divergence", "poisson", "categorical_focal_crossentropy",
    "binary_focal_crossentropy", "ctc", "dice", "tversky", "circle", "categorical_generalized_cross_entropy",
)  # fmt: skip


def plain(value) -> np.ndarray:
    """An array, also where it was given as lists of numbers."""
    if not isinstance(value, (list, tuple, dict)):
        return numbers(value)
    try:
        return np.asarray(value, np.float64)
    except (TypeError, ValueError, RuntimeError):
        raise NotComparable("nested arrays") from None


class Judged:
    """What is judged, in rows: the spec, its inputs, its answers, and the shape that the rows' costs have."""

    def __init__(self, name: str, y, x, settings: dict) -> None:
        if settings.get("axis", -1) not in (-1, x.ndim - 1):
            raise NotComparable("a loss along another axis than the last")
        if settings.get("ignore_class") is not None:
            raise NotComparable("a class that is passed over")
        if x.ndim < 1 or x.size == 0:
            raise NotComparable("an array without numbers")
        self.shape, count = x.shape[:-1], x.shape[-1]
        x = x.reshape(-1, count).astype(np.float64)
        smoothing, logits = float(settings.get("label_smoothing") or 0), bool(settings.get("from_logits"))
        end, cost = "", WORDS[name]
        if cost == "huber":
            cost += f" delta {float(settings.get('delta', 1.0))!r}"
        if cost == "binary_cross_entropy":
            end = " -> sigmoid"
            if smoothing:
                raise NotComparable("label smoothing of yes and no")
            if not logits:
                kept = np.clip(x.astype(np.float32), TINY, 1 - TINY)  # whose 1 - 1e-7 is 1 - 1.2e-7
                x = np.log(kept.astype(np.float64) / (1 - kept))
        elif cost == "cross_entropy":
            if count < 2:
                raise NotComparable("softmax of one class")
            end, cost = " -> softmax", f"cross_entropy smoothing {smoothing!r}"
            if not logits:
                x = np.log(np.clip(x / x.sum(axis=-1, keepdims=True), TINY, 1 - TINY))
        if name.startswith("sparse"):
            y = np.eye(count)[y.reshape(-1).astype(int)]
        else:
            y = np.broadcast_to(y.reshape(*y.shape, *(1,) * (len(self.shape) + 1 - y.ndim)), (*self.shape, count))
        self.x, self.y = x, y.reshape(-1, count).astype(np.float64)
        self.text = f"input {count}\nscale as layer{end}\ntrain {{ cost {cost} ; optimiser sgd lr 1e-9 }}\n"

    def weights(self, given) -> np.ndarray | None:
        """A weight for each row, from those of Keras: for each row, with or without an axis of 1, or fewer axes."""
        if given is None:
            return None
        found = plain(given).astype(np.float64)
        if found.ndim == len(self.shape) + 1 and found.shape[-1] == 1:
            found = found[..., 0]
        if found.ndim > len(self.shape):
            raise NotComparable("weights of more axes than rows have")
        if not found.any():
            raise NotComparable("weights that are all 0 (refused, CNN436)")
        return np.broadcast_to(found.reshape(*found.shape, *(1,) * (len(self.shape) - found.ndim)), self.shape)

    def model(self):
        model = plans.compiled(self.text)
        model.parameters["layer.weight"] = np.ones(self.x.shape[1])
        return model

    def rows(self) -> np.ndarray:
        """Each row's cost, as a batch of one."""
        if len(self.x) > ROWS:
            raise NotComparable("many rows, one by one")
        model = self.model()
        found = [model.measure(self.x[k : k + 1], self.y[k : k + 1])[0] for k in range(len(self.x))]
        return np.reshape(found, self.shape)

    def batch(self, weights: np.ndarray | None) -> float:
        """The cost of a step on all rows, which Keras calls `sum_over_batch_size`."""
        return self.model().train_step(self.x, self.y, sample_weight=weights)


def of_loss(record: Record, loss, y_true, y_pred, sample_weight, result) -> None:
    """A loss with its reduction."""
    name = getattr(getattr(loss, "fn", None), "__name__", "")
    if name in NO_COST:
        raise NotComparable(f"no cost {name}")
    if name not in WORDS:
        return
    if symbolic(y_pred) or symbolic(y_true):
        raise NotComparable("a symbolic loss")
    if backend.get_keras_mask(y_pred) is not None:
        raise NotComparable("masks of time steps")
    y_true, y_pred = plain(y_true), plain(y_pred)
    if loss.dtype not in ("float32", "float64"):
        raise NotComparable("numbers that are not float32 or float64")
    known = inspect.signature(getattr(functions, name)).parameters
    judged = Judged(name, y_true, y_pred, {k: v for k, v in loss._fn_kwargs.items() if k in known})
    weights = judged.weights(sample_weight)
    theirs = numbers(result)
    if loss.reduction in (None, "none"):
        rows = judged.rows()
        difference = plans.apart(rows if weights is None else rows * weights, theirs)
    else:
        flat = None if weights is None else weights.reshape(-1)
        ours, count = judged.batch(flat), prod(judged.shape)
        if loss.reduction == "sum":
            ours *= count
        elif loss.reduction == "mean_with_sample_weight" and flat is not None:
            ours *= count / flat.sum() if flat.sum() else 0
        difference = plans.apart(np.array(ours), theirs)
    LEDGER.note(record, "costs", type(loss).__name__, difference and f"{difference}: {judged.text}")


def watch() -> None:
    original = keras.losses.Loss.__call__

    @functools.wraps(original)
    def called(self, y_true, y_pred, sample_weight=None):
        busy, LEDGER.busy = LEDGER.busy, True
        try:
            result = original(self, y_true, y_pred, sample_weight)
        finally:
            LEDGER.busy = busy
        what = type(self).__name__
        LEDGER.compare(what, lambda record: of_loss(record, self, y_true, y_pred, sample_weight, result))
        return result

    keras.losses.Loss.__call__ = called
