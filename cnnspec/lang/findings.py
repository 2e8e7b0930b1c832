"""What reading a file finds: diagnostics, each with the changes that might cure it.

A change is only a proposal here. `read` tries it: the first one whose text reads without the error becomes
the diagnostic's `fix` and its help line, the others are forgotten (lang/hints/fixes.py).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from typing import NamedTuple

from ..diagnostics import Diagnostic, Edit, Label, Source, Span
from .work import A_FINDING, Work

MOST = 200  # diagnostics of one file; who has more of them wants to see the first ones


class Proposal(NamedTuple):
    """A change that might cure a finding, and how the help line offers it.

    `sure` where nothing else can have been meant, so that a statement may be read on as if it were made. A fix
    is safe where its proposal is sure and keeps what the author said (hints/safety.py).
    """

    help: str
    edits: tuple[Edit, ...]
    sure: bool = True


def replace(span: Span, text: str, help: str = "", sure: bool = True) -> Proposal:
    """Propose to write `text` in the place of `span`."""
    return Proposal(help or f"use `{text}`", (Edit(span, text),), sure)


def insert(span: Span, text: str, help: str) -> Proposal:
    """Propose to write `text` right after `span`."""
    return Proposal(help, (Edit(Span(span.source, span.end, span.end), text),))


class Findings:
    """Collects diagnostics while a file is read; a mistake does not stop the reading.

    Of one code at one place only the first is kept: a block's body is read once a call, and its mistakes
    are the same mistakes each time. `work` counts what is done to find them.
    """

    def __init__(self, work: Work | None = None) -> None:
        self.work = work or Work()
        self._found: dict[tuple, tuple[Diagnostic, tuple[Proposal, ...]]] = {}

    def add(self, diagnostic: Diagnostic, *proposals: Proposal) -> None:
        self.work.add(A_FINDING)
        span = diagnostic.span
        key = (diagnostic.code, *((span.source.name, span.start, span.end) if span else (diagnostic.message,)))
        if len(self._found) < MOST:
            self._found.setdefault(key, (diagnostic, proposals))

    def report(
        self,
        code: str,
        message: str,
        span: Span,
        *proposals: Proposal,
        label: str = "",
        related: tuple[Label, ...] = (),
        help: str = "",
    ) -> None:
        """Add a diagnostic with its label, help and related places."""
        self.add(Diagnostic(code, message, span, label, related, help), *proposals)

    def tell(
        self,
        code: str,
        span: Span,
        *proposals: Proposal,
        case: str = "",
        related: tuple[Label, ...] = (),
        **fields: object,
    ) -> None:
        """Add what a code says of a case; see `Diagnostic.of`."""
        self.add(Diagnostic.of(code, span, case, related, **fields), *proposals)

    def forget(self, span: Span, *codes: str) -> None:
        """Take back the findings of some codes within a span, whose mistake another finding tells better."""
        for key, (diagnostic, _) in list(self._found.items()):
            at = diagnostic.span
            if diagnostic.code in codes and at and at.source is span.source and span.start <= at.start < span.end:
                del self._found[key]

    def proposes(self, span: Span) -> bool:
        """Whether a finding within a span proposes a change."""
        return any(
            proposals and (at := found.span) and at.source is span.source and span.start <= at.start < span.end
            for found, proposals in self._found.values()
        )

    @property
    def state(self) -> tuple[dict[tuple, tuple[Diagnostic, tuple[Proposal, ...]]], int]:
        """What was found and what was spent so far, to which a reading that is given up goes back."""
        return dict(self._found), self.work.spent

    @state.setter
    def state(self, state: tuple[dict[tuple, tuple[Diagnostic, tuple[Proposal, ...]]], int]) -> None:
        self._found, self.work.spent = state

    def merge(self, other: Findings) -> None:
        """Add what another collection holds."""
        for diagnostic, proposals in other.with_proposals:
            self.add(diagnostic, *proposals)

    def __len__(self) -> int:
        return len(self._found)

    @property
    def newest(self) -> Proposal | None:
        """The first change that the newest finding proposes, if it is sure."""
        proposals = next(reversed(self._found.values()))[1]
        return proposals[0] if proposals and proposals[0].sure else None

    @property
    def full(self) -> bool:
        return len(self._found) >= MOST

    @property
    def diagnostics(self) -> list[Diagnostic]:
        return [diagnostic for diagnostic, _ in self._found.values()]

    @property
    def errors(self) -> list[Diagnostic]:
        return [diagnostic for diagnostic in self.diagnostics if diagnostic.severity == "error"]

    @property
    def with_proposals(self) -> list[tuple[Diagnostic, tuple[Proposal, ...]]]:
        return list(self._found.values())

    def trace(self, before: int, label: Label) -> None:
        """Add to the shape findings since `before` from which call they came."""
        for key in list(self._found)[before:]:
            diagnostic, proposals = self._found[key]
            if diagnostic.code.startswith("CNN1") and len(diagnostic.related) < 4:
                changed = dataclasses.replace(diagnostic, related=(*diagnostic.related, label))
                self._found[key] = changed, proposals


def in_order(diagnostics: Iterable[Diagnostic], source: Source) -> tuple[Diagnostic, ...]:
    """The findings of a file in the order of its text, those of other files after them."""

    def place(diagnostic: Diagnostic) -> tuple[bool, str, int, int]:
        span = diagnostic.span or Span(source, 0, 0)
        return span.source != source, span.source.name, span.start, span.end

    return tuple(sorted(diagnostics, key=place))
