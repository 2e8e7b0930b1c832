"""Folders of image files, one folder for each class; and single images, to be predicted. By Pillow."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ..diagnostics import Fault
from ..settings.data import Images
from .fetch import Progress
from .files import need, unreadable
from .found import Found, Pair

FORMATS = ("PNG", "JPEG", "BMP", "PPM", "WEBP")
MOST_PIXELS = 64_000_000


def read_image(path: Path, colour: bool = True, resize: tuple[int, ...] | None = None) -> np.ndarray:
    """An image file as bytes [c, h, w], with three channels or one, in another height and width if told."""
    try:
        from PIL import Image
    except ModuleNotFoundError:
        raise Fault(
            "CNN403", f"reading {path.name} needs Pillow, which is not installed", at="source",
            help='install it by `pip install "cnnspec[data]"`',
        ) from None  # fmt: skip
    try:
        with Image.open(path, formats=FORMATS) as image:
            width, height = image.size  # known before anything is unpacked
            if width * height > MOST_PIXELS:
                raise _too_large(path, f"{width}x{height}")
            if image.mode[0] in "IF":  # Pillow would cut these off at 255
                raise Fault(
                    "CNN415", f"{path} has more than 8 bits a channel", at="source", help="save it with 8 bits"
                )
            whole = image.convert("RGB" if colour else "L")
            if resize:
                whole = whole.resize((resize[1], resize[0]), Image.Resampling.BILINEAR)
            pixels = np.asarray(whole)
    except Image.UnidentifiedImageError:
        raise Fault(
            "CNN415", f"{path} is not an image that can be read", at="source",
            help=f"the formats are {', '.join(FORMATS)}",
        ) from None  # fmt: skip
    except FileNotFoundError as error:
        raise unreadable(path, error) from None
    except Image.DecompressionBombError:
        raise _too_large(path, "far too many") from None
    except (OSError, SyntaxError, ValueError) as error:  # what Pillow raises for damaged files
        reason = str(error).split("\n")[0].rstrip(".")
        raise Fault(
            "CNN415", f"{path} cannot be read: {reason}", at="source", help="take it out of the folder"
        ) from None
    return pixels.transpose(2, 0, 1) if colour else pixels[None]


def _too_large(path: Path, size: str) -> Fault:
    return Fault(
        "CNN415", f"{path} has {size} pixels; {MOST_PIXELS:,} are the most that is read", at="source",
        help="make it smaller, or take it out of the folder",
    )  # fmt: skip


def read_images(source: Images, path: Path, progress: Progress | None = None) -> Found:
    """The images below a folder, in the order of their classes and names."""
    parts = (path / "train", path / "test")
    split = all(part.is_dir() for part in parts)
    classes = tuple(found.name for found in _inside(parts[0] if split else path) if found.is_dir())
    if not classes:
        raise Fault(
            "CNN414", f"{path} has no folder of a class in it", at="source",
            help="put the images of each class into a folder of its own",
        )  # fmt: skip
    if not split:
        return Found(path.name, _part(source, path, classes, progress), None, classes)
    train, test = (_part(source, part, classes, progress) for part in parts)
    return Found(path.name, train, test, classes)


def _inside(folder: Path) -> list[Path]:
    """What lies in a folder, sorted by name, without what is hidden."""
    try:
        return sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    except OSError as error:
        raise unreadable(folder, error) from None


def _part(source: Images, folder: Path, classes: tuple[str, ...], progress: Progress | None) -> Pair:
    files: list[Path] = []
    labels: list[int] = []
    for inside in _inside(folder):
        if inside.name not in classes:
            told = "folder" if inside.is_dir() else "file"
            raise Fault(
                "CNN410", f"the {told} {inside.name} in {folder} is not one of the classes", at="source",
                help=f"the classes are {', '.join(classes[:8])}{', ...' if len(classes) > 8 else ''}",
            )  # fmt: skip
        found = _inside(inside)
        files += found
        labels += [classes.index(inside.name)] * len(found)
    if not files:
        raise Fault("CNN414", f"{folder} has no image in it", at="source")
    if progress:
        progress(f"reading {len(files):,} images of {folder}")
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
    return x, np.array(labels, np.int64)


def _size(image: np.ndarray) -> str:
    return f"{image.shape[1]}x{image.shape[2]}"
