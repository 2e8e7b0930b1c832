"""ONNX operators as words, a module for each family; `table` has them all."""

from __future__ import annotations

from collections.abc import Callable

from ..reader import Reader
from ..steps import Step
from ..values import Seen, Waiting

Operator = Callable[[Reader, Step], Seen | Waiting | None]
