"""`cnnspec run SPEC`: train a network and write the run down."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import click

from ..terminal import tell, tell_json
from .machines import Machines, options
from .outcome import FINDINGS, interrupted, say


@click.command()
@click.argument("spec", required=False, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--set",
    "overrides",
    multiple=True,
    metavar="KEY=VALUE",
    help="A setting in place of the spec's: train.epochs=3.",
)
@click.option("--data", "folder", type=click.Path(path_type=Path), help="Where mnist, or the spec's files, lie.")
@click.option("--workers", type=click.IntRange(1, 256), help="Processes that share the work (default: the cores).")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=Path("runs"),
    show_default=True,
    help="Where the run's folder is made.",
)
@click.option("--seed", type=click.IntRange(0, 2**32 - 1), help="In place of the spec's train.seed.")
@click.option("--parallel", type=click.Choice(["processes", "threads"]), default="processes", show_default=True)
@click.option(
    "--resume", type=click.Path(exists=True, file_okay=False, path_type=Path), help="Go on with an interrupted run."
)
@click.option("--accept-changed-data", is_flag=True, help="With --resume: go on though the data are others now.")
@click.option(
    "--weights", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Begin with these weights."
)
@click.option("--partial", is_flag=True, help="With --weights: load what fits.")
@click.option(
    "--map",
    "names",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="With --weights: the file's names of our parameters.",
)
@click.option(
    "--tune", is_flag=True, help="Time the ways to compute each convolution first, and take the quickest."
)
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON, the rest on standard error.")
@options
def command(
    spec: Path | None,
    overrides: tuple[str, ...],
    folder: Path | None,
    workers: int | None,
    out: Path,
    seed: int | None,
    parallel: str,
    resume: Path | None,
    accept_changed_data: bool,
    weights: Path | None,
    partial: bool,
    names: Path | None,
    tune: bool,
    as_json: bool,
    machines: Machines,
) -> int:
    """Train the network of SPEC, test it, and write everything into runs/<spec>-001/."""
    if (spec is None) == (resume is None):
        raise click.UsageError("give a spec, or --resume with the folder of a run")
    from ..experiment.kept import of_stopped
    from ..train.folder import RunFolder

    if seed is not None:
        overrides = (*overrides, f"train.seed={seed}")
    if accept_changed_data and resume is None:
        raise click.UsageError("--accept-changed-data is for --resume")
    if resume is not None:
        if overrides or weights or tune:
            raise click.UsageError(
                "a resumed run keeps its settings and weights; --set, --weights and --tune begin a new one"
            )
        run_folder = RunFolder.open(resume)
        made = of_stopped(run_folder)
        return train(
            made.path, made.overrides, folder or made.data_folder, workers, parallel, as_json,
            machines.or_as(made.settings), run_folder=run_folder, made=made, shards=int(made.settings["shards"]),
            tuned=made.settings.get("tuned"), accept_changed_data=accept_changed_data,
        )  # fmt: skip
    assert spec is not None
    return train(spec, overrides, folder, workers, parallel, as_json, machines.or_as({}), out=out, weights=weights,
                 partial=partial, names=names, tune=tune)  # fmt: skip


def train(
    path: Path,
    overrides: tuple[str, ...],
    folder: Path | None,
    workers: int | None,
    parallel: str,
    as_json: bool,
    machines: Machines,
    *,
    out: Path | None = None,
    run_folder: Any = None,
    made: Any = None,
    shards: int | None = None,
    weights: Path | None = None,
    partial: bool = False,
    names: Path | None = None,
    tune: bool = False,
    tuned: Any = None,
    accept_changed_data: bool = False,
) -> int:
    """Train, anew into a folder under `out` or on in `run_folder`; returns the exit code."""
    from ..capacity import ensure_fits
    from ..experiment.journal import Journal
    from ..experiment.measured import missed
    from ..experiment.session import begin
    from ..ir.facts import facts
    from ..ir.summary import amount, table
    from ..model.model import Model
    from ..report.plots import draw_run
    from ..train import weights as weight_files
    from ..train.folder import RunFolder
    from ..train.loop import Course, Interrupted
    from ..train.names import read as read_names
    from ..train.runs import run
    from .training import reporter

    if tune and machines.engine == "jax":
        raise click.UsageError("--tune chooses between methods of the plan on NumPy; it goes without --engine jax")
    several, leads = machines.join()
    preparation = made.preparation if made else None
    session = begin(path, overrides, folder, made.source if made else None, preparation)
    preparation = preparation or session.preparation
    settings, data = session.spec.train, session.data
    count = workers or max(1, min(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1, 8))
    shards = shards or settings.shards or count
    model = Model(
        session.spec, workers=count, parallel=parallel, shards=shards,
        engine=machines.engine or "numpy", devices=machines.devices, tune=tune, measured=tuned,
    )  # fmt: skip
    with model:
        known = facts(session.spec.graph)
        memory = model.engine.memory(settings.batch)
        told = (lambda *lines: tell(*lines, err=as_json)) if leads else (lambda *lines: None)
        told(*table(known).split("\n"))
        told(session.data.told)
        told(
            f"cost {settings.cost[0].written()}, {settings.optimiser.written()}, batch {settings.batch}, "
            f"{model.engine.described}; predicted peak memory of a step {amount(sum(memory.values()))}",
            "",
        )
        ensure_fits(lambda n: sum(model.engine.memory(n).values()), settings.batch)
        resumed = run_folder is not None
        if weights is not None:
            mapping = read_names(source_of(names), model.parameters) if names else None
            misfits = weight_files.load(weights, model.parameters, partial=partial, names=mapping)
            for what, which in vars(misfits).items():
                if which:
                    told(f"{what}: {', '.join(which)}")
        if run_folder is None and leads:  # after all that can be refused: a run that is leaves no folder
            assert out is not None
            run_folder = RunFolder.create(out, path.name.removesuffix(".json").removesuffix(".cnn"))
            run_folder.describe(path, session.spec.source, resolved(session, overrides, shards, model), folder)
        course = Course(
            epochs=settings.epochs,
            batch=settings.batch,
            seed=model.seed,
            shuffle=session.spec.data.shuffle,
            augment=session.spec.data.augment,
            best=settings.best,
            patience=settings.patience,
        )
        stamp = session.stamp(preparation)
        parts: tuple[Any, Any, Any] = (data.train, data.validation, data.test)
        if several:
            from ..jax.processes import follow, shares

            parts = shares(data, model.engine.devices)
            if not leads:
                follow(model, *parts, course, stamp, run_folder, accept_changed_data)
                return 0
        images, validation, test = parts
        journal = Journal(model, run_folder.path, images)

        def hear(event: Any) -> None:
            shown(event)
            journal(event)

        try:
            with reporter(settings.epochs, as_json) as shown:
                summary = run(
                    model,
                    images,
                    course,
                    run_folder,
                    stamp,
                    validation=validation if len(validation) else None,
                    test=test if len(test) else None,
                    every=settings.checkpoint.size if settings.checkpoint else None,
                    keep=settings.checkpoint.keep if settings.checkpoint else 1,
                    resume=resumed,
                    accept_changed_data=accept_changed_data,
                    parameters=known.parameters,
                    on_event=hear,
                )
        except Interrupted as interrupt:
            tell(str(interrupt), err=True)
            return interrupted(interrupt)
        finally:
            journal.close()
        drawn = model
        if several:  # the others have left: what is still asked is asked of this process alone
            drawn = Model(session.spec, shards=1, precision="float32")
            drawn.parameters.update(model.parameters)
        pictures = draw_run(run_folder.path, drawn, data)
    if as_json:
        tell_json({**summary, "run": str(run_folder.path)})
    else:
        tell(*result(summary, run_folder.path))
        for problem in filter(None, (journal.problem, pictures.problem)):
            tell(f"not every picture could be drawn: {problem}")
    failed = missed(session.spec, summary)
    if failed:
        say(failed)
        return FINDINGS
    return 0


def source_of(path: Path) -> Any:
    """A file's text, or SpecError."""
    from ..diagnostics import Diagnostic, SpecError
    from ..lang.files import read_file

    found = read_file(path)
    if isinstance(found, Diagnostic):
        raise SpecError((found,))
    return found


def resolved(session: Any, overrides: tuple[str, ...], shards: int, model: Any) -> dict[str, Any]:
    """Every setting as it holds in this run."""
    from ..data.preparation import KEY
    from ..ir.fields import written

    return {
        "set": list(overrides),
        "train": written(session.spec.train, explicit=True),
        "data": written(session.spec.data, explicit=True),
        "cost": [cost.written(explicit=True) for cost in session.spec.train.cost],
        "input": str(session.spec.graph.type(session.spec.graph.inputs[0])),
        "shards": shards,
        "tuned": model.measured or None,
        "seed": model.seed,
        "dtype": model.dtype,
        "engine": model.engine.name,
        KEY: session.preparation.to_json(),
    }


def result(summary: dict[str, Any], folder: Path) -> tuple[str, ...]:
    """The last lines."""
    parts = []
    if summary["test_accuracy"] is not None:
        parts.append(f"test accuracy {summary['test_accuracy']:.2%}")
    if summary["test_cost"] is not None:
        parts.append(f"test cost {summary['test_cost']:.4f}")
    epoch = f", epoch {summary['best_epoch']}" if summary.get("tested") == "best" else ""
    weights = f"{summary.get('tested', 'last')} weights{epoch}"
    return "", f"{', '.join(parts) or 'no test images'} ({weights})", f"written to {folder}"
