"""Codes CNN3xx: training."""

from __future__ import annotations

from .code import Code

TRAINING: tuple[Code, ...] = ()
