"""Codes CNN4xx: data and weights."""

from __future__ import annotations

from .code import Code

DATA: tuple[Code, ...] = ()
