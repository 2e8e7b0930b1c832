"""`cnnspec predict RUN_OR_WEIGHTS FILE...`: what a trained network says of images."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click


@click.command()
@click.argument("trained", metavar="RUN_OR_WEIGHTS", type=click.Path(exists=True, path_type=Path))
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--data", "folder", type=click.Path(path_type=Path), help="Where mnist and its like lie.")
@click.option("--top", type=click.IntRange(1), default=3, show_default=True, help="How many classes to name.")
@click.option("--json", "as_json", is_flag=True, help="As JSON, every output.")
def command(trained: Path, files: tuple[Path, ...], folder: Path | None, top: int, as_json: bool) -> None:
    """Ask the network of a run's folder, or of a weights file.

    FILES are npy arrays, (c, h, w) or (n, c, h, w), bytes as the data have them or floats as the network sees
    them; or pictures, where Pillow is installed.
    """
    from ..data.single import read_inputs
    from ..experiment.session import reopen

    session, model = reopen(trained, folder)
    kind = session.spec.graph.type(session.spec.graph.inputs[0])
    told: list[dict[str, Any]] = []
    with model:
        for file in files:
            images = read_inputs(file, kind, session.data.scaling)
            for number, answer in enumerate(model.predict(images)):
                name = str(file) if len(images) == 1 else f"{file}[{number}]"
                told.append({"image": name, "output": answer.tolist(), **best(answer, session.data.classes, top)})
    if as_json:
        click.echo(json.dumps(told, indent=2))
        return
    for answer in told:
        if "best" in answer:
            click.echo(f"{answer['image']}: " + ", ".join(f"{name} {share:.1%}" for name, share in answer["best"]))
        else:
            click.echo(f"{answer['image']}: {answer['output']}")


def best(answer: Any, classes: tuple[str, ...] | None, top: int) -> dict[str, Any]:
    """The most likely classes, where the outputs are classes."""
    if classes is None or answer.shape != (len(classes),):
        return {}
    order = answer.argsort()[::-1][:top]
    return {"best": [(classes[k], float(answer[k])) for k in order]}
