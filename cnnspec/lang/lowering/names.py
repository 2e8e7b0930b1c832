"""The definitions of a file: numbers, blocks, nets, and what it imports."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple
from weakref import ref

from ...diagnostics import Label, Span
from ...lazy import lazy
from ...words import WORDS
from ..findings import Findings
from ..parse.tree import Block, Call, Chain, File, Group, Import, Join, Layer, Let, Name, Net, Param
from .arithmetic import Numeric, evaluate

RESERVED = frozenset((*WORDS, "id"))


class Numbers(Mapping[str, "Numeric | None"]):
    """Numbers by name, and those of the file around them; remembers which were asked for."""

    def __init__(self, own: Mapping[str, Numeric | None] | None = None, outer: Numbers | None = None) -> None:
        self.own: dict[str, Numeric | None] = dict(own or {})
        self.outer = outer
        self.used: set[str] = set()

    def __getitem__(self, name: str) -> Numeric | None:
        if name in self.own or self.outer is None:
            self.used.add(name)
            return self.own[name]
        return self.outer[name]

    def __contains__(self, name: object) -> bool:
        return name in self.own or (self.outer is not None and name in self.outer)

    def __iter__(self) -> Iterator[str]:
        yield from self.own
        yield from (name for name in self.outer or () if name not in self.own)

    def __len__(self) -> int:
        return sum(1 for _ in self)


class Recipe(NamedTuple):
    """A chain that can be called like a layer: a block, a net (one set of weights), an imported file."""

    name: Name
    params: tuple[Param, ...]
    chain: Chain
    home: ref[
        Module
    ]  # no more than a reference: a reading is gone when its last user is, without a search for cycles
    shared: bool = False
    chains: tuple[Name, ...] = ()

    @property
    def module(self) -> Module:
        """The definitions among which it stands."""
        module = self.home()
        assert module is not None, "a recipe outlives the module that its reading holds"
        return module


@dataclass(eq=False, repr=False)
class Module:
    """The definitions of one file."""

    file: File
    numbers: Numbers = field(default_factory=Numbers)
    recipes: dict[str, Recipe] = field(default_factory=dict)
    places: dict[str, Span] = field(default_factory=dict)  # where each name is defined
    called: set[str] = field(default_factory=set)  # recipes that some chain calls
    clashing: set[str] = field(default_factory=set)  # names that are words of the language already
    missing: set[str] = field(default_factory=set)  # names of imports that failed; "" for one without a name
    imported: list[Module] = field(default_factory=list)  # those whose recipes are known here

    def may_define(self, name: str) -> bool:
        """Whether a name may stand in what could not be read: then that it is unknown tells nothing."""
        return name in self.file.lost or bool({"", name.partition(".")[0]} & self.missing)

    @lazy
    def labels(self) -> dict[str, Span]:
        """Every name that `as` gives in the file's own chains, wherever."""
        return {label.text: label.span for chain in self.chains for label in labels_of(chain)}

    @lazy
    def mentioned(self) -> frozenset[str]:
        """The words of the file's own chains, and of its blocks and nets, in a layer's place or a call's."""
        found: set[str] = set()
        for chain in self.chains:
            _mention(chain, found)
        for recipe in self.recipes.values():
            if recipe.module is self:
                _mention(recipe.chain, found)
        return frozenset(found)

    @property
    def chains(self) -> list[Chain]:
        return [statement for statement in self.file.statements if isinstance(statement, Chain)]

    @property
    def only_defines(self) -> bool:
        """Whether the file is a library: it defines things for those that import it, and no network."""
        statements = self.file.statements
        return bool(statements) and all(isinstance(statement, Let | Block | Import) for statement in statements)

    def define(self, name: Name, findings: Findings) -> bool:
        """Note where a name is defined; False, and a finding, where it is taken."""
        if name.text in RESERVED:
            self.clashing.add(name.text)
            findings.tell("CNN019", name.span, case="word", name=name.text)
            return False
        if name.text in self.places:
            earlier = Label(self.places[name.text], "here first")
            findings.tell("CNN019", name.span, related=(earlier,), name=name.text)
            return False
        self.places[name.text] = name.span
        return True


def labels_of(chain: Chain) -> Iterator[Name]:
    """The names that `as` gives in a chain and in those within it."""
    for stage in chain.stages:
        if stage.label is not None:
            yield stage.label
        if isinstance(stage.term, Group):
            yield from labels_of(stage.term.chain)
        elif isinstance(stage.term, Join):
            for branch in stage.term.branches:
                yield from labels_of(branch)


def _mention(chain: Chain, found: set[str]) -> None:
    """Add the words of a chain and of every chain within it."""
    for stage in chain.stages:
        term = stage.term
        if isinstance(term, Layer):
            found.add(term.word.text)
        elif isinstance(term, Call):
            found.add(term.name.text)
            for passed in term.chains:
                _mention(passed, found)
        elif isinstance(term, Group):
            _mention(term.chain, found)
        elif isinstance(term, Join):
            for branch in term.branches:
                _mention(branch, found)


Importer = Callable[[Import], "Module | None"]


def collect(file: File, findings: Findings, importer: Importer) -> Module:
    """The definitions of a file, in the order of its text."""
    module = Module(file)
    module.numbers.own.update(dict.fromkeys(file.lost))
    for statement in file.statements:
        if isinstance(statement, Let):
            value = evaluate(statement.value, module.numbers, findings)
            if module.define(statement.name, findings):
                module.numbers.own[statement.name.text] = value
        elif isinstance(statement, Block | Net):
            params = statement.params if isinstance(statement, Block) else ()
            chains = statement.chains if isinstance(statement, Block) else ()
            _check_params(params, chains, findings)
            if module.define(statement.name, findings):
                shared = isinstance(statement, Net)
                recipe = Recipe(statement.name, params, statement.chain, ref(module), shared, chains)
                module.recipes[statement.name.text] = recipe
        elif isinstance(statement, Import):
            imported = importer(statement)
            if imported is not None:
                _adopt(statement, imported, module, findings)
            else:
                module.missing.add(statement.name.text if statement.name else "")
    return module


def _check_params(params: tuple[Param, ...], chains: tuple[Name, ...], findings: Findings) -> None:
    seen: dict[str, Span] = {}
    for name in (*(param.name for param in params), *chains):
        if name in chains and name.text in RESERVED:
            findings.tell("CNN019", name.span, case="word", name=name.text)
        if name.text in seen:
            earlier = Label(seen[name.text], "here first")
            findings.tell("CNN019", name.span, case="parameter", related=(earlier,), name=name.text)
        seen[name.text] = name.span


def _adopt(statement: Import, imported: Module, module: Module, findings: Findings) -> None:
    """Make the blocks of another file known: by their names, or behind `name.` where one is given."""
    module.imported.append(imported)
    blocks = {name: recipe for name, recipe in imported.recipes.items() if not recipe.shared}
    if statement.name is None:
        for name, recipe in blocks.items():
            if "." not in name and module.define(Name(name, statement.path.span), findings):
                module.recipes[name] = recipe
        return
    prefix = statement.name.text
    if not module.define(statement.name, findings):
        return
    for name, recipe in blocks.items():
        module.recipes[f"{prefix}.{name}"] = recipe
    if len(imported.chains) == 1:
        module.recipes[prefix] = Recipe(statement.name, (), imported.chains[0], ref(imported))
