"""Codes CNN5xx: writing other formats."""

from __future__ import annotations

from .code import Code

EXPORT: tuple[Code, ...] = ()
