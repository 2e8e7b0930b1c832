"""Formatting of a part of a text: what `cnnspec fmt` changes in some lines."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import SequenceMatcher

from ..diagnostics import Edit, Span, SpecError
from ..lang.format.formatter import format, formatted
from .document import Document


def tidied(document: Document, first: int = 0, last: int | None = None) -> list[Edit]:
    """The changes that format the lines from `first` to `last`, counted from 0; none where the text has errors.

    A change that reaches beyond these lines is left out, since half of it would be no change that `fmt` makes.
    """
    file = document.file
    if not file.whole:  # the findings say why
        return []
    known = file.cut is not None and file.cut.text == document.text
    try:
        text = formatted(file) if known else format(document.text, document.source.name)
    except SpecError:  # the findings say why
        return []
    before, after = document.text.splitlines(keepends=True), text.splitlines(keepends=True)
    stop = len(before) if last is None else last + 1
    starts = [0]
    for line in before:
        starts.append(starts[-1] + len(line))
    edits = []
    for kind, a, b, c, d in _changes(before, after):
        if kind != "equal" and first <= a and b <= stop:
            edits.append(Edit(Span(document.source, starts[a], starts[b]), "".join(after[c:d])))
    return edits


def _changes(before: list[str], after: list[str]) -> Iterator[tuple[str, int, int, int, int]]:
    """What SequenceMatcher tells of two texts; lines that are alike at both ends are not its work."""
    head = 0
    least = min(len(before), len(after))
    while head < least and before[head] == after[head]:
        head += 1
    tail = 0
    while tail < least - head and before[-1 - tail] == after[-1 - tail]:
        tail += 1
    inner = before[head : len(before) - tail], after[head : len(after) - tail]
    for kind, a, b, c, d in SequenceMatcher(None, *inner, autojunk=False).get_opcodes():
        yield kind, a + head, b + head, c + head, d + head
