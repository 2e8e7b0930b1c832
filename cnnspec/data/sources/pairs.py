"""Images without classes, all that lie below a folder; and pairs of an image and the mask or picture of it.

photos/street/1.jpg     masks/street/1.png          a pair has one name, endings aside
photos/train/2.jpg      masks/train/2.png           train, val and test are parts in both
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ...diagnostics import Fault
from .folders import PARTS, FolderPart, FolderTree, inside, is_document

DEEPEST = 16  # folders within each other


def flat(folder: Path) -> FolderTree:
    """The images below a folder by their names alone, in any folders; `train` and its like are parts."""
    folders, _ = inside(folder)
    named = {PARTS.get(path.name.casefold()): path for path in folders}
    if "train" not in named:
        return FolderTree((), _part(folder, folder)[0], None, None, _part(folder, folder)[1])
    found = {part: _part(path, folder) for part, path in named.items() if part}
    train, validation, test = (found[p][0] if p in found else None for p in ("train", "validation", "test"))
    assert train is not None
    return FolderTree((), train, validation, test, sum(passed for _, passed in found.values()))


def _part(folder: Path, whole: Path) -> tuple[FolderPart, int]:
    found = list(_below(folder))
    files = tuple(file for file in found if not is_document(file))
    if not files:
        raise Fault.of("CNN414", "source", case="pair", folder=folder)
    return FolderPart(folder, files, ()), len(found) - len(files)


def _below(folder: Path, depth: int = 0) -> Iterator[Path]:
    folders, files = inside(folder)
    yield from files
    if folders and depth == DEEPEST:
        raise Fault.of("CNN415", "source", case="deep", folder=folders[0], most=DEEPEST)
    for path in folders:
        yield from _below(path, depth + 1)


def pairs(images: Path, targets: Path) -> tuple[FolderTree, dict[Path, Path]]:
    """The images below a folder, and for each the file below another that belongs to it; else a Fault."""
    tree = flat(images)
    partners = _by_name(targets, tuple(file for file in _below(targets) if not is_document(file)))
    parts = [part for part in (tree.train, tree.validation, tree.test) if part]
    named = _by_name(images, tuple(file for part in parts for file in part.files))
    for one, others, where in ((named, partners, targets), (partners, named, images)):
        lacking = next((name for name in one if name not in others), None)
        if lacking is not None:
            raise Fault.of("CNN434", "source", file=one[lacking], where=where, name=lacking)
    return tree, {file: partners[name] for name, file in named.items()}


def _by_name(folder: Path, files: tuple[Path, ...]) -> dict[str, Path]:
    """Files by their names from a folder, endings aside; each part is called as `PARTS` calls it."""
    found: dict[str, Path] = {}
    for file in files:
        first, *rest = file.relative_to(folder).with_suffix("").parts
        name = "/".join((PARTS.get(first.casefold(), first) if rest else first, *rest))
        if name in found:
            raise Fault.of("CNN434", "source", case="one name", one=found[name], file=file)
        found[name] = file
    return found
