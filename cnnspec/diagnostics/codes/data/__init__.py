"""Codes CNN401 to CNN436: data."""

from __future__ import annotations

from ..code import Code
from .arrays import ARRAYS
from .contents import CONTENTS
from .files import FILES
from .meeting import MEETING

DATA: tuple[Code, ...] = (*FILES, *ARRAYS, *CONTENTS, *MEETING)
