"""Codes CNN1xx: shapes."""

from __future__ import annotations

from .code import Code

SHAPES: tuple[Code, ...] = ()
