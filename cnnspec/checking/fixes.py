"""Applying the fixes that findings offer."""

from __future__ import annotations

import contextlib
import os
import re
import stat
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from ..diagnostics import Diagnostic, Edit, Source
from ..lang.hints.fixes import edited
from ..lang.work import Work
from ..quoting import visible

Find = Callable[[Source, bool], "tuple[Diagnostic, ...]"]
"""The findings of a changed source; with or without their fixes, which take much longer to find."""


class Repaired(NamedTuple):
    """A source with fixes applied, how many they were, and what is left to be found in it."""

    source: Source
    applied: int
    left: tuple[Diagnostic, ...]


def repair(
    source: Source, found: tuple[Diagnostic, ...], find: Find, work: Work | None = None, unsafe: bool = False
) -> Repaired:
    """Apply every safe fix that helps, and those that are not safe where `unsafe` asks for them.

    `found` are the findings in the source, `find` those in a changed one, counting in the same `work`.

    Each fix was checked alone when it was found. AllGather they are checked again here: a round that does not
    settle them all is taken back, and its fixes are then tried one by one.
    """
    applied, seen, work = 0, {source.text}, work or Work()
    cost = 0  # of reading the text once, as soon as that is known
    while True:  # one fix may bring another to light; no round leaves the text worse
        fixes = compatible(
            diagnostic.fix for diagnostic in found if fits(diagnostic.fix, source) and (unsafe or diagnostic.safe)
        )
        for attempt in [fixes, *([fix] for fix in fixes)] if len(fixes) > 1 else [fixes] if fixes else []:
            fixed = replace(source, text=edited(source.text, (edit for fix in attempt for edit in fix)))
            if fixed.text in seen or not work.allows(cost):
                continue
            begun = work.spent
            left = find(fixed, False)  # soon tells of most that they do not help
            cost = work.spent - begun
            if errors(left) > errors(found):
                continue
            left = find(fixed, True)
            settled = len(attempt) == 1 or len(left) <= len(found) - len(attempt)
            better = weight(left) < weight(found)
            # a mistake that comes to light may be as bad where it has a fix of its own, which comes next
            on = weight(left) == weight(found) and fixable(left) >= fixable(found)
            if settled and (better or on):
                seen.add(fixed.text)
                source, found, applied = fixed, left, applied + len(attempt)
                break
        else:
            return Repaired(source, applied, found)


def errors(found: Iterable[Diagnostic]) -> int:
    return sum(diagnostic.severity == "error" for diagnostic in found)


def weight(found: Iterable[Diagnostic]) -> tuple[int, int, int]:
    """How bad findings are: first what hides the rest of a text, then errors, then all of them."""
    found = tuple(found)
    hiding = sum(diagnostic.code.startswith("CNN0") and not diagnostic.fix for diagnostic in found)
    return hiding, errors(found), len(found)


def fixable(found: Iterable[Diagnostic]) -> int:
    """How many findings have a fix."""
    return sum(bool(diagnostic.fix) for diagnostic in found)


def fits(fix: tuple[Edit, ...], source: Source) -> bool:
    """Whether a fix changes this file, and none that it imports."""
    return bool(fix) and all(edit.span.source.name == source.name for edit in fix)


def compatible(fixes: Iterable[tuple[Edit, ...]]) -> list[tuple[Edit, ...]]:
    """Fixes that do not touch one another, those of the text's beginning first."""
    chosen: list[tuple[Edit, ...]] = []
    end = -1
    for fix in sorted(dict.fromkeys(fixes), key=lambda fix: min(edit.span.start for edit in fix)):
        if min(edit.span.start for edit in fix) > end:
            chosen.append(fix)
            end = max(edit.span.end for edit in fix)
    return chosen


def difference(before: Source, after: Source) -> str:
    """A unified diff, as `patch` and people read it."""
    from difflib import unified_diff

    lines = unified_diff(lines_of(before.text), lines_of(after.text), visible(before.name), visible(after.name))
    return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)


def lines_of(text: str) -> list[str]:
    """Lines with their ends; only LF ends a line, so that what else Python splits at stays within one."""
    return re.findall(r"[^\n]*\n|[^\n]+", text)


def write(path: Path, data: bytes) -> None:
    """Replace a file's content in one step, so that an interruption leaves the old or the new one."""
    path = path.resolve()  # a link stays a link
    write_new(path, data, stat.S_IMODE(path.stat().st_mode))


def write_new(path: Path, data: bytes, mode: int = 0o644) -> None:
    """The same for a file that need not be there."""
    import tempfile

    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
        os.chmod(temporary, mode)
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)
        raise
