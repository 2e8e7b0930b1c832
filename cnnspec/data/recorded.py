"""A preparation as it is written down: its JSON, and what a schema cannot say of it."""

from __future__ import annotations

import json
from typing import Required, TypedDict

import numpy as np

from ..validation import Json
from .formats.schema import TableSchema, TableSchemaJson

LARGEST = float(np.finfo(np.float32).max)


class Record(TypedDict, total=False):
    """A `Preparation` as JSON (grammar/preparation.schema.json)."""

    input: Required[list[int]]
    scale: Required[list[float]]
    offset: Required[list[float]]
    stored: Required[str]
    range: Required[list[float]]
    classes: Required[list[str] | None]
    source: Required[str]
    versions: Required[dict[str, str]]
    background: str
    colour: bool
    axes: str
    resize: list[int]
    table: TableSchemaJson
    inputs: dict[str, Json]
    outputs: dict[str, list[str] | None]


def disagreement(document: Record) -> tuple[str, str] | None:
    """What a schema cannot say of a record: where, and what is wrong there."""
    try:
        json.dumps(document, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return "", "it holds text that is not Unicode"
    channels = document["input"][0]
    lists = {"scale": document["scale"], "offset": document["offset"], "range": document["range"]}
    for name in ("scale", "offset"):
        numbers = lists[name]
        if len(numbers) not in (1, channels):
            return f"/{name}", f"{len(numbers)} numbers for {channels} channels"
    for name, numbers in lists.items():
        if not all(abs(number) <= LARGEST for number in numbers):  # nor is NaN
            return f"/{name}", "a number that float32 cannot hold"
    if len(document["scale"]) != len(document["offset"]):
        return "/offset", "as many numbers as there are of scale are wanted"
    axes = document.get("axes", "")
    if "resize" in document and document["resize"] != document["input"][1:]:
        return "/resize", "another size than that of the input"
    if axes and set(axes) | {"c"} != {"n", "c", *("", "w", "hw")[len(document["input"]) - 1]}:
        return "/axes", f"{axes} for an input of {len(document['input'])} sizes"
    if axes and "c" not in axes and channels != 1:
        return "/axes", f"{axes} for {channels} channels"
    return _table_disagreement(document["table"], channels) if "table" in document else None


def _table_disagreement(document: TableSchemaJson, channels: int) -> tuple[str, str] | None:
    if document["names"] and len(document["names"]) != len(document.get("columns", document["names"])):
        return "/table/names", f"{len(document['names'])} names for {len(document['columns'])} columns"
    table = TableSchema.from_json(document, channels)
    numbers = len(table.names) if table.names and "columns" not in document else table.numbers
    if numbers != channels:
        return "/table/names", f"{numbers} columns for an input of {channels}"
    if len(table.categories) != len(table.columns):
        return "/table/categories", f"of {len(table.categories)} columns, and there are {len(table.columns)}"
    if not all(column <= table.width and column != table.label for column in table.columns):
        return "/table/columns", "a column that is the label, or is not there"
    if table.fill and not (len(table.fill) == channels and all(abs(number) <= LARGEST for number in table.fill)):
        return "/table/fill", f"{channels} numbers that float32 can hold are wanted"
    if table.missing == "mean" and not table.fill:
        return "/table/fill", "the means of the columns are wanted"
    return None
