"""From a file's bytes to a source, and back."""

from __future__ import annotations

import codecs
from pathlib import Path

from ..diagnostics import Diagnostic, Source, Span, SpecError

MOST = 1_100_000  # bytes read of a file; more than the language reads, whatever its characters are


def load(path: Path, name: str) -> Source:
    """The source of a file. Raises SpecError where it cannot be read or is not UTF-8 text."""
    return decode(read_bytes(path, name), name)


def read_bytes(path: Path, name: str) -> bytes:
    """The bytes of a file, MOST and one more at most."""
    try:
        with open(path, "rb") as stream:
            return stream.read(MOST + 1)
    except OSError as error:
        raise unreadable(f"cannot read {name}: {reason(error)}", name) from error
    except ValueError as error:  # a NUL in the name
        raise unreadable(f"cannot read {name}: {error}", name) from error


def decode(data: bytes, name: str) -> Source:
    """The source that some bytes are.

    Ends of lines stay as they are, so offsets are those of the file; a byte order mark is dropped.
    """
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        # a file that is too long may be cut off in the middle of a character
        text = decoder.decode(data.removeprefix(codecs.BOM_UTF8), final=len(data) <= MOST)
    except UnicodeDecodeError as error:
        raise SpecError((not_text(error.object, error.start, name),)) from error
    return Source(name, text)


def encode(text: str, before: bytes) -> bytes:
    """A changed text as it is written back: with the byte order mark that the file had."""
    mark = codecs.BOM_UTF8 if before.startswith(codecs.BOM_UTF8) else b""
    return mark + text.encode("utf-8")


def not_text(data: bytes, at: int, name: str) -> Diagnostic:
    """The finding at the first byte that is no UTF-8."""
    before = data[:at].decode("utf-8")
    source = Source(name, before + data[at:].decode("utf-8", "replace"))
    span = Span(source, len(before), len(before) + 1)
    return Diagnostic("CNN010", f"byte 0x{data[at]:02x} is not UTF-8", span, help="save the file as UTF-8")


def unreadable(message: str, name: str) -> SpecError:
    """CNN009 at the head of a file whose text cannot be had."""
    return SpecError((Diagnostic("CNN009", message, Span(Source(name, ""), 0, 0)),))


def reason(error: OSError) -> str:
    """Why the system refused, in its words: `no such file or directory`."""
    return (error.strerror or str(error)).lower()
