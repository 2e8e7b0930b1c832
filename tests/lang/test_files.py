"""Files as sources, and what is no text."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from cnnspec.diagnostics import Diagnostic, Source
from cnnspec.lang import read
from cnnspec.lang.files import read_file
from cnnspec.lang.parse.parser import LARGEST_FILE


def test_utf_8_with_and_without_a_mark(tmp_path: Path) -> None:
    for raw in ("dense 2 # ß".encode(), b"\xef\xbb\xbf" + "dense 2 # ß".encode()):
        (tmp_path / "a.cnn").write_bytes(raw)
        assert read_file(tmp_path / "a.cnn", "a.cnn") == Source("a.cnn", "dense 2 # ß")


@pytest.mark.parametrize(
    ("raw", "line", "column"),
    [(b"dense 2\nrelu \xff", 2, 6), (b"\xff\xfed\x00", 1, 1), ("ä\n# ü".encode("latin-1"), 1, 1), (b"a\xc3", 1, 2)],
)
def test_other_bytes_have_a_place(tmp_path: Path, raw: bytes, line: int, column: int) -> None:
    (tmp_path / "a.cnn").write_bytes(raw)
    found = read_file(tmp_path / "a.cnn")
    assert isinstance(found, Diagnostic) and found.code == "CNN010" and found.span is not None
    assert (found.span.line, found.span.column) == (line, column)


def test_what_is_no_file(tmp_path: Path) -> None:
    (tmp_path / "loop.cnn").symlink_to("loop.cnn")
    os.mkfifo(tmp_path / "pipe.cnn")
    for path in (tmp_path, tmp_path / "gone.cnn", tmp_path / "loop.cnn", tmp_path / "pipe.cnn", Path("\0")):
        found = read_file(path)
        assert isinstance(found, Diagnostic) and found.code == "CNN009", path


def test_no_more_is_read_than_is_needed(tmp_path: Path) -> None:
    (tmp_path / "a.cnn").write_bytes("ä".encode() * 10_000_000)
    source = read_file(tmp_path / "a.cnn")
    assert isinstance(source, Source) and LARGEST_FILE < len(source.text) < 5 * LARGEST_FILE
    assert [found.code for found in read(source).diagnostics] == ["CNN008"]
