"""Codes CNN2xx: words and settings."""

from __future__ import annotations

from .code import Code

WORDS: tuple[Code, ...] = ()
