"""Limits of processor time that mean the same on any machine: one that is slow, or shared, gets more.

Processor time leaves out what other programs take, and not that they take the cache and the other half of a core;
that of the thread leaves out what threads of libraries do that tests before have loaded.
"""

from __future__ import annotations

import re
import time

QUIET = 0.006  # seconds of processor time that `stretch` took where the limits were found
WORDS = re.compile(r"(?P<word>[a-z]+)|(?P<number>\d+)|.")


def stretch() -> float:
    """Seconds of processor time of some Python of the kind that is measured: texts, objects, small functions."""
    begun, found = time.thread_time(), {}
    for line in range(400):
        for match in WORDS.finditer(f"conv {line}x3x3 pad same -> bn -> relu as v{line} # a remark"):
            found.setdefault(match.lastgroup, []).append((match.start(), match[0].upper()))
    sorted(place for places in found.values() for place in places)
    return time.thread_time() - begun


def slowness() -> float:
    """How many times as long things take here and now as on a quiet machine; 1 where they take less."""
    return max(1.0, min(stretch() for _ in range(3)) / QUIET)


def took_under(seconds: float, begun: float) -> bool:
    """Whether so many seconds have passed at most since a `time.thread_time()`, as a quiet machine counts them."""
    spent = time.thread_time() - begun
    return spent < seconds or spent < seconds * slowness()
