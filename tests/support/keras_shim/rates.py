"""Schedules of Keras as `train { schedule ... }`: the rate of a step."""

from __future__ import annotations

import functools
from itertools import pairwise

import keras
import numpy as np

from cnnspec.api import read_spec

from . import said as plans
from .record import LEDGER, Record
from .said import NotComparable
from .watched import numbers, symbolic

LONG = 1 << 40


def rate(words: str, step: int, total: int, epoch: int, base: float) -> float:
    spec = read_spec(text=f"input 2\ndense 2 -> softmax\ntrain {{ schedule {words} ; epochs 1000000 }}\n")
    return spec.train.schedule.rate(step, total, epoch, base)


def ours(schedule, step: int) -> float:
    kind = type(schedule).__name__
    if kind == "ExponentialDecay":
        each, base, gamma = schedule.decay_steps, float(schedule.initial_learning_rate), float(schedule.decay_rate)
        if not 0 < gamma <= 1:
            raise NotComparable("a rate that grows")
        if schedule.staircase:
            return rate(f"exponential gamma {gamma!r}", step, LONG, int(each), base)
        return rate(f"exponential gamma {gamma ** (1 / each)!r}", step, LONG, 1, base)
    if kind == "PiecewiseConstantDecay":
        bounds, values = list(schedule.boundaries), [float(value) for value in schedule.values]
        factors = {b / a for a, b in pairwise(values)}
        if max(factors) - min(factors) > 1e-12 or not 0 < min(factors) <= 1:
            raise NotComparable("falls of several factors")
        at = ", ".join(str(int(bound) + 1) for bound in bounds)  # Keras' bound is the last step of the old rate
        return rate(f"multistep at {at} gamma {min(factors)!r}", step, LONG, 1, values[0])
    if kind == "CosineDecay":
        warm = int(schedule.warmup_steps) if schedule.warmup_target is not None else 0
        base = float(schedule.warmup_target if warm else schedule.initial_learning_rate)
        if step < warm:
            raise NotComparable("a warm-up that begins at another rate")
        if step - warm >= schedule.decay_steps:
            raise NotComparable("a step after the last")
        final = f" final {float(schedule.alpha) * base!r}"
        return rate(f"cosine{final}", step - warm, int(schedule.decay_steps), 1, base)
    raise NotComparable(f"no schedule {kind}")


def compare(record: Record, schedule, step, result) -> None:
    if symbolic(step):
        raise NotComparable("a symbolic step")
    number = float(numbers(step))
    if number != int(number):
        raise NotComparable("half a step")
    found = ours(schedule, int(number))
    LEDGER.note(record, "rates", type(schedule).__name__, plans.apart(np.array(found), numbers(result)))


def watch() -> None:
    for name in (
        "ExponentialDecay", "PiecewiseConstantDecay", "CosineDecay", "PolynomialDecay", "InverseTimeDecay",
        "CosineDecayRestarts",
    ):  # fmt: skip
        cls = getattr(keras.optimizers.schedules, name)
        cls.__call__ = watched(cls.__call__)


def watched(original):
    @functools.wraps(original)
    def called(self, step):
        result = original(self, step)
        LEDGER.compare(type(self).__name__, lambda record: compare(record, self, step, result))
        return result

    return called
