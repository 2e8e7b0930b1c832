"""`cnnspec schema [NAME]`: the JSON Schemas of what cnnspec reads and writes."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import click

ENDING = ".schema.json"


@cache
def schemas() -> dict[str, dict[str, Any]]:
    """Every schema by name: those of grammar/, from the wheel or from the repository."""
    package = Path(__file__).parents[1]
    packaged = package / "_grammar"
    folder = packaged if packaged.is_dir() else package.parent / "grammar"
    files = sorted(folder.glob(f"*{ENDING}"))
    return {file.name.removesuffix(ENDING): json.loads(file.read_text(encoding="utf-8")) for file in files}


def complete(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    return [name for name in schemas() if name.startswith(incomplete)]


@click.command()
@click.argument("name", required=False, shell_complete=complete)
def command(name: str | None) -> None:
    """Print the JSON Schema of that NAME, or all of them as the `$defs` of one schema.

    \b
    configuration   the table [tool.cnnspec] of pyproject.toml
    diagnostics     cnnspec check --format json
    graph           cnnspec compile --emit json, and .cnn.json files
    summary         summary.json of a run
    """
    if name is None:
        wanted: dict[str, Any] = {"$schema": DIALECT, "$defs": schemas()}
    elif name in schemas():
        wanted = schemas()[name]
    else:
        raise click.UsageError(f"there is no schema `{name}`; there are {', '.join(schemas())}")
    click.echo(json.dumps(wanted, indent=2))


DIALECT = "https://json-schema.org/draft/2020-12/schema"
