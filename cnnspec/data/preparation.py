"""The preparation of stored images for a network: all that using it needs beside the weights.

    kept = preparation_of(dataset, spec.data)      # when a training begins
    kept.to_json()                                 # in settings.json, and in the metadata of weights
    read_inputs(path, kept)                        # `single`: a file, as the network sees it

So a network is asked without the data at hand, and what they are by then changes nothing.

Numbers of another type than training's are taken so, and everything else is refused (CNN426):

    trained on   given                                    taken as
    bytes        whole numbers from 0 to 255              they are
                 floats from 0 to 1, booleans             x * 255
    floats       floats, whole numbers, booleans          they are
                 bytes, where training's were in 0..1     x / 255
                 bytes, where they were in 0..255 and
                 some above 127, or rows of a table       they are
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import cast

import numpy as np

from .._version import __version__
from ..diagnostics import Diagnostic, Fault, SpecError
from ..ir import TensorType, data
from ..settings.data import Data, Images, Npz, Pairs
from ..validation import Json, fault_of
from .dataset import Dataset, Named, Scaling, Split
from .formats.schema import TableSchema
from .formats.table import filled
from .recorded import Record, disagreement
from .several import Several

VERSION = 1
KEY = "preparation"  # its name in settings.json and in the metadata of weights
LONGEST = 1 << 20  # bytes of it that metadata of weights may hold
BYTES, FLOATS = "bytes", "floats"
SHOWN = 20  # classes that are named in a sentence


@dataclass(frozen=True)
class Preparation:
    """The preprocessing of images.

    input    sizes of one image, channels first
    scaling  of each channel: x * scale + offset
    stored   the type of x in that: bytes or floats
    range    the smallest and the largest x of the training images
    classes  their names in the order of the outputs, None where answers are numbers
    source   the word of the data's source; with it `colour`, `background` and `resize` of pictures, `axes` of
             archives, and the `table` of a csv
    inputs   of a network that has several, or several outputs: the preparation of each by its name; `outputs` has
             the classes of each output, None where it is numbers
    """

    input: tuple[int, ...]
    scaling: Scaling
    stored: str
    range: tuple[float, float]
    classes: tuple[str, ...] | None
    source: str
    colour: bool | None = None
    resize: tuple[int, ...] | None = None
    axes: str | None = None
    table: TableSchema | None = None
    background: str | None = None
    inputs: Mapping[str, Preparation] = field(default_factory=dict)
    outputs: Mapping[str, tuple[str, ...] | None] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=lambda: {"cnnspec": __version__, "numpy": np.__version__})

    @property
    def input_type(self) -> TensorType:
        return data(*self.input)

    @property
    def plain(self) -> bool:
        """Whether a byte is divided by 255, and no more."""
        return self.stored == BYTES and self.scaling == Scaling((1 / 255,))

    def of(self, name: str) -> Preparation:
        """That of an input: of a network with several, by its name."""
        return self.inputs.get(name, self)

    @property
    def axes_seen(self) -> str:
        """The order of the axes that the network sees: nc, ncw or nchw."""
        return ("nc", "ncw", "nchw")[len(self.input) - 1]

    @property
    def stored_axes(self) -> str:
        """The order of the axes of stored images: `nhwc`, or `nhw` for grey ones without an axis for it."""
        return self.axes or self.axes_seen

    @property
    def stored_shape(self) -> tuple[int, ...]:
        """The sizes of one stored image."""
        size = dict(zip(self.axes_seen[1:], self.input, strict=True))
        return tuple(size[axis] for axis in self.stored_axes[1:])

    @property
    def fill(self) -> tuple[float, ...]:
        """What takes the place of NaN, column by column; nothing where no number may be missing."""
        return self.table.fill if self.table else ()

    @property
    def fed_shape(self) -> tuple[int | str, ...]:
        """The sizes of one image that is given: as it is stored, `h` and `w` where any size will do."""
        if self.resize is None:
            return self.stored_shape
        return tuple(
            axis if axis in "hw" else size
            for axis, size in zip(self.stored_axes[1:], self.stored_shape, strict=True)
        )

    def to_json(self) -> dict[str, Json]:
        """The record as JSON can hold it; see grammar/preparation.schema.json."""
        found: dict[str, Json] = {
            "version": VERSION,
            "versions": dict(self.versions),
            "source": self.source,
            "input": list(self.input),
            "stored": self.stored,
            "range": list(self.range),
            "scale": list(self.scaling.scale),
            "offset": list(self.scaling.offset),
            "classes": None if self.classes is None else list(self.classes),
        }
        for name in ("colour", "axes", "background"):
            if getattr(self, name) is not None:
                found[name] = getattr(self, name)
        if self.resize:
            found["resize"] = list(self.resize)
        if self.table:
            found["table"] = self.table.to_json()
        if self.inputs:
            found["inputs"] = {name: one.to_json() for name, one in self.inputs.items()}
            found["outputs"] = {name: names and list(names) for name, names in self.outputs.items()}
        return found

    def metadata(self) -> dict[str, str]:
        """The record as an entry of the metadata of weights; none where its names are too many for one."""
        text = json.dumps(self.to_json(), ensure_ascii=False)
        within = json.dumps(text, ensure_ascii=False).encode()  # as it stands in the header of a file
        return {KEY: text} if len(within) <= LONGEST else {}

    @classmethod
    def from_json(cls, told: Json, where: str) -> Preparation:
        """The record that `to_json` made. Raises SpecError, which names `where`, if it is not one."""
        document = cast(Record, told)
        fault = fault_of(told, "preparation") or disagreement(document)
        if fault:
            path, words = fault
            wrong = f"{path}: {words}" if path else words
            raise SpecError((Diagnostic.of("CNN427", where=where, wrong=wrong),))
        table = document.get("table")
        resize, classes, (low, high) = document.get("resize"), document["classes"], document["range"]
        return cls(
            input=tuple(document["input"]),
            scaling=Scaling(_floats(document["scale"]), _floats(document["offset"])),
            stored=document["stored"],
            range=(float(low), float(high)),
            classes=None if classes is None else tuple(classes),
            source=document["source"],
            background=document.get("background"),
            inputs={name: cls.from_json(one, where) for name, one in document.get("inputs", {}).items()},
            outputs={
                name: None if names is None else tuple(names) for name, names in document.get("outputs", {}).items()
            },
            colour=document.get("colour"),
            resize=tuple(resize) if resize else None,
            axes=document.get("axes"),
            table=TableSchema.from_json(table, document["input"][0]) if table else None,
            versions=document["versions"],
        )

    @classmethod
    def from_metadata(cls, metadata: Mapping[str, str], where: str) -> Preparation | None:
        """The record in the metadata of weights, None where there is none."""
        if KEY not in metadata:
            return None
        try:
            document = json.loads(metadata[KEY])
        except (ValueError, RecursionError):
            document = None
        return cls.from_json(document, where)

    def stored_as(self, x: np.ndarray, where: str) -> tuple[np.ndarray, str]:
        """Numbers of any type as training's were, bytes or float32, and a word where that changed their meaning.

        Raises Fault (CNN426) by the table above, and CNN411 for numbers that are not finite.
        """
        if x.dtype.kind not in "biuf":
            raise Fault.of("CNN426", case="type", array=where, type=x.dtype)
        return self._as_bytes(x, where) if self.stored == BYTES else self._as_floats(x, where)

    def _as_bytes(self, x: np.ndarray, where: str) -> tuple[np.ndarray, str]:
        if x.dtype == np.uint8:
            return x, ""
        if x.dtype == np.bool_:
            return x.astype(np.uint8) * np.uint8(255), "booleans, taken as bytes 0 and 255"
        kind = x.dtype
        x = x if kind.kind in "iu" else as_floats(x, where)
        low, high = (float(x.min()), float(x.max())) if x.size else (0.0, 0.0)
        whole = kind.kind in "iu" or (high > 1 and bool((x == np.floor(x)).all()))
        if whole and low >= 0 and high <= 255:
            return x.astype(np.uint8), "" if kind.kind in "iu" else "whole floats, taken as bytes"
        if kind.kind == "f" and low >= 0 and high <= 1:
            word = "" if self.plain else "floats from 0 to 1, taken as bytes / 255"
            return x * np.float32(255), word
        raise Fault.of("CNN426", case="bytes", array=where, type=kind, low=low, high=high)

    @property
    def bytes_as(self) -> float | None:
        """What bytes are multiplied by where training's were floats; None where they could mean anything."""
        low, high = self.range
        if self.table or (low >= 0 and 127 < high <= 255):
            return 1.0
        return 1 / 255 if low >= 0 and high <= 1 else None

    def _as_floats(self, x: np.ndarray, where: str) -> tuple[np.ndarray, str]:
        if x.dtype != np.uint8 or self.table:
            return as_floats(filled(x, self.fill), where), ""
        span = "floats from {:.6g} to {:.6g}".format(*self.range)
        if self.bytes_as is None:
            raise Fault.of("CNN426", case="floats", array=where, range=span)
        if self.bytes_as == 1:
            return x.astype(np.float32), f"bytes, taken as they are: training's were {span}"
        return x.astype(np.float32) / np.float32(255), f"bytes, taken as x / 255: training's were {span}"

    def apply(self, x: np.ndarray, where: str) -> tuple[np.ndarray, str]:
        """Images of any type as the network sees them, float32, and a word where their type was changed."""
        stored, word = self.stored_as(x, where)
        return self.scaling.apply(stored, np.empty(x.shape, np.float32)), word

    def wants(self) -> str:
        """What a network that is used elsewhere wants to be fed, in words."""
        if len(self.inputs) > 1:
            return "; ".join(f"{json.dumps(name)}: {one.wants()}" for name, one in self.inputs.items())
        scale, offset = self.scaling.scale, self.scaling.offset
        given = "x being bytes from 0 to 255" if self.stored == BYTES else "x being floats as the data have them"
        if self.plain:
            return f"x / 255, {given}"
        if scale == (1.0,) and not any(offset):
            return f"x as it is, {given}"
        if len(scale) == 1:
            sign = "-" if offset[0] < 0 else "+"
            return f"x * {scale[0]:.6g} {sign} {abs(offset[0]):.6g}, {given}"
        if len(scale) > 4:
            return f"x * scale + offset for each of {len(scale)} channels, {given}"
        return f"x * {_listed(scale)} + {_listed(offset)} channel by channel, {given}"

    def fed(self) -> str:
        """What a network that prepares images itself wants to be fed, in words."""
        if len(self.inputs) > 1:
            return "; ".join(f"{json.dumps(name)}: {one.fed()}" for name, one in self.inputs.items())
        given = "bytes from 0 to 255" if self.stored == BYTES else "floats as the data have them"
        more = ""
        if self.resize is not None:
            more = f" of any height and width, brought to {'x'.join(map(str, self.resize))}"
        if self.source in ("images", "pairs") and self.input[0] in (1, 3):
            more += f", {'grey' if self.input[0] == 1 else 'red, green and blue'}, upright and without transparency"
        if self.table:
            columns = self.table.inputs
            more = f": {', '.join(map(json.dumps, columns[:SHOWN]))}{', ...' if len(columns) > SHOWN else ''}"
            more += "; NaN where one is missing" if self.fill else ""
        return f"{given}, n x {' x '.join(map(str, self.fed_shape))} ({self.stored_axes}){more}"

    def told(self, raw: bool = True) -> str:
        """What an exported network wants to be fed, and its classes, in printable characters.

        It is fed what is stored, unless it is `raw` and prepares nothing.
        """
        text = f"feed the network {self.wants()}" if raw else f"feed the network {self.fed()}: it prepares them"
        if self.classes is not None:
            names = ", ".join(json.dumps(name) for name in self.classes[:SHOWN])
            text += f"; its {len(self.classes)} classes: {names}{', ...' if len(self.classes) > SHOWN else ''}"
        return text


def as_floats(x: np.ndarray, where: str) -> np.ndarray:
    """Numbers as float32, all of them finite."""
    with np.errstate(over="ignore"):  # infinite values are reported
        found = np.ascontiguousarray(x, np.float32)
    if not np.isfinite(found).all():
        raise Fault.of("CNN411", case="float32", array=where)
    return found


def preparation_of(found: Dataset, settings: Data) -> Preparation:
    """The preparation of the images that a network is trained on; of several inputs, of each by its name."""
    if not isinstance(found, Several):
        return _of_images(found, found.train.x, settings)
    train = cast(Named, found.train)
    inputs = {}
    for name, x in train.x.items():
        one = Dataset(found.name, Split(x, x, train.scaling[name]), found.test, found.validation, None)
        inputs[name] = _of_images(one, x, settings)
    return replace(next(iter(inputs.values())), inputs=inputs, outputs=found.outputs)


def _of_images(found: Dataset, x: np.ndarray, settings: Data) -> Preparation:
    source = settings.source
    low, high = (0.0, 255.0) if x.dtype == np.uint8 or not x.size else (float(x.min()), float(x.max()))
    return Preparation(
        input=found.input_type.shape,
        scaling=found.scaling,
        stored=BYTES if x.dtype == np.uint8 else FLOATS,
        range=(low, high),
        classes=found.classes,
        source=source.word,
        colour=source.colour if isinstance(source, Images | Pairs) else None,
        resize=source.resize if isinstance(source, Images | Pairs) else None,
        axes=source.axes if isinstance(source, Npz) else None,
        background=source.background if isinstance(source, Images | Pairs) else None,
        table=found.table,
    )


def _floats(numbers: list[float]) -> tuple[float, ...]:
    return tuple(map(float, numbers))


def _listed(numbers: tuple[float, ...]) -> str:
    return "[" + ", ".join(f"{number:.6g}" for number in numbers) + "]"
