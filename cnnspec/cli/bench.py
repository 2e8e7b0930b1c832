"""`cnnspec bench SPEC`: how fast a network is, beside PyTorch, ONNX Runtime and JAX where that is asked for."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, cast

import click

from ..terminal import show, tell_json

if TYPE_CHECKING:
    from ..validation import Json

MODES = {"both": ("train", "infer"), "train": ("train",), "infer": ("infer",), "latency": ("latency",)}


@click.command()
@click.argument("spec", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--batch", type=click.IntRange(1), help="Images of a batch (default: the spec's).")
@click.option(
    "--against",
    type=click.Choice(["torch", "torch-compile", "onnxruntime", "jax"]),
    multiple=True,
    help="Run the same network there as well.",
)
@click.option("--workers", type=click.IntRange(1), default=2, show_default=True, help="Of each side.")
@click.option("--rounds", type=click.IntRange(1), default=5, show_default=True, help="Interleaved rounds.")
@click.option(
    "--mode",
    type=click.Choice(list(MODES)),
    default="both",
    show_default=True,
    help="Training, inference, both, or one image at a time.",
)
@click.option(
    "--starts", type=click.IntRange(0), default=3, show_default=True, help="How often a first step is timed."
)
@click.option("--layers/--no-layers", default=True, show_default=True, help="The table of layers.")
@click.option("--tune", is_flag=True, help="Time the ways to compute each convolution first; take the quickest.")
@click.option("--input", "given", help="The input's shape where the spec states none, such as 1x28x28.")
@click.option("--json", "as_json", is_flag=True, help="JSON instead of tables.")
def command(
    spec: Path,
    batch: int | None,
    against: tuple[str, ...],
    workers: int,
    rounds: int,
    mode: str,
    starts: int,
    layers: bool,
    tune: bool,
    given: str | None,
    as_json: bool,
) -> None:
    """Time SPEC: images a second of training and inference, the first step from a cold start, every layer.

    Every side has a process of its own, on as many threads as there are workers, and they take turns; ratios
    are the median of the rounds and their range, against the quicker of PyTorch's two memory formats. Before
    anything is timed, outputs and gradients of the sides are held against one another in float64; outputs of ONNX
    Runtime, which does not train, in float32.
    """
    from tempfile import TemporaryDirectory

    from ..bench import comparison as comparison
    from ..bench import table
    from ..bench.layers import Table, Told
    from ..bench.subject import Subject

    modes = MODES[mode]
    subject = Subject.read(spec, 1 if mode == "latency" else batch, workers, given)
    if "train" in modes:
        subject.need_learning()
    comparison.need(against, modes)
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
    share = -(-subject.batch // workers)
    for what in modes if layers else ():
        with comparison.Process(
            "the table of layers", "layers", {**subject.job, "mode": what, "batch": share}
        ) as process:
            told = Table.of(cast(Told, process.told("table")))
        rows.append(told.as_json())
        pages.append(list(table.layers(told)))
    found = {**found, "comparisons": comparisons, **first, **({"layers": rows} if rows else {})}
    if as_json:
        tell_json(found)
    else:
        show("\n\n".join("\n".join(page) for page in pages) + "\n")
