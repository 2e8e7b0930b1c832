"""What a spec says of its data, held against the data, as far as these are known without being read."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from ..data.wellknown import SETS
from ..diagnostics import Diagnostic, Fault, SpecError
from ..lang import Reading, read
from ..settings.data import Data


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
    from ..data.known import describe
    from ..data.small import is_small
    from ..experiment.agreement import disagreements, of_several, unmeasured

    several = of_several(spec)
    if several:
        return several
    source = spec.place("source")
    try:
        known = describe(spec.data, folder, data)
        if known is None:
            return ()
        if is_small(spec.data, folder or Path(), data):
            from ..data.load import load

            known = load(spec.data, root=folder, folder=data, span=source).known
    except Fault as fault:
        return (fault.diagnostic(source),)
    except SpecError as error:
        return error.diagnostics
    if spec.symbolic and known.input is not None and spec.graph.type(spec.graph.inputs[0]) != known.input:
        again = read(reading.source, folder=folder, input=known.input, fixes=False)
        if again.spec is None:
            with_it = f"with the {known.input} of {known.name}, "
            return tuple(replace(error, message=with_it + error.message) for error in again.errors)
        spec = again.spec
    return disagreements(spec, known) or unmeasured(spec, known)
