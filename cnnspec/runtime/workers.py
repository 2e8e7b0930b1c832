"""The workers that run shards: the caller alone, threads of this process, or processes over shared memory.

All offer the same: `run(call)` runs call(worker) on every worker, the caller being worker 0, and returns when
all are done, with whether they were (an image is not shared with those who have no processor);
`barrier(worker)` inside it waits for the others; `memory` is what all of them see. A worker that
fails or dies makes `run` raise; nobody waits for ever. They start when they are needed, after `close` anew, and
end with the last reference.
"""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Callable
from contextlib import suppress

from .memory import Private, Shared
from .processes import Processes, possible
from .words import WorkerDied, WorkerError

Task = Callable[[int], None]


class SerialWorkers:
    """One worker: the caller."""

    count = 1

    def __init__(self) -> None:
        self.memory: Private | Shared = Private()

    def run(self, call: Task) -> bool:
        call(0)
        return True

    def barrier(self, worker: int) -> None:
        """Nobody to wait for."""

    def forget(self) -> None:
        """Calls are about to be replaced; see Processes."""

    def close(self) -> None:
        """Nothing to end."""


class Crew:
    """What the threads share: whose turn it is, and for what. They hold nothing else, so that a model can go."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.task: Task | None = None
        self.failure: BaseException | None = None
        self.closed = False
        self.start = [closed_lock() for _ in range(count)]
        self.done = [closed_lock() for _ in range(count)]
        # a lock for each pair and round; two in turn, since a quick thread may be one round ahead
        self.locks = [[[closed_lock() for _ in range(count)] for _ in range(count)] for _ in range(2)]
        self.turn = [0] * count

    def serve(self, worker: int) -> None:
        """A thread's life."""
        while True:
            self.start[worker].acquire()
            if self.closed:
                return
            try:
                assert self.task is not None
                self.task(worker)
            except BaseException as failure:
                self.fail(failure)
            self.done[worker].release()

    def fail(self, failure: BaseException) -> None:
        if self.failure is None:
            self.failure = failure
        for locks in self.locks:  # nobody may wait at a barrier that will not fill
            for row in locks:
                for lock in row:
                    if lock.locked():
                        with suppress(RuntimeError):
                            lock.release()

    def run(self, task: Task) -> None:
        self.task = task
        for worker in range(1, self.count):
            self.start[worker].release()
        try:
            task(0)
        except BaseException as failure:
            self.fail(failure)
        for worker in range(1, self.count):
            self.done[worker].acquire()
        self.task = None

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


class Threads:
    """Workers as threads. NumPy lets go of the interpreter's lock in every call that is worth it."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.memory: Private | Shared = Private()
        self.crew: Crew | None = None
        self.threads: list[threading.Thread] = []
        self.end: weakref.finalize | None = None

    def start(self) -> Crew:
        """Start the threads, if they are not there."""
        if self.crew is None:
            crew = self.crew = Crew(self.count)
            self.threads = [
                threading.Thread(target=crew.serve, args=(worker,), daemon=True, name=f"cnnspec-{worker}")
                for worker in range(1, self.count)
            ]
            self.end = weakref.finalize(self, dismiss, crew, self.threads, os.getpid())
            try:
                for thread in self.threads:
                    thread.start()
            except RuntimeError as error:
                self.close()
                raise WorkerDied(f"no worker thread could be started: {error}") from error
            return crew
        return self.crew

    def run(self, call: Task) -> bool:
        crew, whole = self.start(), False
        try:
            crew.run(call)
            whole = crew.failure is None
        finally:
            if not whole:  # who fails leaves locks as they come; the next run has new ones
                crew.fail(WorkerError("the caller was interrupted"))
                self.close()
        if crew.failure is not None:
            raise crew.failure
        return True

    def barrier(self, worker: int) -> None:
        assert self.crew is not None
        self.crew.barrier(worker)

    def forget(self) -> None:
        """Calls are about to be replaced; see Processes."""

    def close(self) -> None:
        """End the threads; the next run starts them anew. In a forked process they are not there."""
        if self.end is not None:
            self.end()
        self.crew = self.end = None


def dismiss(crew: Crew, threads: list[threading.Thread], owner: int) -> None:
    """End the threads of a process; in a process that was forked from it they are not there."""
    if os.getpid() != owner:
        return
    crew.closed = True
    for start in crew.start[1:]:
        with suppress(RuntimeError):  # it has yet to begin what it was last asked for
            start.release()
    for thread in threads:
        if thread.ident is not None and thread is not threading.current_thread():
            thread.join()


def closed_lock() -> threading.Lock:
    lock = threading.Lock()
    lock.acquire()
    return lock


def workers(count: int, parallel: str) -> SerialWorkers | Threads | Processes:
    """`threads` or `processes`, which fall back to threads where no programs may be started."""
    if count == 1:
        return SerialWorkers()
    if parallel == "processes" and possible():
        with suppress(OSError):  # too many processes, or none are allowed
            found = Processes(count)
            found.start()
            return found
    return Threads(count)
