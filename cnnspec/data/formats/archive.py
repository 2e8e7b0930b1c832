"""NumPy archives without NumPy: which arrays an npz holds, and what their headers tell.

An npz is a zip of npy files; an npy is a short header (type, order, shape) and then the numbers.
"""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from ...diagnostics import Fault
from ...plain_files import open_regular
from ..files import AGAIN, INFLATION, unreadable
from .headers import Header, check_array, npy_header

# how the names of the arrays of each part end; the first end of a part whose arrays are there is taken
ENDS = {"train": ("_train", ""), "validation": ("_val", "_valid", "_validation"), "test": ("_test",)}


@contextmanager
def opened(path: Path) -> Iterator[zipfile.ZipFile]:
    """An npz archive; what is wrong with it, or turns out to be while it is read, is a Fault."""
    try:
        with open_regular(path) as file, zipfile.ZipFile(file) as archive:
            yield archive
    except (zlib.error, EOFError) as error:
        raise Fault("CNN404", f"{path.name} is damaged: {error}", at="source", help=AGAIN) from None
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, ValueError) as error:
        # RuntimeError: encrypted; NotImplementedError: packed in an unknown way; ValueError: a bad npy header
        raise unreadable_as(path, error) from None
    except OSError as error:
        raise unreadable(path, error) from None


def unreadable_as(path: Path, error: Exception) -> Fault:
    """What is said of an archive that holds something else than it should."""
    reason = str(error).split("\n")[0]
    return Fault("CNN405", f"{path.name} is not an npz archive that can be read: {reason}", at="source", help=AGAIN)


def parts_of(
    archive: zipfile.ZipFile, where: str, wanted: tuple[str, ...] = ("x", "y")
) -> dict[str, tuple[str, ...]]:
    """The names of the wanted arrays of each part that an archive has; arrays under other names are passed over."""
    names = {name.removesuffix(".npy") for name in archive.namelist() if name.endswith(".npy")}
    found = {}
    for part, ends in ENDS.items():
        several = [tuple(name + end for name in wanted) for end in ends]
        whole = next((arrays for arrays in several if names.issuperset(arrays)), None)
        if whole:
            found[part] = whole
        elif some := next((arrays for arrays in several if not names.isdisjoint(arrays)), None):
            there, missing = (_listed(n for n in some if (n in names) is has) for has in (True, False))
            raise Fault(
                "CNN413", f"{where} has {_told(names)}: {there} without {missing}", at="source",
                help=f"save it with {_listed(some)}, or without {'both' if len(some) == 2 else 'all'}",
            )  # fmt: skip
    if "train" not in found:
        ways = [_listed(name + end for name in wanted) for end in ("", "_train")]
        way = ", ".join(f"{name}=..." for name in wanted)
        raise Fault(
            "CNN413", f"{where} has {_told(names)}, and neither {ways[0]} nor {ways[1]}", at="source",
            help='save it by `np.savez(file, x=images, y=labels)`, or name its arrays: `images "a"`, `labels "b"`'
            if wanted == ("x", "y") else f"save it by `np.savez(file, {way})`",
        )  # fmt: skip
    return found


def part_of(archive: zipfile.ZipFile, where: str, wanted: tuple[str, ...], part: str) -> tuple[str, ...]:
    """The names of the wanted arrays of an archive that is one part alone: `x`, or with the end of that part."""
    names = {name.removesuffix(".npy") for name in archive.namelist() if name.endswith(".npy")}
    several = [tuple(name + end for name in wanted) for end in ("", *ENDS[part])]
    for arrays in several:
        if names.issuperset(arrays):
            return arrays
    way = ", ".join(f"{name}=..." for name in wanted)
    raise Fault(
        "CNN413", f"{where} has {_told(names)}, and neither {_listed(several[0])} nor {_listed(several[1])}",
        at=f"{part}_file", help=f"save it by `np.savez(file, {way})`",
    )  # fmt: skip


def _listed(names: Iterable[str]) -> str:
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last


def _told(names: set[str]) -> str:
    few = sorted(names)[:8]
    return ", ".join(few) + (", ..." if len(names) > len(few) else "") or "no array at all"


@contextmanager
def array_of(
    archive: zipfile.ZipFile, name: str, where: str, labels: bool = False
) -> Iterator[tuple[IO[bytes], Header]]:
    """One array of an archive: its header, which tells the truth about its length, and the file behind it.

    `labels` may be texts.
    """
    entry = archive.getinfo(f"{name}.npy")
    told = f"{name} of {where}"
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise Fault(
            "CNN405", f"{told} is packed in a way that NumPy never uses", at="source",
            help="save it by `np.savez` or `np.savez_compressed`",
        )  # fmt: skip
    if entry.file_size > entry.compress_size * INFLATION:
        raise Fault("CNN407", f"{told} claims to unpack to more than it can hold", at="source", help=AGAIN)
    with archive.open(entry) as file:
        header = npy_header(file)
        help = "save names or numbers of classes, `y.astype(str)`" if labels else "store bytes or floats"
        check_array(header, entry.file_size - file.tell(), told, help, texts=labels)
        yield file, header
