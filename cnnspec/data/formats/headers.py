"""The headers of IDX and npy files: what they tell of their numbers, read and held against the file's size.

IDX, the format of MNIST            npy, the format of NumPy's arrays

bytes 0 1   zero                    "\\x93NUMPY", version (2 bytes), length of the header (2 or 4 bytes)
byte  2     what the numbers are    {'descr': '<f4', 'fortran_order': False, 'shape': (60, 3, 8, 8), }
byte  3     how many axes           the numbers
4 each      the sizes of the axes
the rest    the numbers, the last axis fastest, the highest byte first
"""

from __future__ import annotations

import gzip
import re
from math import prod
from typing import IO, NamedTuple

from ...diagnostics import Fault

IDX_TYPES = {8: ">u1", 9: ">i1", 11: ">i2", 12: ">i4", 13: ">f4", 14: ">f8"}
NUMBERS = re.compile(r"[<>|=]?(b1|[iu][1248]|f[248])")
TEXTS = re.compile(r"[<>|=]?[US]\d{1,6}")
LONGEST_HEADER = 10_000
MOST_AXES = 32  # of NumPy 1; NumPy 2 has 64
DESCR = r"'descr':\s*(?:'([^']*)'|\[)"  # a list is a type with fields
FORTRAN = r"'fortran_order':\s*(True|False)"
SHAPE = r"'shape':\s*\(([\d, ]*)\)"


class Header(NamedTuple):
    """What a header tells; `kind` as NumPy writes a type (`<f4`), `backwards` where the first axis is fastest."""

    shape: tuple[int, ...]
    kind: str
    backwards: bool = False

    @property
    def told(self) -> str:
        return "x".join(map(str, self.shape)) or "1"

    @property
    def length(self) -> int:
        """Bytes of the numbers, or of the texts (of 4 bytes a character in `U`)."""
        width = int(self.kind.lstrip("<>|=")[1:])
        return prod(self.shape) * width * (4 if "U" in self.kind else 1)


def idx_header(file: IO[bytes], name: str, axes: tuple[int, ...], most: int) -> Header:
    """The header of an IDX file of at most `most` bytes, which must have one of these numbers of axes."""
    head = file.read(4)
    if len(head) < 4:
        raise Fault.of("CNN404", "source", case="begin", name=name, bytes=len(head))
    if head[:2] != b"\0\0" or head[2] not in IDX_TYPES:
        raise Fault.of("CNN405", "source", case="IDX", name=name, begin=head.hex(" "))
    count = head[3]
    if count not in axes:
        wanted = " or ".join(map(str, axes))
        raise Fault.of("CNN408", "source", case="IDX", name=name, count=count, wanted=wanted)
    sizes = file.read(4 * count)
    if len(sizes) < 4 * count:
        raise Fault.of("CNN404", "source", case="sizes", name=name, bytes=len(sizes), wanted=4 * count)
    shape = tuple(int.from_bytes(sizes[i : i + 4], "big") for i in range(0, 4 * count, 4))
    header = Header(shape, IDX_TYPES[head[2]])
    if not header.length:
        raise Fault.of("CNN414", "source", name=name, sizes=header.told)
    follow = most - 4 - 4 * count
    if header.length > follow:
        raise short(name, header, f"{'at most ' if isinstance(file, gzip.GzipFile) else ''}{follow:,}")
    return header


def short(name: str, header: Header, follow: str) -> Fault:
    """The fault of an IDX file that has fewer bytes than its header tells of."""
    return Fault.of(
        "CNN404", "source", case="short", name=name, numbers=header.told, bytes=header.length, follow=follow
    )


def npy_header(file: IO[bytes]) -> Header:
    """The header of an npy file; ValueError where it makes no sense.

    A header is a dict in Python's syntax. Its three entries are looked for, and nothing is evaluated.
    """
    start = file.read(8)
    if start[:6] != b"\x93NUMPY" or start[6:] not in (b"\1\0", b"\2\0", b"\3\0"):
        raise ValueError("an array does not begin as an npy file does")
    length = int.from_bytes(file.read(2 if start[6] == 1 else 4), "little")
    if length > LONGEST_HEADER:
        raise ValueError("the header of an array is too long")
    header = file.read(length).decode("latin1")
    parts = [re.search(pattern, header) for pattern in (DESCR, FORTRAN, SHAPE)]
    if None in parts:
        raise ValueError(f"the header of an array is {header[:80].strip()!r}")
    descr, backwards, sizes = (part.group(1) for part in parts if part)
    shape = tuple(map(int, re.findall(r"\d+", sizes)))
    if len(shape) > MOST_AXES:
        raise ValueError(f"the header of an array tells of {len(shape)} axes")
    return Header(shape, descr or "with fields", backwards == "True")


def check_array(header: Header, follows: int, told: str, case: str, texts: bool = False) -> None:
    """Raise a Fault unless an array is of numbers (or `texts`) that take the `follows` bytes behind its header.

    `case` is that of CNN412: of images, or of `labels`.
    """
    if not NUMBERS.fullmatch(header.kind) and not (texts and TEXTS.fullmatch(header.kind)):
        raise Fault.of("CNN412", "source", case=case, array=told, type=header.kind[:40])
    if header.length != follows:
        raise Fault.of(
            "CNN404", "source", case="length", array=told, numbers=header.told, bytes=header.length, follows=follows
        )
    if not header.length:
        raise Fault.of("CNN414", "source", name=told, sizes=header.told)
