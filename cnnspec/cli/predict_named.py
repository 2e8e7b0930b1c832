"""Predictions of networks with several inputs or outputs: archives with an array for each input."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..terminal import tell, tell_json
from .outcome import FINDINGS, say

if TYPE_CHECKING:
    from ..diagnostics import Diagnostic
    from ..experiment.session import Trained

NUMBERS = 8  # of an output, that a line shows


def tell_answers(network: Trained, files: Sequence[Path], top: int, as_json: bool) -> int:
    """Ask about each file, print every output by its name, and return the exit code."""
    failed: list[Diagnostic] = []
    with network.model:
        answers = [one for file in files for one in _answers(network, file, top, failed)]
    if as_json:
        tell_json(answers)
    else:
        tell(*(f"{one['image']}: {'; '.join(map(_told, one['outputs'].items()))}" for one in answers))
    if failed:
        say(tuple(failed))
        return FINDINGS
    return 0


def _answers(network: Trained, file: Path, top: int, failed: list[Diagnostic]) -> Iterator[dict[str, Any]]:
    from ..data.asked.single import read_named
    from ..data.sources.by_name import called
    from ..diagnostics import SpecError
    from ..model.scores import named as by_class
    from ..model.scores import scores

    preparation = network.preparation
    try:
        images = read_named(file, preparation)
    except SpecError as error:
        failed += error.diagnostics
        return
    found = network.model.predict(images)
    names = called(tuple(network.spec.graph.outputs))
    outputs = {name: found[net] if isinstance(found, dict) else found for name, net in names.items()}
    count = len(next(iter(outputs.values())))
    best = {}
    for name, values in outputs.items():
        classes = preparation.outputs.get(name) or ()
        told_apart = scores(network.spec.graph, values, len(classes), name) if classes else None
        best[name] = by_class(told_apart.values, classes, top) if told_apart else []
    for row in range(count):
        told: dict[str, dict[str, Any]] = {}
        for name, values in outputs.items():
            told[names[name]] = {"output": values[row].tolist()}
            if best[name]:
                told[names[name]]["best"] = best[name][row]
        yield {"image": str(file) if count == 1 else f"{file}[{row}]", "outputs": told}


def _told(named: tuple[str, dict[str, Any]]) -> str:
    name, answer = named
    if "best" in answer:
        return f"{name} " + ", ".join(f"{label} {score:.4g}" for label, score in answer["best"])
    numbers: list[Any] = [answer["output"]]
    while numbers and isinstance(numbers[0], list):
        numbers = [number for row in numbers for number in row]
    more = ", ..." if len(numbers) > NUMBERS else ""
    return f"{name} {', '.join(f'{number:.4g}' for number in numbers[:NUMBERS])}{more}"
