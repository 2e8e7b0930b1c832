"""The nearest known word: for "did you mean"."""

from __future__ import annotations

from collections.abc import Iterable

MOST_COMPARED = 100  # known words that are compared letter by letter
LONGEST = 40  # letters of a word that may be a slip of another one


def nearest(word: str, known: Iterable[str]) -> str:
    """The known word that `word` was probably meant to be; empty where none is close.

    >>> nearest("maxpol", ["maxpool", "avgpool"]), nearest("zebra", ["conv"])
    ('maxpool', '')
    """
    lowered = word.lower()
    limit = 1 if len(word) <= 4 else 2 if len(word) <= 8 else 3
    best, best_distance, compared = "", limit + 1, 0
    letters = set(lowered)
    for candidate in known if len(word) <= LONGEST else ():
        if abs(len(candidate) - len(word)) >= best_distance:
            continue
        # a change takes one letter away and adds one, so what is far apart is seen at a glance
        if len(letters.symmetric_difference(candidate.lower())) >= 2 * best_distance:
            continue
        found = distance(lowered, candidate.lower(), best_distance)
        if found < best_distance:
            best, best_distance = candidate, found
        compared += 1
        if compared == MOST_COMPARED:
            break
    # a short word that shares no letter with another one is not a slip of it
    return best if best_distance < max(len(word), 2) and set(lowered) & set(best.lower()) else ""


def distance(a: str, b: str, limit: int) -> int:
    """Letters to change, add, drop or swap to get from a to b; `limit` or more counts as `limit`.

    >>> distance("sofmax", "softmax", 3), distance("desne", "dense", 3), distance("conv", "dense", 3)
    (1, 1, 3)
    """
    while a and b and a[-1] == b[-1]:
        a, b = a[:-1], b[:-1]
    while a and b and a[0] == b[0]:
        a, b = a[1:], b[1:]
    if abs(len(a) - len(b)) >= limit:
        return limit
    above: list[int] = []
    before: list[int] = []
    row = [j if j < limit else limit for j in range(len(b) + 1)]
    for i, letter in enumerate(a, 1):
        above, before, row = before, row, [limit] * (len(b) + 1)
        row[0] = min(i, limit)
        for j in range(max(1, i - limit + 1), min(len(b), i + limit - 1) + 1):  # further off is too far
            other = b[j - 1]
            least = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (letter != other))
            if i > 1 and j > 1 and letter == b[j - 2] and a[i - 2] == other:
                least = min(least, above[j - 2] + 1)
            row[j] = least
        if min(row) >= limit:
            return limit
    return min(row[-1], limit)
