"""Findings about a spec: their places, codes, pages and renderings."""

from .core import Diagnostic, Edit, Fault, Imported, Label, Source, Span, filled
from .error import SpecError

__all__ = ["Diagnostic", "Edit", "Fault", "Imported", "Label", "Source", "Span", "SpecError", "filled"]
