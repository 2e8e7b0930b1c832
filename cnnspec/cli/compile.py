"""`cnnspec compile SPEC`: the network for other programs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..settings.train import LAYOUTS
from ..terminal import hand_over, tell
from .sizes import SIZES

if TYPE_CHECKING:
    import numpy as np

    from ..lang import Spec
    from ..model import Model


BESIDE = {
    "python": ".npz",
    "jax": ".npz",
    "js": ".safetensors",
}  # modules, and what their weights beside them are called
OF = {
    "batch": ("python",),
    "look": ("js",),
    "opset": ("onnx",),
    "train": ("python", "js"),
}  # options that not every module has


@click.command()
@click.argument("spec", type=click.Path(exists=True, path_type=Path))
@click.option(
    "--emit",
    type=click.Choice(["json", "torch", "onnx", "python", "jax", "js"]),
    required=True,
    help="Target to write.",
)
@click.option("-o", "out", type=click.Path(dir_okay=False, path_type=Path), help="Output file.")
@click.option(
    "--weights", type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A safetensors file; that of a run also holds the preparation and the names of the classes.",
)  # fmt: skip
@click.option("--as", "layout", type=click.Choice(LAYOUTS), help="With --weights: their publisher.")
@click.option("--seed", type=click.IntRange(0, 2**32 - 1), help="Seed of fresh weights, without --weights.")
@click.option(
    "--input", "input_type", type=SIZES, help="The input's shape where the spec states none, such as 1x28x28."
)
@click.option("--opset", type=click.IntRange(1), help="onnx: the opset (default: the lowest possible).")
@click.option("--raw", is_flag=True, help="Leave the preparation out: the network takes prepared numbers.")
@click.option("--train", is_flag=True, help="python, js: with backward pass and update.")
@click.option("--look", is_flag=True, help="js: every value and every gradient by name.")
@click.option("--embed", is_flag=True, help="python, jax, js: the weights in the file itself.")
@click.option("--batch", type=click.IntRange(1), help="python: images per call of the plan.")
def command(
    spec: Path,
    emit: str,
    out: Path | None,
    weights: Path | None,
    layout: str | None,
    seed: int | None,
    input_type: str | None,
    opset: int | None,
    raw: bool,
    train: bool,
    look: bool,
    embed: bool,
    batch: int | None,
) -> None:
    """Write the network of SPEC for other programs: a spec, a run's folder, or weights that a run has written.

    \b
    json     the checked network, which every command reads as a .cnn.json file
    torch    a PyTorch module into which the weights of a run load by name
    onnx     an ONNX model with the weights given, or fresh ones
    python   one Python file that needs NumPy alone, its weights beside it as npz
    jax      one Python file that needs JAX, its weights beside it as npz
    js       one ES module that needs nothing, its weights as safetensors

    With the weights of a run, what is written prepares images itself, as its first layers: it is fed what the data
    hold, bytes in the order of their axes, and brings pictures of any size to that of the data block. With --raw it
    takes numbers as the network sees them. Which of both, how images are prepared and the names of the classes
    stand in it (onnx: in the metadata; else as constants), and standard error tells them.

    \b
    cnnspec compile net.cnn --emit torch -o net.py
    cnnspec compile runs/net-001 --emit onnx -o net.onnx
    """
    needless(emit, train=train, embed=embed, batch=batch, look=look, opset=opset)
    if out is None and (emit == "onnx" or (emit in BESIDE and not embed)):
        hint = ", or let it hold them itself with --embed" if emit in BESIDE else ""
        raise click.UsageError(f"weights are no text: say where to write them with -o{hint}")
    if out is not None and any(same_file(out, given) for given in (spec, weights)):
        raise click.UsageError(f"{out} would be written over by what is made of it: choose another name with -o")
    trained = spec.is_dir() or spec.suffix == ".safetensors"
    if trained and (weights or seed is not None or input_type or layout):
        raise click.UsageError(f"{spec} is trained: --weights, --as, --seed and --input are for a spec")
    if emit in BESIDE and out is not None and out.suffix == BESIDE[emit]:
        raise click.UsageError(
            f"a module is called .{'js' if emit == 'js' else 'py'}; its weights go beside it, as {out.suffix}"
        )
    if emit == "json" and weights:
        raise click.UsageError("a network as JSON holds no weights: leave --weights out")
    if raw and not (weights or trained):
        raise click.UsageError("--raw leaves out how the images of a run are prepared: give its weights too")
    if not trained and (emit == "json" or (emit == "torch" and not weights)):
        write(as_text(checked(spec, input_type), emit), out)
        return
    model = opened(spec) if trained else loaded(spec, weights, seed, input_type, layout or "")
    if emit == "json":
        write(as_text(model.spec, emit), out)
        return
    advise(model, spec if trained else weights, raw)
    name = Path(model.spec.source.name).name if trained else spec.name
    if emit == "torch":
        from ..targets.torch.module import torch_source

        write(torch_source(model.graph, preparation=model.preparation, raw=raw).encode(), out)
        return
    if emit == "onnx":
        from ..targets.onnx.export import onnx_model

        made = onnx_model(model.graph, model.parameters, name=name.removesuffix(".cnn"), opset=opset,
                          preparation=model.preparation, raw=raw)  # fmt: skip
        write(made.SerializeToString(), out)
        return
    beside = out.with_suffix(BESIDE[emit]) if out else Path(f"net{BESIDE[emit]}")
    if same_file(beside, weights):
        raise click.UsageError(f"{beside} would be written over by what is made of it: choose another name with -o")
    if not embed:
        may_be_replaced(beside)
    if emit == "js":
        from ..targets.js import module as js

        text = js.module_source(
            model.spec, model.parameters, train=train, look=look, beside=beside.name, embed=embed,
            preparation=model.preparation, prepares=model.preparation is not None and not raw,
        )  # fmt: skip
        packed: Callable[[Mapping[str, np.ndarray]], bytes] = js.packed
    elif emit == "jax":
        from ..model.engines import need_jax

        need_jax()
        from ..jax import export

        text = export.module_source(
            model.graph, model.parameters, name=name, beside=beside.name, embed=embed,
            preparation=model.preparation, raw=raw,
        )  # fmt: skip
        packed = export.packed
    else:
        from ..targets.python import module as python

        text = python.module_source(
            model.spec, model.parameters, train=train, batch=batch, beside=beside.name, embed=embed,
            preparation=model.preparation, raw=raw,
        )  # fmt: skip
        packed = python.packed
    if not embed:
        write(packed(model.parameters), beside)
    write(text.encode(), out)


def needless(emit: str, **given: object) -> None:
    """Refuse options that belong to other formats."""
    for name, value in given.items():
        of = OF.get(name, tuple(BESIDE))
        if value and emit not in of:
            raise click.UsageError(f"--{name} belongs to --emit {' and --emit '.join(of)}")


def checked(spec: Path, given: str | None) -> Spec:
    """The spec, its input that of its data where neither it nor the caller states one."""
    from ..api import read_spec

    found = read_spec(spec, input=given)
    if found.symbolic:
        from ..data.load import load

        data = load(found.data, root=spec.parent, seed=found.train.seed)
        found = read_spec(spec, input=data.input_type)
    return found


def opened(trained: Path) -> Model:
    """The network of a run's folder or of weights that tell their spec, with its weights."""
    from ..experiment.session import open_trained

    return open_trained(trained, tell=lambda line: tell(line, err=True)).model


def loaded(spec: Path, weights: Path | None, seed: int | None, input_type: str | None, layout: str) -> Model:
    """The model, with weights from a file or fresh ones."""
    from ..api import compile
    from ..data.preparation import Preparation
    from ..train import tensors

    if weights is None:
        return compile(spec, seed=seed, input=input_type)
    preparation = Preparation.from_metadata(tensors.read(weights).metadata, str(weights))
    model = compile(spec, seed=seed, input=input_type or (preparation.input_type if preparation else None))
    model.load(weights, layout=layout)
    return model


def advise(model: Model, weights: Path | None, raw: bool) -> None:
    """Say what the network that is written wants to be fed."""
    if model.preparation is not None:
        tell(model.preparation.told(raw), err=True)
    elif weights is not None:
        tell(f"{weights} does not tell how images are prepared for the network", err=True)


def as_text(spec: Spec, emit: str) -> bytes:
    if emit == "json":
        import json

        from ..lang.exchange import as_json

        return (json.dumps(as_json(spec), indent=1) + "\n").encode()
    from ..targets.torch.module import torch_source

    return torch_source(spec.graph).encode()


def same_file(a: Path, b: Path | None) -> bool:
    return b is not None and a.exists() and a.samefile(b)


def may_be_replaced(path: Path) -> None:
    """Refuse to write weights over a file that holds other things, such as the data that they were trained on."""
    from ..diagnostics import Diagnostic, SpecError

    if not path.exists() or (of_module(path) if path.suffix == ".safetensors" else of_arrays(path)):
        return
    raise SpecError((Diagnostic.of("CNN507", case="beside", path=path),))


def of_arrays(path: Path) -> bool:
    """Whether an npz file holds parameters: conv1.weight, not x."""
    from ..data.formats import archive
    from ..diagnostics import Fault

    try:
        with archive.opened(path) as file:
            return all("." in name.removesuffix(".npy") for name in file.namelist())
    except Fault:
        return False


def of_module(path: Path) -> bool:
    """Whether a safetensors file was written for a module."""
    from ..diagnostics import SpecError
    from ..targets.js.module import WRITTEN_FOR
    from ..train import tensors

    try:
        return tensors.read(path).metadata == WRITTEN_FOR
    except SpecError:
        return False


def write(content: bytes, out: Path | None) -> None:
    """Into a file, whole or not at all, or to standard output."""
    from ..train import files

    if out is None:
        hand_over(content)
        return
    files.write(out, [content])
    tell(f"written to {out}", err=True)
