"""Codes CNN001 to CNN015 and CNN596: reading a file."""

from __future__ import annotations

from ..code import Code
from .files import FILES
from .syntax import SYNTAX

READING: tuple[Code, ...] = (*SYNTAX, *FILES)
