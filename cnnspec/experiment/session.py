"""From what a command is given (a spec, a run, a weights file) to a spec, its data and a model."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..api import read_spec
from ..data.as_trained import prepared_as, source_as
from ..data.dataset import Dataset
from ..data.fingerprint import fingerprint
from ..data.load import load
from ..data.preparation import Preparation, preparation_of
from ..data.several import load_several
from ..data.sources.by_name import Wanted
from ..diagnostics import Diagnostic, Fault, Source, SpecError
from ..lang import Spec
from ..model.model import Model
from ..train import weights
from ..train.checkpoints import Stamp
from .agreement import disagreements, resizing
from .agreement import wanted as wanted_of
from .answers import unjudged
from .provenance import SavedNetwork, of_trained


@dataclass(frozen=True)
class Session:
    """A spec with its input known, the settings that took the place of its own, and the data that it names."""

    spec: Spec
    overrides: tuple[str, ...]
    data: Dataset

    def stamp(self, preparation: Preparation) -> Stamp:
        """What weights and states of this training are stamped with."""
        return Stamp.of(self.spec.source, self.overrides, preparation, fingerprint(self.data))

    @property
    def preparation(self) -> Preparation:
        """How these data are prepared for the network."""
        return preparation_of(self.data, self.spec.data)


def begin(
    path: Path,
    overrides: Sequence[str] = (),
    folder: Path | None = None,
    source: Source | None = None,
    preparation: Preparation | None = None,
    progress: Callable[[str], object] | None = None,
) -> Session:
    """Read a spec and load its data; the input of a spec that states none is that of the data.

    `source` is the spec where it is not read from `path`; data are looked for from `path`'s folder all the same.
    With the `preparation` of a network that is trained, the data are prepared as it says. `progress` hears of what
    takes time.
    """
    spec = read_spec(source or path, overrides=overrides)
    span = spec.place("source")
    table, wanted = None, spec.data
    if preparation is not None:
        table, wanted = preparation.table, source_as(spec.data, preparation)
    asked = wanted_of(spec)
    if asked.several:
        return _of_several(spec, asked, tuple(overrides), folder, path.parent, preparation)
    with resizing(spec):
        data = load(
            wanted, folder=folder, root=path.parent, seed=spec.train.seed, span=span, table=table, progress=progress
        )
    if preparation is not None:
        try:
            data = prepared_as(data, preparation)
        except Fault as fault:
            raise SpecError((fault.diagnostic(span),)) from None
    if spec.symbolic:
        spec = read_spec(source or path, overrides=overrides, input=data.input_type)
    _agree(disagreements(spec, data.known))
    _agree(unjudged(spec, data))
    return Session(spec, tuple(overrides), data)


def _of_several(
    spec: Spec,
    asked: Wanted,
    overrides: tuple[str, ...],
    folder: Path | None,
    root: Path,
    preparation: Preparation | None,
) -> Session:
    """The session of a network with several inputs or outputs."""
    span = spec.place("source")
    scaling = {name: one.scaling for name, one in preparation.inputs.items()} if preparation else None
    data = load_several(
        spec.data, asked, folder=folder, root=root, seed=spec.train.seed, span=span, scaling=scaling
    )
    if spec.symbolic and len(asked.inputs) == 1:
        spec = read_spec(spec.source, overrides=overrides, input=data.input_type)
    _agree(disagreements(spec, data.pairs))
    _agree(unjudged(spec, data))
    return Session(spec, overrides, data)


def _agree(found: tuple[Diagnostic, ...]) -> None:
    if found:
        raise SpecError(found)


@dataclass(frozen=True)
class Trained:
    """A trained network, and how images are prepared for it."""

    spec: Spec
    model: Model
    preparation: Preparation


def reopen(
    path: Path,
    folder: Path | None = None,
    workers: int = 1,
    overrides: Sequence[str] = (),
    spec: Path | None = None,
    layout: str = "",
) -> tuple[Session, Model]:
    """The session and the model of a run's folder (the weights that its test used) or of weights, of a `spec` where
    these tell none; `layout` is who must have published them.

    The data are prepared as those that it was trained on, not by today's mean and deviation.
    """
    saved = of_trained(path, spec, layout)
    session = begin(
        saved.path, (*saved.overrides, *overrides), folder or saved.data_folder, saved.source, saved.preparation
    )
    return session, _model(saved, session.spec, workers, saved.preparation or session.preparation)


def open_trained(
    path: Path,
    folder: Path | None = None,
    tell: Callable[[str], object] = lambda line: None,
    spec_file: Path | None = None,
    layout: str = "",
) -> Trained:
    """The network of a run's folder or of a weights file, ready to be asked, without its data.

    Those written before preparations were kept, or by others (then of the spec in `spec_file`), need their data
    still; `tell` hears so.
    """
    saved = of_trained(path, spec_file, layout)
    if saved.preparation is None:
        tell(f"{path} does not tell how its images were prepared: that is taken from its data as they are now")
        session = begin(saved.path, saved.overrides, folder or saved.data_folder, saved.source)
        spec, preparation = session.spec, session.preparation
    else:
        preparation = saved.preparation
        spec = read_spec(saved.source, overrides=saved.overrides)
        if spec.symbolic:
            spec = read_spec(saved.source, overrides=saved.overrides, input=preparation.input_type)
        known = preparation.inputs or {spec.graph.inputs[0]: preparation}
        for name in spec.graph.inputs:
            taken = spec.graph.type(name)
            if name not in known or taken.shape != known[name].input:
                has = f"images of {known[name].input_type}" if name in known else f"no `{name}`"
                raise SpecError((Diagnostic.of("CNN427", case="other", taken=taken, path=path, has=has),))
    return Trained(spec, _model(saved, spec, 1, preparation), preparation)


def _model(saved: SavedNetwork, spec: Spec, workers: int, preparation: Preparation) -> Model:
    model = Model(spec, workers=workers, precision="float32", batch=max(spec.train.batch, 64))
    weights.assign(model.parameters, saved.arrays, saved.weights, graph=model.graph, layout=saved.layout)
    model.preparation = preparation
    return model
