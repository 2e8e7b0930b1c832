"""A worker: a program of its own that binds plans to shared memory, and runs them on request.

It is given its place in shared memory by descriptor, and reads nothing of the program that started it but that.
It ends when that program does.
"""

from __future__ import annotations

import errno
import io
import json
import os
import pickle
import traceback
from collections.abc import Callable
from contextlib import suppress

import numpy as np

from .call import Call, Order, bind_some
from .memory import ArrayLocation, Attached, Growing
from .update import Update
from .words import BEGUN, GO, LEFT, PLACE, STOP, TASK, LeftBehind, Words, WorkerError, nbytes, was_set

REST = 0.01, 0.5  # seconds that a worker sleeps before it looks up, at first and at most


class Worker:
    """One of several workers, in its own program.

    Its job is told by name: `file` and `start` say where the words are, `wake_event` and `parent` are descriptor
    and process id of what wakes it.
    """

    def __init__(
        self,
        *,
        file: int,
        start: int,
        length: int,
        offset: int,
        count: int,
        worker: int,
        wake_event: int,
        parent: int,
    ) -> None:
        self.worker, self.count, self.wake_event, self.parent = worker, count, wake_event, parent
        self.memory = Attached(file)
        control = self.memory.array(ArrayLocation(start, length, offset, (nbytes(count),), (1,), "|u1"))
        self.words = Words(control.data, count, self._alive)
        self.arena = Growing()  # its own, shared by all its tasks
        self.rest = REST[0]

    def serve(self) -> None:
        """Run tasks until told to stop."""
        words, done, ready = self.words.words, Words.slot(self.worker) + 8, Words.slot(self.worker) + 9
        sequence = 0
        known: dict[int, Callable[[int], None]] = {}
        while True:
            self.words.wait(lambda: words[GO] > sequence or words[STOP], self._sleep)  # noqa: B023
            if words[STOP]:
                return
            self.rest = REST[0]
            words[ready] = sequence = words[GO]
            if words[BEGUN] < sequence:  # it is asked whether it is there
                self.words.wait(lambda: max(words[BEGUN], words[LEFT]) >= sequence or words[STOP])  # noqa: B023
            task, *place, forgotten = words[TASK : PLACE + 5]
            # what was read may be of another call by now
            if words[BEGUN] != sequence or words[LEFT] >= sequence or words[STOP]:
                words[done] = sequence  # it writes nothing for it any more
                continue
            if task not in known:
                known = {number: call for number, call in known.items() if number > forgotten}
                known[task] = self._call(*place)
            self.words.begin(sequence)
            with suppress(LeftBehind):
                known[task](self.worker)
            words[done] = sequence

    def _call(self, start: int, length: int, offset: int, size: int) -> Callable[[int], None]:
        """What is described there."""
        told = self.memory.array(ArrayLocation(start, length, offset, (size,), (1,), "|u1")).tobytes()
        order: Order = Reader(io.BytesIO(told), self.memory).load()
        mine = range(self.worker, len(order.shards), self.count)
        arena = self.arena.take(sum(order.shards[k].arena_bytes for k in mine))
        shards = bind_some(order.shards, mine, order.dtype, arena)
        return Call(order, shards, Update(*order.update), self.count, self.words.barrier)

    def _sleep(self) -> bool:
        """Wait for the wake event, at most `rest` seconds; whether it is set."""
        words, asleep = self.words.words, Words.slot(self.worker) + 16
        words[asleep] = 1
        woken = was_set(self.wake_event, self.rest, 0)  # standard input is a pipe that ends with the parent
        words[asleep] = 0
        self.rest = min(2 * self.rest, REST[1])
        return woken

    def _alive(self, words: Words) -> None:
        """End with the parent, however it ended."""
        if os.getppid() != self.parent:
            os._exit(1)


class Reader(pickle.Unpickler):
    """Reads what the parent wrote: plain data, our own records, and arrays that lie in shared memory."""

    def __init__(self, file: io.BytesIO, memory: Attached) -> None:
        super().__init__(file)
        self.memory = memory

    def persistent_load(self, place: ArrayLocation) -> np.ndarray:
        return self.memory.array(place)


def main(job: str) -> None:
    """A worker's life. Signals that end a program are its parent's business, which ends it: a scheduler sends them
    to all processes of a job.
    """
    worker = Worker(**json.loads(job))
    code = 1
    try:
        worker.serve()
        code = 0
    except WorkerError:
        pass  # somebody else said why
    except BaseException as failure:
        full = isinstance(failure, MemoryError) or getattr(failure, "errno", None) == errno.ENOMEM
        worker.words.say("MemoryError" if full else traceback.format_exc(limit=-3))
    finally:
        os._exit(code)
