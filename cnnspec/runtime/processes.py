"""Workers as programs of their own over shared memory: half the cost of threads on small nets.

A program is started by the system, never copied out of this one, so other things that run here, threads, locks, a
user's main module, is no business of its.
"""

from __future__ import annotations

import io
import json
import os
import pickle
import subprocess
import sys
import time
import weakref
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path

import numpy as np

from .call import Call
from .memory import ArrayLocation, Shared
from .words import GO, STOP, TASK, WakeEvent, Words, WorkerDied, WorkerError, nbytes

LATELY = 0.1  # seconds
PACKAGE = Path(__file__).parent  # of the package's folder
PATIENCE = 5.0  # seconds that a worker is given to end
BEGIN = """\
import sys
sys.path += sys.argv[2:]
from cnnspec.interrupts import leave_to_parent
leave_to_parent()  # before NumPy, which takes its time
from cnnspec.runtime.worker import main
main(sys.argv[1])
"""
BLAS = ("OPENBLAS", "MKL", "BLIS", "OMP")


class Processes:
    """Workers as programs that spin on words of shared memory.

    They know nothing when they start, and are told of each task by the place where it is described. One that has
    long had nothing to do sleeps until its wake event is set.
    """

    def __init__(self, count: int) -> None:
        self.count = count
        self.memory = Shared()
        self.control = self.memory.take(nbytes(count))
        self.children: list[subprocess.Popen[bytes]] = []
        self.wake_events: list[WakeEvent] = []  # one for each child
        self.words = Words(self.control.data, count, partial(check, self.children))
        self.told = 0  # how many tasks there have been
        self.forgotten = 0  # those up to here are no more
        self.sequence = 0
        self.asked = 0.0
        weakref.finalize(self, dismiss, self.words, self.children, self.wake_events, os.getpid())

    def start(self) -> None:
        """Start the programs, if they are not there; they are ready a tenth of a second later."""
        if self.children:
            return
        self.words.clear()
        self.sequence = 0
        place = self.memory.place(self.control)
        assert place is not None
        try:
            for worker in range(1, self.count):
                wake_event = WakeEvent()
                self.wake_events.append(wake_event)
                words = {"start": place.start, "length": place.length, "offset": place.offset, "count": self.count}
                files = {"file": self.memory.file, "wake_event": wake_event.ends[0]}
                job = {**words, **files, "worker": worker, "parent": os.getpid()}
                self.children.append(program(job, tuple(files.values())))
        except BaseException:
            self.close()
            raise

    def run(self, call: Call) -> None:
        """Make a call on all workers, the caller being worker 0."""
        try:
            self.start()
        except OSError as error:
            raise WorkerDied(f"no worker process could be started: {error.strerror}") from error
        words = self.words.words
        if not call.described:
            call.described = self._describe(call)
        for k, word in enumerate((*call.described, self.forgotten), TASK):
            words[k] = word
        self.sequence += 1
        try:
            words[GO] = self.sequence
            self._wake()
            call(0)
            for worker in range(1, self.count):
                self.words.until(Words.slot(worker) + 8, self.sequence)
        except BaseException as failure:
            self.words.say("")
            reason = self.words.said()
            self.close()
            if reason == "MemoryError":
                raise MemoryError("a worker process ran out of memory") from None
            if reason and isinstance(failure, WorkerError):
                raise WorkerError(reason) from None
            raise

    def _describe(self, call: Call) -> tuple[int, ...]:
        """Write down what a call is, where the workers read it: its number, and the place."""
        file = io.BytesIO()
        Writer(file, self.memory).dump(call.order)
        text = np.frombuffer(file.getbuffer(), np.uint8)
        memory = self.memory.take(text.size)
        memory[:] = text
        place = self.memory.place(memory)
        assert place is not None
        self.told += 1
        return self.told, place.start, place.length, place.offset, text.size

    def _wake(self) -> bool:
        """Wake the children that sleep; whether there were any."""
        words = self.words.words
        asleep = [
            wake_event for worker, wake_event in enumerate(self.wake_events, 1) if words[Words.slot(worker) + 16]
        ]
        for wake_event in asleep:
            wake_event.set()
        return bool(asleep)

    def awake(self) -> bool:
        """Whether all children spin. If not, and they were asked for lately, they are woken for the next time."""
        before, self.asked = self.asked, time.monotonic()
        if self.asked - before < LATELY:
            return not self._wake()
        words = self.words.words
        return bool(self.children) and not any(words[Words.slot(k) + 16] for k in range(1, self.count))

    @property
    def barrier(self) -> Callable[[int], None]:
        return self.words.barrier

    def forget(self) -> None:
        """Forget all tasks so far."""
        self.forgotten = self.told

    def close(self) -> None:
        """End the programs; the next run starts them anew."""
        dismiss(self.words, self.children, self.wake_events, os.getpid())


class Writer(pickle.Pickler):
    """Writes plain data; arrays of the shared memory by their place there."""

    def __init__(self, file: io.BytesIO, memory: Shared) -> None:
        super().__init__(file, protocol=5)
        self.memory = memory

    def persistent_id(self, thing: object) -> ArrayLocation | None:
        return self.memory.place(thing) if isinstance(thing, np.ndarray) else None


def program(job: dict[str, int], files: tuple[int, ...]) -> subprocess.Popen[bytes]:
    """Start a worker, which inherits these files.

    It runs apart from what surrounds this process (-I: Python's settings in the environment, -S: start-up files),
    finds the packages where they were found here, and in a session of its own hears no signal of the terminal.
    """
    one_thread = {f"{name}_NUM_THREADS": "1" for name in BLAS} | {"VECLIB_MAXIMUM_THREADS": "1"}
    packages = dict.fromkeys(str(Path(file).absolute().parent.parent) for file in (np.__file__, PACKAGE))
    return subprocess.Popen(
        [sys.executable, "-I", "-S", "-c", BEGIN, json.dumps(job), *packages],
        stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, pass_fds=files,
        env={**os.environ, **one_thread}, cwd="/", start_new_session=True, bufsize=0,
    )  # fmt: skip


def check(children: list[subprocess.Popen[bytes]], words: Words) -> None:
    """Raise where one of the children is no more."""
    for child in children:
        code = child.poll()
        if code is not None:
            how = f"signal {-code}" if code < 0 else f"code {code}"
            raise WorkerDied(words.said() or f"a worker process died ({how})")


def dismiss(
    words: Words, children: list[subprocess.Popen[bytes]], wake_events: list[WakeEvent], owner: int
) -> None:
    """End the children of a process; in a process that was forked from it only forget them."""
    mine = os.getpid() == owner
    if mine:
        words.words[STOP] = 1
        for wake_event in wake_events:
            wake_event.set()
    while children:
        child = children.pop()
        if child.stdin:
            child.stdin.close()
        if not mine:
            child.returncode = 0
            continue
        try:
            child.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            child.kill()
            with suppress(subprocess.TimeoutExpired):
                child.wait(PATIENCE)
    while wake_events:
        wake_events.pop().close()


def possible() -> bool:
    """Whether programs can be started that inherit memory: this one is a Python that says where it is."""
    name = Path(sys.executable or "").name.lower()  # of a server that has a Python in it: that server's
    return os.name == "posix" and ("python" in name or "pypy" in name) and not getattr(sys, "frozen", False)
