"""From the arguments of a command to the files to check."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from ..diagnostics import Diagnostic
from .configuration import Configurations
from .ignored import Rules, ignored

ENDINGS = (".cnn", ".cnn.json")


@dataclass
class FoundFiles:
    """What to check, each file under the name that messages use, and what went wrong."""

    files: list[str] = field(default_factory=list)
    problems: list[tuple[str, Diagnostic]] = field(default_factory=list)


def search(arguments: Iterable[str], configurations: Configurations, force_exclude: bool = False) -> FoundFiles:
    """The files that are named, and every spec below the folders that are named.

    A named file is checked, whatever its ending, .gitignore and `exclude`,
    except that with `force_exclude` (for pre-commit, which names every file) `exclude` holds.
    """
    found = FoundFiles()
    seen: set[str] = set()
    for argument in arguments:
        path = Path(argument)
        absolute = Path(os.path.abspath(path))
        if path.is_dir():
            names: Iterable[str] = walk(path, absolute, tuple(outer_rules(absolute)), configurations)
        elif not os.path.lexists(path):
            problem = Diagnostic.of("CNN903", path=argument)
            found.problems.append((argument, problem))
            continue
        elif force_exclude and excluded(absolute, configurations):
            continue
        else:
            names = (str(path),)
        for name in names:
            key = os.path.abspath(name)
            if key not in seen:
                seen.add(key)
                found.files.append(name)
    if not found.files and not found.problems and not force_exclude:
        where = ", ".join(arguments)
        problem = Diagnostic.of("CNN903", case="empty", where=where)
        found.problems.append((where, problem))
    return found


def excluded(path: Path, configurations: Configurations) -> bool:
    """Whether `exclude` of the nearest configuration names a file, or a folder that it is in."""
    configuration = configurations.nearest(path.parent)
    if not configuration.folder or not configuration.exclude:
        return False
    rules = (Rules.of(configuration.exclude, configuration.folder),)
    inside = [parent for parent in path.parents if configuration.folder in parent.parents]
    return any(ignored(parent, True, rules) for parent in inside) or ignored(path, False, rules)


def walk(folder: Path, absolute: Path, rules: tuple[Rules, ...], configurations: Configurations) -> Iterator[str]:
    """Every spec below a folder, by name, without what is ignored, hidden, or behind a link to a folder."""
    # a list of folders to visit instead of recursion: nesting is the author's to choose
    waiting = [(folder, absolute, rules)]
    while waiting:
        folder, absolute, rules = waiting.pop()
        try:
            entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
        except OSError:
            continue
        if any(entry.name == ".gitignore" for entry in entries):
            rules = (*rules, Rules.read(absolute / ".gitignore", absolute))
        configuration = configurations.nearest(absolute)
        active = rules
        if configuration.exclude and configuration.folder:
            active = (*rules, Rules.of(configuration.exclude, configuration.folder))
        inner = []
        for entry in entries:
            is_folder = entry.is_dir(follow_symlinks=False)
            path = absolute / entry.name
            if is_folder:
                if not entry.name.startswith(".") and not ignored(path, True, active):
                    inner.append((folder / entry.name, path, rules))
            elif entry.name.endswith(ENDINGS) and not path.is_dir() and not ignored(path, False, active):
                yield str(folder / entry.name)
        waiting += reversed(inner)


def outer_rules(folder: Path) -> Iterator[Rules]:
    """The .gitignore files above a folder, up to the top of its repository, the outermost first."""
    parents = list(folder.parents)
    top = next((parent for parent in (folder, *parents) if (parent / ".git").exists()), None)
    if top is None:
        return
    yield Rules.read(top / ".git" / "info" / "exclude", top)
    for parent in reversed(parents):
        if parent == top or top in parent.parents:
            yield Rules.read(parent / ".gitignore", parent)
