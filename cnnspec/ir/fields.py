"""The fields of ops, optimisers, costs and schedules: the syntax of their settings.

A dataclass says what may be written after its word:

    size: tuple[int, ...] = size("FxKxK", "filters, kernel height, kernel width")
    stride: Spatial = setting(Sizes(1), 1, "pixels between two windows")

From these come the accepted words, `fmt`, the JSON Schema, "did you mean" and the tables of reference.

A value as the parser hands it over is an int, a float, a tuple of ints (`3x3`), a `str` (a name such as
`same`), or a `Quoted` (a text in quotes).
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

from ..diagnostics import Fault
from ..record import record

Written = int | float | tuple[int, ...] | str
Each = int | tuple[int, ...]  # a number for every direction, or one for each
Padding = str | Each  # or a word: `same`


T = TypeVar("T")
FieldValue = TypeVar("FieldValue", covariant=True)

NAME = r"[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*"  # of a value: names of the grammar, joined by dots
ENDS = r"(?![\s\S])"  # the end of a text in a pattern of JSON Schema; `$` would let a line end pass


class Quoted(str):
    """A text that stood in quotes."""

    __slots__ = ()


class Kind(Generic[FieldValue]):
    """What values a setting accepts. `read` returns the value to keep, or raises a Fault without place."""

    wanted = "a value"  # for messages: "stride wants a whole number from 1"
    listed: ClassVar[bool] = False  # whether it takes several values with commas between them
    has_off: ClassVar[bool] = False  # whether `off` is a value of its own

    def read(self, value: Written) -> FieldValue:
        raise AssertionError("a kind of field must say how it is read")

    def write(self, value: object) -> str:
        """The value as text that reads back to itself."""
        return "x".join(map(str, value)) if isinstance(value, tuple) else str(value)

    def schema(self) -> dict[str, object]:
        """JSON Schema of the value."""
        return {}

    def refuse(self, value: object) -> Fault:
        return Fault.of("CNN203", wanted=self.wanted, value=show(value))


class Declared:
    """The base of what a class declares by a word and, as its fields, what may stand after it."""

    word: ClassVar[str] = ""
    order: ClassVar[tuple[str, ...]] = ()  # of settings that other systems take without a name: `LeakyReLU(0.2)`
    if TYPE_CHECKING:
        __dataclass_fields__: ClassVar[dict[str, dataclasses.Field[Any]]]


def show(value: object) -> str:
    """A value as its author wrote it, more or less."""
    if isinstance(value, Quoted):
        return f'"{value}"'
    if isinstance(value, tuple) and any(isinstance(item, str) for item in value):
        return ", ".join(map(show, value))
    if isinstance(value, tuple):
        return "x".join("?" if item is None else str(item) for item in value)
    return f"`{value}`" if isinstance(value, str) else f"{value:g}" if isinstance(value, float) else str(value)


@record
class Count(Kind[int]):
    """A whole number."""

    low: int = 1
    high: int = 1_000_000

    @property
    def wanted(self) -> str:
        return f"a whole number from {self.low} to {self.high:,}".replace(",", " ")

    def read(self, value: Written) -> int:
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if not isinstance(value, int) or isinstance(value, bool) or not self.low <= value <= self.high:
            raise self.refuse(value)
        return value

    def schema(self) -> dict[str, object]:
        return {"type": "integer", "minimum": self.low, "maximum": self.high}


@record
class Sizes(Kind[Each]):
    """A size for each direction: `2` for all of them or `2x1`. Kept as int or tuple."""

    low: int = 1
    high: int = 65_536

    @property
    def wanted(self) -> str:
        return f"a number from {self.low}, or one for each direction such as 2x1"

    def read(self, value: Written) -> int | tuple[int, ...]:
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        items = value if isinstance(value, tuple) else (value,)
        sizes = tuple(item for item in items if isinstance(item, int) and self.low <= item <= self.high)
        if len(sizes) < len(items):
            raise self.refuse(value)
        return sizes if isinstance(value, tuple) else sizes[0]

    def schema(self) -> dict[str, object]:
        one = {"type": "integer", "minimum": self.low, "maximum": self.high}
        return {"oneOf": [one, {"type": "array", "items": one, "minItems": 1, "maxItems": 4}]}


@record
class Choice(Kind[Written]):
    """One of some names, or, with `other`, a value of another kind."""

    names: tuple[str, ...]
    other: Kind[Written] | None = None

    @property
    def wanted(self) -> str:
        names = " or ".join(self.names)
        return f"{names}, or {self.other.wanted}" if self.other else names

    def read(self, value: Written) -> Written:
        if isinstance(value, str) and not isinstance(value, Quoted):
            if value in self.names:
                return value
        elif self.other:
            return self.other.read(value)
        raise self.refuse(value)

    def schema(self) -> dict[str, object]:
        names: dict[str, object] = {"enum": list(self.names)}
        return {"oneOf": [names, self.other.schema()]} if self.other else names


@record
class Number(Kind[float]):
    """A number, whole or not, within bounds; `open_low` and `open_high` exclude the bound itself."""

    low: float = float("-inf")
    high: float = float("inf")
    open_low: bool = False
    open_high: bool = False

    @property
    def wanted(self) -> str:
        low = "" if self.low == float("-inf") else f" {'above' if self.open_low else 'from'} {self.low:g}"
        high = "" if self.high == float("inf") else f" to {'below ' if self.open_high else ''}{self.high:g}"
        return f"a number{low}{high}"

    def read(self, value: Written) -> float:
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise self.refuse(value)
        low_ok = value > self.low if self.open_low else value >= self.low
        high_ok = value < self.high if self.open_high else value <= self.high
        if not (low_ok and high_ok):
            raise self.refuse(value)
        return float(value)

    def write(self, value: object) -> str:
        assert isinstance(value, int | float)
        return repr(int(value)) if float(value).is_integer() and abs(value) < 1e15 else repr(float(value))

    def schema(self) -> dict[str, object]:
        bounds: dict[str, object] = {"type": "number"}
        if self.low != float("-inf"):
            bounds["exclusiveMinimum" if self.open_low else "minimum"] = self.low
        if self.high != float("inf"):
            bounds["exclusiveMaximum" if self.open_high else "maximum"] = self.high
        return bounds


class Switch(Kind[bool]):
    """`on` or `off`; kept as a bool."""

    wanted = "on or off"
    has_off = True

    def read(self, value: Written) -> bool:
        if value not in ("on", "off") or isinstance(value, Quoted):
            raise self.refuse(value)
        return value == "on"

    def write(self, value: object) -> str:
        return "on" if value else "off"

    def schema(self) -> dict[str, object]:
        return {"type": "boolean"}


class Text(Kind[str]):
    """A text in quotes, such as a path."""

    wanted = 'a text in quotes, such as "data/train"'

    def read(self, value: Written) -> str:
        if not isinstance(value, Quoted):
            raise self.refuse(value)
        return str(value)

    def write(self, value: object) -> str:
        return f'"{value}"'

    def schema(self) -> dict[str, object]:
        return {
            "type": "string",
            "pattern": rf'^[^"\r\n]*{ENDS}',
            "title": "a text without quotes and line ends",
        }


class Names(Kind[tuple[str, ...]]):
    """Names, or patterns of names in quotes, with commas between them; kept as a tuple."""

    wanted = 'names with commas between them, or a pattern such as "stage*"'
    listed = True

    def read(self, value: Written) -> tuple[str, ...]:
        items = value if isinstance(value, tuple) else (value,)
        if not items or not all(isinstance(item, str) and item for item in items):
            raise self.refuse(value)
        return tuple(map(str, items))

    def write(self, value: object) -> str:
        assert isinstance(value, tuple)
        return ", ".join(name if re.fullmatch(NAME, name) else f'"{name}"' for name in value)

    def schema(self) -> dict[str, object]:
        name = {"type": "string", "pattern": rf'^[^"\r\n]+{ENDS}', "title": "a name without quotes and line ends"}
        return {"type": "array", "items": name, "minItems": 1}


class Counts(Kind[tuple[int, ...]]):
    """Whole numbers with commas between them, each above the one before it; kept as a tuple."""

    wanted = "whole numbers from 1 with commas between them, each above the one before"
    listed = True

    def read(self, value: Written) -> tuple[int, ...]:
        items = value if isinstance(value, tuple) else (value,)
        whole = tuple(item for item in items if isinstance(item, int) and not isinstance(item, bool))
        if len(whole) < len(items) or not whole or whole != tuple(sorted(set(whole))):
            raise self.refuse(value)
        if whole[0] < 1 or whole[-1] > 1_000_000:
            raise self.refuse(value)
        return whole

    def write(self, value: object) -> str:
        assert isinstance(value, tuple)
        return ", ".join(map(str, value))

    def schema(self) -> dict[str, object]:
        return {"type": "array", "items": {"type": "integer", "minimum": 1, "maximum": 1_000_000}, "minItems": 1}


@record
class Shape(Kind[tuple[int, ...]]):
    """Sizes joined by x, as many as `length` allows: the size of a word (`8x3x3`)."""

    lengths: tuple[int, ...] = (1, 2, 3)

    @property
    def wanted(self) -> str:
        return "sizes joined by x, such as 8x3x3"

    def read(self, value: Written) -> tuple[int, ...]:
        items = value if isinstance(value, tuple) else (value,)
        sizes = tuple(item for item in items if isinstance(item, int) and 1 <= item <= 1_000_000)
        if len(items) not in self.lengths or len(sizes) < len(items):
            raise self.refuse(value)
        return sizes

    def schema(self) -> dict[str, object]:
        item = {"type": "integer", "minimum": 1, "maximum": 1_000_000}
        return {"type": "array", "items": item, "minItems": min(self.lengths), "maxItems": max(self.lengths)}


def size(kind: Kind[T], pattern: str, doc: str) -> T:
    """The size that stands right after the word: `conv 8x3x3`, `maxpool 2`, `dense 10`. Required."""
    return dataclasses.field(metadata={"role": "size", "kind": kind, "pattern": pattern, "doc": doc})


def optional_size(kind: Kind[T], pattern: str, default: T, doc: str) -> T:
    """A size that may be left out: `dropout` is `dropout 50%`."""
    meta = {"role": "size", "kind": kind, "pattern": pattern, "doc": doc}
    return dataclasses.field(default=default, metadata=meta)


def setting(kind: Kind[object], default: T, doc: str) -> T:
    """A pair of name and value after the word: `stride 2`."""
    return dataclasses.field(default=default, metadata={"role": "setting", "kind": kind, "doc": doc})


def required(kind: Kind[T], doc: str) -> T:
    """A setting that must be written: `rate 0.1 of stem`."""
    return dataclasses.field(metadata={"role": "setting", "kind": kind, "doc": doc})


def _size_field(cls: type) -> dataclasses.Field | None:
    """The field that holds a word's size, if it has one."""
    return next((f for f in dataclasses.fields(cls) if f.metadata.get("role") == "size"), None)


def _settings(cls: type) -> dict[str, dataclasses.Field]:
    """The settings of a word by name, in the order they are documented and written by `fmt`."""
    return {f.name: f for f in dataclasses.fields(cls) if f.metadata.get("role") == "setting"}


# asked for every layer that is read or written; not as decorators, which for mypy no class with a __hash__ may pass
size_field: Callable[[type], dataclasses.Field | None] = cache(_size_field)
settings: Callable[[type], dict[str, dataclasses.Field]] = cache(_settings)


def is_required(field: dataclasses.Field) -> bool:
    """Whether a size or setting must be written."""
    return field.default is dataclasses.MISSING


def written(thing: Declared, explicit: bool = False) -> str:
    """A word with its size and settings as its author would write it; every default too where `explicit`."""
    parts = [thing.word]
    sized = size_field(type(thing))
    if sized is not None and (explicit or getattr(thing, sized.name) != sized.default):
        parts.append(sized.metadata["kind"].write(getattr(thing, sized.name)))
    for name, field in settings(type(thing)).items():
        value = getattr(thing, name)
        several = value if field.metadata.get("repeat") else (value,)
        if value is not None and (explicit or value != field.default):
            parts += [f"{name} {field.metadata['kind'].write(one)}" for one in several]
    return " ".join(parts)


def word_schema(cls: type[Declared]) -> dict[str, object]:
    """JSON Schema of a word with its settings, as an object `{"word": ..., ...}`."""
    fields = {f.name: f for f in dataclasses.fields(cls) if f.metadata}
    properties = {name: f.metadata["kind"].schema() for name, f in fields.items()}
    for name, f in fields.items():
        if f.default is None:
            properties[name] = {"anyOf": [properties[name], {"type": "null"}]}
    required = [name for name, f in fields.items() if f.default is dataclasses.MISSING]
    return {
        "type": "object",
        "properties": {"word": {"const": cls.word}, **properties},
        "required": ["word", *required],
        "additionalProperties": False,
    }
