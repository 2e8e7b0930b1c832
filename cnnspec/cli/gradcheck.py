"""`cnnspec gradcheck SPEC`: the plan's gradients against central differences."""

from __future__ import annotations

from pathlib import Path

import click

from ..ir.owned import owner_of
from ..terminal import show, tell, tell_json
from .outcome import CLEAN, FINDINGS, say
from .sizes import SIZES


@click.command()
@click.argument("spec", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--limit", type=click.FloatRange(0), default=1e-6, show_default=True, help="Largest error allowed.")
@click.option(
    "--entries", type=click.IntRange(1), help="Numbers per parameter to check (default: as time permits)."
)
@click.option("--batch", type=click.IntRange(1), default=4, show_default=True, help="Random images to check with.")
@click.option(
    "--seed", type=click.IntRange(0), default=0, show_default=True, help="Seed of weights, images and entries."
)
@click.option(
    "--input",
    "input_type",
    type=SIZES,
    metavar="SHAPE",
    help="The input, such as 1x28x28, where the spec states none.",
)
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def command(
    spec: Path, limit: float, entries: int | None, batch: int, seed: int, input_type: str | None, as_json: bool
) -> int:
    """Check the gradient of SPEC's cost against central differences, parameter by parameter, in float64.

    The weights are as training begins, the images random. An error is relative to the gradient, or to a
    thousandth of the largest gradient of the network where the own one is smaller. Exits 1 above the limit.

    \b
    cnnspec gradcheck net.cnn
    """
    from ..api import read_spec
    from ..diagnostics import Diagnostic
    from ..explain import gradcheck
    from ..model.model import Model

    found = read_spec(spec, input=input_type)
    with Model(found, batch=batch, dtype="float64", seed=seed, shards=1) as model:
        arrays = gradcheck.random_batch(model, batch, seed)
        checked = gradcheck.gradcheck(model, arrays, entries, seed)
    if as_json:
        tell_json(gradcheck.as_json(checked, limit))
    else:
        show(gradcheck.table(checked) + "\n")
        if checked:
            tell(f"worst error {checked[0].error:.1e} at {checked[0].place}, limit {limit:.0e}")
    wrong = [c for c in checked if not c.error <= limit]
    for c in wrong:
        owner = found.graph.nodes.get(owner_of(c.parameter, found.graph.nodes))
        say(
            (
                Diagnostic.of(
                    "CNN554",
                    owner.span if owner else None,
                    place=c.place,
                    gradient=c.gradient,
                    difference=c.difference,
                    error=c.error,
                ),
            )
        )
    return FINDINGS if wrong else CLEAN
