"""Checking many files, on all processors, with results in the order of the files."""

from __future__ import annotations

import gc
import os
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from typing import TYPE_CHECKING, TypeVar

from ..capacity import processors
from ..interrupts import Interrupts, interrupt, leave_to_parent

if TYPE_CHECKING:
    from concurrent.futures import Future, ProcessPoolExecutor

Job = TypeVar("Job")
Result = TypeVar("Result")

FEW = 8  # below so many jobs, starting workers takes longer than they save
CHUNK = 8  # jobs that a worker gets at once


def each(jobs: Sequence[Job], work: Callable[[Job], Result], lost: Callable[[Job], Result]) -> Iterator[Result]:
    """`work(job)` for every job, in order; `lost(job)` where a worker died over it.

    The first job is done here: what it loads (the grammar) the workers then share, where they are forked.
    Only some chunks are in flight at a time, so memory does not grow with the number of jobs.
    In a program that has threads (a notebook, a server, one that has loaded JAX) all jobs are done here: a forked
    worker would wait for ever for a lock that one of them holds, and a worker that begins anew would run the
    program again.
    """
    workers = processors()
    if len(jobs) < FEW or workers < 2 or threads() > 1:
        yield from map(work, jobs)
        return
    yield work(jobs[0])
    chunks = deque(jobs[i : i + CHUNK] for i in range(1, len(jobs), CHUNK))
    with Interrupts() as interrupts:
        while chunks:
            died = yield from _until_one_dies(chunks, work, workers, interrupts)
            if died:  # over one of the jobs in flight: find out whether over these
                for job in chunks.popleft():
                    yield _alone(job, work, lost)


def threads() -> int:
    """How many threads this process has, of libraries too where the system tells of them."""
    try:
        return len(os.listdir("/proc/self/task"))
    except OSError:
        return threading.active_count()


def _until_one_dies(
    chunks: deque[Sequence[Job]], work: Callable[[Job], Result], workers: int, interrupts: Interrupts
) -> Generator[Result, None, bool]:
    """Work through chunks and take each away when it is done; returns whether a worker died."""
    from concurrent.futures.process import BrokenProcessPool

    flying: deque[Future[list[Result]]] = deque()
    pool = _pool(min(workers, len(chunks)))
    try:
        while chunks:
            while len(flying) < 4 * workers and len(flying) < len(chunks):
                flying.append(pool.submit(_work_through, work, chunks[len(flying)]))
            results = flying.popleft().result()
            if interrupts.seen:
                raise interrupt(interrupts.seen)
            chunks.popleft()
            yield from results
        return False
    except BrokenProcessPool:
        if interrupts.seen:
            raise interrupt(interrupts.seen) from None
        return True
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _alone(job: Job, work: Callable[[Job], Result], lost: Callable[[Job], Result]) -> Result:
    """One job in a process of its own."""
    from concurrent.futures.process import BrokenProcessPool

    with _pool(1) as pool:
        try:
            return pool.submit(work, job).result()
        except BrokenProcessPool:
            return lost(job)


def _pool(workers: int) -> ProcessPoolExecutor:
    import multiprocessing
    from concurrent.futures import ProcessPoolExecutor

    # forked workers have the grammar already; this process had no threads that a fork could trip over, and those
    # of NumPy, which the first job may have loaded, end for a fork
    method = "fork" if "fork" in multiprocessing.get_all_start_methods() else None
    context = multiprocessing.get_context(method)
    return ProcessPoolExecutor(workers, mp_context=context, initializer=_begin)


def _work_through(work: Callable[[Job], Result], chunk: Sequence[Job]) -> list[Result]:
    try:
        return [work(job) for job in chunk]
    finally:
        gc.collect(0)


def _begin() -> None:
    """What a worker does first: it leaves interrupts to the parent, and looks for garbage between chunks only.

    What the parent made is never looked at, and so stays shared.
    """
    leave_to_parent()
    gc.freeze()
    gc.disable()
