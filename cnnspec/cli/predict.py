"""`cnnspec predict RUN_OR_WEIGHTS FILE...`: what a trained network says of images."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from ..terminal import tell, tell_json


@click.command()
@click.argument("trained", metavar="RUN_OR_WEIGHTS", type=click.Path(exists=True, path_type=Path))
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--data", "folder", type=click.Path(path_type=Path), help="Of old runs: where mnist, or the spec's files, lie."
)
@click.option("--prepared", is_flag=True, help="FILES hold floats as the network sees them.")
@click.option("--top", type=click.IntRange(1), default=3, show_default=True, help="How many classes to name.")
@click.option("--json", "as_json", is_flag=True, help="As JSON, every output.")
def command(
    trained: Path, files: tuple[Path, ...], folder: Path | None, prepared: bool, top: int, as_json: bool
) -> None:
    """Ask the network of a run's folder, or of a weights file.

    FILES are what the network was trained on, one image or many: npy arrays, (c, h, w) or (n, c, h, w), npz
    archives, rows of a csv, or pictures, where Pillow is installed. They are prepared as the training data were,
    which the run remembers, so neither those data nor the spec are needed.
    """
    from ..data.single import read_inputs
    from ..experiment.session import open_trained
    from ..model.scores import named, scores

    def remark(line: str) -> None:
        tell(line, err=True)

    network = open_trained(trained, folder, remark)
    classes = network.preparation.classes or ()
    told: list[dict[str, Any]] = []
    form = ".4g"
    with network.model as model:
        for file in files:
            images, word = read_inputs(file, network.preparation, prepared=prepared)
            if word:
                remark(f"{file} holds {word}")
            answers = model.predict(images)
            found = scores(network.spec.graph, answers, len(classes))
            best = named(found, classes, top) if found else []
            for number, answer in enumerate(answers):
                name = str(file) if len(images) == 1 else f"{file}[{number}]"
                one = {"image": name, "output": answer.tolist()}
                if found:
                    one["best"] = best[number]
                    form = ".1%" if found.shares else ".4g"
                told.append(one)
    if as_json:
        tell_json(told)
        return
    for one in told:
        if "best" in one:
            tell(f"{one['image']}: " + ", ".join(f"{name} {score:{form}}" for name, score in one["best"]))
        else:
            tell(f"{one['image']}: {one['output']}")
