"""Every code, by family. A code's page is data: what it means, a spec that raises it, its cure."""

from __future__ import annotations

from itertools import chain

from .asking import ASKING
from .budgets import BUDGETS
from .code import ADDED, Advice, Code, Says
from .data import DATA
from .engines import ENGINES
from .export import EXPORT
from .faults import FAULTS
from .lab import LAB
from .names import NAMES
from .pictures import PICTURES
from .reading import READING
from .searching import SEARCHING
from .shapes import SHAPES
from .tensors import TENSORS
from .training import TRAINING
from .warnings import WARNINGS
from .weights import WEIGHTS
from .words import WORDS

FAMILIES = (
    READING, NAMES, SHAPES, WORDS, WARNINGS, TRAINING, ENGINES, SEARCHING, DATA, TENSORS, WEIGHTS, ASKING, EXPORT,
    PICTURES, LAB, BUDGETS, FAULTS,
)  # fmt: skip
CODES: dict[str, Code] = {code.code: code for code in sorted(chain(*FAMILIES), key=lambda code: code.code)}

__all__ = ["ADDED", "CODES", "Advice", "Code", "Says"]
