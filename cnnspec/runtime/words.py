"""How processes that share memory start, synchronise and wait: they spin on words of it.

One that has long had nothing to do sleeps until its wake event is set.
"""

from __future__ import annotations

import os
import select
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from math import inf

from .memory import above_standard

# words, those that many write a cache line apart; GO, BEGUN and LEFT are numbers of calls: the last that workers
# were asked for, the last that began, and the last that the caller went on with alone
GO, BEGUN, LEFT, ABORT, STOP, TASK, PLACE, FIRST = 0, 1, 2, 8, 16, 24, 25, 32
EACH = 24  # words of each worker: 0 barriers it has come to; 8 the last call it did, 9 is there for; 16 it sleeps
BARRIERS = 1 << 20  # more than a call has
SPINS = 20_000
AT_ONCE = 2_000  # spins, a tenth of a millisecond: who is not there by then has no processor, or more to do
NAP = 5e-5  # seconds
REASON = 4096  # bytes after the words, for what a worker says when it fails
COUNT = (1).to_bytes(8, sys.byteorder)


class WorkerError(RuntimeError):
    """A worker failed; the message has its reason."""


class WorkerDied(WorkerError):
    """A worker is gone, and could not say why."""


class LeftBehind(Exception):
    """The caller goes on alone with this call: a worker had to wait for a processor."""


class WakeEvent:
    """Wakes a process that sleeps: an eventfd, or a pipe where the system has none.

    After a write to a pipe Linux expects the writer to sleep, and moves the reader to its processor.
    """

    def __init__(self) -> None:
        event = hasattr(os, "eventfd")
        ends = (os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC),) if event else os.pipe()
        self.ends = [above_standard(end) for end in ends]
        os.set_blocking(self.ends[-1], False)

    def set(self) -> None:
        with suppress(BlockingIOError):  # it is set already
            os.write(self.ends[-1], COUNT)

    def wait(self, seconds: float) -> bool:
        """Whether it is set within that time."""
        return was_set(self.ends[0], seconds)

    def close(self) -> None:
        while self.ends:
            os.close(self.ends.pop())


def was_set(wake_event: int, seconds: float, *ends: int) -> bool:
    """Whether a wake event is set within that time; waiting ends too where one of `ends` is closed."""
    ready = select.select([wake_event, *ends], [], [], seconds)[0]
    if wake_event in ready:
        os.read(wake_event, 4096)
    return wake_event in ready


class Words:
    """The words of some workers, as one of them sees them. `alive` raises where there is nobody to wait for."""

    def __init__(self, memory: memoryview, count: int, alive: Callable[[Words], None]) -> None:
        self.count, self.alive = count, alive
        self.words = memory[: 8 * size(count)].cast("q")
        self.reason = memory[8 * size(count) :]
        self.begin(0)

    @staticmethod
    def slot(worker: int) -> int:
        """The first of a worker's own words."""
        return FIRST + EACH * worker

    def clear(self) -> None:
        """Begin anew, with workers that know of nothing."""
        for k in range(len(self.words)):
            self.words[k] = 0
        self.reason[:] = bytes(len(self.reason))
        self.begin(0)

    def begin(self, call: int, patience: float = inf) -> None:
        """Begin a call, by number, at whose barriers the caller waits so many seconds for the others."""
        self.call, self.patience = call, patience
        self.arrivals = call * BARRIERS

    def barrier(self, worker: int) -> None:
        """Wait for all others to come to their barrier. LeftBehind where the caller does not wait any longer."""
        self.arrivals = count = self.arrivals + 1
        words = self.words
        words[FIRST + EACH * worker] = count
        for other in range(self.count):
            if other != worker:
                slot = FIRST + EACH * other
                if words[slot] < count:
                    self.until(slot, count)

    def until(self, slot: int, count: int) -> None:
        """Wait until a word has come to a count."""
        words, since = self.words, time.perf_counter()
        self.wait(lambda: words[slot] >= count, late=lambda: self._late(since))

    def _late(self, since: float) -> None:
        """What one who waits looks at from time to time."""
        if self.words[LEFT] >= self.call > 0:
            raise LeftBehind
        if self.patience < inf and time.perf_counter() - since > self.patience:
            self.words[LEFT] = self.call
            raise LeftBehind

    def wait(
        self,
        ready: Callable[[], object],
        sleep: Callable[[], bool] | None = None,
        late: Callable[[], None] | None = None,
    ) -> None:
        """Spin, then give way, then sleep, so that a waiting worker does not slow its neighbours.

        Amid a call, where there is no `sleep`, one naps soon: to spin uses up the time on a processor that one
        needs when the others have come.
        """
        spins = 0
        while not ready():
            spins += 1
            if spins % 256 == 0:
                if self.words[ABORT]:
                    raise WorkerError(self.said() or "another worker failed")
                if late is not None:
                    late()
                if spins > SPINS:
                    self.alive(self)
                    if sleep is None or spins <= SPINS + 2560:
                        time.sleep(0.0002)
                    elif sleep():
                        spins = 0
                elif spins > AT_ONCE:
                    if sleep is None:
                        time.sleep(NAP)
                    else:
                        os.sched_yield()

    def say(self, reason: str) -> None:
        """Tell the others why this worker fails, and that they need not wait."""
        text = reason.encode(errors="replace")[-(REASON - 1) :]
        self.reason[: len(text)] = text
        self.words[ABORT] = 1

    def said(self) -> str:
        """The reason of the worker that failed."""
        return bytes(self.reason).split(b"\0", 1)[0].decode(errors="replace")


def size(count: int) -> int:
    """How many words so many workers have."""
    return FIRST + EACH * count


def nbytes(count: int) -> int:
    return 8 * size(count) + REASON
