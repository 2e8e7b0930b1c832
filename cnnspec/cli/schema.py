"""`cnnspec schema [NAME]`: the JSON Schemas of what cnnspec reads and writes."""

from __future__ import annotations

from collections.abc import Mapping

import click

from ..resources import schemas
from ..terminal import tell_json


def complete(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    return [name for name in schemas() if name.startswith(incomplete)]


@click.command()
@click.argument("name", required=False, shell_complete=complete)
def command(name: str | None) -> None:
    """Print the JSON Schema of that NAME, or all of them as the `$defs` of one schema.

    \b
    baseline        the findings that cnnspec check --baseline passes over
    configuration   the table [tool.cnnspec] of pyproject.toml
    diagnostics     cnnspec check --format json
    graph           cnnspec compile --emit json, and .cnn.json files
    lab             what the page of cnnspec lab asks its server
    origin          the metadata `origin` of weights and states
    preparation     how images were prepared: in a run's settings, in its weights
    progress        how far a training is, in the state of a run
    settings        settings.json of a run
    summary         summary.json of a run
    sweep           sweep.json of a sweep

    \b
    cnnspec schema summary
    """
    if name is None:
        wanted: Mapping[str, object] = {"$schema": DIALECT, "$defs": schemas()}
    elif name in schemas():
        wanted = schemas()[name]
    else:
        raise click.UsageError(f"there is no schema `{name}`; there are {', '.join(schemas())}")
    tell_json(wanted)


DIALECT = "https://json-schema.org/draft/2020-12/schema"
