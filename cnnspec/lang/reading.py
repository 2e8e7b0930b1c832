"""Reading a file: from its text to a `Spec`, or to what is wrong with it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..diagnostics import Diagnostic, Source
from ..ir import Graph, TensorType, data
from ..ops.leaves import Input as InputOp
from ..settings.expect import Budget
from ..settings.train import Train
from .declared import BAD, evaluated, read_block
from .findings import Findings
from .lower import Lowering, TooMuch
from .names import Module, collect
from .parse import parse
from .scope import MISSING, Scope, Value
from .tree import Chain, File, Input, Settings


@dataclass(frozen=True)
class Spec:
    """A file that is right: its network, and how it is trained."""

    source: Source
    graph: Graph
    data: Any
    train: Train
    expect: tuple[Budget, ...]
    symbolic: bool


@dataclass(frozen=True)
class Reading:
    """What came of reading a file. `graph` holds what could be typed, `spec` is None where there are errors."""

    source: Source
    file: File
    diagnostics: tuple[Diagnostic, ...]
    graph: Graph
    spec: Spec | None

    @property
    def errors(self) -> tuple[Diagnostic, ...]:
        return tuple(d for d in self.diagnostics if d.severity == "error")


def read(
    source: Source,
    *,
    root: Path | None = None,
    input: TensorType | None = None,
    overrides: tuple[str, ...] = (),
) -> Reading:
    """Read a file: its tree, its graph with shapes, its settings, and every mistake in it.

    `root` is the folder that imports must stay under; `input` is the type where the file states none;
    `overrides` are texts such as `train.epochs=3`, which take the place of what the file says.
    """
    findings = Findings()
    file = parse(source, findings)
    module = collect(file, findings, lambda statement: None)
    lowering = Lowering(findings)
    inputs, outputs = _network(module, lowering, input)
    graph = lowering.builder.graph(inputs, outputs)
    train = _settings(module, "train", Train, findings)
    diagnostics = tuple(findings.diagnostics)
    spec = None
    if not any(d.severity == "error" for d in diagnostics):
        spec = Spec(source, graph, None, train, (), False)
    return Reading(source, file, diagnostics, graph, spec)


def _settings(module: Module, word: str, cls: type, findings: Findings) -> Any:
    values: dict[str, Any] = {}
    for statement in module.file.statements:
        if isinstance(statement, Settings) and statement.word.text == word:
            values |= read_block(cls, statement.settings, module.numbers, findings, word)
    return cls(**values)


def _network(
    module: Module, lowering: Lowering, given: TensorType | None
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Lower every chain of a file; the names of its inputs and outputs."""
    scope = Scope(module, module.numbers)
    inputs: list[str] = []
    stated = [statement for statement in module.file.statements if isinstance(statement, Input)]
    for statement in stated:
        name = statement.name.text if statement.name else "input"
        size = evaluated(statement.size, module.numbers, lowering.findings)
        value: Value = None
        if size is not BAD:
            shape = size if isinstance(size, tuple) else (size,)
            value = lowering.builder.add(
                InputOp(data(*shape)), name=name, span=statement.span, given=statement.name is not None
            )
            inputs.append(value)
        scope.values[name] = value
    if not stated:
        value = lowering.builder.add(InputOp(given or data(1, 28, 28)), name="input")
        inputs.append(value)
        scope.values["input"] = value
    start: Value = MISSING if len(scope.values) > 1 else next(iter(scope.values.values()))
    ends: list[Value] = []
    try:
        for statement in module.file.statements:
            if isinstance(statement, Chain):
                ends.append(lowering.chain(statement, start, scope))
    except TooMuch:
        pass
    return tuple(inputs), tuple(end for end in ends if isinstance(end, str))
