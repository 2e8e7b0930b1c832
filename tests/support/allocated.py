"""The memory that an action takes, as Python counts it for the whole process.

What other threads take at the same time (of the tests' own runner, of libraries) and what is made once are in the
largest of some counts, and not in the smallest.
"""

from __future__ import annotations

import gc
import tracemalloc
from collections.abc import Callable

TIMES = 5


def allocated(action: Callable[[], object], times: int = TIMES) -> int:
    """Bytes that an action takes at most beyond what was there: the least of some times that it is done."""
    least = None
    gc.collect()
    tracemalloc.start()
    try:
        for _ in range(times):
            tracemalloc.reset_peak()
            before = tracemalloc.get_traced_memory()[0]
            action()
            taken = tracemalloc.get_traced_memory()[1] - before
            least = taken if least is None else min(least, taken)
    finally:
        tracemalloc.stop()
    assert least is not None
    return least
