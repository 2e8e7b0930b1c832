"""The inputs of a network: stated by the file, given by the caller, or guessed.

A file that leaves its input open is read with the likeliest one that suits every layer, so that tables have
figures to show; `symbolic.answer` tells which others would do.
"""

from __future__ import annotations

from dataclasses import replace

from ...diagnostics import Diagnostic, filled
from ...ir import TensorType, data
from ..findings import Findings
from ..hints.spelling import own_setting, own_word
from ..parse.tree import Name
from .blocks import lines
from .names import Module
from .network import Network, Pattern, build, read_inputs
from .symbolic import likely

MOST_GUESSED = 4_000  # steps of reading, all tries together

KNOWN: dict[str, tuple[tuple[int, ...], int]] = {  # sources whose images are known, and their classes
    "digits": ((1, 28, 28), 10),
    "mnist": ((1, 28, 28), 10),
    "fashion_mnist": ((1, 28, 28), 10),
    "cifar10": ((3, 32, 32), 10),
}


def lower(module: Module, given: TensorType | None, findings: Findings) -> tuple[Network, bool]:
    """The network of a file, and whether its input had to be guessed."""
    patterns = read_inputs(module, findings)
    open_ones = [name for name, pattern in patterns.items() if pattern and None in pattern]
    if patterns and (not open_ones or len(patterns) > 1):
        inputs = {name: _certain(pattern) for name, pattern in patterns.items()}
        return build(module, findings, inputs), False
    name, pattern = next(iter(patterns.items())) if patterns else ("input", None)
    if given is not None and (pattern is None or _fits(given, pattern)):
        return build(module, findings, {name: given}), False
    return _guessed(module, name, pattern, findings), True


def _certain(pattern: Pattern | None) -> TensorType | None:
    """The type of an input whose sizes are stated."""
    return None if pattern is None else data(*(side or 1 for side in pattern))


def _fits(given: TensorType, pattern: Pattern) -> bool:
    return len(given.shape) == len(pattern) and all(
        want in (None, side) for want, side in zip(pattern, given.shape, strict=True)
    )


def _guessed(module: Module, name: str, pattern: Pattern | None, findings: Findings) -> Network:
    """The network on the likeliest input that suits every layer."""
    best: tuple[int, Network, Findings, tuple[int, ...]] | None = None
    steps = 0
    for shape in likely(pattern, _known(module)):
        found = Findings(findings.work)
        network = build(module, found, {name: data(*shape)})
        steps += network.steps
        if not any(is_about_shapes(diagnostic) for diagnostic in found.diagnostics):
            findings.merge(found)
            return network
        if best is None or len(network.graph) > best[0]:
            best = len(network.graph), network, found, shape
        if steps > MOST_GUESSED:
            break
    assert best is not None
    _, network, found, shape = best
    _none_fits(found, shape, findings)
    return network


def _none_fits(found: Findings, shape: tuple[int, ...], findings: Findings) -> None:
    """Report what was found with the input that came furthest; of shapes only the first finding."""
    said = False
    for diagnostic, proposals in found.with_proposals:
        if not is_about_shapes(diagnostic):
            findings.add(diagnostic, *proposals)
        elif not said:
            said = True
            shown = "x".join(map(str, shape))
            message, *_ = filled("CNN110", "", {"tried": shown, "why": diagnostic.message})
            findings.add(replace(diagnostic, code="CNN110", message=message), *proposals)


def is_about_shapes(diagnostic: Diagnostic) -> bool:
    """Whether a finding depends on the input."""
    return diagnostic.code.startswith("CNN1") or diagnostic.code in ("CNN205", "CNN206")


def _known(module: Module) -> tuple[int, ...] | None:
    """The shape of the file's data, where that is known without looking."""
    for line in lines(module, "data"):
        said = own_word(line.value.text, KNOWN) if isinstance(line.value, Name) else ""
        if own_setting(line.name.text, ("source",)) == "source" and said in KNOWN:
            return KNOWN[said][0]
    return None
