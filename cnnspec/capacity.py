"""The capacity of the machine: its processors, the memory that is free, and the batch that would fit."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator
from pathlib import Path

from .diagnostics import Diagnostic, SpecError

PAGE = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4096  # bytes; only Linux tells of memory in pages
SPARE = 64 << 20  # left for the interpreter, a batch on its way, the files being written


def processors() -> int:
    """How many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def free_memory(root: Path = Path("/")) -> int | None:
    """Bytes that a process may still take: of the machine, of the control groups it is in, of its own limits.

    None where the system does not say (anything but Linux).
    """
    limits = list(_limits(root))
    return max(0, min(limits)) if limits else None


def _limits(root: Path) -> Iterator[int]:
    for line in _lines(root / "proc/meminfo"):
        if line.startswith("MemAvailable:"):
            yield int(line.split()[1]) << 10
    yield from _own_limits(root)
    for line in _lines(root / "proc/self/cgroup"):
        _, controllers, path = line.split(":", 2)
        if not controllers:
            base, names = root / "sys/fs/cgroup", ("memory.max", "memory.current", "inactive_file")
        elif "memory" in controllers.split(","):
            base = root / "sys/fs/cgroup/memory"
            names = ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
        else:
            continue
        # a limit of any group above holds too; within a container the group's own path may not be there
        group = base / path.strip("/")
        for folder in (group, *group.parents):
            if folder.is_relative_to(base):
                yield from _group(folder, *names)


def _own_limits(root: Path) -> Iterator[int]:
    """What `ulimit -v` and `ulimit -d` leave: of addresses, and of memory that can be written to."""
    pages = [int(number) * PAGE for number in " ".join(_lines(root / "proc/self/statm")).split()]
    if len(pages) > 5:
        used = {"Max address space": pages[0], "Max data size": pages[5]}
        for line in _lines(root / "proc/self/limits"):
            name, limit = line[:26].strip(), line[26:].split()[:1]
            if name in used and limit[0].isdigit():
                yield int(limit[0]) - used[name]


def _group(folder: Path, limit: str, used: str, reclaimable: str) -> Iterator[int]:
    """What a control group has left; cached pages of files count as free, being given up on demand."""
    limits, usage = _lines(folder / limit), _lines(folder / used)
    if limits and usage and limits[0].isdigit():
        stat = dict(line.split() for line in _lines(folder / "memory.stat"))
        yield int(limits[0]) - int(usage[0]) + int(stat.get(reclaimable, 0))


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []


def ensure_fits(predicted: Callable[[int], int], batch: int, free: int | None = None) -> None:
    """Refuse a batch whose predicted bytes are more than what is free, and name one that would do.

    `predicted` gives the bytes of a training with a batch; it must not fall as the batch grows.
    """
    free = free_memory() if free is None else free
    if free is None or predicted(batch) + SPARE <= free:
        return
    fitting = largest(lambda n: predicted(n) + SPARE <= free, batch)
    needed, left, other = mebibytes(predicted(batch)), mebibytes(free), mebibytes(predicted(fitting or 1))
    found = (
        Diagnostic.of("CNN304", batch=batch, needed=needed, free=left, fitting=fitting, other=other)
        if fitting
        else Diagnostic.of("CNN304", case="no batch", batch=batch, needed=needed, free=left, least=other)
    )
    raise SpecError((found,))


def largest(fits: Callable[[int], bool], below: int) -> int:
    """The largest whole number under `below` that fits, if 1 and all up to it do; else 0."""
    low, high = 0, below  # low fits (or is 0), high does not
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if fits(middle) else (low, middle)
    return low


def out_of_memory(fault: BaseException) -> SpecError | None:
    """That memory ran out, where a fault or what caused it says so; the system has many ways to."""
    seen: BaseException | None = fault
    while seen is not None:
        refused = isinstance(seen, OSError) and seen.errno == errno.ENOMEM
        unmapped = isinstance(seen, ImportError) and "failed to map segment" in str(seen)  # a library's code
        if isinstance(seen, MemoryError) or refused or unmapped:
            said = str(seen) if isinstance(seen, MemoryError) else ""
            said = f": {said[:1].lower()}{said[1:]}" if said else ""
            return SpecError((Diagnostic.of("CNN322", said=said),))
        seen = seen.__cause__ or seen.__context__
    return None


def mebibytes(amount: int) -> str:
    """An amount of memory for people: `412 MiB`, `3.1 GiB`."""
    return f"{amount / 2**30:.1f} GiB" if amount >= 2**30 else f"{amount / 2**20:.0f} MiB"


def ensure_parameters_fit(needed: int, parameters: int, free: int | None = None) -> None:
    """Refuse a network whose parameters, gradients and moments alone are more than what is free."""
    free = free_memory() if free is None else free
    if free is None or needed + SPARE <= free:
        return
    raise SpecError(
        (
            Diagnostic.of(
                "CNN304", case="parameters", parameters=parameters, needed=mebibytes(needed), free=mebibytes(free)
            ),
        )
    )
