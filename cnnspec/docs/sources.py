"""The sources of the site: the pages of the repository in their order, and the path of each file."""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import NamedTuple

from ..plain_files import read_text
from ..resources import PACKAGE, PACKAGED, grammar_folder

ORDER = (  # the others follow by their names
    "README.md",
    "grammar/own-data.md",
    "grammar/guide.md",
    "grammar/README.md",
    "grammar/codes.md",
    "grammar/training.md",
    "grammar/experiments.md",
    "grammar/checking.md",
    "grammar/editors/README.md",
    "grammar/page.md",
    "grammar/lab.md",
    "grammar/python.md",
)
LAST = (
    "grammar/plans.md",
    "grammar/speed.md",
    "grammar/measured.md",
    "grammar/cluster.md",
    "grammar/contributing.md",
)
NAMES = {"README.md": "index", "grammar/README.md": "language", "grammar/editors/README.md": "editors"}
FOLDER = "FOLDER"  # what the pages say for a folder that `cnnspec editor` knows


class SourcePage(NamedTuple):
    """A page as it is written: its path in the repository, the name of its file in the site, its Markdown."""

    path: PurePosixPath
    name: str
    text: str


def written() -> list[SourcePage]:
    """The pages, in the order in which a newcomer reads them."""
    there = [f"grammar/{path.name}" for path in sorted(grammar_folder().glob("*.md"))]
    between = [path for path in there if path not in ORDER and path not in LAST]
    found = []
    for path in (*ORDER, *between, *LAST):
        name = NAMES.get(path, PurePosixPath(path).stem)
        text = read_text(stored(PurePosixPath(path))).replace("{folder}", FOLDER)
        found.append(SourcePage(PurePosixPath(path), f"{name}.html", text))
    return found


def stored(path: PurePosixPath) -> Path:
    """Where a file of the repository lies here: in the wheel, or in the repository of an editable install."""
    if not PACKAGED.is_dir():
        return PACKAGE.parent / path
    if path.parts[0] == "grammar":
        return PACKAGED.joinpath(*path.parts[1:])
    return PACKAGE / "_readme.md" if str(path) == "README.md" else PACKAGE.parent / path
