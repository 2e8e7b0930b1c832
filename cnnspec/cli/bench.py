"""`cnnspec bench SPEC`: how fast a network is, and with --against torch how much faster than PyTorch."""

from __future__ import annotations

import json
from pathlib import Path

import click


@click.command()
@click.argument("spec", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--batch", type=click.IntRange(1), help="Images of a batch (default: the spec's).")
@click.option("--against", type=click.Choice(["torch"]), help="Run the same network in PyTorch eager as well.")
@click.option("--workers", type=click.IntRange(1), default=2, show_default=True, help="Of each side.")
@click.option("--rounds", type=click.IntRange(1), default=5, show_default=True, help="Interleaved rounds.")
@click.option("--mode", type=click.Choice(["train", "infer", "both"]), default="both", show_default=True)
@click.option("--input", "given", help="The input's shape where the spec states none, such as 1x28x28.")
@click.option("--json", "as_json", is_flag=True, help="JSON instead of a table.")
def command(
    spec: Path,
    batch: int | None,
    against: str | None,
    workers: int,
    rounds: int,
    mode: str,
    given: str | None,
    as_json: bool,
) -> None:
    """Time training and inference of SPEC in images a second, on processes and on threads.

    Every side has a process of its own, and they take turns; ratios are the median of the rounds and their
    range, against the quicker of PyTorch's two memory formats.
    """
    from ..api import compile
    from ..bench.duel import duel

    size = compile(spec, batch=batch, input=given).batch
    sides = ["processes", "threads"] + (["torch", "torch channels_last"] if against else [])
    found = []
    for what in ("train", "infer") if mode == "both" else (mode,):
        jobs = {
            side: {
                "side": side,
                "parallel": side,
                "mode": what,
                "spec": str(spec),
                "batch": size,
                "input": given,
                "workers": workers,
            }
            for side in sides
        }
        found.append(duel(jobs, rounds))
    if as_json:
        click.echo(json.dumps([result.as_json() for result in found], indent=2))
        return
    for result in found:
        click.echo(f"{spec.name}, {result.mode}, batch {result.batch}, {workers} workers")
        for side in result.seconds:
            line = f"  {side:20}{result.rate(side):>12,.0f} images/s"
            if result.rival and not side.startswith("torch"):
                median, low, high = result.ratio(side)
                line += f"   {median:5.2f} times {result.rival} ({low:.2f} to {high:.2f})"
            click.echo(line)
