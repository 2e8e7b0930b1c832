"""What a network with several inputs or outputs wants of an archive: which array is whose."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from ...diagnostics import Fault
from ...settings.data import Data, Npz
from ..facts import Known


class Wanted(NamedTuple):
    """The names of a network's inputs, and of its outputs that costs judge."""

    inputs: tuple[str, ...]
    outputs: tuple[str, ...]

    @property
    def several(self) -> bool:
        return len(self.inputs) > 1 or len(self.outputs) > 1


def called(outputs: tuple[str, ...]) -> dict[str, str]:
    """What the outputs of a network are called: by the net that ends in each, where no other output is of it.

    net digit = dense 10 -> softmax         digit.softmax1 is digit
    """
    nets = [name.rpartition(".")[0] or name for name in outputs]
    return {name: net if nets.count(net) == 1 else name for name, net in zip(outputs, nets, strict=True)}


def archives(settings: Data, wanted: Wanted) -> dict[tuple[str, str], Npz]:
    """For pairs of an input and an output that together are all of them: the source that tells of these two.

    left, right; same       (left, same), (right, same)
    x; digit, angle         (x, digit), (x, angle)
    """
    source = settings.source
    if not isinstance(source, Npz):
        raise Fault.of(
            "CNN306", "source", inputs=len(wanted.inputs), outputs=len(wanted.outputs), source=source.word
        )
    if settings.target == "itself":
        raise Fault.of("CNN306", "source", case="itself")
    if settings.balance and len(wanted.outputs) > 1:
        raise Fault.of("CNN436", "balance", case="outputs", outputs=len(wanted.outputs))
    first, *more = wanted.inputs
    pairs = [*((first, output) for output in wanted.outputs), *((name, wanted.outputs[0]) for name in more)]
    arrays = {name: name if len(wanted.inputs) > 1 else source.images for name in wanted.inputs}
    names = called(wanted.outputs)
    answers = {name: names[name] if len(wanted.outputs) > 1 else source.labels for name in wanted.outputs}
    return {(x, y): replace(source, images=arrays[x], labels=answers[y]) for x, y in pairs}


def describe_several(
    settings: Data, wanted: Wanted, root: Path | None = None, given: Path | None = None
) -> dict[tuple[str, str], Known] | None:
    """What is known of each such pair without reading it; None where the archive is not there. Raises Fault."""
    from ..known import describe

    found = {}
    for pair, source in archives(settings, wanted).items():
        known = describe(replace(settings, source=source), root, given)
        if known is None:
            return None
        found[pair] = known
    return found
