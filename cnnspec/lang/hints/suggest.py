"""The nearest known word: for "did you mean"."""

from __future__ import annotations

from collections.abc import Iterable


def nearest(word: str, known: Iterable[str]) -> str:
    """The known word that `word` was probably meant to be; empty where none is close.

    >>> nearest("maxpol", ["maxpool", "avgpool"]), nearest("zebra", ["conv"])
    ('maxpool', '')
    """
    lowered = word.lower()
    limit = 1 if len(word) <= 4 else 2 if len(word) <= 8 else 3
    best, best_distance = "", limit + 1
    for candidate in known:
        if abs(len(candidate) - len(word)) < best_distance:
            distance = _distance(lowered, candidate.lower(), best_distance)
            if distance < best_distance:
                best, best_distance = candidate, distance
    # a short word that shares no letter with another one is not a slip of it
    return best if best_distance < max(len(word), 2) and set(lowered) & set(best.lower()) else ""


def _distance(a: str, b: str, limit: int) -> int:
    """Letters to change, add, drop or swap to get from a to b; `limit` or more counts as `limit`."""
    if len(a) > 40 or len(b) > 40:
        return 0 if a == b else limit
    before: list[int] = []
    row = list(range(len(b) + 1))
    for i, letter in enumerate(a, 1):
        above, before, row = before, row, [i] + [0] * len(b)
        for j, other in enumerate(b, 1):
            row[j] = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (letter != other))
            if i > 1 and j > 1 and letter == b[j - 2] and a[i - 2] == other:
                row[j] = min(row[j], above[j - 2] + 1)
        if min(row) >= limit:
            return limit
    return min(row[-1], limit)
