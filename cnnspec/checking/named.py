"""The files that a spec names: the texts in quotes of it and of its imports, which may be paths.

    import "blocks.cnn"                  followed: what stands in it belongs to what a check finds here
    data { source npz "data/x.npz" }     data and weights: there or not, and since when

A text of a comment counts too: that asks for a look too many, and never for one too few.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
import time
from collections.abc import Iterable
from typing import NamedTuple

from ..plain_files import native, read_bytes

QUOTED = re.compile(rb'(\bimport[ \t]*)?"([^"\r\n]*)"')
MOST_BYTES = 1 << 20  # of a spec that is looked at
MOST_INSIDE = 1000  # folders in a named one that are looked at
MOST_LISTED = 20_000  # files of data that are told by when they changed
JUST_NOW = 50_000_000  # ns; what changed within them may change again without another time

Stamp = tuple[int, int] | None  # when something changed, in ns, and its size; None where nothing is


class Mention(NamedTuple):
    """A path that a spec names, from the current folder on, as it may be opened."""

    path: str
    imported: bool


def stamp(path: str) -> Stamp:
    """When what lies at a path changed."""
    try:
        seen = os.stat(path)
    except (OSError, ValueError):
        return None
    return seen.st_mtime_ns, seen.st_size


def mentions(name: str, data: bytes) -> tuple[Mention, ...]:
    """What the text of a file names, each once."""
    folder = os.path.dirname(name)
    found: dict[Mention, None] = {}
    for match in QUOTED.finditer(data):
        written = native(match[2].decode("utf-8", "surrogateescape"))
        imported = bool(match[1])
        path = os.path.join(folder, written if imported else os.path.expanduser(written))
        found[Mention(path, imported)] = None
    return tuple(found)


class NamedFiles:
    """Files and what they name; one that has not changed is not read again."""

    def __init__(self) -> None:
        self.known: dict[str, tuple[Stamp, bytes | None, tuple[Mention, ...]]] = {}
        self.listed: dict[str, bytes | None] = {}

    def text(self, path: str) -> bytes | None:
        """What stands in a file; None where it cannot be read."""
        return self._read(path)[0]

    def _read(self, path: str) -> tuple[bytes | None, tuple[Mention, ...]]:
        now = stamp(path)
        before, data, named = self.known.get(path, (None, None, ()))
        if now is None or now != before:
            try:
                data = read_bytes(path, MOST_BYTES)
            except OSError:
                data = None
            named = mentions(path, data or b"")
            self.known[path] = now, data, named
        return data, named

    def of(self, name: str, data: bytes | None = None) -> tuple[Mention, ...]:
        """What a file names, and what its imports do; `data` is its text where that is known."""
        waiting = list(mentions(name, data) if data is not None else self._read(name)[1])
        seen: dict[Mention, None] = {}
        followed: set[str] = set()
        while waiting:
            mention = waiting.pop()
            seen[mention] = None
            if mention.imported and (place := _place(mention.path)) not in followed:
                followed.add(place)
                waiting += self._read(mention.path)[1]
        return tuple(seen)

    def listing(self, path: str) -> bytes | None:
        """What lies at a path of data, looked at once; see `listing`."""
        if path not in self.listed:
            self.listed[path] = listing(path)
        return self.listed[path]

    def stamps(self, names: Iterable[str]) -> dict[str, Stamp]:
        """When each file changed that a check of some looks at; of a folder also those in it, one deep."""
        found: dict[str, Stamp] = {}
        for name in names:
            found[name] = stamp(name)
            for path in (mention.path for mention in self.of(name)):
                if path not in found:
                    found[path] = stamp(path)
                    found |= {folder: stamp(folder) for folder in _inside(path)}
        return found


def listing(path: str) -> bytes | None:
    """What lies at a path, a file or a folder with all that is in it: names, sizes, and when each changed.

    What is told twice has not changed between, since nobody sets the time at which a file's entry changed. None
    where that does not tell: there is very much, something changed just now, or links lead elsewhere.
    """
    found = hashlib.sha256()
    latest, waiting = 0, [path]
    count = 0
    try:
        while waiting:
            at = waiting.pop()
            seen = os.lstat(at)
            count += 1
            if count > MOST_LISTED or not (stat.S_ISREG(seen.st_mode) or stat.S_ISDIR(seen.st_mode)):
                return None
            latest = max(latest, seen.st_ctime_ns, seen.st_mtime_ns)
            told = (at, seen.st_mode, seen.st_size, seen.st_mtime_ns, seen.st_ctime_ns, seen.st_ino)
            found.update(repr(told).encode("utf-8", "surrogateescape"))
            if stat.S_ISDIR(seen.st_mode):
                waiting += sorted((os.path.join(at, name) for name in os.listdir(at)), reverse=True)
    except (OSError, ValueError):
        return None
    return None if latest > time.time_ns() - JUST_NOW else found.digest()


def _place(path: str) -> str:
    """A file's name in its folder, links followed: what it imports starts there, by whatever way it was found."""
    folder, name = os.path.split(path)
    try:
        return os.path.join(os.path.realpath(folder), name)
    except (OSError, ValueError):
        return path


def _inside(path: str) -> list[str]:
    """The folders in a folder."""
    try:
        if not stat.S_ISDIR(os.stat(path).st_mode):
            return []
        with os.scandir(path) as entries:
            return [entry.path for entry in entries if entry.is_dir()][:MOST_INSIDE]
    except (OSError, ValueError):
        return []
