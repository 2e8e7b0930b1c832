"""Reading a file: from its text to a `Spec`, or to what is wrong with it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import field, replace
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from ..diagnostics import Diagnostic, Fault, Source, Span
from ..ir import Builder, Graph, TensorType
from ..record import record
from ..settings.data import Data
from ..settings.expect import Budget
from ..settings.train import Train
from ..settings.tuning import PLAIN, Tuning, resolved, tuning_of
from .claimed import claimed
from .findings import Findings, Proposal, in_order
from .hints.checked import CheckedFile
from .hints.spelling import own_setting
from .hints.warnings import warn
from .imports import Imports
from .lowering.blocks import lines, read_budgets, read_settings
from .lowering.budgets import check_budgets
from .lowering.costs import assign, held
from .lowering.declared import Stated, instance
from .lowering.inputs import lower
from .lowering.names import Module, collect
from .lowering.network import Assertion, read_alone, read_inputs
from .lowering.symbolic import PossibleInputs, answer
from .lowering.tuned import check_tuned
from .overrides import read_overrides, with_numbers
from .parse.parser import parse
from .parse.tree import File
from .work import Work


@record
class Spec:
    """A file that is right: its network, and how it is trained.

    `symbolic` where neither the file nor the caller told the input; the graph is then that of a likely one.
    `places` tells where the file states a setting of `data`, by its name, line by line for those said repeatedly;
    `implied` whether it leaves the cost to the last word; `tuning` what `freeze` and `rate` come to.
    """

    def place(self, name: str, count: int = 0) -> Span | None:
        """Where a setting of `data` is stated, if it is."""
        return (*self.places.get(name, ()), None)[count]

    source: Source
    graph: Graph
    data: Data
    train: Train
    expect: tuple[Budget, ...]
    symbolic: bool
    places: Mapping[str, tuple[Span, ...]]
    implied: bool = False
    tuning: Tuning = PLAIN


@record
class Reading:
    """What came of reading a file. `graph` holds what could be typed; `spec` is None where there are errors, and
    where the file is a library of definitions.

    `names` tells the node behind each name that `as`, `net` and `input` give; `module`, `assertions` and the
    files that were `imported` are what else was read, for those who look closer; `trial` is what `mended` needs.
    """

    source: Source
    file: File
    diagnostics: tuple[Diagnostic, ...]
    graph: Graph
    names: dict[str, str]
    module: Module
    assertions: tuple[Assertion, ...]
    spec: Spec | None
    imported: Mapping[Path, File] = field(default_factory=dict)
    trial: Trial | None = field(default=None, compare=False, repr=False)

    @property
    def errors(self) -> tuple[Diagnostic, ...]:
        return tuple(d for d in self.diagnostics if d.severity == "error")

    def inputs(self) -> PossibleInputs | None:
        """Which inputs would do, where the file leaves that open; None where it says it, or is wrong."""
        if self.spec is None or not self.spec.symbolic:
            return None
        return answer(self.graph, self.assertions, next(iter(read_inputs(self.module, Findings()).values()), None))


class Trial(NamedTuple):
    """How a text was read, what that cost, and what it found, with the changes that may be tried."""

    asked: ReadRequest
    cost: int
    found: tuple[tuple[Diagnostic, tuple[Proposal, ...]], ...]


class ReadRequest(NamedTuple):
    """What a file is read with; see `read`."""

    folder: Path | None
    root: Path | None
    library: bool
    input: TensorType | None
    overrides: tuple[str, ...]
    earlier: Reading | None
    opened: Mapping[Path, str]


def read(
    source: Source,
    *,
    folder: Path | None = None,
    root: Path | None = None,
    library: bool = False,
    input: TensorType | None = None,
    overrides: tuple[str, ...] = (),
    fixes: bool = True,
    work: Work | None = None,
    earlier: Reading | None = None,
    opened: Mapping[Path, str] = MappingProxyType({}),
) -> Reading:
    """Read a file: its tree, its graph with shapes, its settings, and every mistake in it.

    `folder` is where a text that is no file lies (default: the working directory), and `root` the folder that
    imports must stay under (default: the project, see `imports.project`); with `library`, a file that only
    defines things for others is no mistake; `input` is the type of the input where the file states none;
    `overrides` are texts such as `train.epochs=3`, which take the place of what the file says; without `fixes`
    no change is tried for the diagnostics, which is quicker. `work` counts what is done, for the caller who
    reads several versions of a text; what came of an `earlier` version makes this one quicker, and no different.
    `opened` are texts that count in the place of the files, links resolved, that are imported.
    """
    if source.name.endswith(".cnn.json"):
        return read_json(source, overrides)
    asked = ReadRequest(folder, root, library, input, overrides, earlier, opened)
    findings = Findings(work)
    begun = findings.work.spent
    reading = _read(source, asked, findings)
    cost = findings.work.spent - begun
    trial = Trial(asked._replace(earlier=None), cost, tuple(findings.with_proposals))
    reading = replace(reading, trial=trial)
    if not fixes or not reading.diagnostics:
        return reading
    found = mended(reading, reading.diagnostics, findings.work)
    return replace(reading, diagnostics=in_order(found, source))


def mended(reading: Reading, found: Collection[Diagnostic], work: Work) -> list[Diagnostic]:
    """Some findings of a reading, each with the change that mends it, where one is proposed and does."""
    trial = reading.trial
    if trial is None or not found:
        return list(found)
    from .hints.fixes import verified

    proposals = {id(diagnostic): proposed for diagnostic, proposed in trial.found}
    before = [diagnostic for diagnostic, _ in trial.found]
    asked = trial.asked._replace(earlier=reading)

    def again(text: str) -> tuple[Diagnostic, ...]:
        return _read(replace(reading.source, text=text), asked, Findings(work)).diagnostics

    some = [(diagnostic, proposals.get(id(diagnostic), ())) for diagnostic in found]
    return verified(some, before, reading.source, again, trial.cost, work)


def read_json(source: Source, overrides: tuple[str, ...] = ()) -> Reading:
    """The same for a checked graph as JSON (`exchange`); what stands in a setting's place is read as ever."""
    from .exchange import from_json

    file = File(source, (), ())
    module = Module(file)
    found = from_json(source.text, source)
    if isinstance(found, Diagnostic):
        return Reading(source, file, (found,), Builder().graph((), ()), {}, module, (), None)
    graph, data, train, budgets = found
    findings = Findings()
    with_numbers(file, overrides, findings)  # a checked graph has none
    instead = read_overrides(overrides, {"train": [], "data": []}, findings)
    for cls in (Data, Train):
        lines_instead = read_settings(cls, module, instead[cls.word], findings)
        changed = {name: getattr(instance(cls, lines_instead), name) for name in lines_instead}
        data = replace(data, **changed) if cls is Data else data
        train = replace(train, **changed) if cls is Train else train
    try:
        train = replace(train, cost=held(train.cost, graph))
        train.schedule.fits(train.epochs)
    except Fault as fault:
        where = f"/train/{fault.at}" if fault.at.startswith("cost") else "/train/schedule"
        findings.add(Diagnostic.of("CNN027", Span(source, 0, 1), path=where, what=fault.message))
    if not findings.errors:
        check_budgets(budgets, graph, train, data, findings)
        check_tuned(train, {}, graph, {}, findings, Span(source, 0, 1))
    names = {node.name: node.name for node in graph}
    tuning = PLAIN if findings.errors else tuning_of(train, graph, {})
    spec = None if findings.errors else Spec(source, graph, data, train, budgets, False, {}, tuning=tuning)
    return Reading(source, file, tuple(findings.diagnostics), graph, names, module, (), spec)


def _read(source: Source, asked: ReadRequest, findings: Findings) -> Reading:
    """What came of reading; the findings keep their proposals."""
    earlier = asked.earlier
    file = with_numbers(parse(source, findings, earlier.file.cut if earlier else None), asked.overrides, findings)
    imports = Imports(source, asked.folder, asked.root, findings, earlier.imported if earlier else {}, asked.opened)
    module = collect(file, findings, imports.load)
    network, symbolic = lower(module, asked.input, findings)
    library = asked.library and module.only_defines
    if not library and file.whole and not any(read_alone(module)):
        end = len(source.text.rstrip())
        findings.tell("CNN024", Span(source, end, end))
    sound = not findings.errors
    stated = {word: lines(module, word) for word in ("train", "data")}
    instead = read_overrides(asked.overrides, stated, findings)
    data_lines = read_settings(Data, module, instead["data"], findings)
    train_lines = read_settings(Train, module, instead["train"], findings)
    data, train = instance(Data, data_lines), instance(Train, train_lines)
    _check_schedule(train, train_lines, findings)
    budgets = read_budgets(module, network, findings)
    implied = "cost" not in train_lines
    if not findings.errors:
        train = replace(train, cost=assign(train_lines.get("cost", []), network, findings))
    if not findings.errors:
        for node, whose in claimed(network.graph):
            findings.add(Diagnostic.of("CNN028", node.span, name=node.name, whose=whose))
    if sound:
        check_tuned(train, train_lines, network.graph, network.parts, findings)
    if budgets and not findings.errors:
        check_budgets(budgets, network.graph, train, data, findings, implied)
    warn(CheckedFile(network, module, data, train, "source" in data_lines, _rate(train_lines), library), findings)
    spec = None
    if not findings.errors and not library:
        whole = replace(source, imports=imports.imported())
        places = {name: tuple(said.line.span for said in stated) for name, stated in data_lines.items()}
        tuning = tuning_of(train, network.graph, network.parts)
        train = resolved(train, network.graph, network.parts)
        spec = Spec(whole, network.graph, data, train, budgets, symbolic, places, implied, tuning)
    diagnostics = tuple(findings.diagnostics)
    graph, names, assertions = network.graph, network.names, network.assertions
    return Reading(source, file, diagnostics, graph, names, module, assertions, spec, imports.files)


def _rate(stated: dict[str, list[Stated]]) -> Span | None:
    """Where the learning rate is stated."""
    lines = stated.get("optimiser", [])
    attrs = lines[-1].line.attrs if lines else ()
    return next((attr.span for attr in attrs if own_setting(attr.name.text, ("lr",)) == "lr"), None)


def _check_schedule(train: Train, stated: dict[str, list[Stated]], findings: Findings) -> None:
    """Whether the schedule fits into the epochs."""
    try:
        train.schedule.fits(train.epochs)
    except Fault as fault:
        line = stated["schedule"][-1].line
        blamed = (attr.span for attr in line.attrs if own_setting(attr.name.text, (fault.at,)) == fault.at)
        at = next(blamed, line.span)
        findings.add(fault.diagnostic(at))
