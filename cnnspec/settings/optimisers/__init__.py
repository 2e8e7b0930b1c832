"""The optimisers of the language, a class for each: settings, moments, lines of plan, text-book formula.

To add one: a class in the file of its kind, or in a new one, and its entry in the tuple at that file's end. What
the methods are for stands in `settings/optimiser.py`.
"""

from __future__ import annotations

from ..optimiser import Optimiser
from . import adam, sgd, sign, squares

OPTIMISERS: tuple[type[Optimiser], ...] = (
    *sgd.OPTIMISERS,
    *squares.OPTIMISERS,
    *adam.OPTIMISERS,
    *sign.OPTIMISERS,
)
