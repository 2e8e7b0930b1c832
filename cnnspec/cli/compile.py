"""`cnnspec compile SPEC`: the network for other programs."""

from __future__ import annotations

from pathlib import Path

import click


@click.command()
@click.argument("spec", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--emit", type=click.Choice(["json", "torch", "onnx"]), required=True, help="What to write.")
@click.option("-o", "out", type=click.Path(dir_okay=False, path_type=Path), help="Where to write it.")
@click.option("--weights", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="A safetensors file.")
@click.option("--seed", type=click.IntRange(0, 2**32 - 1), help="Of fresh weights, where no file is given.")
@click.option("--input", "given", help="The input's shape where the spec states none, such as 1x28x28.")
def command(
    spec: Path, emit: str, out: Path | None, weights: Path | None, seed: int | None, given: str | None
) -> None:
    """Write the checked network of SPEC as JSON, as a PyTorch module, or as an ONNX model with weights.

    The PyTorch module has our names and layouts, so weights of a run load into it. An ONNX model holds the
    weights given, or fresh ones.
    """
    from ..api import compile, read_spec
    from ..train import files

    if emit != "onnx":
        found = read_spec(spec, input=given)
        if emit == "json":
            import json

            from ..lang.exchange import as_json

            text = json.dumps(as_json(found), indent=1) + "\n"
        else:
            from ..export.torch_module import torch_source

            text = torch_source(found.graph)
        if out is None:
            click.echo(text, nl=False)
        else:
            files.write(out, [text.encode()])
        return
    if out is None:
        raise click.UsageError("an ONNX model is no text: say where to write it with -o")
    from ..export.onnx import onnx_model

    model = compile(spec, seed=seed, input=given)
    if weights is not None:
        model.load(weights)
    made = onnx_model(model.graph, model.parameters, name=spec.name.removesuffix(".cnn"))
    files.write(out, [made.SerializeToString()])
    click.echo(f"written to {out}", err=True)
