"""`cnnspec.check`, `cnnspec.compile`: the language and its compiler for programs."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from .diagnostics import Diagnostic, Source, SpecError
from .ir import TensorType, data

if TYPE_CHECKING:
    from .lang import Spec
    from .model import Model

Input = str | tuple[int, ...] | TensorType


def read_spec(
    path: str | os.PathLike[str] | Source | None = None,
    *,
    text: str | None = None,
    input: Input | None = None,
    overrides: Sequence[str] = (),
    folder: Path | None = None,
) -> Spec:
    """A checked spec, from a file, a text or a source; raises SpecError with every finding where it is wrong.

    `input` is the input's shape, (1, 28, 28) or "1x28x28", for a file that states none; `folder` is where a
    text lies, for its imports.
    """
    from .lang import read
    from .lang.files import read_file

    if (path is None) == (text is None):
        raise TypeError("give a path or text=, one of them")
    source: Source | Diagnostic
    if path is None:
        source = Source("<text>", text or "")
    else:
        source = path if isinstance(path, Source) else read_file(Path(path))
    if isinstance(source, Diagnostic):
        if source.code == "CNN009" and isinstance(path, str) and ("\n" in path or "->" in path):
            source = source.advised("text")
        raise SpecError((source,))
    reading = read(source, folder=folder, input=shape(input), overrides=tuple(overrides))
    if reading.spec is None:
        raise SpecError(reading.diagnostics)
    return reading.spec


def shape(given: Input | None) -> TensorType | None:
    """An input's type from the ways in which it may be given."""
    if given is None or isinstance(given, TensorType):
        return given
    sizes = tuple(int(part) for part in given.split("x")) if isinstance(given, str) else tuple(given)
    if not 1 <= len(sizes) <= 3 or min(sizes) < 1:
        raise ValueError(f"an input has one to three sizes, such as 3x32x32; got {given!r}")
    return data(*sizes)


def compile(
    path: str | os.PathLike[str] | None = None,
    *,
    text: str | None = None,
    batch: int | None = None,
    workers: int = 1,
    parallel: str = "processes",
    seed: int | None = None,
    dtype: str = "float32",
    shards: int | None = None,
    input: Input | None = None,
    overrides: Sequence[str] = (),
    engine: str = "numpy",
    devices: int | None = None,
    precision: str | None = None,
    tune: bool = False,
) -> Model:
    """Compile a spec to a model with fresh parameters.

    batch      images of a step (default: the spec's); batches of other sizes are taken too
    workers    programs of their own over shared memory that share the work, the images of a batch or the rows of
               one; with parallel="threads", or where no programs may be started, threads that share a batch
    seed       of the parameters' beginning and of dropout (default: the spec's)
    shards     parts into which a batch is cut; results depend on them to the last bit, on workers never
    input      shape of the input, (1, 28, 28) or "1x28x28", where the spec states none; else that of the
               data which the spec names
    overrides  settings in place of the spec's: ("train.epochs=3",)
    engine     "numpy", or "jax" for GPUs, TPUs and many machines
    devices    of JAX, how many of each process (default: all)
    precision  "bfloat16" or "float16" of JAX's activations; parameters stay as dtype says (default: the spec's)
    tune       time the ways to compute each convolution on this machine, once, and take the quickest

    A model may be used by several threads, which wait for one another where they must: an answer is that of the
    parameters after some whole step. It can be copied and pickled. A process that is forked from one that has it
    gets a copy of its own. Its workers start when they are needed, also after `close`, and end with it.

    Raises SpecError, whose `.diagnostics` say what is wrong and where.
    """
    from .model import Model

    spec = read_spec(path, text=text, input=input, overrides=overrides)
    if spec.symbolic:
        from .data.load import load

        found = load(spec.data, root=Path(path).parent if path else None, seed=seed or spec.train.seed)
        spec = read_spec(path, text=text, input=found.input_type, overrides=overrides)
    return Model(
        spec, batch=batch, workers=workers, parallel=parallel, seed=seed, dtype=dtype, shards=shards,
        engine=engine, devices=devices, precision=precision, tune=tune,
    )  # fmt: skip
