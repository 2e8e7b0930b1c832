"""`cnnspec import MODEL.onnx -o NET.cnn`: a network of another program as a spec."""

from __future__ import annotations

from pathlib import Path

import click

from ..terminal import tell
from .sizes import SIZES


@click.command()
@click.argument("model", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "-o", "out", type=click.Path(dir_okay=False, path_type=Path), required=True, help="The spec to write."
)
@click.option(
    "--input", "input_type", type=SIZES, help="The input's shape where the model leaves it open, such as 3x224x224."
)
@click.option("--partial", is_flag=True, help="Write the longest part that a spec can state, and name the rest.")
@click.option("--force", is_flag=True, help="Overwrite existing files.")
def command(model: Path, out: Path, input_type: str | None, partial: bool, force: bool) -> None:
    """Write an ONNX model as a spec, and its weights beside it, as safetensors under the same name.

    What the language cannot say is refused by name, never approximated: every obstacle at once, with the layers
    that it concerns. With --partial the longest part without one is written, and standard error tells which, and
    what is missing.

    \b
    cnnspec import theirs.onnx -o theirs.cnn
    cnnspec import theirs.onnx --partial -o part.cnn
    """
    from ..api import shape
    from ..diagnostics import Diagnostic, SpecError
    from ..targets.onnx.importer import import_onnx
    from ..train import files, tensors
    from ..train.checkpoints import Stamp

    weights = out.with_suffix(".safetensors")
    for path in (out, weights):
        if path.exists() and not force:
            raise SpecError((Diagnostic.of("CNN507", path=path),))
    kind = shape(input_type)
    found = import_onnx(model, kind.shape if kind else None, partial)
    tensors.write(weights, found.weights, Stamp(found.text, out.name, found.preparation).metadata("weights"))
    files.write(out, [found.text.encode()])
    for note in found.notes:
        tell(f"note: {note}", err=True)
    for missing in found.missing:
        tell(f"missing: {missing.message}", err=True)
    tell(f"written to {out} and {weights}", err=True)
