"""`cnnspec run SPEC`: train a network and write the run down."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..experiment.loggers.logger import KNOWN, Logger, loggers_of
from ..settings.measures import MEASURES
from ..settings.train import LAYOUTS
from ..terminal import tell, tell_json
from .machines import Machines, options
from .outcome import FINDINGS, interrupted, say

if TYPE_CHECKING:
    from ..experiment.experiment import Experiment, Observer
    from ..train.runs import Summary


@click.command()
@click.argument("spec", required=False, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--set",
    "overrides",
    multiple=True,
    metavar="KEY=VALUE",
    help="A setting in place of the spec's: train.epochs=3.",
)
@click.option("--epochs", type=click.IntRange(0), help="Short for --set train.epochs=...")
@click.option("--batch", type=click.IntRange(1), help="Short for --set train.batch=...")
@click.option("--lr", type=float, help="The learning rate: short for --set train.optimiser.lr=...")
@click.option("--data", "folder", type=click.Path(path_type=Path), help="Folder of mnist, or of the spec's files.")
@click.option("--workers", type=click.IntRange(1, 256), help="Processes that share the work (default: the cores).")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=Path("runs"),
    show_default=True,
    help="Parent of the run's folder.",
)
@click.option("--seed", type=click.IntRange(0, 2**32 - 1), help="Random seed, in place of the spec's train.seed.")
@click.option("--parallel", type=click.Choice(["processes", "threads"]), default="processes", show_default=True)
@click.option(
    "--resume",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Resume a run; with --epochs to more epochs, with --lr at another rate.",
)
@click.option("--accept-changed-data", is_flag=True, help="With --resume: accept that the data have changed.")
@click.option(
    "--weights", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Begin with these weights."
)
@click.option("--as", "layout", type=click.Choice(LAYOUTS), help="With --weights: their publisher.")
@click.option("--partial", is_flag=True, help="With --weights: load what fits.")
@click.option(
    "--map",
    "names",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="With --weights: a map from our names to the file's (see `cnnspec map`).",
)
@click.option(
    "--tune", is_flag=True, help="Time the ways to compute each convolution first, and take the quickest."
)
@click.option(
    "--log",
    type=click.Choice(tuple(KNOWN)),
    multiple=True,
    help="Log figures and settings there too (their packages are installed apart).",
)
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON, the rest on standard error.")
@click.option("--watch", is_flag=True, help="Show it in the browser while it trains.")
@options
def command(
    spec: Path | None,
    overrides: tuple[str, ...],
    epochs: int | None,
    batch: int | None,
    lr: float | None,
    folder: Path | None,
    workers: int | None,
    out: Path,
    seed: int | None,
    parallel: str,
    resume: Path | None,
    accept_changed_data: bool,
    weights: Path | None,
    layout: str | None,
    partial: bool,
    names: Path | None,
    tune: bool,
    log: tuple[str, ...],
    as_json: bool,
    watch: bool,
    machines: Machines,
) -> int:
    """Train the network of SPEC, test it, and write everything into runs/<spec>-001/.

    \b
    cnnspec run lenet5.cnn --epochs 10 --lr 1e-3
    cnnspec run lenet5.cnn --set "train.optimiser=sgd lr 0.1" --set w=32
    cnnspec run --resume runs/lenet5-001 --epochs 20
    """
    if (spec is None) == (resume is None):
        raise click.UsageError("give a spec, or --resume with the folder of a run")
    from ..experiment.experiment import Execution, Experiment, Initial, ResumePoint

    short = {"epochs": epochs, "batch": batch, "optimiser.lr": lr, "seed": seed}
    overrides += tuple(f"train.{name}={value}" for name, value in short.items() if value is not None)
    loggers = loggers_of(log)
    if accept_changed_data and resume is None:
        raise click.UsageError("--accept-changed-data is for --resume")
    if resume is not None:
        from ..experiment.experiment import LATER, MOVED, fixed_settings

        fixed = fixed_settings(overrides)
        if weights or tune or fixed:
            what = fixed[0].partition("=")[0] if fixed else "weights and methods"
            raise click.UsageError(
                f"a resumed run keeps its settings, and so its {what}: begin a new run for it; what may change is "
                f"{LATER}, and by {MOVED}... what its data are called now"
            )
        stopped = ResumePoint.open(resume)
        machines = machines.or_as(stopped.made.settings.get("engine", "numpy"))
        execution = Execution(workers, parallel, machines.engine or "numpy", machines.devices, *machines.join())
        experiment = Experiment.resume(
            stopped,
            data=folder,
            execution=execution,
            accept_changed_data=accept_changed_data,
            overrides=overrides,
        )
    else:
        assert spec is not None
        machines = machines.or_as("numpy")
        if tune and machines.engine == "jax":
            raise click.UsageError(
                "--tune chooses between methods of the plan on NumPy; it goes without --engine jax"
            )
        execution = Execution(workers, parallel, machines.engine or "numpy", machines.devices, *machines.join())
        initial = Initial(weights, partial, names, layout or "") if weights else None
        experiment = Experiment.begin(
            spec,
            overrides,
            data=folder,
            out=out,
            execution=execution,
            initial=initial,
            tune=tune,
            progress=(lambda line: tell(line, err=True)) if execution.leads else None,
        )
    with experiment:
        return show(experiment, as_json, watch, loggers)


def show(experiment: Experiment, as_json: bool, watch: bool = False, loggers: Sequence[Logger] = ()) -> int:
    """Run an experiment and print what happens; returns the exit code."""
    from ..experiment.loggers.logged import Logged
    from ..experiment.measured import missed
    from ..experiment.statistics import StatisticsLog
    from ..report.finished import illustrate
    from ..train.loop import Interrupted
    from .training import reporter

    session, leads = experiment.session, experiment.execution.leads
    told = (lambda *lines: tell(*lines, err=as_json)) if leads else (lambda *lines: None)
    told(*header(experiment))
    for what, which in vars(experiment.start()).items():
        if which:
            told(f"{what}: {', '.join(which)}")
    if not leads:
        experiment.follow()
        return 0
    assert experiment.folder is not None
    folder = experiment.folder.path
    log, logged = StatisticsLog(experiment.model, folder, experiment.images), Logged(experiment.folder, loggers)
    try:
        with (
            logged,
            watching(experiment, watch, told) as watchers,
            reporter(session.spec.train.epochs, as_json) as shown,
        ):
            logged.summary = summary = experiment.run(shown, log, *watchers, logged)
    except Interrupted as interrupt:
        tell(str(interrupt), err=True)
        return interrupted(interrupt)
    finally:
        log.close()
        for problem in logged.problems:
            tell(f"not logged to the end: {problem}", err=True)
    problems = illustrate(folder, session, experiment.tested())
    if as_json:
        tell_json({**summary, "run": str(folder)})
    else:
        tell(*result(summary, folder))
        for problem in filter(None, (log.problem, *problems)):
            tell(f"not every picture could be drawn: {problem}")
    failed = missed(session.spec, summary)
    if failed:
        say(failed)
        return FINDINGS
    return 0


@contextmanager
def watching(experiment: Experiment, watch: bool, told: Callable[..., None]) -> Iterator[tuple[Observer, ...]]:
    """The observer of the training in a browser, with --watch."""
    if not watch:
        yield ()
        return
    from ..lab.watch import watched

    with watched(experiment) as (watcher, address):
        told(f"watch it at {address}")
        yield (watcher,)


def header(experiment: Experiment) -> tuple[str, ...]:
    """The first lines: the layers, the data, what is trained and what it takes."""
    from ..ir.summary import amount

    model, session = experiment.model, experiment.session
    settings = session.spec.train
    memory = amount(sum(model.engine.memory(settings.batch).values()))
    cost, optimiser = settings.cost[0].written(), settings.optimiser.written()
    return (
        *model.summary().split("\n"),
        session.data.told,
        f"cost {cost}, {optimiser}, batch {settings.batch}, "
        f"{model.engine.described}; predicted peak memory of a step {memory}",
        "",
    )


def result(summary: Summary, folder: Path) -> tuple[str, ...]:
    """The last lines."""
    parts = []
    if summary["test_accuracy"] is not None:
        parts.append(f"test accuracy {summary['test_accuracy']:.2%}")
    if summary["test_cost"] is not None:
        parts.append(f"test cost {summary['test_cost']:.4f}")
    measured = summary.get("test") or {}
    numbers = [(m, measured.get(m.name)) for m in MEASURES[1:] if m.name in measured]
    more = "  ".join(f"{m.title} {m.shown(n if isinstance(n, int | float) else None)}" for m, n in numbers)
    epoch = f", epoch {summary['best_epoch']}" if summary.get("tested") == "best" else ""
    weights = f"{summary.get('tested', 'last')} weights{epoch}"
    tested = f"{', '.join(parts) or 'no test images'} ({weights})"
    page = (f"look at {folder / 'report.html'}",) if (folder / "report.html").is_file() else ()
    return "", tested, *filter(None, (more,)), f"written to {folder}", *page
