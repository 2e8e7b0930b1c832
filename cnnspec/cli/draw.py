"""`cnnspec draw SPEC`: a picture of a network."""

from __future__ import annotations

from pathlib import Path

import click

from ..terminal import hand_over
from .sizes import SIZES

FORMATS = ("svg", "png", "mmd", "dot")


@click.command()
@click.argument("spec", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "-o",
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    help="A file .svg, .png, .mmd (Mermaid) or .dot (Graphviz); without, SVG on standard output.",
)
@click.option(
    "--depth", type=click.IntRange(0), default=0, show_default=True, help="Blocks nested deeper are folded."
)
@click.option(
    "--width",
    type=click.IntRange(300, 20_000),
    default=1400,
    show_default=True,
    help="Width of a row; for U-shaped networks two fifths more.",
)
@click.option(
    "--input",
    "input_type",
    type=SIZES,
    metavar="SHAPE",
    help="The input, such as 1x28x28, where the spec states none.",
)
def command(spec: Path, out: Path | None, depth: int, width: int, input_type: str | None) -> None:
    """Draw the network of SPEC: the way forward, volumes to scale, windows and what they make.

    \b
    cnnspec draw net.cnn > net.svg
    cnnspec draw net.cnn -o net.png
    """
    from ..api import read_spec
    from ..draw import text_graphs
    from ..draw.drawing import scene
    from ..draw.svg import svg

    kind = out.suffix.lower().removeprefix(".") if out else "svg"
    if kind not in FORMATS:
        raise click.UsageError(f"{out} should end in one of {', '.join('.' + f for f in FORMATS)}")
    graph = read_spec(spec, input=input_type).graph
    if kind == "mmd":
        made = text_graphs.mermaid(graph, depth=depth).encode()
    elif kind == "dot":
        made = text_graphs.dot(graph, depth=depth).encode()
    else:
        picture = scene(graph, depth=depth, width=width, name=spec.name.partition(".")[0])
        if kind == "png":
            from ..draw.png import png

            made = png(picture)
        else:
            made = svg(picture).encode()
    deliver(made, out)


def deliver(made: bytes, out: Path | None) -> None:
    """Write a file whole or not at all, or to standard output."""
    from ..train import files

    if out is None:
        hand_over(made)
    else:
        files.write(out, [made])
