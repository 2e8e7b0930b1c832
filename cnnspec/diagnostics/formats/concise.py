"""A line a finding, as editors and `grep` like it.

net.cnn:3:7: error[CNN103]: a 5x5 kernel does not fit a 2x2 image (needs at least 5x5, gets 2x2)
"""

from __future__ import annotations

from collections.abc import Sequence

from ...quoting import line as line_of_log
from ..core import Diagnostic
from .checked import Checked, CheckedSpan, one_line


def render(files: Sequence[Checked]) -> str:
    return "".join(line(d, place) + "\n" for file in files for d, place in file.findings())


def line(diagnostic: Diagnostic, place: CheckedSpan) -> str:
    """One finding on one line, for any message and file name."""
    row, column = place.start
    message = f"{diagnostic.severity}[{diagnostic.code}]: {diagnostic.sentence}"
    fixable = {"safe": " [fixable]", "unsafe": " [fixable, unsafe]"}.get(diagnostic.applicability, "")
    return line_of_log(one_line(f"{place.filename}:{row}:{column}: {message}{fixable}"))
