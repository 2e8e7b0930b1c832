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
from ..files import INFLATION, unreadable
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
        raise Fault.of("CNN404", "source", name=path.name, reason=error) from None
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, ValueError) as error:
        # RuntimeError: encrypted; NotImplementedError: packed in an unknown way; ValueError: a bad npy header
        raise unreadable_as(path, error) from None
    except OSError as error:
        raise unreadable(path, error) from None


def unreadable_as(path: Path, error: Exception) -> Fault:
    """What is said of an archive that holds something else than it should."""
    reason = str(error).split("\n")[0]
    return Fault.of("CNN405", "source", case="npz", name=path.name, reason=reason)


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
            raise Fault.of(
                "CNN413",
                "source",
                case="part",
                where=where,
                arrays=_told(names),
                there=there,
                missing=missing,
                whole=_listed(some),
                all="both" if len(some) == 2 else "all",
            )
    if "train" not in found:
        ways = [_listed(name + end for name in wanted) for end in ("", "_train")]
        way = ", ".join(f"{name}=..." for name in wanted)
        raise Fault.of(
            "CNN413",
            "source",
            case="named" if wanted == ("x", "y") else "",
            where=where,
            arrays=_told(names),
            one=ways[0],
            other=ways[1],
            way=way,
        )
    return found


def part_of(archive: zipfile.ZipFile, where: str, wanted: tuple[str, ...], part: str) -> tuple[str, ...]:
    """The names of the wanted arrays of an archive that is one part alone: `x`, or with the end of that part."""
    names = {name.removesuffix(".npy") for name in archive.namelist() if name.endswith(".npy")}
    several = [tuple(name + end for name in wanted) for end in ("", *ENDS[part])]
    for arrays in several:
        if names.issuperset(arrays):
            return arrays
    way = ", ".join(f"{name}=..." for name in wanted)
    raise Fault.of(
        "CNN413",
        f"{part}_file",
        where=where,
        arrays=_told(names),
        one=_listed(several[0]),
        other=_listed(several[1]),
        way=way,
    )


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
        raise Fault.of("CNN405", "source", case="packing", array=told)
    if entry.file_size > entry.compress_size * INFLATION:
        raise Fault.of("CNN407", "source", case="unpacked", array=told)
    with archive.open(entry) as file:
        header = npy_header(file)
        case = "labels" if labels else ""
        check_array(header, entry.file_size - file.tell(), told, case, texts=labels)
        yield file, header
