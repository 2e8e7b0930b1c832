"""Codes CNN9xx: our own faults."""

from __future__ import annotations

from .code import Code

FAULTS: tuple[Code, ...] = ()
