"""What a spec says of its data, held against the data, as far as these are known without being read."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ..data.sources.wellknown import SETS
from ..diagnostics import Diagnostic, Fault, SpecError
from ..lang import Reading, Spec, read
from ..settings.data import Data

if TYPE_CHECKING:
    from ..data.dataset import Dataset
    from ..data.facts import Known


def data_findings(
    reading: Reading, folder: Path | None, data: Path | None = None, files: bool = True
) -> tuple[Diagnostic, ...]:
    """What a run would refuse for the data of a spec, where the spec states a source.

    Paths in it start from `folder`. A file that is not there is no finding, since specs are checked on machines
    without data; with `data`, another folder to look in, it is one. Without `files` none is looked at.
    """
    spec = reading.spec
    if spec is None or ("source" not in spec.places and spec.data.source == Data().source):
        return ()
    if not files and type(spec.data.source) not in SETS:
        return ()
    from ..experiment.agreement import disagreements, unmeasured, wanted

    try:
        if wanted(spec).several:
            return _several(reading, spec, folder, data)
        known, whole = _looked_at(spec, folder, data)
    except Fault as fault:
        return (fault.diagnostic(spec.place("source")),)
    except SpecError as error:
        return error.diagnostics
    if known is None:
        return ()
    if spec.symbolic and known.input is not None and spec.graph.type(spec.graph.inputs[0]) != known.input:
        again = read(reading.source, folder=folder, input=known.input, fixes=False)
        if again.spec is None:
            with_it = f"with the {known.input} of {known.name}, "
            return tuple(replace(error, message=with_it + error.message) for error in again.errors)
        spec = again.spec
    found = disagreements(spec, known)
    if whole is not None and not found:
        from ..experiment.answers import unjudged

        found = unjudged(spec, whole)
    return found or unmeasured(spec, known)


def _several(reading: Reading, spec: Spec, folder: Path | None, data: Path | None) -> tuple[Diagnostic, ...]:
    """The same for a network with several inputs or outputs; raises Fault or SpecError."""
    from ..data.small import is_small
    from ..data.sources.by_name import describe_several
    from ..experiment.agreement import disagreements, unmeasured, wanted

    asked = wanted(spec)
    known = describe_several(spec.data, asked, folder, data)
    if known is None:
        return ()
    first = next(iter(known.values()))
    if spec.symbolic and first.input is not None and len(asked.inputs) == 1:
        again = read(reading.source, folder=folder, input=first.input, fixes=False)
        if again.spec is None:
            return again.errors
        spec = again.spec
    found = disagreements(spec, known)
    if not found and is_small(spec.data, folder or Path(), data):
        from ..data.several import load_several
        from ..experiment.answers import unjudged

        whole = load_several(spec.data, asked, root=folder, folder=data, span=spec.place("source"))
        first = whole.known  # an archive's classes are counted when it is read
        found = disagreements(spec, whole.pairs) or unjudged(spec, whole)
    return found or unmeasured(spec, first)


def _looked_at(spec: Spec, folder: Path | None, data: Path | None) -> tuple[Known | None, Dataset | None]:
    """What is known of the data of a spec, and where they are small the data; raises Fault or SpecError."""
    from ..data.known import describe

    known = describe(spec.data, folder, data)
    if known is None or type(spec.data.source) in SETS:
        return known, None
    from ..data.small import is_small

    if not is_small(spec.data, folder or Path(), data):
        return known, None
    from ..data.load import load
    from ..experiment.agreement import resizing

    with resizing(spec):
        whole = load(spec.data, root=folder, folder=data, span=spec.place("source"))
    return whole.known, whole
