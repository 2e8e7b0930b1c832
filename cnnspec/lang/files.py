"""Files as sources: UTF-8 texts, and a diagnostic for everything else that a path can lead to."""

from __future__ import annotations

import codecs
from pathlib import Path

from ..diagnostics import Diagnostic, Source, Span
from ..plain_files import open_regular
from .parse.parser import LARGEST_FILE

MOST_BYTES = 4 * LARGEST_FILE + 4  # no more is read of a file, however long it is


def read_file(path: Path, name: str = "") -> Source | Diagnostic:
    """The text of a file, or why there is none; `name` is how messages speak of it (default: the path)."""
    name = name or str(path)
    empty = Span(Source(name, ""), 0, 0)
    try:
        with open_regular(path) as file:
            raw = file.read(MOST_BYTES)
    except OSError as error:
        reason = error.strerror or str(error)
        return Diagnostic.of("CNN009", empty, name=name, reason=reason.lower())
    return decoded(raw, name)


def decoded(raw: bytes, name: str) -> Source | Diagnostic:
    """The text of a file's bytes, without a byte order mark."""
    raw = raw.removeprefix(codecs.BOM_UTF8)
    try:
        return Source(name, raw.decode("utf-8"))
    except UnicodeDecodeError as error:
        if len(raw) == MOST_BYTES and error.start >= len(raw) - 4:  # cut within a character
            return Source(name, raw[: error.start].decode("utf-8"))
        source = Source(name, raw.decode("utf-8", errors="replace"))
        at = len(raw[: error.start].decode("utf-8"))
        wide = raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
        return Diagnostic.of(
            "CNN010", Span(source, at, at + 1), case="UTF-16" if wide else "", byte=raw[error.start]
        )
