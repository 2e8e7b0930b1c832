"""Folders of image files, one folder for each class; and single images, to be predicted."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ...diagnostics import Fault
from ...settings.data import Images
from ..files import need
from ..formats.pictures import read_picture
from ..found import Found, Pair
from .fetch import Progress
from .folders import Part, tree


def read_image(path: Path, colour: bool = True, resize: tuple[int, ...] | None = None) -> np.ndarray:
    """An image file as bytes [c, h, w], with three channels or one, in another height and width if told."""
    pixels = np.asarray(read_picture(path, colour, resize))
    return pixels.transpose(2, 0, 1) if colour else pixels[None]


def read_images(source: Images, path: Path, progress: Progress | None = None) -> Found:
    """The images below a folder, in the order of their classes and names."""
    found = tree(path)
    if progress and found.passed:
        progress(f"passed over {found.passed:,} of the files in {path}: by their names they are no images")
    train, validation, test = (
        _part(source, part, progress) if part else None for part in (found.train, found.validation, found.test)
    )
    assert train, "a tree has images to learn from"
    return Found(path.name, train, test, found.classes, validation, own=found.own)


def _part(source: Images, part: Part, progress: Progress | None) -> Pair:
    files = part.files
    if progress:
        progress(f"reading {len(files):,} images of {part.folder}")
    first = read_image(files[0], source.colour, source.resize)
    need(len(files) * first.size, f"{len(files):,} images of {'x'.join(map(str, first.shape))}")
    x = np.empty((len(files), *first.shape), np.uint8)
    for i, file in enumerate(files):
        image = read_image(file, source.colour, source.resize)
        if image.shape != first.shape:
            raise Fault(
                "CNN416", f"{file} is {_size(image)}, and {files[0]} is {_size(first)}", at="source",
                help=f"use `resize {_size(first)}`",
            )  # fmt: skip
        x[i] = image
    return x, np.array(part.labels, np.int64)


def _size(image: np.ndarray) -> str:
    return f"{image.shape[1]}x{image.shape[2]}"
