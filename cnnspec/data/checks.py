"""What the parts of a source must agree on, said in the same words whether they are read or only looked at."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from ..diagnostics import Fault
from ..settings.data import weights_in
from .classes import MOST_CLASSES

TOLD = {"train": "training", "validation": "validation", "test": "test"}


def names_of(name: str, parts: tuple[str, ...]) -> dict[str, str]:
    """How messages speak of each part of a source: by the source's name alone where it has one part."""
    return {part: name if len(parts) == 1 else f"{name} ({TOLD[part]})" for part in parts}


def ensure_paired(told: str, images: int, labels: int) -> None:
    """Raise a Fault unless there is one label for each image."""
    if images != labels:
        raise Fault.of(
            "CNN409", "source", source=told, images=_number(images, "image"), labels=_number(labels, "label")
        )


def _number(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


class Form(NamedTuple):
    """The answers to one image: regression targets of some channels, or classes; at each of `places`.

    `pictures` where the numbers are bytes, 255 of which are 1.
    """

    numbers: bool
    channels: int | None
    places: tuple[int, ...] = ()
    pictures: bool = False


def form_of(told: str, kind: str, shape: tuple[int, ...], image: tuple[int, ...], numbers: bool = False) -> Form:
    """The form of an array of answers to images of a shape (without n), or a Fault.

    `kind` is its type as NumPy writes it (`f4`, `u1`, `U7`), `numbers` whether whole numbers are to be met too.

        y of images 3x8x9               answers
        n, or n x 1: whole, texts       a class
        n x 8 x 9, n x 1 x 8 x 9: whole a class for each pixel
        n, n x k: floats                1 or k numbers
        n x k x h x w: floats           k numbers for each of h x w places
        n x 3 x h x w: bytes            the same, from 0 to 1: a picture
    """
    each, places = shape[1:], image[1:]
    picture = kind == "u1" and len(each) == len(image) > 1
    if kind[0] not in "US" and (kind[0] == "f" or numbers or (picture and each[0] > 1)):
        bytes_ = kind == "u1" and len(each) > 1
        if 0 not in each and len(shape) > 0:
            if len(each) <= 1:
                return Form(True, each[0] if each else 1)
            if len(each) == len(image):
                return Form(True, each[0], each[1:], bytes_)
            if len(each) == len(image) - 1:
                return Form(True, 1, each, bytes_)
        raise Fault.of(
            "CNN408", "source", case="targets", source=told, axes=len(shape), image="x".join(map(str, image))
        )
    if each in ((), (1,)) and len(shape) > 0:
        return Form(False, None)
    if kind[0] not in "US" and places and each in (places, (1, *places)):
        return Form(False, None, places)
    raise Fault.of("CNN408", "source", case="labels", source=told, axes=len(shape))


def named_classes(name: str) -> Fault:
    """The fault of a source that names classes where regression targets are wanted."""
    return Fault.of("CNN410", "source", case="numbers", name=name)


def ensure_balanced(name: str, balance: bool | str | Mapping[str, float], classes: tuple[str, ...]) -> None:
    """Raise a Fault where a data block weighs classes that the source does not have."""
    if not classes:
        raise Fault.of("CNN436", "balance", case="classes", name=name)
    told = weights_in(balance) if isinstance(balance, str) else balance if isinstance(balance, Mapping) else {}
    strange = [each for each in told if each not in classes]
    if strange:
        raise Fault.of(
            "CNN436",
            "balance",
            case="class",
            strange=strange[0],
            name=name,
            classes=", ".join(classes[:8]),
            more=", ..." if len(classes) > 8 else "",
        )


def unweighted() -> Fault:
    """The fault of images that are to come as often as their weights say, and have none."""
    return Fault.of("CNN436", "oversample", case="oversample")


def ensure_same_shape(name: str, part: str, shape: tuple[int, ...], train: tuple[int, ...]) -> None:
    """Raise a Fault unless the images of a part have the shape of those to learn from."""
    if shape != train:
        use = "to be tested on" if part == "test" else "for validation"
        has, other = ("x".join(map(str, sizes)) for sizes in (train, shape))
        raise Fault.of("CNN408", "source", case="parts", name=name, has=has, other=other, use=use)


def outside(told: str, image: int, label: int, count: int | None) -> Fault:
    """The fault of a label that is not one of `count` classes, or none at all where nobody says how many."""
    if not count:
        return Fault.of("CNN410", "source", image=image, source=told, label=label)
    last = count - 1
    return Fault.of("CNN410", "source", case="class", image=image, source=told, label=label, count=count, last=last)


def ensure_within(told: str, labels: tuple[int, ...], count: int | None, first: int) -> None:
    """Raise a Fault where one of few labels is outside the classes, which are counted from `first`."""
    for image, label in enumerate(labels):
        if not first <= label < first + (count or MOST_CLASSES):
            raise outside(told, image, label, count)
