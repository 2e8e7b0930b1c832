"""Folders of image files: in classes, as they lie, or in pairs with masks; and single images, to be predicted."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ...diagnostics import Fault
from ...settings.data import Images, Pairs
from ..checks import outside
from ..files import need
from ..formats.pictures import read_mask, read_picture
from ..found import Found, Pair
from .decoded import decoded
from .fetch import Progress
from .folders import FolderPart, FolderTree, tree
from .originals import Originals
from .pairs import flat, pairs

MOST_COLOURS = 256


def read_image(
    path: Path, colour: bool = True, resize: tuple[int, ...] | None = None, background: str = "white"
) -> np.ndarray:
    """An image file as bytes [c, h, w], with three channels or one, in another height and width if told."""
    pixels = np.asarray(read_picture(path, colour, resize, background))
    return pixels.transpose(2, 0, 1) if colour else pixels[None]


def read_images(
    source: Images, path: Path, progress: Progress | None = None, labelled: bool = True, originals: bool = False
) -> Found:
    """The images below a folder, in the order of their classes and names; without classes where not `labelled`.

    With `originals` the photos to learn from are known by their files, too.
    """
    found = tree(path) if labelled else flat(path)
    _tell_passed(found, path, progress)

    def part(of: FolderPart | None) -> Pair | None:
        if of is None:
            return None
        x = _pixels(of.files, source, of.folder, progress)
        return x, np.array(of.labels, np.int64) if labelled else x

    train = part(found.train)
    assert train, "a tree has images to learn from"
    classes = found.classes if labelled else None
    full_size = Originals(found.train.files, source.colour, source.background) if originals else None
    return Found(
        path.name, train, part(found.test), classes, part(found.validation), own=found.own, originals=full_size
    )


def read_pairs(
    source: Pairs, path: Path, targets: Path, progress: Progress | None = None, target: str = "labels"
) -> Found:
    """The images below a folder, and the mask or picture that belongs to each."""
    found, partner = pairs(path, targets)
    _tell_passed(found, path, progress)
    parts = {"train": found.train, "validation": found.validation, "test": found.test}
    x, y, masks = {}, {}, Masks(source.classes)
    for name, part in parts.items():
        if part is None:
            continue
        x[name] = _pixels(part.files, source, part.folder, progress)
        files = tuple(partner[file] for file in part.files)
        if target == "itself":
            y[name] = x[name]
        elif source.kind == "pictures":
            y[name] = _pixels(files, source, targets, progress)
        else:
            y[name] = masks.read(files, source.resize)
    if target != "itself" and source.kind == "masks":
        y, classes = masks.classes(y)
    else:
        classes = None
    both = {name: (x[name], y[name]) for name in x}
    return Found(
        path.name, both["train"], both.get("test"), classes, both.get("validation"), own=found.own,
        numbers=source.kind == "pictures",
    )  # fmt: skip


def _tell_passed(found: FolderTree, path: Path, progress: Progress | None) -> None:
    if progress and found.passed:
        progress(f"passed over {found.passed:,} of the files in {path}: by their names they are no images")


def _pixels(files: tuple[Path, ...], source: Images | Pairs, folder: Path, progress: Progress | None) -> np.ndarray:
    """The images of files as bytes [n, c, h, w]."""
    if progress:
        progress(f"reading {len(files):,} images of {folder}")
    how = source.colour, source.resize, source.background
    first = read_image(files[0], *how)

    def decode(file: Path) -> np.ndarray:
        return of_size(read_image(file, *how), file, first.shape, files[0])

    once = decoded(files, first.shape, str(how), decode, progress)
    if once is not None:
        return once
    need(len(files) * first.size, f"{len(files):,} images of {'x'.join(map(str, first.shape))}")
    x = np.empty((len(files), *first.shape), np.uint8)
    for i, file in enumerate(files):
        x[i] = decode(file)
    return x


def of_size(image: np.ndarray, file: Path, shape: tuple[int, ...], first: Path) -> np.ndarray:
    """An image [..., h, w], if it has the sizes of the first one."""
    if image.shape != shape:
        has, wanted = (f"{sizes[-2]}x{sizes[-1]}" for sizes in (image.shape, shape))
        raise Fault.of("CNN416", "source", file=file, has=has, first=first, wanted=wanted)
    return image


class Masks:
    """Masks that are read: each colour's place among those seen so far, until all are known.

    `count` tells how many classes there are where the numbers of the masks are theirs.
    """

    def __init__(self, count: int | None) -> None:
        self.count = count
        self.seen: dict[int, int] = {}
        self.first: tuple[Path, tuple[int, ...], bool] | None = None

    def read(self, files: tuple[Path, ...], resize: tuple[int, ...] | None) -> np.ndarray:
        """The masks of a part as bytes [n, h, w], each pixel a place among the colours seen."""
        codes: np.ndarray | None = None
        for i, file in enumerate(files):
            values, coloured = read_mask(file, resize)
            if self.first is None:
                self.first = file, values.shape, coloured
            first, shape, colours = self.first
            of_size(values, file, shape, first)
            if coloured != colours:
                raise Fault.of(
                    "CNN435",
                    "source",
                    case="mode",
                    file=file,
                    has="colours" if coloured else "numbers",
                    first=first,
                )
            if codes is None:
                need(len(files) * values.size, f"{len(files):,} masks")
                codes = np.empty((len(files), *shape), np.uint8)
            distinct, places = np.unique(values, return_inverse=True)
            for value in distinct.tolist():
                if self.count is not None and value >= self.count:
                    raise outside(str(file), 0, value, self.count)
                self.seen.setdefault(value, len(self.seen))
            if len(self.seen) > MOST_COLOURS:
                raise Fault.of("CNN435", "source", file=file, most=MOST_COLOURS)
            codes[i] = np.array([self.seen[value] for value in distinct.tolist()], np.uint8)[places.reshape(shape)]
        assert codes is not None, "a part has images"
        return codes

    def classes(self, parts: dict[str, np.ndarray]) -> tuple[dict[str, np.ndarray], tuple[str, ...]]:
        """The parts as class numbers, in the order of the colours, and the names of the classes."""
        assert self.first is not None
        values = list(range(self.count)) if self.count else sorted(self.seen)
        place = np.zeros(len(self.seen), np.uint8)
        for value, code in self.seen.items():
            place[code] = values.index(value)
        names = tuple(f"#{value:06x}" if self.first[2] else str(value) for value in values)
        return {part: place[codes] for part, codes in parts.items()}, names
