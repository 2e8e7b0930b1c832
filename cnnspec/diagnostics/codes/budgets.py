"""Codes CNN6xx: budgets of expect."""

from __future__ import annotations

from .code import Code

BUDGETS: tuple[Code, ...] = ()
