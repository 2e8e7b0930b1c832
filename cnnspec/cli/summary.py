"""`cnnspec summary SPEC`: the layers of a network, with shapes, parameters and work."""

from __future__ import annotations

from pathlib import Path

import click

from ..terminal import show, tell_json
from .sizes import SIZES


@click.command()
@click.argument("spec", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@click.option("--sort", type=click.Choice(["parameters", "macs", "memory"]), help="Largest first.")
@click.option("--depth", type=click.IntRange(0), help="Blocks deeper than this as one line.")
@click.option(
    "--input", "input_type", type=SIZES, help="The input's shape where the spec states none, such as 1x28x28."
)
@click.option(
    "--cluster", type=click.IntRange(1), metavar="N", help="With the communication of a step on N devices."
)
def command(
    spec: Path, as_json: bool, sort: str | None, depth: int | None, input_type: str | None, cluster: int | None
) -> None:
    """List the layers of SPEC: output, parameters, multiply-adds, memory of activations, receptive field.

    \b
    cnnspec summary net.cnn
    cnnspec summary net.cnn --json
    """
    from ..api import read_spec
    from ..ir import summary
    from ..ir.facts import facts
    from ..report.cluster import Traffic

    read = read_spec(spec, input=input_type)
    found = whole = facts(read.graph)
    if depth is not None:
        found = found.folded(depth)
    if as_json:
        tell_json(summary.as_json(found, sort or ""))
    else:
        show(summary.table(found, sort or ""))
        if cluster:
            show("\n" + Traffic(whole, read.train, cluster).text())
