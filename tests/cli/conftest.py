"""The command line in this process: arguments in, exit code and what was written out."""

import io
import sys
from typing import NamedTuple

import pytest

from cnnspec.cli import run


class Outcome(NamedTuple):
    code: int
    out: str
    err: str


@pytest.fixture
def here(tmp_path, monkeypatch):
    """An empty folder that is the current one."""
    monkeypatch.chdir(tmp_path)
    for name in ("NO_COLOR", "FORCE_COLOR", "CNNSPEC_TRACEBACK"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


@pytest.fixture
def cnnspec(here, capsysbinary, monkeypatch):
    """Run `cnnspec` with arguments, and what stands on standard input."""

    def call(*arguments, stdin=b""):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        code = run([str(argument) for argument in arguments])
        return Outcome(code, *(text.decode(errors="backslashreplace") for text in capsysbinary.readouterr()))

    return call


@pytest.fixture(autouse=True)
def plain(no_pictures):
    """Runs are not drawn, which takes more than half of the time of a small one."""
