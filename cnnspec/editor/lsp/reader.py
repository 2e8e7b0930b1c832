"""Texts are read in a thread of their own, one after the other, so that the next key never waits for them; what
nobody waits for any more is not read to its end."""

from __future__ import annotations

import asyncio
import gc
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import TypeVar

from ...lang.work import Work

Made = TypeVar("Made")

SWITCH = 0.0005  # seconds after which a reading lets a key be taken
COLLECT = 50_000  # objects made until Python looks for cycles: a tree of 1,000 lines has more, and no cycles


class GivenUp(Exception):
    """Nobody waits for what is read."""


class WantedWork(Work):
    """Counts as `Work` does, and ends a reading that nobody waits for. Raises GivenUp."""

    def __init__(self, given_up: Event) -> None:
        super().__init__()
        self.given_up = given_up

    def add(self, tokens: int) -> None:
        super().add(tokens)
        if self.given_up.is_set():
            raise GivenUp


class ReaderThread:
    """The thread in which texts are read."""

    def __init__(self) -> None:
        self.thread = ThreadPoolExecutor(1, "reading")
        self.given_up = Event()  # what the thread is at

    async def read(self, make: Callable[[], Made]) -> Made:
        """What `make` makes in the thread. To cancel it ends it, be it waiting or begun."""
        given_up = Event()

        def begin() -> Made:
            self.given_up = given_up
            self.go_on()
            return make()

        try:
            return await asyncio.get_running_loop().run_in_executor(self.thread, begin)
        except asyncio.CancelledError:
            given_up.set()
            raise

    def work(self) -> Work:
        """What counts the work of a reading in the thread."""
        return WantedWork(self.given_up)

    def go_on(self) -> None:
        """Go on with what the thread is at. Raises GivenUp where nobody waits for it."""
        if self.given_up.is_set():
            raise GivenUp

    def close(self) -> None:
        """End what the thread is at, and the thread."""
        self.thread.shutdown(wait=False, cancel_futures=True)
        self.given_up.set()


def let_keys_through() -> None:
    """Tell Python that answers count for more than what is read meanwhile."""
    sys.setswitchinterval(SWITCH)
    gc.freeze()  # what is there now stays, and is not looked through for cycles
    gc.set_threshold(COLLECT)
