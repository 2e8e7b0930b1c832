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

    def _render_traceback_(self) -> list[str]:
        """What a notebook shows in place of a traceback: IPython asks for it by this name."""
        return str(self).splitlines()[1:]
