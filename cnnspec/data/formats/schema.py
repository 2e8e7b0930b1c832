"""The schema of a table: its columns, saved with the network that learns from them, and used to read it again."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Required, TypedDict

from ...diagnostics import Fault

if TYPE_CHECKING:
    from ...validation import Json


class TableSchemaJson(TypedDict, total=False):
    """A table as the preparation of a network keeps it (`table` in grammar/preparation.schema.json)."""

    names: Required[list[str]]
    label: Required[int]
    label_name: str
    header: bool
    separator: str
    columns: list[int]
    width: int
    categories: list[list[str] | None]
    missing: str
    fill: list[float]


@dataclass(frozen=True)
class TableSchema:
    """The columns of a csv.

    names       of those that are learnt from, in the order of the file; empty where the table has no header
    label       where the label stands, from 1, or 0 for none; `label_name` is its name
    columns     where those that are learnt from stand, from 1, in a file of `width` columns
    categories  of each column its texts in their order, or None where it is numbers
    missing     what becomes of missing cells: refuse, drop or mean
    fill        with `mean`: for each number of the input its replacement
    """

    names: tuple[str, ...]
    label: int
    label_name: str = ""
    header: bool = True
    separator: str = ","
    columns: tuple[int, ...] = ()
    width: int = 0
    categories: tuple[tuple[str, ...] | None, ...] = ()
    missing: str = "refuse"
    fill: tuple[float, ...] = ()

    @property
    def numbers(self) -> int:
        """How many numbers a row becomes: one a column, or one a category."""
        return sum(1 if texts is None else len(texts) for texts in self.categories)

    @property
    def inputs(self) -> tuple[str, ...]:
        """What each number of the input is: a column, or one of its categories."""
        columns = self.names or tuple(f"column {place}" for place in self.columns)
        texts = self.categories or (None,) * len(columns)
        return tuple(
            name if text is None else f"{name} is {text}"
            for name, several in zip(columns, texts, strict=True)
            for text in (several or (None,))
        )

    def to_json(self) -> dict[str, Json]:
        """As the preparation of a network keeps it; see grammar/preparation.schema.json."""
        listed = [None if texts is None else list(texts) for texts in self.categories]
        found = {**vars(self), "categories": listed}
        absent = {name for name in ("columns", "width", "categories", "fill") if not found[name]}
        return {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in found.items()
            if name not in absent
        }

    @classmethod
    def from_json(cls, document: TableSchemaJson, numbers: int) -> TableSchema:
        """What `to_json` made; of records from before categories, all columns but the label are `numbers`."""
        columns = document.get("columns", [k for k in range(1, numbers + 2) if k != document["label"]])
        categories = document.get("categories", [None] * numbers)
        return cls(
            names=tuple(document["names"]),
            label=document["label"],
            columns=tuple(columns),
            width=document.get("width", numbers + 1),
            categories=tuple(None if one is None else tuple(one) for one in categories),
            fill=tuple(document.get("fill", ())),
            label_name=document.get("label_name", ""),
            header=document.get("header", True),
            separator=document.get("separator", ","),
            missing=document.get("missing", "refuse"),
        )


def by_name(table: TableSchema, where: str, names: list[str]) -> list[int]:
    """Where the columns of a table stand among those of another file, from 0, found by their names; or a Fault."""
    there = {name: column for column, name in enumerate(names)}
    wanted = set(table.names)
    missing = [name for name in table.names if name not in there]
    if missing:
        told = ", ".join(missing[:8]) + (f" and {len(missing) - 8} more" if len(missing) > 8 else "")
        raise Fault.of(
            "CNN418",
            "source",
            case="kept",
            where=where,
            column=told,
            names=", ".join(table.names[:12]),
            more=", ..." if len(table.names) > 12 else "",
        )
    taken = [column for column, name in enumerate(names) if name in wanted]
    if len(taken) > len(wanted):  # some are called alike, and only the order of training tells them apart
        if [names[column] for column in taken] != list(table.names):
            twice = next(name for name, count in Counter(names).items() if count > 1 and name in wanted)
            raise Fault.of("CNN418", "source", case="twice", where=where, name=twice)
        return taken
    if len(wanted) < len(table.names):
        told = ", ".join(table.names[:12])
        raise Fault.of("CNN418", "source", case="others", where=where, columns=told)
    return [there[name] for name in table.names]


def by_place(table: TableSchema, where: str, line: int, width: int) -> list[int]:
    """Where the columns of a table without names stand in rows of a width: all, or without what is not asked.

    training: a b label d, from which a and d were learnt        asked: a b label d, a b d, or a d
    """
    label = table.label - 1
    if width == len(table.columns):
        return list(range(width))
    if width == table.width:
        return [column - 1 for column in table.columns]
    if width == table.width - 1 and table.label:
        return [column - 1 - (column - 1 > label) for column in table.columns]
    wanted = " or ".join(map(str, sorted({len(table.columns), table.width - bool(table.label), table.width})))
    raise Fault.of("CNN417", "source", case="kept", line=line, where=where, columns=width, wanted=wanted)
