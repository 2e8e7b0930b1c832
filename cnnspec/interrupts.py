"""Signals that ask a program to end, answered at a moment of our choosing: Ctrl-C, SIGTERM, SIGHUP."""

from __future__ import annotations

import signal
import threading
from types import FrameType

OTHERS = tuple(getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name))
ENDING = (signal.SIGINT, *OTHERS)


class Ended(KeyboardInterrupt):
    """What SIGTERM (docker stop, scancel) and SIGHUP (a closed terminal) raise where Ctrl-C raises its own."""

    def __init__(self, number: int) -> None:
        super().__init__(named(number))
        self.number = number


def named(number: int) -> str:
    return signal.Signals(number).name


def number_of(interrupt: BaseException) -> int:
    """The signal that an interrupt is about; Ctrl-C's where it does not say."""
    return getattr(interrupt, "number", int(signal.SIGINT))


def interrupt(number: int) -> KeyboardInterrupt:
    """What a signal raises."""
    return KeyboardInterrupt() if number == signal.SIGINT else Ended(number)


def end(number: int, frame: FrameType | None) -> None:
    raise interrupt(number)


OURS = (signal.default_int_handler, end)


def listen() -> None:
    """Let SIGTERM and SIGHUP end a command by an exception, so that it leaves nothing half done.

    One that is ignored, as `nohup` has it, stays so.
    """
    for number in OTHERS:
        if signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, end)


def leave_to_parent() -> None:
    """In a process that works for another: its parent hears these signals too, and ends it."""
    for number in ENDING:
        signal.signal(number, signal.SIG_IGN)


class Interrupts:
    """Within it a signal is only noted, so that what is under way can end; a second one interrupts at once.

    What is under way may be a training step, or a pool's own business: an exception that comes out of the middle of
    its locks, or of a worker that has just been forked, can leave somebody waiting for ever.
    Where somebody else handles a signal, or in a thread that may not, it stays as it is. `seen` is its number.
    """

    def __init__(self) -> None:
        self.seen = 0
        self.before: dict[int, object] = {}

    def asked(self) -> bool:
        return self.seen > 0

    def note(self, number: int, frame: FrameType | None) -> None:
        if self.seen:
            raise interrupt(number)
        self.seen = number

    def __enter__(self) -> Interrupts:
        if threading.current_thread() is threading.main_thread():
            answers = {number: signal.getsignal(number) for number in ENDING}
            self.before = {number: answer for number, answer in answers.items() if answer in OURS}
        for number in self.before:
            signal.signal(number, self.note)
        return self

    def __exit__(self, *exception: object) -> None:
        for number, answer in self.before.items():
            signal.signal(number, answer)  # type: ignore[arg-type]
