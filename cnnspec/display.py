"""How things show themselves in a notebook: what shows them registers here, and nobody below knows who that is.

`load` is set by the package's face: it brings in whoever registers, when the first thing is shown.
"""

from __future__ import annotations

from collections.abc import Callable

SHOWN: dict[str, Callable[..., str]] = {}
load: Callable[[], object] = SHOWN.copy  # nothing yet


def shows(kind: str) -> Callable[[Callable[..., str]], Callable[..., str]]:
    """Register a function as what shows things of a kind."""

    def registered(function: Callable[..., str]) -> Callable[..., str]:
        SHOWN[kind] = function
        return function

    return registered


def shown(kind: str, thing: object) -> str:
    """A thing as HTML or SVG."""
    if kind not in SHOWN:
        load()
    return SHOWN[kind](thing)
