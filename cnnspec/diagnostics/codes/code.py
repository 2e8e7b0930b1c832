"""The entry of one code."""

from __future__ import annotations

from ...record import record


@record
class Code:
    """A code and its page (`cnnspec explain`).

    `wrong` is a whole spec that raises exactly this code, `right` its cure, which compiles. Where a
    spec alone cannot show it (a broken weights file, say) both are empty and `how` tells it in words.
    """

    code: str
    name: str
    explanation: str
    wrong: str = ""
    right: str = ""
    how: str = ""
    severity: str = "error"
