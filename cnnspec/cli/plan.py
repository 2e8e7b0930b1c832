"""`cnnspec plan SPEC`: the source of the plan, or the graph after a pass."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from textwrap import wrap
from typing import TYPE_CHECKING

import click

from ..terminal import show
from .sizes import SIZES

if TYPE_CHECKING:
    from ..model.model import Model


def updates(model: Model) -> Iterator[str]:
    """The functions that move the parameters, one for all that are moved alike."""
    from ..runtime.engine import Engine

    assert isinstance(model.engine, Engine)
    groups, parts = model.engine.groups, model.engine.update.rule.parts
    told = model.spec.tuning
    for group, part in zip(groups, parts, strict=True):
        since = f", when {told.thaws[group.thaw - 1]} epochs are done" if group.thaw else ""
        at = f" at {group.factor:g} of the rate" if group.factor != 1 else ""
        names = "\n".join(f"# {name}" for name in wrap(", ".join(group.names), 98, break_on_hyphens=False))
        yield (f"{names}\n# move{at}{since}\n" if len(groups) > 1 else "") + part.source


@click.command()
@click.argument("spec", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--after", "after", metavar="PASS", help="The graph after this pass, instead of the source.")
@click.option("--batch", type=click.IntRange(1), help="Images of a batch (default: the spec's).")
@click.option("--mode", type=click.Choice(["train", "infer"]), default="train", show_default=True)
@click.option(
    "--input", "input_type", type=SIZES, help="The input's shape where the spec states none, such as 1x28x28."
)
@click.option("--engine", type=click.Choice(["numpy", "jax"]), default="numpy", show_default=True)
@click.option("--tune", is_flag=True, help="Time the ways to compute each convolution here, and take the quickest.")
def command(
    spec: Path, after: str | None, batch: int | None, mode: str, input_type: str | None, engine: str, tune: bool
) -> None:
    """Print the plan of SPEC as Python source: where every array lives, forward, backward, update.

    Under a convolution stands how it is computed and why.

    With --engine jax: the computation that XLA is given, as StableHLO.

    \b
    cnnspec plan net.cnn
    cnnspec plan net.cnn --engine jax
    """
    from .. import passes
    from ..api import compile
    from ..ir.text import listing
    from ..passes.decompose import attach_costs

    if engine == "jax" and after is not None:
        raise click.UsageError("passes are those of the plan on NumPy; --after goes without --engine jax")
    if engine == "jax" and tune:
        raise click.UsageError("--tune chooses between methods of the plan on NumPy; it goes without --engine jax")
    model = compile(spec, batch=batch, input=input_type, engine=engine, tune=tune)
    pipeline = passes.TRAINING if mode == "train" else passes.INFERENCE
    if after is None:
        plan = model.engine.plan(mode, model.batch)
        show(plan.source)
        if mode == "train" and engine == "numpy":
            show("".join(f"\n\n{code}" for code in updates(model)))
        return
    names = [step.__name__ for step in pipeline]
    if after not in names:
        raise click.UsageError(f"there is no pass {after}; in order they are {', '.join(names)}")
    words = attach_costs(model.graph, model.costs) if mode == "train" else model.graph
    words = replace(words, images=model.batch, measured=model.measured.get(mode, {}))
    if mode == "train":
        words = replace(words, frozen=model.spec.tuning.asleep(0))
    show(listing(passes.run(words, pipeline, after)))
