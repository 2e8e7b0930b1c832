"""`cnnspec lr SPEC`: the learning-rate range test."""

from __future__ import annotations

from pathlib import Path

import click

from ..terminal import show, tell, tell_json
from .outcome import CLEAN, FINDINGS, say


@click.command()
@click.argument("spec", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--set", "overrides", multiple=True, metavar="KEY=VALUE", help="A setting in place of the spec's.")
@click.option("--low", type=float, default=1e-6, show_default=True, help="The rate of the first step.")
@click.option("--high", type=float, default=10.0, show_default=True, help="The rate of the last step.")
@click.option("--steps", type=click.IntRange(10), default=100, show_default=True, help="Number of steps.")
@click.option("--seed", type=click.IntRange(0, 2**32 - 1), help="Random seed, in place of the spec's train.seed.")
@click.option("--data", "folder", type=click.Path(path_type=Path), help="Folder of mnist, or of the spec's files.")
@click.option("--workers", type=click.IntRange(1, 256), help="Processes that share the work (default: the cores).")
@click.option("--svg", type=click.Path(dir_okay=False, path_type=Path), help="Write the picture into this file.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def command(
    spec: Path,
    overrides: tuple[str, ...],
    low: float,
    high: float,
    steps: int,
    seed: int | None,
    folder: Path | None,
    workers: int | None,
    svg: Path | None,
    as_json: bool,
) -> int:
    """Train SPEC for some steps whose rate grows from one to the next, and propose a learning rate.

    Nothing is written. The schedule of the spec does not count here; its optimiser does.

    \b
    cnnspec lr lenet5.cnn
    cnnspec lr lenet5.cnn --set train.optimiser=sgd --low 1e-4 --svg lr.svg
    """
    if not 0 < low < high < float("inf"):
        raise click.UsageError(f"--low is above 0 and below --high; got {low:g} and {high:g}")
    from ..diagnostics import Diagnostic
    from ..draw import chart
    from ..experiment.experiment import Execution
    from ..experiment.range_test import range_test
    from ..experiment.session import begin
    from ..model.model import Model

    if seed is not None:
        overrides = (*overrides, f"train.seed={seed}")
    session = begin(spec, overrides, folder)
    execution = Execution(workers)
    shards = session.spec.train.shards or execution.count
    with Model(session.spec, workers=execution.count, parallel="processes", shards=shards) as model:
        found = range_test(session, model, low, high, steps)
    curves = (chart.Series("cost, smoothed", found.rates, found.smooth),)
    drawn = chart.Chart("cost, smoothed", "rate", curves, logarithmic=True, mark=found.proposal)
    if as_json:
        tell_json(found.as_json())
    else:
        show(chart.text(drawn))
        word = session.spec.train.optimiser.word
        ends = "" if found.whole else f"; the cost burst at {found.rates[-1]:.1e}"
        tell(f"lowest at {found.lowest:.1e}{ends}")
        if found.proposal is not None:
            tell(
                f"proposal: `optimiser {word} lr {found.proposal:g}`, a tenth of that; or `--lr {found.proposal:g}`"
            )
    if svg is not None:
        from ..train import files

        files.write(svg, [chart.svg([drawn]).encode()])
        tell(f"written to {svg}", err=as_json)
    if found.proposal is None:
        say((Diagnostic.of("CNN330", low=low),))
        return FINDINGS
    return CLEAN
