"""`cnnspec report RUN`: a page that shows a trained network at work."""

from __future__ import annotations

from pathlib import Path

import click

from ..terminal import tell
from .outcome import CLEAN
from .sizes import SIZES


@click.command()
@click.argument("path", metavar="RUN|SPEC", type=click.Path(exists=True, path_type=Path))
@click.option(
    "--image", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="An npy file or a picture."
)
@click.option("--which", type=click.IntRange(0), multiple=True, help="Indices of test images, from 0, instead.")
@click.option(
    "--label", type=click.IntRange(0), help="The class that --image shows (default: the predicted class)."
)
@click.option("-o", "--out", type=click.Path(dir_okay=False, path_type=Path), help="Default: in the run's folder.")
@click.option("--data", "folder", type=click.Path(path_type=Path), help="Folder of mnist, or of the spec's files.")
@click.option(
    "--input",
    "input_type",
    type=SIZES,
    metavar="SHAPE",
    help="The input, such as 1x28x28, where the spec states none.",
)
def command(
    path: Path,
    image: Path | None,
    which: tuple[int, ...],
    label: int | None,
    out: Path | None,
    folder: Path | None,
    input_type: str | None,
) -> int:
    """Write one HTML file that shows a network at work: its drawing, its training, and for each image every map
    and the very sum behind each pixel.

    RUN is a run's folder or its weights; a SPEC is shown as training begins. The file needs no network.

    \b
    cnnspec report runs/net-001 -o net.html
    """
    from ..explain.subject import open_subject
    from ..report.page import page
    from ..train import files

    target = out or (path / "report.html" if path.is_dir() else Path(f"{path.name.partition('.')[0]}.html"))
    subject = open_subject(path, image=image, which=which or None, label=label, folder=folder, input=input_type)
    files.write(target, [page(subject).encode()])
    tell(f"written to {target} ({target.stat().st_size / 1e6:.1f} MB)")
    return CLEAN
