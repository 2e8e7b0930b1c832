"""Who runs the shards: threads of this process, or processes over shared memory.

Both offer the same: `run(task)` calls task(worker) on every worker, the caller being worker 0, and returns when
all are done; `barrier(worker)` inside a task waits for the others. A worker that fails or dies makes `run`
raise; nobody waits for ever.
"""

from __future__ import annotations

import mmap
import os
import select
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable
from contextlib import suppress

import numpy as np

Task = Callable[[int], None]


class WorkerError(RuntimeError):
    """A worker failed; the message has its reason."""


def shared_memory(size: int) -> np.ndarray:
    """Bytes that forked children see too. Anonymous, so nothing is left behind however the process ends."""
    return np.frombuffer(mmap.mmap(-1, max(size, mmap.PAGESIZE)), np.uint8)[: max(size, 1)]


class Alone:
    """One worker: the caller."""

    count = 1

    def run(self, task: Task) -> None:
        task(0)

    def barrier(self, worker: int) -> None:
        """Nobody to wait for."""

    def forget(self) -> None:
        """Tasks are about to be replaced; see Processes."""

    def close(self) -> None:
        """Nothing to end."""


class Threads:
    """Workers as threads. NumPy lets go of the interpreter's lock in every call that is worth it."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.task: Task = lambda worker: None
        self.failure: BaseException | None = None
        self.closed = False
        self.start = [closed_lock() for _ in range(count)]
        self.done = [closed_lock() for _ in range(count)]
        # a lock for each pair and round; two in turn, since a quick thread may be one round ahead
        self.locks = [[[closed_lock() for _ in range(count)] for _ in range(count)] for _ in range(2)]
        self.turn = [0] * count
        self.threads = [
            threading.Thread(target=self._serve, args=(worker,), daemon=True, name=f"cnnspec-{worker}")
            for worker in range(1, count)
        ]
        for thread in self.threads:
            thread.start()

    def _serve(self, worker: int) -> None:
        while True:
            self.start[worker].acquire()
            if self.closed:
                return
            try:
                self.task(worker)
            except BaseException as failure:
                self._fail(failure)
            self.done[worker].release()

    def _fail(self, failure: BaseException) -> None:
        if self.failure is None:
            self.failure = failure
        for locks in self.locks:  # nobody may wait at a barrier that will not fill
            for row in locks:
                for lock in row:
                    if lock.locked():
                        with suppress(RuntimeError):
                            lock.release()

    def run(self, task: Task) -> None:
        self.task, self.failure = task, None
        for worker in range(1, self.count):
            self.start[worker].release()
        try:
            task(0)
        except BaseException as failure:
            self._fail(failure)
        for worker in range(1, self.count):
            self.done[worker].acquire()
        if self.failure is not None:
            failure, self.failure = self.failure, None
            self.locks = [[[closed_lock() for _ in range(self.count)] for _ in range(self.count)] for _ in range(2)]
            self.turn = [0] * self.count
            raise failure

    def barrier(self, worker: int) -> None:
        locks = self.locks[self.turn[worker]]
        self.turn[worker] = 1 - self.turn[worker]
        others = [other for other in range(self.count) if other != worker]
        for other in others:
            locks[worker][other].release()
        for other in others:
            locks[other][worker].acquire()
        if self.failure is not None:
            raise WorkerError("another worker failed")

    def forget(self) -> None:
        """Tasks are about to be replaced; see Processes."""

    def close(self) -> None:
        if self.closed:
            return
        self.closed = True
        for worker in range(1, self.count):
            self.start[worker].release()
        for thread in self.threads:
            thread.join()


def closed_lock() -> threading.Lock:
    lock = threading.Lock()
    lock.acquire()
    return lock


GO, COMMAND, ABORT, STOP, FIRST = 0, 8, 16, 24, 32  # words of the control block, a cache line apart
SPINS = 20_000
LATELY = 0.1  # seconds
RING = (1).to_bytes(8, sys.byteorder)


class Bell:
    """What wakes a process that sleeps: an event of the system's, or a pipe where there is none.

    A pipe suggests to Linux that who writes is about to sleep, and the other is put on its processor.
    """

    def __init__(self) -> None:
        event = hasattr(os, "eventfd")
        self.ends = (os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC),) * 2 if event else os.pipe()
        os.set_blocking(self.ends[1], False)

    def ring(self) -> None:
        with suppress(BlockingIOError):  # it has rung long enough
            os.write(self.ends[1], RING)

    def wait(self, seconds: float) -> bool:
        """Whether it rang within that time."""
        rang = bool(select.select([self.ends[0]], [], [], seconds)[0])
        if rang:
            os.read(self.ends[0], 4096)
        return rang

    def close(self) -> None:
        for end in set(self.ends):
            os.close(end)


class Processes:
    """Workers as forked processes that spin on words of shared memory: half the cost of threads on small nets.

    Children know the tasks that were there when they were forked; a new task means new children, which
    costs milliseconds and loses nothing, since all that lasts is in shared memory. One that has long had nothing to
    do sleeps until a bell rings.
    """

    def __init__(self, count: int) -> None:
        self.count = count
        self.words = shared_memory(8 * (FIRST + 24 * count)).data.cast("B").cast("q")
        self.reason = shared_memory(4096)
        self.tasks: list[Task] = []
        self.children: list[int] = []
        self.bells: list[Bell] = []  # one for each child
        self.sequence = 0
        self.asked = 0.0
        self.meetings = [0] * count
        self.parent = os.getpid()

    def _slot(self, worker: int) -> int:
        """Where a worker says how many barriers it has come to; 8 words on, which command it has done; 16 words on,
        whether it sleeps.
        """
        return FIRST + 24 * worker

    def run(self, task: Task) -> None:
        if task not in self.tasks:
            self.close()
            self.tasks.append(task)
        if not self.children:
            self._fork()
        words = self.words
        words[COMMAND] = self.tasks.index(task)
        self.sequence += 1
        words[GO] = self.sequence
        self._ring()
        try:
            task(0)
            for worker in range(1, self.count):
                self._until(self._slot(worker) + 8, self.sequence)
        except BaseException as failure:
            words[ABORT] = 1
            message = self._reason()
            self.close()
            if isinstance(failure, WorkerError) and message:
                raise WorkerError(message) from None
            raise

    def _reason(self) -> str:
        raw = bytes(self.reason).split(b"\0", 1)[0]
        return raw.decode(errors="replace")

    def _fork(self) -> None:
        words = self.words
        for k in range(len(words)):
            words[k] = 0
        self.reason[:] = 0
        self.sequence = 0
        self.meetings = [0] * self.count
        sys.stdout.flush()
        sys.stderr.flush()
        self.bells = [Bell() for _ in range(1, self.count)]
        for worker in range(1, self.count):
            child = os.fork()
            if child == 0:
                self._child(worker)
            self.children.append(child)

    def _child(self, worker: int) -> None:
        """A child's life; never returns."""
        code = 1
        try:
            signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's business
            self.children = []
            self._serve(worker)
            code = 0
        except BaseException:
            text = traceback.format_exc(limit=-3).encode()[-4000:]
            self.reason[: len(text)] = np.frombuffer(text, np.uint8)
            self.words[ABORT] = 1
        finally:
            os._exit(code)

    def _serve(self, worker: int) -> None:
        words, done = self.words, self._slot(worker) + 8
        sequence = 0
        while True:
            sequence += 1
            self._wait(lambda: words[GO] >= sequence or words[STOP], lambda: self._sleep(worker))  # noqa: B023
            if words[STOP]:
                return
            self.tasks[words[COMMAND]](worker)
            words[done] = sequence

    def _sleep(self, worker: int) -> bool:
        """Until the bell rings: a hundredth of a second at most, since parents may be killed. Whether it rang."""
        asleep = self._slot(worker) + 16
        self.words[asleep] = 1
        rang = self.bells[worker - 1].wait(0.01)
        self.words[asleep] = 0
        return rang

    def _ring(self) -> bool:
        """Wake the children that sleep; whether there were any."""
        asleep = [bell for worker, bell in enumerate(self.bells, 1) if self.words[self._slot(worker) + 16]]
        for bell in asleep:
            bell.ring()
        return bool(asleep)

    def awake(self) -> bool:
        """Whether all children spin. If not, and they were asked for lately, they are woken for the next time."""
        before, self.asked = self.asked, time.monotonic()
        if self.asked - before < LATELY:
            return not self._ring()
        return not any(self.words[self._slot(worker) + 16] for worker in range(1, self.count))

    def _wait(self, ready: Callable[[], object], sleep: Callable[[], bool] | None = None) -> None:
        """Spin, then give way, then sleep, so that a waiting worker does not slow its neighbours."""
        spins = 0
        while not ready():
            spins += 1
            if spins % 256 == 0:
                if self.words[ABORT]:
                    raise WorkerError("another worker failed")
                if spins > SPINS:
                    self._alive()
                    if sleep is None or spins <= SPINS + 2560:
                        time.sleep(0.0002)
                    elif sleep():
                        spins = 0
                elif spins > 2000:
                    os.sched_yield()

    def _alive(self) -> None:
        """The others must be there: a parent that was killed ends its children, a child that died its parent."""
        if os.getpid() != self.parent:
            if os.getppid() != self.parent:
                os._exit(1)
            return
        for child in self.children:
            found, status = os.waitpid(child, os.WNOHANG)
            if found:
                self.children.remove(child)
                how = (
                    f"signal {os.WTERMSIG(status)}" if os.WIFSIGNALED(status) else f"code {os.WEXITSTATUS(status)}"
                )
                raise WorkerError(self._reason() or f"a worker process died ({how})")

    def barrier(self, worker: int) -> None:
        count = self.meetings[worker] = self.meetings[worker] + 1
        words = self.words
        words[self._slot(worker)] = count
        for other in range(self.count):
            if other != worker:
                slot = self._slot(other)
                if words[slot] < count:
                    self._until(slot, count)

    def _until(self, slot: int, count: int) -> None:
        """Wait until a word has come to a count."""
        words = self.words
        self._wait(lambda: words[slot] >= count)

    def forget(self) -> None:
        """End the children that know the old tasks; the next run makes new ones."""
        self.close()
        self.tasks = []

    def close(self) -> None:
        if os.getpid() != self.parent:
            return
        self.words[STOP] = 1
        self._ring()
        for child in self.children:
            deadline = time.monotonic() + 5
            while os.waitpid(child, os.WNOHANG) == (0, 0):
                if time.monotonic() > deadline:
                    os.kill(child, signal.SIGKILL)
                time.sleep(0.001)
        self.children = []
        for bell in self.bells:
            bell.close()
        self.bells = []


def workers(count: int, parallel: str) -> Alone | Threads | Processes:
    """`threads` or `processes` (which fall back to threads where there is no fork)."""
    if count == 1:
        return Alone()
    if parallel == "processes" and hasattr(os, "fork"):
        return Processes(count)
    return Threads(count)
