"""A budget of work for a file, so that reading it stays bounded.

What a text asks for is counted as it is done: tokens read, layers built, names compared. A reading that grows
beyond its bound ends with a finding (CNN008), and the changes that findings propose are tried while something
is left. Both depend on the text alone, never on the clock.
"""

from __future__ import annotations

from collections.abc import Collection

A_STEP = 8  # building a layer takes as long as reading so many tokens
A_FINDING = 16  # and so does finding a mistake
MOST = 80_000  # tokens, or what takes as long, for a file with all changes that are tried: half a second
MOST_NAMES = 100_000  # names that are looked at for "did you mean"
FEW_NAMES = 1000  # so many may be kept as the key of an answer


class Work:
    """Counts in tokens; `spent` is what was done so far, all readings of changed texts together."""

    def __init__(self, most: int = MOST) -> None:
        self.most = most
        self.spent = 0
        self.names = 0
        self._nearest: dict[tuple[str, tuple[str, ...]], str] = {}

    def add(self, tokens: int) -> None:
        self.spent += tokens

    def allows(self, tokens: int) -> bool:
        """Whether so much may still be done."""
        return self.spent + tokens <= self.most

    def nearest(self, word: str, known: Collection[str]) -> str:
        """`suggest.nearest`, remembered; empty where too many names have been looked at already."""
        key = word, tuple(known) if len(known) <= FEW_NAMES else ()
        found = self._nearest.get(key) if len(known) <= FEW_NAMES else None
        if found is None:
            from .hints.suggest import nearest

            self.names += len(known)
            found = nearest(word, known) if self.names <= MOST_NAMES else ""
            if len(known) <= FEW_NAMES:
                self._nearest[key] = found
        return found
