"""Findings about a spec: their places, codes, pages and renderings."""

from .core import Diagnostic, Edit, Fault, Findings, Label, Source, Span, SpecError

__all__ = ["Diagnostic", "Edit", "Fault", "Findings", "Label", "Source", "Span", "SpecError"]
