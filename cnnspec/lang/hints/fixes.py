"""Trying the changes that findings propose: what is offered has been read without the mistake."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Collection, Iterable

from ...diagnostics import Diagnostic, Edit, Source
from ..findings import Proposal
from ..work import Work
from .safety import keeps

MOST_TRIED = 30
OF_A_WORD = frozenset(("CNN202", "CNN203", "CNN208"))  # mistakes of one word alone, whatever stands before it
MEASURED = "CNN6"  # budgets, which are looked at once a file reads: a fix may show that one is missed
MOST_READ = 30_000  # tokens, or what takes as long, that are read again for the fixes of a text, beyond the first

Reader = Callable[[str], "tuple[Diagnostic, ...]"]


def verified(
    found: Iterable[tuple[Diagnostic, tuple[Proposal, ...]]],
    before: Collection[Diagnostic],
    source: Source,
    read: Reader,
    cost: int,
    work: Work,
) -> list[Diagnostic]:
    """Some of the findings that were there before, each with the first of its proposals that mends it.

    `read` gives the findings of a changed text, and counts in the same `work`; `cost` is what it took to read
    the text as it is.
    """
    left, most = MOST_TRIED, work.spent + max(MOST_READ, cost)
    out = []
    for diagnostic, proposals in found:
        cure = None
        for proposal in proposals:
            if left > 0 and work.spent + cost <= most and work.allows(cost) and _applies(proposal, source):
                left -= 1
                if _removes(proposal, diagnostic, before, read(edited(source.text, proposal.edits))):
                    cure = proposal
                    break
        if cure is not None:
            safe = cure.sure and keeps(source, cure.edits)
            diagnostic = dataclasses.replace(diagnostic, help=cure.help, fix=cure.edits, safe=safe)
        out.append(diagnostic)
    return out


def edited(text: str, edits: Iterable[Edit]) -> str:
    """A text with edits applied, which do not overlap."""
    for edit in sorted(edits, key=lambda edit: edit.span.start, reverse=True):
        text = text[: edit.span.start] + edit.text + text[edit.span.end :]
    return text


def _applies(proposal: Proposal, source: Source) -> bool:
    return all(edit.span.source is source for edit in proposal.edits)


def _removes(
    proposal: Proposal, finding: Diagnostic, before: Collection[Diagnostic], after: tuple[Diagnostic, ...]
) -> bool:
    """Whether a fix is kept: only if its finding is gone, and no new finding as severe is there instead.

    A mistake can hide those after it in its line, which are found once it is mended: findings about a word
    (OF_A_WORD) that stand after the change do not count as new.
    """
    start = min(edit.span.start for edit in proposal.edits)
    end = start + sum(len(edit.text) for edit in proposal.edits)
    seen = [found for found in after if found.code not in OF_A_WORD or not found.span or found.span.start < end]
    if _alike(finding, seen) >= _alike(finding, before):
        return False
    errors = sum(found.severity == "error" and not found.code.startswith(MEASURED) for found in seen)
    if errors > sum(found.severity == "error" for found in before):
        return False
    return not any(
        found.severity == "error"
        and found.span is not None
        and found.span.start < end
        and found.span.end > start
        and not _alike(found, before)
        and not found.code.startswith(MEASURED)
        for found in after
    )


def _alike(finding: Diagnostic, among: Iterable[Diagnostic]) -> int:
    """How many findings say the same."""
    return sum(found.code == finding.code and found.message == finding.message for found in among)
