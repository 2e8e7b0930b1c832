"""Where the files of `grammar/` are: in the wheel, or in the repository of an editable install."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

PACKAGE = Path(__file__).parent
PACKAGED = PACKAGE / "_grammar"
SCHEMA_ENDING = ".schema.json"


def grammar_folder() -> Path:
    """The folder that holds the grammar and the JSON Schemas."""
    return PACKAGED if PACKAGED.is_dir() else PACKAGE.parent / "grammar"


@cache
def schemas() -> dict[str, dict[str, Any]]:
    """Every JSON Schema of the package, by name."""
    import json  # a check reads none

    files = sorted(grammar_folder().glob(f"*{SCHEMA_ENDING}"))
    return {file.name.removesuffix(SCHEMA_ENDING): json.loads(file.read_text(encoding="utf-8")) for file in files}
