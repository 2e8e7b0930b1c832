"""How large a thing may be: asked before memory is taken, since a header may claim anything."""

from __future__ import annotations

from pathlib import Path

from ..diagnostics import Fault

LARGEST = 64 << 30  # bytes of one array, where the system does not tell what is free
INFLATION = 1032  # deflate never packs more than so many bytes into one


def free_memory() -> int:
    """Bytes that could be taken without swapping, where the system tells; `LARGEST` elsewhere."""
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
    except OSError:
        return LARGEST
    found = {name: int(rest.split()[0]) * 1024 for name, _, rest in (line.partition(":") for line in lines)}
    return min(found.get("MemAvailable", LARGEST), LARGEST)


def need(count: int, what: str) -> None:
    """Raise a Fault where `count` bytes, for `what`, are more than there are."""
    free = free_memory()
    if count > free:
        raise Fault(
            "CNN407",
            f"{what} would take {count / 2**30:.1f} GiB, and {free / 2**30:.1f} GiB are free",
            at="source",
            help="use fewer or smaller images",
        )
