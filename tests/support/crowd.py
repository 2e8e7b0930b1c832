"""`many.each` in a program that has no threads, as `cnnspec check` has none: `python crowd.py NAME`.

The process of the tests has threads, of what runs the tests and of libraries: there is no forking from it.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from functools import partial
from select import select

from cnnspec.checking import many

JOBS = 120
DEADLY = (13, 14, 77)


def double(number):
    time.sleep(0.001 * (number % 3))
    return os.getpid(), 2 * number


def meet(ends, number):
    waits, begins = ends
    if number == 1:
        assert select([waits], [], [], 100)[0], "nobody works beside this one"
    if number == 1 + many.CHUNK:
        os.write(begins, b".")
    return double(number)


def fragile(number):
    if number in DEADLY:
        os._exit(9)  # as the system's out-of-memory killer does
    return number


def lost(number):
    return f"lost {number}"


def in_order():
    """The first file of one worker waits for that of another: else a quick one may do the work of a slow one."""
    results = list(many.each(range(100), partial(meet, os.pipe()), lost))
    assert [result for _, result in results] == [2 * number for number in range(100)]
    assert len({pid for pid, _ in results} - {os.getpid()}) == 2


def one_dies():
    expected = [lost(number) if number in DEADLY else number for number in range(JOBS)]
    assert list(many.each(range(JOBS), fragile, lost)) == expected


def nobody_listens():
    results = many.each(range(1000), double, lost)
    workers = {next(results)[0] for _ in range(30)} - {os.getpid()}
    assert workers
    results.close()
    for pid in workers:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            continue
        raise AssertionError("a worker is left behind")


LOCK = threading.Lock()


def take(number):
    if number:
        assert LOCK.acquire(timeout=100), "held by a thread that is not there"
        LOCK.release()
    return os.getpid()


def beside_a_thread():
    """The thread holds a lock while work begins: a process that is forked then never gets it."""
    held = threading.Event()

    def hold():
        with LOCK:
            held.set()
            time.sleep(0.5)

    thread = threading.Thread(target=hold)
    thread.start()
    held.wait()
    assert set(many.each(range(JOBS), take, lost)) == {os.getpid()}
    thread.join()


if __name__ == "__main__":
    many.processors = lambda: 2
    globals()[sys.argv[1]]()
