"""The data block: where the images come from and how they are prepared.

    data { source mnist ; validation 10% ; normalise on ; augment shift 2 ; augment flip }

Bytes become numbers from 0 to 1; floats stay as they are. `normalise on` then subtracts the mean of the
training images and divides by their standard deviation, each channel by its own. `augment` may be said
several times; the changes are made in the order of the text, to training images alone.
"""

from __future__ import annotations

import dataclasses
import re
from typing import ClassVar

from ..diagnostics import Fault
from ..ir.fields import (  # fmt: skip
    ENDS,
    Choice,
    Count,
    Declared,
    Kind,
    Number,
    Quoted,
    Shape,
    Switch,
    Text,
    Written,
    setting,
    size,
    written,
)
from ..ir.nested import Nested
from ..record import record
from .augment import AUGMENTATIONS, Augmentation

FRACTION = Number(0, 0.99)


def repeated(kind: Kind[object], doc: str) -> tuple[()]:
    """A setting that may be said several times; the values stand in a tuple, in the order of the text."""
    meta = {"role": "setting", "kind": kind, "doc": doc, "repeat": True}
    return dataclasses.field(default=(), metadata=meta)


class Source(Declared):
    """The base of all sources."""

    @property
    def own_files(self) -> dict[str, str]:
        """The files of validation and test, where they are of their own."""
        found = {part: getattr(self, f"{part}_file", None) for part in ("validation", "test")}
        return {part: file for part, file in found.items() if file is not None}

    def written(self, explicit: bool = False) -> str:
        """The source as its author would write it."""
        return written(self, explicit)


@record
class Digits(Source):
    """5,000 handwritten digits to learn from and 1,000 to be tested on, 1x28x28, shipped with cnnspec."""

    word: ClassVar[str] = "digits"


@record
class Mnist(Source):
    """The 60,000 and 10,000 handwritten digits of MNIST, 1x28x28 (LeCun et al. 1998)."""

    word: ClassVar[str] = "mnist"


@record
class FashionMnist(Source):
    """60,000 and 10,000 pictures of clothes in ten classes, 1x28x28 (Xiao et al. 2017)."""

    word: ClassVar[str] = "fashion_mnist"


@record
class Cifar10(Source):
    """50,000 and 10,000 small photos in ten classes, 3x32x32 (Krizhevsky 2009)."""

    word: ClassVar[str] = "cifar10"


def _test() -> float:
    return setting(FRACTION, 0.1, "fraction held out for the test if the source has no test images")


def _classes() -> int | None:
    return setting(Count(2, 100_000), None, "how many classes there are; without, the largest label tells")


@record
class Idx(Source):
    """Files in the format of MNIST: a folder with `train-images...` and `train-labels...`, gzip or not.

    `t10k-images...` and `t10k-labels...`, or the same with `test`, hold the test images.
    """

    word: ClassVar[str] = "idx"
    folder: str = size(Text(), '"folder"', "the folder of the files")
    classes: int | None = _classes()
    test: float = _test()


@record
class Npz(Source):
    """A NumPy archive with `x` and `y`, or with `x_train` and `y_train`.

    `x_val` and `y_val` (or `x_valid`, `x_validation`) are the validation where they are there, `x_test` and
    `y_test` the test; `images "photos"` and `labels "masks"` name other arrays, and the rest is passed over.
    Whole numbers and texts in y are classes (counted from 0, or from 1 where no label is 0), and so are rows that
    have a single 1 beside zeros (one-hot); whole numbers of an image's height and width are the class of each
    pixel; floats are regression targets, a few for each image or an image of them. Bytes in x become numbers from 0
    to 1, all others stay as they are. Where the sizes of x look as if its channels came last, or as if it had no
    axis for them, `axes` must say which order is meant. In a `validation_file` or `test_file` the arrays have the
    same names, with or without that end.

    A network of several inputs or outputs finds the array of each under its name: `left`, `left_train`,
    `left_test` for an `input 1x28x28 as left`, and `digit` for a `net digit = ...`; a single input or output is x
    or y all the same.
    """

    word: ClassVar[str] = "npz"
    file: str = size(Text(), '"file.npz"', "the archive")
    axes: str | None = setting(
        Choice(("nc", "ncw", "nwc", "nhw", "nchw", "nhwc")), None,
        "the order of the axes of x; without, nc, ncw or nchw",
    )  # fmt: skip
    classes: int | None = _classes()
    test: float = _test()
    images: str = setting(Text(), "x", "the array of images")
    labels: str = setting(Text(), "y", "the array of what they show")
    weights: str | None = setting(
        Text(), None, "an array of a number for each image, which its cost is multiplied by"
    )
    validation_file: str | None = setting(
        Text(), None, "an archive of its own for validation, with the same arrays"
    )
    test_file: str | None = setting(Text(), None, "an archive of its own to be tested on, with the same arrays")


class Background(Kind[str]):
    """A colour: `white`, `black`, `grey`, or red, green and blue in quotes."""

    wanted = 'white, black, grey, or a colour in quotes such as "#c0ffee"'
    names: ClassVar[tuple[str, ...]] = ("white", "black", "grey")

    def read(self, value: Written) -> str:
        if isinstance(value, str) and (value in self.names or re.fullmatch("#[0-9a-fA-F]{6}", value)):
            return str(value)
        raise self.refuse(value)

    def write(self, value: object) -> str:
        return str(value) if value in self.names else f'"{value}"'

    def schema(self) -> dict[str, object]:
        return {"type": "string", "pattern": f"^({'|'.join(self.names)}|#[0-9a-fA-F]{{6}}){ENDS}"}


@record
class Images(Source):
    """A folder of image files for each class, or folders `train`, `val` and `test` with one for each class.

    Needs Pillow. `val` (or `valid`, `validation`) is the validation and `test` the test; either may be missing, and
    a share of `train` is taken then. The names of the folders are the classes: in the order of their values where
    all are numbers, else by code point. Files are PNG, JPEG, BMP, PPM, WebP, GIF or TIFF, turned upright as EXIF
    tells, laid on a `background` where they are transparent, and scaled to 8 bits a channel from 16 (65535 becomes
    255); of several pictures in one file the first is read. Names that begin with a dot, documents (by their
    endings: `.txt`, `.json` and the like) and what systems leave are passed over; any other file is an error.
    """

    word: ClassVar[str] = "images"
    folder: str = size(Text(), '"folder"', "the folder of folders")
    colour: bool = setting(Switch(), True, "three channels; off makes one of grey")
    resize: tuple[int, ...] | None = setting(Shape((2,)), None, "height and width that all images are brought to")
    test: float = _test()
    background: str = setting(
        Background(),
        "white",
        'the colour behind transparent pixels: white, black, grey, or such as "#c0ffee"',
    )


class Column(Kind[int | str]):
    """A column of a table: its number from 1, or its name."""

    wanted = "a column's name or its number from 1"
    has_off = True

    def read(self, value: Written) -> int | str:
        if isinstance(value, str) or (isinstance(value, int) and value >= 1):
            return str(value) if isinstance(value, str) else value
        raise self.refuse(value)

    def write(self, value: object) -> str:
        return str(value) if isinstance(value, int) else f'"{value}"'

    def schema(self) -> dict[str, object]:
        return {"oneOf": [{"type": "integer", "minimum": 1}, {"type": "string"}]}


class Columns(Text):
    """Columns of a table, by names, numbers from 1, and ranges of numbers: `"price, weight, 4-7"`."""

    wanted = 'columns in quotes, parted by commas, such as "price, weight" or "1-4, 7"'


@record
class Csv(Source):
    """A table with a column of labels, one row for each vector.

    A text in UTF-8; cells may stand in quotes, empty lines are passed over. Whether the first row names the columns
    is noticed, and asked for (`header on`, `header off`) where it could be either. A column whose cells are mostly
    texts is one of categories, 256 at most: it becomes a number for each of its texts, 1 for that of the row and 0
    for the others, in the order that classes have. Labels are classes in the order of their values where all are
    numbers, and equal numbers are one class (1.0 is 1), else by code point.

    Nothing, `?`, `nan`, and what pandas takes for missing (`NA`, `N/A`, `null`, `None`) is a missing cell: an error
    by `missing refuse`; `drop` leaves out the rows that have one, in the label or in a column that is used; `mean`
    puts the mean of the training rows in place of a number, and none of a column's categories in place of a text.
    A label is never made up: where it is missing only `drop` helps. Any other text among numbers is an error.
    """

    word: ClassVar[str] = "csv"
    file: str = size(Text(), '"file.csv"', "the table")
    label: int | str | None = setting(Column(), None, "the column of the labels; without, the last")
    target: str = setting(
        Choice(("classes", "numbers")), "classes", "whether the labels name classes or are regression targets"
    )
    header: bool | None = setting(
        Switch(), None, "whether the first row names the columns; without, that is noticed"
    )
    separator: str = setting(Text(), ",", "the character between two columns")
    test: float = _test()
    validation_file: str | None = setting(Text(), None, "a table of its own for validation, with the same columns")
    test_file: str | None = setting(Text(), None, "a table of its own to be tested on, with the same columns")
    columns: str | None = setting(Columns(), None, "the columns to learn from; without, all but the label")
    drop: str | None = setting(Columns(), None, "columns that are left out")
    categories: str | None = setting(
        Columns(), None, "columns whose numbers name categories, beside those that hold texts"
    )
    missing: str = setting(
        Choice(("refuse", "drop", "mean")), "refuse", "what becomes of a row in which a cell is missing"
    )

    def __post_init__(self) -> None:
        if len(self.separator) != 1 or self.separator in '\r\n\0"':
            raise Fault.of("CNN203", "separator", case="separator", separator=self.separator)
        if self.columns is not None and self.drop is not None:
            raise Fault.of("CNN203", "drop", case="drop")  # fmt: skip


@record
class Pairs(Source):
    """A folder of images, and one with an image for each of them: a mask, or another picture to meet.

    The two of a pair have one name, their endings aside: `photos/street/1.jpg` and `masks/street/1.png`. Folders
    `train`, `val` (or `valid`, `validation`) and `test` in the first folder, and in the second, are the parts.
    Each colour of the masks is a class, numbers in the order of their values (of a palette: its places; 1 bit: 0
    and 1), colours as `#rrggbb`; 256 classes at most. Of `kind pictures` the targets are numbers from 0 to 1, of
    as many channels as the images. Needs Pillow; what is read and passed over is as for `images`.
    """

    word: ClassVar[str] = "pairs"
    folder: str = size(Text(), '"folder"', "the folder of the images")
    targets: str = setting(Text(), "masks", "the folder of the masks or pictures")
    kind: str = setting(Choice(("masks", "pictures")), "masks", "whether targets are classes or numbers")
    classes: int | None = setting(
        Count(2, 256), None, "how many classes the numbers of the masks name; without, those that occur"
    )
    colour: bool = setting(Switch(), True, "three channels; off makes one of grey")
    resize: tuple[int, ...] | None = setting(
        Shape((2,)), None, "height and width that images and targets are brought to"
    )
    test: float = _test()
    background: str = setting(
        Background(),
        "white",
        'the colour behind transparent pixels: white, black, grey, or such as "#c0ffee"',
    )


SOURCES: tuple[type[Source], ...] = (Digits, Mnist, FashionMnist, Cifar10, Idx, Npz, Images, Pairs, Csv)


class Balance(Kind[bool | str]):
    """`on`, `off`, or a weight for each of some classes: `"rare 5, cat 0.5"`. Kept as a bool or the text."""

    wanted = 'on, off, or weights in quotes such as "rare 5, cat 0.5"'
    has_off = True

    def read(self, value: Written) -> bool | str:
        if isinstance(value, Quoted):
            weights_in(str(value))
            return str(value)
        if value in ("on", "off"):
            return value == "on"
        raise self.refuse(value)

    def write(self, value: object) -> str:
        return f'"{value}"' if isinstance(value, str) else "on" if value else "off"

    def schema(self) -> dict[str, object]:
        return {"oneOf": [{"type": "boolean"}, Text().schema()]}


def weighing(settings: Data) -> tuple[str, ...]:
    """What a data block says that makes some images count more than others, as its author wrote it."""
    balance = f"balance {Balance().write(settings.balance)}"
    weights = getattr(settings.source, "weights", None)
    return (*([balance] if settings.balance else ()), *([f'weights "{weights}"'] if weights is not None else ()))


def weights_in(text: str) -> dict[str, float]:
    """The weight of each class that a text such as `"rare 5, cat 0.5"` tells; a Fault where it tells none."""
    found: dict[str, float] = {}
    for part in text.split(","):
        name, _, number = part.strip().rpartition(" ")
        try:
            weight = float(number)
        except ValueError:
            weight = -1.0
        if not name or not 0 <= weight <= 1e6 or name.strip() in found:
            raise Fault.of("CNN203", "balance", case="balance", wanted=Balance.wanted, value=part.strip()[:60])
        found[name.strip()] = weight
    return found


@record
class Data(Declared):
    """What `data { }` says; a file without it says this."""

    word: ClassVar[str] = "data"
    source: Source = setting(Nested(SOURCES), Digits(), "where the images come from")
    target: str = setting(
        Choice(("labels", "numbers", "itself")), "labels",
        "the target: the answers of the source, the same as regression targets, or its input itself, "
        "moved with it and without noise",
    )  # fmt: skip
    validation: float = setting(
        FRACTION,
        0.1,
        "fraction of the training images held out for validation if the source has none",
    )
    normalise: bool = setting(Switch(), False, "subtract each channel's mean and divide by its deviation")
    augment: tuple[Augmentation, ...] = repeated(
        Nested(AUGMENTATIONS), "a change to the training images; may be said several times"
    )
    shuffle: bool = setting(Switch(), True, "take the training images in another order in every epoch")
    balance: bool | str = setting(
        Balance(),
        False,
        "multiply the cost of images, so that each class has the same share of it; or by weights of classes",
    )
    oversample: bool = setting(
        Switch(), False, "`balance` and `weights` say how often an epoch takes an image, and multiply no cost"
    )
    limit: int | None = setting(Count(1, 10**9), None, "take only so many images of each part, for a quick try")
