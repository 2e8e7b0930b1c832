"""The folder of the files of `grammar/`: in the wheel, or in the repository of an editable install."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TypedDict

PACKAGE = Path(__file__).parent
PACKAGED = PACKAGE / "_grammar"
SCHEMA_ENDING = ".schema.json"


def grammar_folder() -> Path:
    """The folder that holds the grammar and the JSON Schemas."""
    return PACKAGED if PACKAGED.is_dir() else PACKAGE.parent / "grammar"


class Schema(TypedDict, total=False):
    """The parts of a schema that this package reads; the validator reads the rest."""

    type: str | list[str]
    title: str
    pattern: str
    const: object
    enum: list[object]
    minimum: float
    maximum: float
    exclusiveMinimum: float
    exclusiveMaximum: float
    minItems: int
    maxItems: int
    properties: dict[str, Schema]
    oneOf: list[Schema]
    anyOf: list[Schema]


@cache
def schemas() -> dict[str, Schema]:
    """Every JSON Schema of the package, by name."""
    import json  # a check reads none

    files = sorted(grammar_folder().glob(f"*{SCHEMA_ENDING}"))
    return {file.name.removesuffix(SCHEMA_ENDING): json.loads(file.read_text(encoding="utf-8")) for file in files}


def spec_files(pattern: str) -> list[Path]:
    """The specs that come along, by a pattern of their paths: in the wheel, or in the repository."""
    packaged = PACKAGE / "_specs"
    return sorted((packaged if packaged.is_dir() else PACKAGE.parent / "specs").glob(pattern))
