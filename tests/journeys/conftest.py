"""A day of a user: a folder of their own, a shell of their own, and what the commands print."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import lockstep
import pytest
from started import PATIENCE, Started

ROOT = Path(__file__).parents[2]
KEPT = ("PATH", "SYSTEMROOT", "OPENBLAS_CORETYPE")  # what Python needs to start, and to compute rightly
OWN = {"PYTHONPATH": str(ROOT), "LC_ALL": "C.UTF-8", "PYTHONHASHSEED": "random"}


@dataclass(frozen=True)
class Said:
    """How a command ended, and what it said."""

    code: int
    out: str
    err: str

    @property
    def all(self) -> str:
        return self.out + self.err

    def json(self) -> Any:
        return json.loads(self.out)

    def number(self, before: str) -> float:
        """The number that follows a text in the output, a share where it ends in %."""
        found = re.search(re.escape(before) + r"\s*([-\d.,e]+)(%?)", self.out)
        assert found, f"no number after {before!r} in {self.out!r}"
        value = float(found[1].rstrip(".,").replace(",", ""))
        return value / 100 if found[2] else value


def ours() -> dict[str, str]:
    """The variables of every command."""
    return {**{name: os.environ[name] for name in KEPT if name in os.environ}, **OWN}


@dataclass
class Day:
    """A user in a folder. Nothing of the machine's settings reaches the commands but where Python is."""

    folder: Path
    started: Started | None  # None where there is no fork
    variables: dict[str, str] = field(default_factory=dict)

    @property
    def environment(self) -> dict[str, str]:
        home = self.folder.parent / "home"
        home.mkdir(exist_ok=True)
        return {**ours(), "HOME": str(home), **self.variables}

    def __truediv__(self, name: str) -> Path:
        return self.folder / name

    def write(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="")
        return path

    def command(self, *arguments: object) -> list[str]:
        return [sys.executable, "-m", "cnnspec", *map(str, arguments)]

    def tell(self, *arguments: object, stdin: bytes = b"", **variables: str) -> Said:
        """`cnnspec` with these arguments in a process of its own, which starts anew where Python looks at its
        variables when it starts; never a traceback, and never our own fault."""
        changed = {**self.variables, **variables}
        if self.started is None or any(name.startswith(("PYTHON", "LC_", "LANG")) for name in changed):
            return self.run(self.command(*arguments), stdin, **variables)
        environment = {**self.environment, **variables}
        return heard(*self.started.run(list(map(str, arguments)), self.folder, environment, stdin))

    def python(self, program: str, *arguments: object, **variables: str) -> Said:
        """A program of the user's own; it must end well."""
        said = self.run([sys.executable, "-c", program, *map(str, arguments)], **variables)
        assert said.code == 0, said.err
        return said

    def run(self, command: list[str], stdin: bytes = b"", **variables: str) -> Said:
        done = subprocess.run(
            command, cwd=self.folder, env={**self.environment, **variables}, input=stdin, capture_output=True,
            timeout=PATIENCE,
        )  # fmt: skip
        return heard(done.returncode, done.stdout, done.stderr)

    def well(self, *arguments: object, **variables: str) -> Said:
        """The same for a command that must end well."""
        said = self.tell(*arguments, **variables)
        assert said.code == 0, said.all
        return said

    def stopped(self, number: signal.Signals, *arguments: object, after: str) -> Said:
        """A command that gets a signal once a line with `after` has come, before it writes many more."""
        process = lockstep.start(
            self.command(*arguments), cwd=self.folder, env=self.environment, stdin=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )  # fmt: skip
        seen = []
        assert process.stdout is not None
        for line in process.stdout:
            seen.append(line)
            if after in line.decode():
                break
        process.send_signal(number)
        out, err = process.communicate(timeout=PATIENCE)
        told = (b"".join(seen) + out).decode("utf-8", "replace")
        return Said(process.returncode, told, err.decode("utf-8", "replace"))


def heard(code: int, out: bytes, err: bytes) -> Said:
    """What a command said, which is never our own fault."""
    said = Said(code, out.decode("utf-8", "replace"), err.decode("utf-8", "replace"))
    assert said.code != 3 and "Traceback" not in said.all and "CNN901" not in said.all, said.all
    return said


@pytest.fixture(scope="session")
def started() -> Iterator[Started | None]:
    if not hasattr(os, "fork"):
        yield None
        return
    parent = Started(ours())
    yield parent
    parent.close()


@pytest.fixture(scope="session")
def begin(started) -> Callable[[Path], Day]:
    """A day whose work lies in a folder of this one."""

    def day(around: Path) -> Day:
        folder = around / "work"
        folder.mkdir()
        return Day(folder, started)

    return day


@pytest.fixture
def day(tmp_path, begin) -> Day:
    return begin(tmp_path)
