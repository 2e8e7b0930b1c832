"""Folders of images: which parts they have, which classes, and which files are images.

    photos/cat/1.png            photos/train/cat/1.png
    photos/dog/1.png            photos/val/cat/2.png        also valid, validation; may be absent
                                photos/test/cat/3.png       may be absent

`train` is a part, and not a class, where there are folders in it. What begins with a dot, what systems and cameras
leave beside images, and documents (by their endings) are passed over; every other file in a class is an image.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from ...diagnostics import Fault
from ..classes import composed, in_order
from ..files import unreadable

VALIDATION = ("val", "valid", "validation")
PARTS = {"train": "train", **dict.fromkeys(VALIDATION, "validation"), "test": "test"}
DOCUMENTS = (".csv", ".db", ".html", ".ini", ".json", ".log", ".md", ".rst", ".tsv", ".txt", ".url", ".xml", ".yml")
NAMED_DOCUMENTS = frozenset(("readme", "license", "licence", "copying", "icon\r"))
FOLDERS_OF_SYSTEMS = frozenset(("__macosx", "$recycle.bin", "system volume information", "@eadir", "lost+found"))


@dataclass(frozen=True)
class FolderPart:
    """The images of a training, a validation or a test: files and their classes, in the order of both."""

    folder: Path
    files: tuple[Path, ...]
    labels: tuple[int, ...]


@dataclass(frozen=True)
class FolderTree:
    """What lies below a folder. `passed` counts files that are no images by their names."""

    classes: tuple[str, ...]
    train: FolderPart
    validation: FolderPart | None
    test: FolderPart | None
    passed: int

    @property
    def own(self) -> dict[str, str]:
        """The names of the folders of validation and test."""
        return {
            name: part.folder.name for name, part in (("validation", self.validation), ("test", self.test)) if part
        }

    @property
    def first(self) -> Path:
        return self.train.files[0]


def tree(folder: Path) -> FolderTree:
    """The images below a folder by their names alone; not one of them is opened."""
    parts = _parts(folder)
    classes = _classes(parts["train"])
    found = {part: _part(place, classes, part) for part, place in parts.items()}
    passed = sum(count for _, count in found.values())
    train, test, validation = (
        found[part][0] if part in found else None for part in ("train", "test", "validation")
    )
    assert train, "without images to learn from there is a fault"
    return FolderTree(classes, train, validation, test, passed)


def _parts(folder: Path) -> dict[str, Path]:
    """The folder of each part; all of it is `train` where the folder holds classes."""
    folders = inside(folder)[0]
    named = [(path, PARTS.get(path.name.casefold())) for path in folders]
    if not any(part == "train" and inside(path)[0] for path, part in named):
        return {"train": folder}
    found: dict[str, Path] = {}
    for path, part in named:
        if part is None:
            raise Fault.of("CNN410", "source", case="part", name=path.name, folder=folder, parts=", ".join(PARTS))
        if part in found:
            raise Fault.of("CNN410", "source", case="twice", folder=folder, one=found[part].name, other=path.name)
        found[part] = path
    return found


def _classes(folder: Path) -> tuple[str, ...]:
    folders, _ = inside(folder)
    if not folders:
        raise Fault.of("CNN414", "source", case="folders", folder=folder)
    return in_order(_name(path) for path in folders)


def _name(folder: Path) -> str:
    return composed(folder.name)


def _part(folder: Path, classes: tuple[str, ...], part: str) -> tuple[FolderPart, int]:
    folders, strays = inside(folder)
    number = {name: i for i, name in enumerate(classes)}
    for path in folders:
        if _name(path) not in number:
            raise Fault.of(
                "CNN410",
                "source",
                case="folder",
                name=path.name,
                folder=folder,
                classes=", ".join(classes[:8]),
                more=", ..." if len(classes) > 8 else "",
            )
    for path in strays:
        if not is_document(path):
            raise Fault.of("CNN410", "source", case="file", name=path.name, folder=folder)
    files: list[Path] = []
    labels: list[int] = []
    passed = len(strays)
    for path in sorted(folders, key=lambda path: (number[_name(path)], path.name)):
        deeper, there = inside(path)
        if deeper:
            raise Fault.of("CNN415", "source", case="folder", path=deeper[0])
        images = [file for file in there if not is_document(file)]
        if not images and part == "train":
            raise Fault.of("CNN414", "source", case="class", folder=path)
        passed += len(there) - len(images)
        files += images
        labels += [number[_name(path)]] * len(images)
    if not files:
        raise Fault.of("CNN414", "source", case="part", folder=folder, part=part)
    return FolderPart(folder, tuple(files), tuple(labels)), passed


def is_document(path: Path) -> bool:
    """Whether a file is none of the images by its name."""
    name = path.name.lower()
    return os.path.splitext(name)[1] in DOCUMENTS or name in NAMED_DOCUMENTS


def inside(folder: Path) -> tuple[list[Path], list[Path]]:
    """The folders and the files in a folder, by name, without what is hidden or left by systems."""
    try:
        with os.scandir(folder) as entries:
            kinds = {entry.name: _is_folder(entry) for entry in entries}
        found = sorted((path.name, path) for path in folder.iterdir())
    except ValueError as error:
        raise Fault.of("CNN401", "source", case="folder", folder=str(folder), reason=error) from None
    except OSError as error:
        raise unreadable(folder, error) from None
    seen = [(name, path) for name, path in found if not name.startswith(".") and name in kinds]
    folders = [path for name, path in seen if kinds[name] and not is_of_system(name)]
    return folders, [path for name, path in seen if not kinds[name]]


def _is_folder(entry: os.DirEntry[str]) -> bool:
    """Whether it is one, or a link to one; of most entries their folder tells, and nobody looks at them."""
    return os.path.isdir(entry.path) if entry.is_symlink() else entry.is_dir()


def is_of_system(name: str) -> bool:
    """Whether a folder of this name is hidden, or left by a system."""
    return name.startswith(".") or name.casefold() in FOLDERS_OF_SYSTEMS
