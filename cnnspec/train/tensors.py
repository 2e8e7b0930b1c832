"""safetensors files: named arrays behind a header, and nothing that could run.

    8 bytes    length of the header, little-endian
    header     JSON: {"conv1.weight": {"dtype": "F32", "shape": [8, 1, 3, 3], "data_offsets": [0, 288]}, ...}
               and under "__metadata__" texts by name
    data       the arrays, one behind the other

A file may come from anywhere, so the header is held against the file's size before anything is allocated:
every offset within the file, no gap, no overlap, every shape as large as its piece. What is written here
has the keys of its header in order, so that equal weights make equal files, and a checksum of its data.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from math import prod
from pathlib import Path
from typing import BinaryIO, NoReturn, TypeGuard
from zlib import crc32

import numpy as np

from ..capacity import free_memory, mebibytes
from ..diagnostics import Diagnostic, SpecError
from ..plain_files import open_regular, size_of
from ..quoting import literal
from . import files

DTYPES = {
    "F64": "<f8", "F32": "<f4", "F16": "<f2", "BF16": "<u2",
    "I64": "<i8", "I32": "<i4", "I16": "<i2", "I8": "|i1",
    "U64": "<u8", "U32": "<u4", "U16": "<u2", "U8": "|u1", "BOOL": "|u1",
}  # fmt: skip
CODES = {np.dtype(kind): code for code, kind in DTYPES.items() if code not in ("BF16", "BOOL")}
FOREIGN = {  # how other formats begin
    b"PK\x03\x04": "a zip, as torch.save and numpy.savez write",
    b"\x80\x02": "a pickle, which could run code",
    b"\x80\x04": "a pickle, which could run code",
    b"\x1f\x8b\x08": "packed by gzip",
    b"\x93NUM": "an npy file",
    b"\x89HDF": "an HDF5 file",
}
CHECKSUM = "crc32"  # of the data, among the metadata of files that are written here
MAX_HEADER = 2 << 20  # JSON takes some 25 times its length in memory
MAX_RANK = 8
MAX_ELEMENTS = 1 << 48


@dataclass(frozen=True)
class Tensors:
    """The contents of a file; arrays in its order."""

    arrays: dict[str, np.ndarray]
    metadata: dict[str, str]


@dataclass(frozen=True)
class TensorEntry:
    """One array, as the header tells of it."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    start: int
    end: int


def write(path: Path, arrays: Mapping[str, np.ndarray], metadata: Mapping[str, str]) -> None:
    """Write a file in place of what is there, wholly or not at all."""
    files.write(path, contents(arrays, metadata))


def contents(arrays: Mapping[str, np.ndarray], metadata: Mapping[str, str]) -> Iterator[bytes | memoryview]:
    """The bytes of a file, piece by piece."""
    # widest numbers first, so that each array lies at a multiple of its numbers' size
    ordered = sorted(arrays.items(), key=lambda item: -item[1].itemsize)
    checksum = 0
    for part in _data(ordered):
        checksum = crc32(part, checksum)
    header: dict[str, object] = {"__metadata__": dict(sorted({**metadata, CHECKSUM: f"{checksum:08x}"}.items()))}
    end = 0
    for name, values in ordered:
        start, end = end, end + values.nbytes
        header[name] = {
            "dtype": CODES[values.dtype.newbyteorder("<")],
            "shape": list(values.shape),
            "data_offsets": [start, end],
        }
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % 8)
    return chain((len(text).to_bytes(8, "little"), text), _data(ordered))


def _data(arrays: list[tuple[str, np.ndarray]]) -> Iterator[memoryview]:
    for _, values in arrays:
        if values.size:
            yield np.ascontiguousarray(values, values.dtype.newbyteorder("<")).reshape(-1).data.cast("B")


def read(path: Path) -> Tensors:
    """Read a file; its faults are diagnostics."""
    with _opened(path) as file:
        size = size_of(file)
        entries, metadata, data = _header(path, file, size)
        ensure_free(path, size)
        arrays, checksum = {}, 0
        for entry in entries:
            file.seek(data + entry.start)
            values = _values(path, file, entry)
            checksum = crc32(values.view(np.uint8).data, checksum)
            arrays[entry.name] = _array(values, entry)
        if metadata.pop(CHECKSUM, f"{checksum:08x}") != f"{checksum:08x}":
            refuse("CNN454", path, case="checksum")
        return Tensors(arrays, metadata)


def read_metadata(path: Path) -> dict[str, str]:
    """The texts of a file, without its arrays; their faults are diagnostics."""
    with _opened(path) as file:
        metadata = _header(path, file, size_of(file))[1]
        metadata.pop(CHECKSUM, None)
        return metadata


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    try:
        with open_regular(path) as file:
            yield file
    except FileNotFoundError:
        refuse("CNN450", path, case="missing")
    except OSError as error:
        refuse("CNN450", path, reason=(error.strerror or str(error)).lower())


def ensure_free(path: Path, size: int) -> None:
    """Refuse a file whose arrays would take more memory than is free, before they take any."""
    free = free_memory()
    if free is not None and size > free:
        refuse("CNN450", path, case="memory", size=mebibytes(size), free=mebibytes(free))


def refuse(code: str, path: Path, *, case: str = "", **fields: object) -> NoReturn:
    """Raise what a code says of a file; see `Diagnostic.of`."""
    raise SpecError((Diagnostic.of(code, None, case, (), path=shown(str(path)), **fields),))


def shown(text: str) -> str:
    """A text out of a file, short and without characters that do something to a terminal."""
    text = text if len(text) <= 200 else text[:199] + "…"
    return text if text.isprintable() else ascii(text)[1:-1]


def _header(path: Path, file: BinaryIO, size: int) -> tuple[list[TensorEntry], dict[str, str], int]:
    """The arrays in the order of their data, the metadata, and where the data starts."""
    lead = file.read(8)
    if len(lead) < 8:
        refuse("CNN452", path, case="lead", bytes=len(lead))
    length = int.from_bytes(lead, "little")
    if length > MAX_HEADER or length + 8 > size:
        for magic, kind in FOREIGN.items():
            # a length may begin as a pickle does, but not a length beyond what is read
            if lead.startswith(magic) and (len(magic) > 2 or length > MAX_HEADER):
                named, new = literal(path.name), literal(path.with_suffix(".safetensors").name)
                refuse("CNN451", path, case="foreign", kind=kind, file=named, new=new)
    if length > MAX_HEADER:
        refuse("CNN451", path, case="length", length=length, most=MAX_HEADER)
    if length + 8 > size:
        refuse("CNN452", path, case="header", size=size, length=length)
    try:
        raw = json.loads(file.read(length).decode(), object_pairs_hook=_object, parse_constant=_constant)
    except (ValueError, RecursionError) as error:
        refuse("CNN451", path, reason=shown(str(error)) or "too deep")
    if not isinstance(raw, dict):
        refuse("CNN451", path, case="no object")
    metadata = raw.pop("__metadata__", {})
    if not isinstance(metadata, dict) or not all(isinstance(text, str) for text in metadata.values()):
        refuse("CNN451", path, case="metadata")
    try:
        json.dumps(raw | metadata, ensure_ascii=False).encode()
    except UnicodeEncodeError:  # half a character, which JSON can write
        refuse("CNN451", path, case="UTF-8")
    entries = sorted((_entry(path, *item) for item in raw.items()), key=lambda e: (e.start, e.end))
    _check_layout(path, entries, size - 8 - length)
    return entries, metadata, 8 + length


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a name stands there twice")
    return found


def _constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number of JSON")


def _entry(path: Path, name: str, raw: object) -> TensorEntry:
    """One array's entry, with its dtype, shape and piece of the file agreeing."""
    if not isinstance(raw, dict) or set(raw) != {"dtype", "shape", "data_offsets"}:
        refuse("CNN451", path, case="entry", tensor=shown(name))
    dtype, shape, offsets = raw["dtype"], raw["shape"], raw["data_offsets"]
    if not isinstance(dtype, str) or dtype not in DTYPES:
        refuse("CNN453", path, tensor=shown(name), dtype=shown(str(dtype)), known=", ".join(DTYPES))
    if not _whole(shape) or len(shape) > MAX_RANK or prod(max(1, n) for n in shape) > MAX_ELEMENTS:
        refuse("CNN454", path, case="shape", tensor=shown(name), shape=shown(str(shape)))
    if not _whole(offsets) or len(offsets) != 2 or offsets[0] > offsets[1]:
        refuse("CNN454", path, case="offsets", tensor=shown(name), offsets=shown(str(offsets)))
    start, end = offsets
    wanted = prod(shape) * np.dtype(DTYPES[dtype]).itemsize
    if end - start != wanted:
        size = "x".join(map(str, shape)) or "1"
        refuse(
            "CNN454",
            path,
            case="size",
            tensor=shown(name),
            size=size,
            dtype=dtype,
            wanted=wanted,
            given=end - start,
        )
    return TensorEntry(name, dtype, tuple(shape), start, end)


def _whole(numbers: object) -> TypeGuard[list[int]]:
    """Whether it is a list of whole numbers from 0."""
    return isinstance(numbers, list) and all(type(n) is int and n >= 0 for n in numbers)


def _check_layout(path: Path, entries: list[TensorEntry], size: int) -> None:
    """The pieces must lie one behind the other and fill the file."""
    end = 0
    for entry in entries:
        if entry.start != end:
            case = "overlap" if entry.start < end else "gap"
            refuse("CNN454", path, case=case, name=shown(entry.name))
        end = entry.end
    if end > size:
        refuse("CNN452", path, size=size, end=end)
    if end < size:
        refuse("CNN454", path, case="end", bytes=size - end)


def _values(path: Path, file: BinaryIO, entry: TensorEntry) -> np.ndarray:
    """The numbers of an array as the file has them, in a row."""
    count = prod(entry.shape)
    values = np.fromfile(file, DTYPES[entry.dtype], count)
    if values.size < count:
        refuse("CNN452", path, case="array", name=shown(entry.name))
    return values


def _array(values: np.ndarray, entry: TensorEntry) -> np.ndarray:
    values = values.reshape(entry.shape)
    if entry.dtype == "BF16":  # the upper half of a float32
        return (values.astype("<u4") << 16).view("<f4")
    if entry.dtype == "BOOL":
        return values != 0
    return values.astype(values.dtype.newbyteorder("="), copy=False)
