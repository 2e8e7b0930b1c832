"""Of many cases of one kind, those that every run tries; the others take minutes together, and are `slow`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import pytest


def sampled(cases: Iterable[Any], every: int, ids: Sequence[str] | None = None) -> list[Any]:
    """Each case as a parameter; one of so many is tried by default. A tuple is several arguments."""
    found = []
    for k, case in enumerate(cases):
        values = case if isinstance(case, tuple) else (case,)
        marks = () if k % every == 0 else (pytest.mark.slow,)
        found.append(pytest.param(*values, marks=marks, id=ids[k] if ids else None))
    return found
