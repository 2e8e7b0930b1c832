"""Changes that an editor offers: the fixes of findings, all safe ones at once, and to silence a warning.

A fix that is not safe is offered by itself, where its author sees what it does, and by its title as such.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

from ..checking.fixes import repair
from ..diagnostics import Diagnostic, Edit, Source, Span
from .document import Document

NEVER_SILENCED = ("CNN250", "CNN906")  # what is said of such comments themselves


class Action(NamedTuple):
    """A change under a title; `finding` is the finding that it is for."""

    title: str
    edits: tuple[Edit, ...]
    finding: Diagnostic | None = None


def actions(document: Document, start: int, end: int) -> list[Action]:
    """The changes for what was found between two offsets."""
    here = [
        diagnostic
        for diagnostic in document.report.diagnostics
        if diagnostic.span is not None
        and document.owns(diagnostic.span)
        and diagnostic.span.start <= end
        and diagnostic.span.end >= start
    ]
    found = []
    for diagnostic in document.mended(here):
        if diagnostic.fix and all(document.owns(edit.span) for edit in diagnostic.fix):
            title = diagnostic.help or "fix it"
            found.append(Action(title if diagnostic.safe else f"{title} (unsafe)", diagnostic.fix, diagnostic))
        if diagnostic.severity == "warning" and diagnostic.code not in NEVER_SILENCED:
            found.append(_silence(document, diagnostic))
    return found


def fix_all(document: Document) -> Action | None:
    """Every safe fix that helps, as `cnnspec check --fix` applies them; None where there is none."""
    work = document.work()

    def find(source: Source, fixes: bool) -> tuple[Diagnostic, ...]:
        return replace(document, text=source.text, earlier=document.known).examined(fixes, work).diagnostics

    fixed, count, _ = repair(document.source, document.report_with_fixes.diagnostics, find, work)
    if not count:
        return None
    everything = Span(document.source, 0, len(document.text))
    return Action("fix all that is safe to fix", (Edit(everything, fixed.text),))


def _silence(document: Document, diagnostic: Diagnostic) -> Action:
    """Add the code to the comment at the end of the line, or begin one."""
    assert diagnostic.span is not None
    source, line = document.source, diagnostic.span.line
    text = source.line(line)
    end = source.line_starts[line - 1] + len(text.rstrip())
    comment = text.find("# cnnspec: ignore ")
    written = f", {diagnostic.code}" if comment >= 0 else f"  # cnnspec: ignore {diagnostic.code}"
    return Action(f"silence {diagnostic.code} on this line", (Edit(Span(source, end, end), written),), diagnostic)
