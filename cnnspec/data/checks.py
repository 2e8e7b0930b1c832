"""What the parts of a source must agree on, said in the same words whether they are read or only looked at."""

from __future__ import annotations

from ..diagnostics import Fault
from .classes import MOST_CLASSES

TOLD = {"train": "training", "validation": "validation", "test": "test"}


def names_of(name: str, parts: tuple[str, ...]) -> dict[str, str]:
    """How messages speak of each part of a source: by the source's name alone where it has one part."""
    return {part: name if len(parts) == 1 else f"{name} ({TOLD[part]})" for part in parts}


def ensure_paired(told: str, images: int, labels: int) -> None:
    """Raise a Fault unless there is one label for each image."""
    if images != labels:
        raise Fault(
            "CNN409", f"{told} has {_number(images, 'image')} and {_number(labels, 'label')}", at="source",
            help="every image needs one label",
        )  # fmt: skip


def _number(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def ensure_label_axes(told: str, kind: str, shape: tuple[int, ...]) -> None:
    """Raise a Fault unless labels have one axis, or two where a row may be one-hot, or several numbers to meet.

    `kind` is NumPy's letter of their type: f for floats, U and S for texts, others for whole numbers.
    """
    if kind == "f" and (len(shape) not in (1, 2) or 0 in shape[1:]):
        raise Fault("CNN408", f"the targets of {told} have {len(shape)} axes where 1 or 2 are wanted", at="source")
    if len(shape) not in (1, 2) or (kind in "US" and shape[1:] not in ((), (1,))):
        raise Fault(
            "CNN408", f"the labels of {told} have {len(shape)} axes where 1 is wanted", at="source",
            help="one class number for each image; for numbers to meet, store floats",
        )  # fmt: skip


def ensure_same_shape(name: str, part: str, shape: tuple[int, ...], train: tuple[int, ...]) -> None:
    """Raise a Fault unless the images of a part have the shape of those to learn from."""
    if shape != train:
        use = "to be tested on" if part == "test" else "for validation"
        has, other = ("x".join(map(str, sizes)) for sizes in (train, shape))
        raise Fault("CNN408", f"{name} has {has} to learn from and {other} {use}", at="source")


def outside(told: str, image: int, label: int, count: int | None) -> Fault:
    """The fault of a label that is not one of `count` classes, or none at all where nobody says how many."""
    among = f"among the {count} classes" if count else "a class"
    return Fault(
        "CNN410", f"image {image} of {told} has label {label}, which is not {among}", at="source",
        help=f"labels go from 0 to {count - 1}" if count else "labels count the classes from 0",
    )  # fmt: skip


def ensure_within(told: str, labels: tuple[int, ...], count: int | None) -> None:
    """Raise a Fault where one of few labels is outside the classes."""
    for image, label in enumerate(labels):
        if not 0 <= label < (count or MOST_CLASSES):
            raise outside(told, image, label, count)
