"""Whose turn it is: one thread that changes a model, or some that only ask it; and no signal in between."""

from __future__ import annotations

import _signal  # signal's own functions wrap each answer in an enumeration, which takes longer than a small layer
import signal
import threading
from collections.abc import Callable
from typing import Generic, TypeVar

from ..diagnostics import Diagnostic, SpecError

NAMES = ("INT", "TERM", "HUP", "ALRM", "USR1", "USR2", "PROF", "VTALRM", "QUIT", "CHLD")
SIGNALS = tuple(int(getattr(signal, f"SIG{name}")) for name in NAMES if hasattr(signal, f"SIG{name}"))


class Hold:
    """Within it no function that answers a signal runs: it runs at the end.

    Such a function may raise anywhere, as that of Ctrl-C does; half an update would be left. Only the main thread
    runs them. One that comes while signals are being held may do the same, and gives back what it held itself.
    """

    def __init__(self) -> None:
        self.main = threading.main_thread().ident
        self.held: list[
            dict[int, Callable[[int, object], object]]
        ] = []  # the functions, of who began last at the end
        self.seen: list[int] = []

    def __enter__(self) -> None:
        if threading.get_ident() != self.main:
            return
        before: dict[int, Callable[[int, object], object]] = {}
        self.held.append(before)
        try:
            for number in SIGNALS:
                answer = _signal.getsignal(number)
                if callable(answer) and answer != self._note:
                    before[number] = answer
                    _signal.signal(number, self._note)
        except ValueError:  # an interpreter within another one, which hears no signals
            before.clear()
        except BaseException:
            self._give_back()
            raise

    def __exit__(self, *exception: object) -> None:
        if self.held and threading.get_ident() == self.main:
            self._give_back()

    def _note(self, number: int, frame: object) -> None:
        self.seen.append(number)

    def _give_back(self) -> None:
        before = self.held.pop()
        for number, answer in before.items():
            _signal.signal(number, answer)
        if self.seen:
            seen = [number for number in self.seen if number in before]
            self.seen = [number for number in self.seen if number not in before]
            for number in seen:
                before[number](number, None)


class Lane:
    """A place for one thread that asks: `owner` while it is in the midst of its answer, within the lock.

    The function of a signal may ask just before and just after that, and has the lock again.
    """

    def __init__(self) -> None:
        self.lock, self.owner = threading.RLock(), 0

    @property
    def free(self) -> bool:
        """Whether this thread need not wait for the lock."""
        if not self.lock.acquire(blocking=False):
            return False
        self.lock.release()
        return True


L = TypeVar("L", bound=Lane, covariant=True)


class Turn(Generic[L]):
    """`with turn:` one thread has a model for itself; it may take its turn again within it.

    Beside it there are lanes, at most so many: `with turn.lane().lock:` a thread asks while others ask in theirs.
    All come through one door, which is held while the model changes, so that no change waits for ever behind
    questions.
    """

    def __init__(self, lane: Callable[[], L], most: int = 1) -> None:
        self.make, self.most = lane, most
        self.lanes = [lane()]
        self.within: list[L] = []  # for those who ask in the midst of their own answer
        self.renew()

    def renew(self) -> None:
        """Begin anew, in a process that has this thread alone of those which may have had their turn."""
        self.hold, self.door = Hold(), threading.RLock()
        self.owner = self.depth = 0
        for lane in (*self.lanes, *self.within):
            if lane.owner != threading.get_ident():
                lane.lock, lane.owner = threading.RLock(), 0

    def __enter__(self) -> None:
        me = threading.get_ident()
        if self.owner != me:
            for lane in self.lanes:
                if lane.owner == me:
                    raise SpecError((Diagnostic.of("CNN318"),))
            self.hold.__enter__()
            self.door.acquire()
            for lane in self.lanes:
                lane.lock.acquire()
            self.owner = me
        self.depth += 1

    def __exit__(self, *exception: object) -> None:
        self.depth -= 1
        if not self.depth:
            self.owner = 0
            for lane in self.lanes:
                lane.lock.release()
            self.door.release()
            self.hold.__exit__()

    def lane(self, several: bool = True) -> L:
        """A lane that is free, of `several` or the first; in the midst of its own answer a thread gets one more."""
        me = threading.get_ident()
        for lane in self.lanes:
            if lane.owner == me:  # by the door a change may wait for this very answer
                return self._within()
        with self.door:
            if not several or self.lanes[0].free:
                return self.lanes[0]
            for lane in self.lanes:
                if lane.free:
                    return lane
            if len(self.lanes) < self.most:
                self.lanes.append(self.make())
                return self.lanes[-1]
            return self.lanes[me // 64 % len(self.lanes)]

    def _within(self) -> L:
        """A lane for a thread in the midst of its own answer, which no change can begin before."""
        me = threading.get_ident()
        for lane in self.within:
            if lane.owner != me and lane.free:
                return lane
        self.within.append(self.make())
        return self.within[-1]
