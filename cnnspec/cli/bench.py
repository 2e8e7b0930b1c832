"""`cnnspec bench SPEC`: how fast a network is, beside PyTorch, ONNX Runtime and JAX where that is asked for."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, cast

import click

from ..terminal import show, tell, tell_json
from .sizes import SIZES

if TYPE_CHECKING:
    from ..bench.suite import Suite, SuiteRow
    from ..validation import Json

MODES = {"both": ("train", "infer"), "train": ("train",), "infer": ("infer",), "latency": ("latency",)}


@click.command()
@click.argument("spec", type=click.Path(exists=True, path_type=Path))
@click.option("--batch", type=click.IntRange(1), help="Images of a batch (default: the spec's).")
@click.option(
    "--against",
    type=click.Choice(["torch", "torch-compile", "onnxruntime", "jax", "tensorflow"]),
    multiple=True,
    help="Framework to compare with.",
)
@click.option("--workers", type=click.IntRange(1), default=2, show_default=True, help="Workers per side.")
@click.option("--rounds", type=click.IntRange(1), default=5, show_default=True, help="Interleaved rounds.")
@click.option(
    "--mode",
    type=click.Choice(list(MODES)),
    default="both",
    show_default=True,
    help="Training, inference, both, or one image at a time.",
)
@click.option("--starts", type=click.IntRange(0), default=3, show_default=True, help="Cold starts to time.")
@click.option(
    "--engine",
    type=click.Choice(["numpy", "jax"]),
    default="numpy",
    show_default=True,
    help="What computes our side: with jax all sides run on the card, if there is one.",
)
@click.option(
    "--precision",
    type=click.Choice(["float32", "bfloat16"]),
    default="float32",
    show_default=True,
    help="With --engine jax: of images and activations, PyTorch's by autocast.",
)
@click.option("--layers/--no-layers", default=True, show_default=True, help="The table of layers.")
@click.option("--tune", is_flag=True, help="Time the ways to compute each convolution first; take the quickest.")
@click.option(
    "--input",
    "input_type",
    type=SIZES,
    help="The input's shape, such as 1x28x28, in place of the spec's; of a suite that of images with more pixels.",
)
@click.option("--suite", is_flag=True, help="SPEC is a folder: one table of all specs in it, in Markdown.")
@click.option(
    "-o",
    "out",
    type=click.Path(dir_okay=False, path_type=Path),
    help="With --suite: a .md or .json file for the table, written after each network; the other beside it.",
)
@click.option("--json", "as_json", is_flag=True, help="JSON instead of tables.")
def command(
    spec: Path,
    batch: int | None,
    against: tuple[str, ...],
    workers: int,
    rounds: int,
    mode: str,
    starts: int,
    engine: str,
    precision: str,
    layers: bool,
    tune: bool,
    input_type: str | None,
    suite: bool,
    out: Path | None,
    as_json: bool,
) -> None:
    """Time SPEC: images a second of training and inference, the first step from a cold start, every layer.

    Every side has a process of its own, on as many threads as there are workers, and they take turns; ratios
    are the median of the rounds and their range, against the quicker of PyTorch's two memory formats. Before
    anything is timed, outputs and gradients of the sides are held against one another in float64; outputs of ONNX
    Runtime, which does not train, in float32.

    With --suite every spec of a folder is timed, in training, inference and for one image unless --mode says which,
    and what cannot be compared is told in its row. Where a rival computes other numbers, the exit code is 1.

    With --engine jax the engine on JAX is timed, on one device of those that JAX has, the rivals on the same:
    images lie on it, and a step begins before the cost of the one before it is read.

    \b
    cnnspec bench net.cnn --against torch
    cnnspec bench specs/ --suite -o table.md
    """
    if engine == "jax":
        ensure_fits_jax(against, tune)
    elif precision != "float32":
        raise click.UsageError(f"--precision {precision} is of JAX: give --engine jax")
    if suite:
        every = (*MODES["both"], "latency") if mode == "both" else MODES[mode]
        from ..bench.suite import Suite

        time_all(
            spec,
            Suite(str(spec), mode, every, against, workers, rounds, batch, input_type, engine, precision),
            out,
            as_json,
        )
        return
    if spec.is_dir():
        raise click.UsageError(f"{spec} is a folder: --suite times all specs in it")
    if out is not None:
        raise click.UsageError("-o writes the table of a suite: give --suite")
    from dataclasses import replace
    from tempfile import TemporaryDirectory

    from ..bench import comparison as comparison
    from ..bench import table
    from ..bench.layers import LayerTimes, LayerTimesJson
    from ..bench.subject import Subject

    modes = MODES[mode]
    subject = Subject.read(spec, 1 if mode == "latency" else batch, workers, input_type)
    subject = replace(subject, engine=engine, precision=precision)
    if "train" in modes:
        subject.need_learning()
    comparison.need((*against, *(["jax"] if engine == "jax" else [])), modes)
    if tune:
        subject = subject.tuned()
    found: dict[str, object] = {"spec": str(spec), "batch": subject.batch, "workers": workers}
    first: dict[str, object] = {}
    comparisons: list[dict[str, object]] = []
    rows: list[dict[str, Json]] = []
    pages: list[list[str]] = [[f"{spec.name}, {workers} worker{'s' * (workers > 1)}"]]
    with TemporaryDirectory() as folder:
        jobs = {what: comparison.sides(subject, what, against, Path(folder)) for what in modes}
        comparison.agree(
            subject, tuple(dict.fromkeys("train" if m == "train" else "infer" for m in modes)), against
        )
        for what in modes:
            result = comparison.comparison(jobs[what], rounds)
            comparisons.append(result.as_json())
            pages.append(list(table.comparison(result)))
        if starts:
            seconds = comparison.first_steps(jobs[modes[0]], starts)
            first["first_step"] = seconds
            pages.append(list(table.starts(seconds)))
    images_per_worker = -(-subject.batch // workers)
    for what in modes if layers and engine == "numpy" else ():
        with comparison.Process(
            "the table of layers", "layers", {**subject.job, "mode": what, "batch": images_per_worker}
        ) as process:
            told = LayerTimes.of(cast(LayerTimesJson, process.told("table")))
        rows.append(told.as_json())
        pages.append(list(table.layers(told)))
    found = {**found, "comparisons": comparisons, **first, **({"layers": rows} if rows else {})}
    if as_json:
        tell_json(found)
    else:
        show("\n\n".join("\n".join(page) for page in pages) + "\n")


def ensure_fits_jax(against: tuple[str, ...], tune: bool) -> None:
    """Refuse what has no meaning where our side is the engine on JAX."""
    if tune:
        raise click.UsageError("--tune times NumPy's convolutions: leave it out with --engine jax")
    for baseline in against:
        if not baseline.startswith("torch"):
            raise click.UsageError(f"--engine jax is compared with torch and torch-compile, not with {baseline}")


def time_all(folder: Path, suite: Suite, out: Path | None, as_json: bool) -> None:
    """Every spec below a folder; the table is written anew after each, so that what was timed is kept."""
    from ..bench import comparison
    from ..bench.suite import measured, specs_of
    from ..diagnostics import SpecError

    paths = specs_of(folder)
    if not paths:
        raise click.UsageError(f"there is no spec in {folder}: their names end in .cnn")
    if out is not None and out.suffix.lower() not in (".md", ".json"):
        raise click.UsageError(f"{out} should end in .md or .json")
    comparison.need((*suite.against, *(["jax"] if suite.engine == "jax" else [])), suite.modes)
    rows: list[SuiteRow] = []
    for path in paths:
        name = path.relative_to(folder).as_posix() if path != folder else path.name
        tell(f"{name} ({len(rows) + 1} of {len(paths)})", err=True)
        rows.append(measured(path, name, suite))
        if out is not None:
            write_table(rows, suite, out)
    if out is None:
        show_table(rows, suite, as_json)
    if faults := tuple(fault for row in rows for fault in row.faults):
        raise SpecError(faults)


def write_table(rows: Sequence[SuiteRow], suite: Suite, out: Path) -> None:
    """As Markdown and as JSON, each whole or not at all."""
    from ..bench.suite import as_json, circumstances, markdown
    from ..train import files

    made = circumstances(suite, rows)
    text = json.dumps(as_json(rows, suite, made), indent=1)
    files.write(out.with_suffix(".json"), [f"{text}\n".encode()])
    files.write(out.with_suffix(".md"), ["\n".join([*markdown(rows, suite, made), ""]).encode()])


def show_table(rows: Sequence[SuiteRow], suite: Suite, in_json: bool) -> None:
    from ..bench.suite import as_json, circumstances, markdown

    made = circumstances(suite, rows)
    if in_json:
        tell_json(as_json(rows, suite, made))
    else:
        show("\n".join(markdown(rows, suite, made)) + "\n")
