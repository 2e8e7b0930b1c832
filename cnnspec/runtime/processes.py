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

from .call import BRIEF, Call, bind_some
from .memory import ArrayLocation, Growing, Shared
from .words import BEGUN, GO, LEFT, STOP, TASK, LeftBehind, WakeEvent, Words, WorkerDied, WorkerError, nbytes

LATELY = 0.1  # seconds
ALONE = 1, 1024  # images that are not shared after one that could not be, at first and at most
PATIENCE = 1 / 16, 1 / 4  # of a call's time: to wait for workers who are awake, and who must wake up
SLICE = 2e-4  # seconds: who is later than that at a barrier has lost its processor, for longer than a brief call
LONGEST = 1.0  # seconds to wait for them, who may just have been started
PACKAGE = Path(__file__).parent  # of the package's folder
ENDING = 5.0  # seconds that a worker is given to end
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
        self.alone, self.next_alone = 0, ALONE[0]
        self.arena = Growing()  # for the shards of others, where the caller makes calls alone
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

    def run(self, call: Call) -> bool:
        """Make a call on all workers, the caller being worker 0, or on that alone where it was quicker lately.

        Whether it was made: an image is not shared with workers who wait for a processor.
        """
        if call.order.shared:
            shared = self._share(call)
            self.note(shared)
            return shared
        pace, first = call.pace, not call.described  # the first takes much longer
        alone = self._alone(call) if pace.alone else None
        begun = time.perf_counter()
        if alone:
            alone(0)
        else:
            self._together(call)
        if not first:
            pace.note(time.perf_counter() - begun)
        return True

    def _alone(self, call: Call) -> Call:
        """The same call for one worker."""
        if call.by_one is None:
            order = call.order
            others = [k for k in range(len(order.shards)) if k not in call.shards]
            arena = self.arena.take(sum(order.shards[k].arena_bytes for k in others))
            shards = {**call.shards, **bind_some(order.shards, others, order.dtype, arena)}
            call.by_one = Call(order, shards, call.update, 1, nobody)
        return call.by_one

    def _share(self, call: Call) -> bool:
        """Share an image with the others if they are there at once; whether it was made.

        Where one of them has no processor now, or comes late to a barrier, the caller leaves them behind, who give
        up as soon as they see it: what they write until then nobody reads.
        """
        first, words = not call.described, self.words.words
        self._tell(call)
        words[GO] = self.sequence
        there = False
        try:
            patience = PATIENCE[self._wake()] * min(call.shortest, LONGEST)
            there = self._are_there(LONGEST if first else patience)
        finally:  # after Ctrl-C too
            if not there:
                words[LEFT] = self.sequence
        if not there:
            return False
        self.words.begin(self.sequence, call.shortest if call.shortest > BRIEF else min(call.shortest, SLICE))
        begun = time.perf_counter()
        try:
            self._make(call)
        except LeftBehind:
            return False
        if not first:
            call.shortest = min(call.shortest, time.perf_counter() - begun)
        return True

    def _are_there(self, patience: float) -> bool:
        """Whether all others say within so many seconds that they are there for a call."""
        words, begun = self.words.words, time.perf_counter()
        while not all([words[Words.slot(worker) + 9] == self.sequence for worker in range(1, self.count)]):
            if time.perf_counter() - begun > patience:
                return False
        return True

    def note(self, shared: bool) -> None:
        """Whether an image was shared. Where it was not others want the processors: more are not, each time."""
        if shared:
            self.next_alone = max(self.next_alone // 2, ALONE[0])
        else:
            self.alone, self.next_alone = self.next_alone, min(2 * self.next_alone, ALONE[1])

    def _together(self, call: Call) -> None:
        """Make a call on all workers, and wait for them as long as it takes."""
        self._tell(call)
        self.words.begin(self.sequence)
        self._make(call)

    def _tell(self, call: Call) -> None:
        """Write down which call is the next."""
        try:
            self.start()
        except OSError as error:
            raise WorkerDied(f"no worker process could be started: {error.strerror}") from error
        if not call.described:
            call.described = self._describe(call)
        for k, word in enumerate((*call.described, self.forgotten), TASK):
            self.words.words[k] = word
        self.sequence += 1

    def _make(self, call: Call) -> None:
        """The caller's part of a call that begins now, to the end of all the others'.

        What ends it before that ends the others too, who would go on with theirs amid the next call.
        """
        words = self.words.words
        try:
            words[BEGUN] = self.sequence
            if words[GO] < self.sequence:  # they are not asked before whether they are there
                words[GO] = self.sequence
                self._wake()
            call(0)
            for worker in range(1, self.count):
                self.words.until(Words.slot(worker) + 8, self.sequence)
        except LeftBehind:
            raise
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

    def awake(self, patient: bool = False) -> bool:
        """Whether all children spin, or the caller is patient and wakes them. If neither, and they were asked for
        lately, they are woken for the next time.

        A caller with much to do must not wait for the next time: they sleep again before it is done alone.
        Not where they lately had to wait for a processor.
        """
        if self.alone:
            self.alone -= 1
            return False
        if patient:
            return True
        before, self.asked = self.asked, time.monotonic()
        if self.asked - before < LATELY:
            return not self._wake()
        words = self.words.words
        return bool(self.children) and not any(words[Words.slot(k) + 16] for k in range(1, self.count))

    @property
    def barrier(self) -> Callable[[int], None]:
        return self.words.barrier

    def forget(self) -> None:
        """Forget all tasks so far; who was left behind has given up then, and writes no more to their memory."""
        words, begun = self.words.words, self.words.words[BEGUN]
        if self.children and words[LEFT] >= begun:
            ends = [Words.slot(worker) + 8 for worker in range(1, self.count)]
            try:
                self.words.wait(lambda: all([words[end] >= begun for end in ends]))
            except WorkerError:  # one has ended before it gave up
                self.close()
        self.forgotten = self.told

    def close(self) -> None:
        """End the programs; the next run starts them anew."""
        dismiss(self.words, self.children, self.wake_events, os.getpid())


def nobody(worker: int) -> None:
    """Whom one worker waits for at a barrier."""


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
            child.wait(ENDING)
        except subprocess.TimeoutExpired:
            child.kill()
            with suppress(subprocess.TimeoutExpired):
                child.wait(ENDING)
    while wake_events:
        wake_events.pop().close()


def possible() -> bool:
    """Whether programs can be started that inherit memory: this one is a Python that says where it is."""
    name = Path(sys.executable or "").name.lower()  # of a server that has a Python in it: that server's
    return os.name == "posix" and ("python" in name or "pypy" in name) and not getattr(sys, "frozen", False)
