"""`cnnspec sweep SPEC`: train a spec many times over settings and numbers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..experiment.loggers.logger import KNOWN
from ..experiment.studies import PRUNERS, SAMPLERS
from ..interrupts import interrupt, number_of
from ..quoting import argument, line
from ..terminal import show, tell, tell_json
from .outcome import CLEAN, FINDINGS
from .runs import decimal, duration, percent

if TYPE_CHECKING:
    from ..experiment.sweep import Outcome, Sweep

SHOWN = 20  # trials of the table


@click.command()
@click.argument("spec", required=False, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--set",
    "sets",
    multiple=True,
    metavar="KEY=SPACE",
    help='A setting to vary: w=16,32,64 of a `let`, or "train.optimiser=adam lr 1e-4..1e-2 log".',
)
@click.option(
    "--sampler",
    type=click.Choice(["grid", "random", *SAMPLERS]),
    help="Default: random with --trials, else grid. The others are Optuna's (extra `sweep`).",
)
@click.option(
    "--pruner",
    type=click.Choice(tuple(PRUNERS)),
    help="Stop trials early that fall behind those before (Optuna's, extra `sweep`).",
)
@click.option("--trials", type=click.IntRange(1, 100_000), help="Number of trials (default: the whole grid).")
@click.option(
    "--points", type=click.IntRange(1, 1000), default=3, show_default=True, help="Points per range of a grid."
)
@click.option("--jobs", type=click.IntRange(1, 256), default=1, show_default=True, help="Trials at a time.")
@click.option("--workers", type=click.IntRange(1, 256), default=1, show_default=True, help="Workers of each trial.")
@click.option(
    "--by",
    type=click.Choice(["accuracy", "cost"]),
    default="accuracy",
    show_default=True,
    help="Measure of the best trial.",
)
@click.option(
    "--seed", type=click.IntRange(0, 2**32 - 1), default=0, show_default=True, help="Random seed of the sampler."
)
@click.option("--data", "folder", type=click.Path(path_type=Path), help="Folder of mnist, or of the spec's files.")
@click.option("--out", type=click.Path(path_type=Path), default=Path("sweeps"), show_default=True)
@click.option("--log", type=click.Choice(tuple(KNOWN)), multiple=True, help="Log each trial there too.")
@click.option("--resume", type=click.Path(exists=True, file_okay=False, path_type=Path), help="Resume a sweep.")
@click.option("--json", "as_json", is_flag=True, help="Print the results as JSON, the rest on standard error.")
def command(
    spec: Path | None,
    sets: tuple[str, ...],
    sampler: str | None,
    pruner: str | None,
    trials: int | None,
    points: int,
    jobs: int,
    workers: int,
    by: str,
    seed: int,
    folder: Path | None,
    out: Path,
    log: tuple[str, ...],
    resume: Path | None,
    as_json: bool,
) -> int:
    """Train SPEC many times, over settings and over numbers of `let`, and write the best spec out.

    Each trial is a run in sweeps/<spec>-001/trials/. They are compared by their best epoch, on the validation
    images where there are any. A sweep that was killed goes on with --resume, to the same bits.

    \b
    cnnspec sweep net.cnn --set w=16,32,64
    cnnspec sweep net.cnn --set "train.optimiser=adam lr 1e-4..1e-2 log" --jobs 2
    cnnspec sweep net.cnn --set w=4..64 --sampler tpe --pruner median --trials 50
    cnnspec sweep --resume sweeps/net-001
    """
    if (spec is None) == (resume is None):
        raise click.UsageError("give a spec and what to --set, or --resume with the folder of a sweep")
    if resume is not None and (sets or sampler or pruner or trials or log):
        raise click.UsageError("a sweep that goes on keeps what it tries, and how; --set begins a new one")
    from ..experiment.sweep import Sweep

    if resume is not None:
        sweep = Sweep.reopened(resume)
    else:
        assert spec is not None
        if not sets:
            raise click.UsageError("say what is tried, such as --set w=16,32,64")
        sampler = sampler or ("random" if trials else "grid")
        if sampler == "grid" and trials:
            raise click.UsageError("a grid has as many trials as it has; --trials goes with the other samplers")
        sweep = Sweep.begin(
            spec, sets, out, folder,
            sampler=sampler, points=points, trials=trials or 20, seed=seed, jobs=jobs, workers=workers, by=by,
            pruner=pruner or "", log=log,
        )  # fmt: skip
    total = sweep.plan["trials"]
    tell(f"{total} trials into {sweep.folder}", err=as_json)

    def done(one: Outcome) -> None:
        tell(f"trial {one.number}/{total}  {' '.join(one.overrides)}  {said(one)}", err=as_json)

    try:
        outcomes = sweep.run(jobs, done)
    except KeyboardInterrupt as stopped:
        tell(f"go on with `cnnspec sweep --resume {argument(sweep.folder)}`", err=True)
        raise interrupt(number_of(stopped)) from None  # whose trial was under way is the sweep's own affair
    picture(sweep, outcomes)
    if as_json:
        tell_json([document(one) for one in outcomes])
    else:
        show(table(outcomes))
        tell(f"written to {sweep.folder / 'results.csv'}, its picture to results.svg beside it")
        if outcomes[0].run is not None:
            tell(f"the best: {sweep.folder / 'best.cnn'}")
    return CLEAN if outcomes[0].run is not None else FINDINGS


def picture(sweep: Sweep, outcomes: list[Outcome]) -> None:
    """Write results.svg: every trial as a line through its settings, to what trials are compared by."""
    from ..draw import coordinates
    from ..train import files

    scores = coordinates.TrialAxis(sweep.plan["by"], tuple(sweep.score(one.run) for one in outcomes))
    axes = coordinates.axes_of([one.overrides for one in outcomes])
    names = [f"trial {one.number}: {' '.join(one.overrides)}, {said(one)}" for one in outcomes]
    drawn = coordinates.svg(axes, scores, names, least=sweep.best_is != "maximize")
    files.write(sweep.folder / "results.svg", [drawn.encode("utf-8", "replace")])


def said(one: Outcome) -> str:
    """What came of a trial, in words."""
    if one.run is None:
        return f"failed: {one.failed}"
    figures = one.run.figures
    parts = [f"accuracy {percent(figures['accuracy'])}"] if figures["accuracy"] is not None else []
    return "  ".join([*parts, f"cost {decimal(figures['cost'])}", *([stopped(one)] if one.pruned else [])])


def stopped(one: Outcome) -> str:
    assert one.run is not None
    return f"stopped after epoch {one.run.figures['epochs']}"


def document(one: Outcome) -> dict[str, object]:
    run = None if one.run is None else str(one.run.path)
    figures = dict(one.run.figures) if one.run else {}
    return {
        "trial": one.number,
        "set": list(one.overrides),
        "run": run,
        "pruned": one.pruned,
        "failed": one.failed,
        **figures,
    }


def table(outcomes: list[Outcome]) -> str:
    """The best trials, a row each."""
    rows = [("trial", "accuracy", "cost", "test", "time", "settings")]
    for one in outcomes[:SHOWN]:
        settings = line(" ".join(one.overrides))
        if one.run is None:
            rows.append((str(one.number), "", "", "", "", f"{settings}  failed: {line(one.failed)}"))
            continue
        figures = one.run.figures
        test = percent(figures["test_accuracy"]) or decimal(figures["test_cost"])
        numbers = percent(figures["accuracy"]), decimal(figures["cost"]), test, duration(figures["seconds"] or 0.0)
        rows.append((str(one.number), *numbers, f"{settings}  {stopped(one)}" if one.pruned else settings))
    wide = [max(len(row[k]) for row in rows) for k in range(5)]
    lines = ["  ".join([*(f"{row[k]:>{wide[k]}}" for k in range(5)), row[5]]) for row in rows]
    more = len(outcomes) - SHOWN
    return "\n".join(["", *lines, *([f"and {more} more"] if more > 0 else [])]) + "\n"
