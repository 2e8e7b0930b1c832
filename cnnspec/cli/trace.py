"""`cnnspec trace SPEC|RUN --at conv1[3,10,12]`: one number, and everything that it was made of."""

from __future__ import annotations

from pathlib import Path

import click

from ..terminal import show, tell
from .outcome import CLEAN
from .sizes import SIZES


@click.command()
@click.argument("path", metavar="SPEC|RUN", type=click.Path(exists=True, path_type=Path))
@click.option("--at", required=True, metavar="PLACE", help="A number: conv1[3,10,12], or conv1.weight[3,0,1,2].")
@click.option(
    "--image", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="An npy file or a picture."
)
@click.option(
    "--which", type=click.IntRange(0), default=0, show_default=True, help="Index of a test image, instead."
)
@click.option(
    "--label", type=click.IntRange(0), help="The class that --image shows (default: the predicted class)."
)
@click.option("--data", "folder", type=click.Path(path_type=Path), help="Folder of mnist, or of the spec's files.")
@click.option("--seed", type=click.IntRange(0), help="Seed of the weights of an untrained spec.")
@click.option(
    "--input",
    "input_type",
    type=SIZES,
    metavar="SHAPE",
    help="The input, such as 1x28x28, where the spec states none.",
)
def command(
    path: Path,
    at: str,
    image: Path | None,
    which: int,
    label: int | None,
    folder: Path | None,
    seed: int | None,
    input_type: str | None,
) -> int:
    """Show how one number of a network comes about, forward and backward.

    SPEC is as training begins, RUN a run's folder (or its weights) as training left it. A value's name alone
    means its largest number. Numbers are those of the network in use, by a plan in float64.

    \b
    cnnspec trace net.cnn --at conv1
    cnnspec trace runs/net-001 --at "conv1.weight[3,0,1,2]" --which 5
    """
    from ..explain.subject import open_subject
    from ..explain.trace import trace
    from ..explain.trace_place import find_place

    subject = open_subject(
        path, image=image, which=(which,), label=label, folder=folder, seed=seed, input=input_type
    )
    (example, *_) = subject.examples
    seen = subject.look(example)
    parameters = {name: subject.model.parameters[name].astype("float64") for name in subject.model.parameters}
    place = find_place(at, subject.graph, seen, parameters)
    shows = f", a {subject.class_name(example.label)}" if example.label is not None and example.known else ""
    tell(f"{subject.name} on {example.title}{shows}", "")
    show(trace(subject.graph, seen, parameters, place))
    return CLEAN
