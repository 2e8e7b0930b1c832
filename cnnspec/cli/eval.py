"""`cnnspec eval RUN_OR_WEIGHTS`: test a trained network again."""

from __future__ import annotations

from pathlib import Path

import click

from ..settings.train import LAYOUTS
from ..terminal import show, tell, tell_json

NO_SPEC = "--as is of weights that tell no spec: give it by --spec"
PARTS = ("test", "validation", "train", "all")


@click.command()
@click.argument("trained", metavar="RUN_OR_WEIGHTS", type=click.Path(exists=True, path_type=Path))
@click.option(
    "--spec", "spec", type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The spec, for weights without one, such as torchvision's.",
)  # fmt: skip
@click.option("--as", "layout", type=click.Choice(LAYOUTS), help="With --spec: the publisher of the weights.")
@click.option("--data", "folder", type=click.Path(path_type=Path), help="Folder of mnist, or of the spec's files.")
@click.option(
    "--set", "overrides", multiple=True, metavar="KEY=VALUE",
    help="""A setting in place of the run's, such as other data: data.source='npz "other.npz"'.""",
)  # fmt: skip
@click.option("--part", type=click.Choice(PARTS), default="test", show_default=True, help="Part of the data.")
@click.option("--workers", type=click.IntRange(1, 256), default=1, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def command(
    trained: Path,
    spec: Path | None,
    layout: str | None,
    folder: Path | None,
    overrides: tuple[str, ...],
    part: str,
    workers: int,
    as_json: bool,
) -> None:
    """Test the network of a run's folder, or of a weights file, on the test images of its data: cost, accuracy,
    precision, recall and F1 of each class and who is taken for whom, or the errors of numbers.

    The images are prepared as the training data were. All images of other data:

        cnnspec eval RUN --part all --set data.source='images "other photos"'
    """
    if layout and spec is None:
        raise click.UsageError(NO_SPEC)
    from dataclasses import replace

    from ..diagnostics import Diagnostic, SpecError
    from ..experiment.session import reopen
    from ..train.loop import measure
    from ..train.measure_tables import whole

    session, model = reopen(trained, folder, workers, overrides, spec, layout or "")
    data = session.data
    named = {"train": data.train, "validation": data.validation, "test": data.test}
    images = data.whole if part == "all" else replace(named[part], weights=None)  # each once, however rare
    told = {"train": "training ", "all": ""}.get(part, f"{part} ")
    if not len(images):
        raise SpecError((Diagnostic.of("CNN303", case="part", which=told, data=data.name, part=part),))
    with model:
        score = measure(model, images, model.batch)
    found: dict[str, object] = {"images": len(images), "accuracy": score.accuracy, "cost": score.cost}
    measures, classes = score.measures, session.data.classes
    if measures:
        found |= measures.to_json(classes)
    if as_json:
        tell_json(found)
        return
    accuracy = f"accuracy {score.accuracy:.2%}, " if score.accuracy is not None else ""
    tell(f"{accuracy}cost {score.cost:.4f} on {len(images):,} {told}images of {session.data.name}")
    if measures:
        show("\n" + whole(measures, classes))
