"""Formatting of a part of a text: what `cnnspec fmt` changes in some lines."""

from __future__ import annotations

from difflib import SequenceMatcher

from ..diagnostics import Edit, Span, SpecError
from ..lang.format.formatter import format
from .document import Document


def tidied(document: Document, first: int = 0, last: int | None = None) -> list[Edit]:
    """The changes that format the lines from `first` to `last`, counted from 0; none where the text has errors.

    A change that reaches beyond these lines is left out, since half of it would be no change that `fmt` makes.
    """
    try:
        text = format(document.text, document.source.name)
    except SpecError:  # the findings say why
        return []
    before, after = document.text.splitlines(keepends=True), text.splitlines(keepends=True)
    stop = len(before) if last is None else last + 1
    starts = [0]
    for line in before:
        starts.append(starts[-1] + len(line))
    edits = []
    for kind, a, b, c, d in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if kind != "equal" and first <= a and b <= stop:
            edits.append(Edit(Span(document.source, starts[a], starts[b]), "".join(after[c:d])))
    return edits
