"""Ctrl-C at a moment of our choosing."""

from __future__ import annotations

import signal
import threading
from types import FrameType


class Interrupts:
    """Within it a Ctrl-C is only noted, so that what is under way can end; a second one interrupts at once.

    What is under way may be a training step, or a pool's own business: an exception that comes out of the middle of
    its locks, or of a worker that has just been forked, can leave somebody waiting for ever.
    Where somebody else handles Ctrl-C, or in a thread that may not, it stays as it is.
    """

    def __init__(self) -> None:
        self.seen = False
        self.ours = False

    def asked(self) -> bool:
        return self.seen

    def note(self, number: int, frame: FrameType | None) -> None:
        if self.seen:
            raise KeyboardInterrupt
        self.seen = True

    def __enter__(self) -> Interrupts:
        main = threading.current_thread() is threading.main_thread()
        self.ours = main and signal.getsignal(signal.SIGINT) is signal.default_int_handler
        if self.ours:
            signal.signal(signal.SIGINT, self.note)
        return self

    def __exit__(self, *exception: object) -> None:
        if self.ours:
            signal.signal(signal.SIGINT, signal.default_int_handler)
