"""A process that forks while it holds models: the child has models of its own.

What a child inherits would else be half a model: locks that threads hold which it has not, workers that are the
parent's, memory in which both write.
"""

from __future__ import annotations

import os
import threading
import weakref
from contextlib import suppress
from typing import Protocol

import numpy as np

from ..diagnostics import SpecError
from .turns import Lane, Turn


class Forked(Protocol):
    @property
    def turn(self) -> Turn[Lane]: ...

    def before_fork(self) -> list[np.ndarray] | None:
        """In the parent, during its turn: what the child needs."""

    def after_fork(self, saved: list[np.ndarray] | None) -> None:
        """In the child, with what `before_fork` gave: begin a life of its own."""


MODELS: weakref.WeakSet[Forked] = weakref.WeakSet()
UNDER_WAY: list[tuple[Forked, bool, list[np.ndarray] | None]] = []  # whether its turn was taken, what was saved
ONE = [threading.Lock()]  # fork at a time


def survive(model: Forked) -> None:
    """Have a model live on in processes that are forked from this one."""
    MODELS.add(model)


def before() -> None:
    ONE[0].acquire()
    for model in list(MODELS):
        taken = False
        with suppress(SpecError):  # in the midst of its own answer, which nobody changes it before
            model.turn.__enter__()
            taken = True
        UNDER_WAY.append((model, taken, model.before_fork()))


def in_parent() -> None:
    while UNDER_WAY:
        model, taken, _ = UNDER_WAY.pop()
        if taken:
            model.turn.__exit__()
    ONE[0].release()


def in_child() -> None:
    while UNDER_WAY:
        model, taken, saved = UNDER_WAY.pop()
        if taken:
            model.turn.__exit__()
        model.turn.renew()
        model.after_fork(saved)
    ONE[0] = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=before, after_in_parent=in_parent, after_in_child=in_child)
