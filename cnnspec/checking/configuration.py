"""Settings of a check: `[tool.cnnspec]` of the nearest pyproject.toml.

The nearest file that has the table is used whole; tables further up are not merged into it. Options of
the command line replace single keys.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any

from ..diagnostics import Diagnostic, Source, Span, SpecError
from ..plain_files import NotAFile, read_text
from ..record import record

KEYS = ("select", "ignore", "strict", "exclude")
ALWAYS = ("CNN0", "CNN9")  # what keeps a file from being read, and what befalls the command itself


@record
class Configuration:
    """The configuration: codes to report, files to check.

    select, ignore   codes or their beginnings; the longer match decides, `ignore` where they are equal
    strict           warnings fail too
    exclude          patterns as in .gitignore, for files found in folders
    folder           where the pyproject.toml is
    """

    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    strict: bool = False
    exclude: tuple[str, ...] = ()
    folder: Path | None = None

    def wants(self, code: str) -> bool:
        """Whether findings of a code are reported.

        ignore = ["CNN2"], select = ["CNN231"]   wants CNN231, not CNN230
        """
        if code.startswith(ALWAYS):
            return True
        selected = max((len(prefix) for prefix in self.select or ("",) if code.startswith(prefix)), default=-1)
        ignored = max((len(prefix) for prefix in self.ignore if code.startswith(prefix)), default=-1)
        return selected > ignored


@dataclass(eq=False, repr=False)
class Configurations:
    """Finds the configuration of each folder, reading every pyproject.toml once."""

    found: dict[Path, Configuration] = field(default_factory=dict)

    def nearest(self, folder: Path) -> Configuration:
        """The configuration that holds in an absolute folder. Raises SpecError where it cannot be used."""
        passed = []
        for parent in chain((folder,), folder.parents):
            if parent in self.found:
                configuration = self.found[parent]
                break
            passed.append(parent)
            configuration = read(parent / "pyproject.toml")
            if configuration.folder:
                break
        for parent in passed:
            self.found[parent] = configuration
        return configuration


def read(path: Path) -> Configuration:
    """The table of one file; the empty configuration where there is no such file or table."""
    try:
        text = read_text(path)
    except (FileNotFoundError, NotADirectoryError, PermissionError, NotAFile):
        return Configuration()
    except (OSError, UnicodeDecodeError) as error:
        raise refusal(Source(_shown(path), ""), "", "unreadable", path=path, reason=error) from error
    if "cnnspec" not in text:
        return Configuration()

    import tomllib

    source = Source(_shown(path), text)
    try:
        table = tomllib.loads(text).get("tool", {}).get("cnnspec")
    except (tomllib.TOMLDecodeError, AttributeError, RecursionError) as error:
        raise refusal(source, "", "TOML", reason=error) from error
    return Configuration() if table is None else from_table(table, source, path.parent)


def _shown(path: Path) -> str:
    """A path as files are named on the command line: GitHub finds no absolute ones."""
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)


def from_table(table: object, source: Source, folder: Path) -> Configuration:
    """Check a table key by key; unknown keys are errors."""
    if not isinstance(table, dict):
        raise refusal(source, "cnnspec", "table")
    values: dict[str, Any] = {}
    for key, value in table.items():
        if key in ("select", "ignore", "exclude"):
            if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
                raise refusal(source, key, "texts", key=key)
            values[key] = tuple(value)
        elif key == "strict":
            if not isinstance(value, bool):
                raise refusal(source, key, "strict")
            values[key] = value
        else:
            if near := nearest(key):
                raise refusal(source, key, "near", key=key, near=near)
            raise refusal(source, key, "unknown", key=key, known=", ".join(KEYS))
    for key in ("select", "ignore"):
        for unknown in unknown_codes(values.get(key, ())):
            raise refusal(source, key, "code", key=key, unknown=unknown)
    return Configuration(**values, folder=folder)


def unknown_codes(prefixes: Iterable[str]) -> list[str]:
    """Those that no code begins with."""
    from ..diagnostics.codes import CODES

    return [p for p in prefixes if p[:3] != "CNN" or not any(code.startswith(p) for code in CODES)]


def nearest(key: str) -> str:
    """The key that another one is nearly; empty where it is near none."""
    from difflib import get_close_matches

    return next(iter(get_close_matches(key, KEYS, 1)), "")


def refusal(source: Source, key: str, case: str, /, **fields: object) -> SpecError:
    """A case of CNN905 at a key of the file; tomllib tells no positions, so the key is looked for in the text."""
    table = source.text.find("[tool.cnnspec]")
    match = re.compile(rf'^[ \t]*"?({re.escape(key)})\b', re.M).search(source.text, max(table, 0)) if key else None
    span = Span(source, match.start(1), match.end(1)) if match else Span(source, 0, 0)
    return SpecError((Diagnostic.of("CNN905", span, case, (), **fields),))
