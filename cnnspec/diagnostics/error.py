"""The exception that carries findings."""

from __future__ import annotations

from .core import Diagnostic


class SpecError(Exception):
    """Raised by the Python API where a spec, its data or its weights cannot be used; has `.diagnostics`."""

    def __init__(self, diagnostics: tuple[Diagnostic, ...]) -> None:
        self.diagnostics = tuple(diagnostics)
        super().__init__(self.diagnostics)

    def __str__(self) -> str:
        from .text import render

        return "\n" + render(self.diagnostics).rstrip()
