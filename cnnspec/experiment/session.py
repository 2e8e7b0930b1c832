"""From what a command is given (a spec, a run, a weights file) to a spec, its data and a model."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..api import read_spec
from ..data.dataset import Dataset
from ..data.load import load
from ..data.preparation import Preparation, preparation_of, prepared_as
from ..diagnostics import Diagnostic, Fault, SpecError
from ..ir import TensorType
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

    @property
    def preparation(self) -> Preparation:
        """How these data are prepared for the network."""
        return preparation_of(self.data, self.spec.data)


def begin(
    path: Path,
    overrides: Sequence[str] = (),
    folder: Path | None = None,
    text: str | None = None,
    preparation: Preparation | None = None,
) -> Session:
    """Read a spec and load its data; the input of a spec that states none is that of the data.

    `text` is the spec where it is not in a file; paths in it then start from `path`'s folder all the same.
    With the `preparation` of a network that is trained, the data are prepared as it says.
    """
    spec = _read(path, text, overrides)
    data = load(spec.data, folder=folder, root=path.parent, seed=spec.train.seed)
    try:
        if preparation is not None:
            data = prepared_as(data, preparation)
        if spec.symbolic:
            spec = _read(path, text, overrides, data.input_type)
        _one_of_each(spec)
        output = spec.graph.type(spec.graph.outputs[0])
        data.fits(spec.graph.type(spec.graph.inputs[0]), None if output.spatial else output["c"])
    except Fault as fault:
        raise SpecError((fault.diagnostic(),)) from None
    return Session(spec, data)


def _read(path: Path, text: str | None, overrides: Sequence[str], input: TensorType | None = None) -> Spec:
    if text is None:
        return read_spec(path, overrides=overrides, input=input)
    return read_spec(text=text, overrides=overrides, input=input, folder=path.parent)


def _one_of_each(spec: Spec) -> None:
    """Refuse a network of several inputs or outputs, which no data source feeds."""
    if len(spec.graph.inputs) > 1 or len(spec.graph.outputs) > 1:
        message = (
            f"the network has {len(spec.graph.inputs)} inputs and {len(spec.graph.outputs)} outputs; "
            f"a data source gives one of each"
        )
        help = "train it from Python: cnnspec.compile(...).train_step({...}, {...}) takes arrays by name"
        raise SpecError((Diagnostic("CNN306", message, help=help),))


@dataclass(frozen=True)
class Trained:
    """A trained network, and how images are prepared for it."""

    spec: Spec
    model: Model
    preparation: Preparation


@dataclass(frozen=True)
class _Kept:
    """What a run's folder, or a weights file, tells: weights, spec, and how images were prepared if it says so."""

    weights: Path
    spec: Path
    text: str
    overrides: tuple[str, ...]
    preparation: Preparation | None

    def model(self, spec: Spec, workers: int, preparation: Preparation) -> Model:
        model = Model(spec, workers=workers, precision="float32", batch=max(spec.train.batch, 64))
        weights.load(self.weights, model.parameters)
        model.preparation = preparation
        return model


def reopen(
    path: Path, folder: Path | None = None, workers: int = 1, overrides: Sequence[str] = ()
) -> tuple[Session, Model]:
    """The session and the model of a run's folder (the weights that its test used) or of weights.

    The data are prepared as those that it was trained on, whatever today's mean and deviation are.
    """
    kept = _kept(path)
    session = begin(kept.spec, (*kept.overrides, *overrides), folder, kept.text, kept.preparation)
    return session, kept.model(session.spec, workers, kept.preparation or session.preparation)


def open_trained(
    path: Path, folder: Path | None = None, tell: Callable[[str], object] = lambda line: None
) -> Trained:
    """The network of a run's folder or of a weights file, ready to be asked, without its data.

    Those written before preparations were kept need their data still; `tell` hears so.
    """
    kept = _kept(path)
    if kept.preparation is None:
        tell(f"{path} does not tell how its images were prepared: that is taken from its data as they are now")
        session = begin(kept.spec, kept.overrides, folder, kept.text)
        spec, preparation = session.spec, session.preparation
    else:
        preparation = kept.preparation
        spec = _read(kept.spec, kept.text, kept.overrides)
        if spec.symbolic:
            spec = _read(kept.spec, kept.text, kept.overrides, preparation.input_type)
        _one_of_each(spec)
        wanted = spec.graph.type(spec.graph.inputs[0])
        if wanted.shape != preparation.input:
            message = f"the network takes {wanted}, and {path} tells of images of {preparation.input_type}"
            raise SpecError((Diagnostic("CNN427", message),))
    return Trained(spec, kept.model(spec, 1, preparation), preparation)


def _kept(path: Path) -> _Kept:
    if path.is_dir():
        run = RunFolder(path)
        chosen = run.tested
        if not chosen.is_file():
            raise SpecError((Diagnostic("CNN462", f"{path} is not the folder of a run: it holds no weights"),))
        settings = run.settings()
        preparation = run.preparation() or Preparation.from_metadata(tensors.read(chosen).metadata, str(chosen))
        text = run.spec.read_text(encoding="utf-8")
        return _Kept(chosen, Path(settings["spec"]), text, tuple(settings["set"]), preparation)
    metadata = tensors.read(path).metadata
    text = metadata.get("spec", "")
    if not text:
        message = f"{path} does not tell the spec that it belongs to"
        help = "give a run's folder, or weights that cnnspec wrote"
        raise SpecError((Diagnostic("CNN463", message, help=help),))
    return _Kept(path, path, text, (), Preparation.from_metadata(metadata, str(path)))
