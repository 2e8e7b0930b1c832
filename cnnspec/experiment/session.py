"""From what a command is given (a spec, a run, a weights file) to a spec, its data and a model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ..api import read_spec
from ..data.dataset import Dataset
from ..data.load import load
from ..diagnostics import Diagnostic, Fault, SpecError
from ..lang import Spec
from ..model.model import Model
from ..train import tensors, weights
from ..train.runs import RunFolder


@dataclass(frozen=True)
class Session:
    """A spec with its input known, and the data that it names."""

    spec: Spec
    data: Dataset

    @property
    def text(self) -> str:
        return self.spec.source.text


def begin(
    path: Path, overrides: Sequence[str] = (), folder: Path | None = None, text: str | None = None
) -> Session:
    """Read a spec and load its data; the input of a spec that states none is that of the data.

    `text` is the spec where it is not in a file; paths in it then start from `path`'s folder all the same.
    """

    def read(input: object = None) -> Spec:
        if text is None:
            return read_spec(path, overrides=overrides, input=input)  # type: ignore[arg-type]
        return read_spec(text=text, overrides=overrides, input=input, folder=path.parent)  # type: ignore[arg-type]

    spec = read()
    data = load(spec.data, folder=folder, root=path.parent, seed=spec.train.seed)
    if spec.symbolic:
        spec = read(data.input_type)
    if len(spec.graph.inputs) > 1 or len(spec.graph.outputs) > 1:
        message = (
            f"the network has {len(spec.graph.inputs)} inputs and {len(spec.graph.outputs)} outputs; "
            f"a data source gives one of each"
        )
        help = "train it from Python: cnnspec.compile(...).train_step({...}, {...}) takes arrays by name"
        raise SpecError((Diagnostic("CNN306", message, help=help),))
    output = spec.graph.type(spec.graph.outputs[0])
    try:
        data.fits(spec.graph.type(spec.graph.inputs[0]), None if output.spatial else output["c"])
    except Fault as fault:
        raise SpecError((fault.diagnostic(),)) from None
    return Session(spec, data)


def reopen(path: Path, folder: Path | None = None, workers: int = 1) -> tuple[Session, Model]:
    """The session and the model of a run's folder (the weights that its test used) or of a weights file."""
    if path.is_dir():
        run = RunFolder(path)
        kept = run.tested
        if not kept.is_file():
            raise SpecError((Diagnostic("CNN462", f"{path} is not the folder of a run: it holds no weights"),))
        settings = run.settings()
        session = begin(Path(settings["spec"]), settings["set"], folder, run.spec.read_text(encoding="utf-8"))
    else:
        kept = path
        found = tensors.read(path)
        text = found.metadata.get("spec", "")
        if not text:
            message = f"{path} does not tell the spec that it belongs to"
            help = "give a run's folder, or weights that cnnspec wrote"
            raise SpecError((Diagnostic("CNN463", message, help=help),))
        session = begin(path, (), folder, text)
    model = Model(session.spec, workers=workers, precision="float32", batch=max(session.spec.train.batch, 64))
    weights.load(kept, model.parameters)
    return session, model
