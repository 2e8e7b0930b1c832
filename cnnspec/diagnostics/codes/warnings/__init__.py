"""Codes from CNN230 on: warnings of what is allowed and probably not meant."""

from __future__ import annotations

from ..code import Code
from .habits import HABITS
from .layers import LAYERS

WARNINGS: tuple[Code, ...] = (*LAYERS, *HABITS)
