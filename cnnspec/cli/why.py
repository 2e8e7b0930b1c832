"""`cnnspec why SPEC NAME`: where the shape of a value comes from."""

from __future__ import annotations

from pathlib import Path

import click

from ..terminal import show, tell_json
from .sizes import SIZES


@click.command()
@click.argument("spec", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("name", required=False)
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@click.option(
    "--input", "input_type", type=SIZES, help="The input's shape where the spec states none, such as 1x28x28."
)
def command(spec: Path, name: str | None, as_json: bool, input_type: str | None) -> None:
    """Tell where the shape of the value NAME of SPEC comes from, step by step from the input.

    NAME is as in `cnnspec summary`, or given by `as`; without it the output is explained.

    \b
    cnnspec why net.cnn
    cnnspec why net.cnn conv2
    """
    from ..api import shape
    from ..checking import load
    from ..diagnostics import SpecError
    from ..explain.why import page, why
    from ..lang import read
    from ..lang.hints.suggest import nearest

    reading = read(load(str(spec)), input=shape(input_type))
    graph = reading.graph
    if not graph.nodes:
        raise SpecError(reading.errors)
    if name is None:
        name = graph.outputs[0] if graph.outputs else list(graph.nodes)[-1]
    value = reading.names.get(name.removeprefix("@"), name.removeprefix("@"))
    if value not in graph.nodes:
        if reading.errors:
            raise SpecError(reading.errors)
        close = nearest(value, (*reading.names, *graph.nodes))
        hint = f"did you mean `{close}`?" if close else "`cnnspec summary` lists them"
        raise click.UsageError(f"{spec} has no value called `{value}`; {hint}")
    steps = why(graph, value)
    if as_json:
        tell_json([step.as_json() for step in steps])
    else:
        show(page(steps))
