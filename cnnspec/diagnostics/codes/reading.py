"""Codes CNN0xx: reading the text."""

from __future__ import annotations

from .code import Code

READING: tuple[Code, ...] = ()
