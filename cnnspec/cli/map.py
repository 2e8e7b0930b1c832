"""`cnnspec map SPEC FILE`: a map of names, to be looked at and given to `--map`."""

from __future__ import annotations

from pathlib import Path

import click

from ..terminal import show
from .sizes import SIZES


@click.command()
@click.argument("spec", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("weights", metavar="FILE", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--input", "input_type", type=SIZES, help="The input's shape where the spec states none, such as 3x224x224."
)
def command(spec: Path, weights: Path, input_type: str | None) -> None:
    """Print under which names FILE, in safetensors or of Keras, holds the parameters of the network of SPEC.

    Published layouts need no map. What could be meant in two ways stands there as `?`: write the name in its place,
    and give the map to `cnnspec run --weights FILE --map MAP`. A line may also be of a layer, or of a pattern.

    \b
    cnnspec map net.cnn theirs.safetensors > names.map
    """
    from ..api import compile
    from ..train import weights as reading
    from ..train.names import template

    found = reading.read(weights)
    show(template(compile(spec, input=input_type).parameters, found.arrays))
