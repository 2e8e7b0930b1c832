"""A checked spec as JSON and back: `cnnspec compile --emit json`, and files called `*.cnn.json`.

    {"format": "cnnspec-graph", "version": 1,
     "nodes": [{"name": "input", "shape": [1, 28, 28]},
               {"name": "conv1", "word": "conv", "inputs": ["input"], "settings": {"size": [8, 3, 3]}, ...}],
     "outputs": ["softmax1"], "data": {...}, "train": {...}, "expect": [...]}

Every setting is written, defaults too. What is read is held to `grammar/graph.schema.json`, which `schema` makes
from the words, then to the same kinds as a text's settings and the same shape rules; a fault is told with its path
(`/nodes/3/settings/stride`). Names are those of the grammar: nothing else of a file becomes a name in a plan.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, Required, TypedDict, TypeVar, cast

from ..diagnostics import Diagnostic, Fault, Source, Span
from ..ir import Builder, Graph, Node, data
from ..ir.fields import ENDS, NAME, Declared, Kind, Quoted, Text, Written, is_required
from ..ir.leaves import Input
from ..ir.nested import Nested
from ..ir.op import Op
from ..settings.data import Balance, Data
from ..settings.expect import QUANTITIES, RELATIONS, Budget
from ..settings.measures import OF_CLASS
from ..settings.train import Train
from ..words import OPS, WORDS
from .claimed import claimed
from .parse.numbers import LARGEST

if TYPE_CHECKING:
    from ..validation import Json

T = TypeVar("T", bound=Declared)

FORMAT, VERSION = "cnnspec-graph", 1
MOST_NODES = 20_000


class Misfit(Exception):
    """What is wrong, and the path to it."""

    def __init__(self, path: str, what: str) -> None:
        super().__init__(path, what)
        self.path, self.what = path, what


# ---- writing -----------------------------------------------------------------------------------------


class Readable(Protocol):
    """What is written of a spec that was read (`lang.Spec`)."""

    @property
    def graph(self) -> Graph: ...

    @property
    def data(self) -> Data: ...

    @property
    def train(self) -> Train: ...

    @property
    def expect(self) -> tuple[Budget, ...]: ...


class NodeJson(TypedDict, total=False):
    """A node as a file has it; an input has no word (grammar/graph.schema.json)."""

    name: Required[str]
    word: str
    inputs: list[str]
    settings: dict[str, Json]
    shape: list[int]
    weights: str
    blocks: list[str]
    given: bool


class BudgetJson(TypedDict, total=False):
    """A budget as a file has it."""

    quantity: Required[str]
    relation: Required[str]
    bound: Required[float | list[int | None]]
    at: str
    of: str


class GraphJson(TypedDict, total=False):
    """A file, its nodes in an order in which they can be computed."""

    nodes: Required[list[NodeJson]]
    outputs: Required[list[str]]
    data: dict[str, Json]
    train: dict[str, Json]
    expect: list[BudgetJson]


def as_json(spec: Readable) -> dict[str, Json]:
    """A `lang.Spec` as data for `json.dumps`."""
    return {
        "format": FORMAT,
        "version": VERSION,
        "nodes": [node_as_json(node) for node in spec.graph],
        "outputs": list(spec.graph.outputs),
        "data": fields_as_json(spec.data),
        "train": fields_as_json(spec.train),
        "expect": [
            {"quantity": b.quantity.name, "relation": b.relation, "bound": plain(b.bound), "at": b.at}
            | ({"of": b.of} if b.of else {})
            for b in spec.expect
        ],
    }


def node_as_json(node: Node) -> dict[str, Json]:
    found: dict[str, Json] = {"name": node.name}
    if not isinstance(node.op, Input):
        found |= {"word": node.op.word, "inputs": list(node.inputs), "settings": fields_as_json(node.op)}
    found["shape"] = list(node.type.shape)
    if node.weights:
        found["weights"] = node.weights
    if node.blocks:
        found["blocks"] = list(node.blocks)
    if node.given:
        found["given"] = True
    return found


def plain(value: object) -> Json:
    """A setting's value as JSON has it."""
    if isinstance(value, tuple):
        return [plain(item) for item in value]
    if isinstance(value, Declared):
        return {"word": value.word, **fields_as_json(value)}
    assert value is None or isinstance(value, bool | int | float | str)
    return value


def fields_as_json(thing: Declared) -> dict[str, Json]:
    return {f.name: plain(getattr(thing, f.name)) for f in dataclasses.fields(thing) if f.metadata.get("kind")}


# ---- reading -----------------------------------------------------------------------------------------


def from_json(text: str, source: Source) -> tuple[Graph, Data, Train, tuple[Budget, ...]] | Diagnostic:
    """The parts of a spec, or the one thing that is wrong with the file, with its path."""
    from ..validation import fault_of

    whole = Span(source, 0, min(len(text), 1))
    try:
        document = json.loads(text, parse_constant=number, parse_float=number, parse_int=integer)
    except (ValueError, RecursionError) as error:
        at = getattr(error, "pos", 0)
        return Diagnostic.of("CNN027", Span(source, at, at + 1), case="JSON", error=str(error)[:80])
    try:
        fault = fault_of(document, "graph")
        if fault is not None:
            raise Misfit(*fault)
        told = cast(GraphJson, document)
        graph = read_graph(told)
        of_data = read_fields(Data, told.get("data", {}), "/data")
        train = read_fields(Train, told.get("train", {}), "/train")
        budgets = [read_budget(one, f"/expect/{k}", whole) for k, one in enumerate(told.get("expect", []))]
        for k, budget in enumerate(budgets):
            if budget.at and budget.at not in graph.nodes:
                raise Misfit(f"/expect/{k}/at", f"there is no node `{budget.at}`")
    except Misfit as misfit:
        return Diagnostic.of("CNN027", whole, path=misfit.path or "/", what=misfit.what)
    return graph, of_data, train, tuple(budgets)


def number(written: str) -> float:
    """A number of JSON, as large as one of a spec may be: not NaN, Infinity or 1e999, which Python reads."""
    value = float(written)
    if not abs(value) <= LARGEST:
        raise ValueError(f"{written[:40]} is no number from {-LARGEST:.0e} to {LARGEST:.0e}")
    return value


def integer(written: str) -> int:
    number(written)
    return int(written)


@contextmanager
def at_path(path: str) -> Iterator[None]:
    """Faults of ops and kinds become misfits with a path."""
    try:
        yield
    except Fault as fault:
        field = f"/{fault.at}" if fault.at and not fault.at.startswith("input") else ""
        raise Misfit(f"{path}{field}", fault.message) from None


def read_graph(document: GraphJson) -> Graph:
    """What a schema cannot say: that names are there, each once, and that shapes agree."""
    b = Builder()
    inputs: list[str] = []
    for k, entry in enumerate(document["nodes"]):
        read_node(b, entry, f"/nodes/{k}", inputs)
    outputs = tuple(document["outputs"])
    for k, value in enumerate(outputs):
        if value not in b.nodes:
            raise Misfit(f"/outputs/{k}", f"there is no node `{value}`")
    if not inputs:
        raise Misfit("/nodes", "there must be an input, a node without a word")
    graph = b.graph(tuple(inputs), outputs)
    for node, whose in claimed(graph):
        raise Misfit(f"/nodes/{list(graph.nodes).index(node.name)}/name", f"`{node.name}` is what {whose} called")
    return graph


def read_node(b: Builder, entry: NodeJson, path: str, inputs: list[str]) -> None:
    """Add a node; its shape, where told, must be what its word makes."""
    name = entry["name"]
    if name in b.nodes:
        raise Misfit(f"{path}/name", f"`{name}` is the name of a node before this one")
    if "word" not in entry:
        b.add(Input(data(*map(int, entry["shape"]))), name=name)
        inputs.append(name)
        return
    word, values = entry["word"], entry["inputs"]
    for j, value in enumerate(values):
        if value not in b.nodes:
            raise Misfit(f"{path}/inputs/{j}", f"there is no node `{value}` before this one")
    if (len(values) > 1) != WORDS[word].join:
        raise Misfit(
            f"{path}/inputs", f"`{word}` takes {'two or more values' if WORDS[word].join else 'one value'}"
        )
    op = read_fields(WORDS[word], entry.get("settings", {}), f"{path}/settings")
    owner = entry.get("weights", "")
    with at_path(f"{path}/settings"):
        blocks, given = tuple(entry.get("blocks", ())), entry.get("given", False)
        b.add(op, *values, name=name, weights=owner, blocks=blocks, given=given)
    if "shape" in entry and entry["shape"] != list(b.type(name).shape):
        raise Misfit(f"{path}/shape", f"is {entry['shape']}, and the layer gives {b.type(name)}")
    if owner and (owner not in b.nodes or b.nodes[owner].op != op):
        raise Misfit(f"{path}/weights", f"`{owner}` is no earlier node of the same word and settings")


def read_fields(cls: type[T], given: Mapping[str, Json], path: str) -> T:
    """A record of settings: every value as its kind keeps it."""
    fields = {f.name: f for f in dataclasses.fields(cls) if f.metadata.get("kind")}
    found: dict[str, object] = {}
    for key, item in given.items():
        if key == "word" or (item is None and fields[key].default is None):
            continue
        kind = fields[key].metadata["kind"]
        if fields[key].metadata.get("repeat"):
            several = item if isinstance(item, list) else [item]
            found[key] = tuple(read_value(kind, one, f"{path}/{key}/{k}") for k, one in enumerate(several))
        else:
            found[key] = read_value(kind, item, f"{path}/{key}")
    with at_path(path):
        return cls(**found)


def read_value(kind: Kind[object], value: Json, path: str) -> object:
    """A value as its kind keeps it."""
    if isinstance(kind, Nested):
        assert isinstance(value, Mapping)
        return read_fields(kind.by_word[str(value["word"])], value, path)
    with at_path(path):
        return kind.read(as_written(value, quoted=isinstance(kind, Text | Balance)))


def as_written(value: Json, quoted: bool) -> Written:
    """A value as the parser would hand it over, which a schema has found to be one that has such a form."""
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, list):
        return tuple(value)
    assert isinstance(value, int | float | str)
    return Quoted(value) if quoted and isinstance(value, str) else value


def read_budget(entry: BudgetJson, path: str, span: Span) -> Budget:
    quantity = next(q for q in QUANTITIES if q.name == entry["quantity"])
    bound = entry["bound"]
    if isinstance(bound, list) != (quantity.name == "shape"):
        raise Misfit(f"{path}/bound", "must be a list of sizes" if quantity.name == "shape" else "must be a number")
    figure = tuple(bound) if isinstance(bound, list) else bound
    of = entry.get("of", "")
    if of and quantity.name not in OF_CLASS:
        raise Misfit(f"{path}/of", f"must not be told: {quantity.name} is not of a class")
    return Budget(quantity, entry["relation"], figure, entry.get("at", ""), span, of)


# ---- schema ------------------------------------------------------------------------------------------


def schema() -> dict[str, object]:
    """The JSON Schema of the format, made from the words."""

    def block(cls: type[Declared]) -> dict[str, object]:
        fields = {f.name: f for f in dataclasses.fields(cls) if f.metadata.get("kind")}
        properties: dict[str, object] = {}
        for name, field in fields.items():
            one = field.metadata["kind"].schema()
            several = {"type": "array", "items": one} if field.metadata.get("repeat") else one
            properties[name] = {"anyOf": [several, {"type": "null"}]} if field.default is None else several
        return {"type": "object", "properties": properties, "additionalProperties": False}

    def word(cls: type[Op]) -> dict[str, object]:
        required = [f.name for f in dataclasses.fields(cls) if f.metadata and is_required(f)]
        settings = {**block(cls), "required": required}
        found: dict[str, object] = {"properties": {"word": {"const": cls.word}, "settings": settings}}
        return {**found, "required": ["settings"]} if required else found

    name = {
        "type": "string",
        "pattern": f"^{NAME}{ENDS}",
        "title": "a name of letters, digits and _, parts joined by dots",
    }
    sizes = {
        "type": "array",
        "items": {"type": "integer", "minimum": 1, "maximum": 65_536},
        "minItems": 1,
        "maxItems": 3,
    }
    node = {
        "type": "object",
        "required": ["name"],
        "properties": {
            "name": name,
            "word": {"enum": [cls.word for cls in OPS]},
            "inputs": {"type": "array", "items": name, "minItems": 1},
            "settings": {"type": "object"},
            "shape": sizes,
            "weights": name,
            "blocks": {"type": "array", "items": name},
            "given": {"type": "boolean"},
        },
        "additionalProperties": False,
        "if": {"required": ["word"]},
        "then": {"required": ["inputs"], "oneOf": [word(cls) for cls in OPS]},
        "else": {"required": ["shape"]},
    }
    shape = {"type": "array", "items": {"type": ["integer", "null"], "minimum": 1, "maximum": 1_000_000}}
    budget = {
        "type": "object",
        "required": ["quantity", "relation", "bound"],
        "properties": {
            "quantity": {"enum": [q.name for q in QUANTITIES]},
            "relation": {"enum": list(RELATIONS)},
            "bound": {"anyOf": [{"type": "number", "minimum": -LARGEST, "maximum": LARGEST}, shape]},
            "at": {**name, "pattern": f"^({NAME})?{ENDS}"},
            "of": {"type": "string"},
        },
        "additionalProperties": False,
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A checked network, as `cnnspec compile --emit json` writes it",
        "type": "object",
        "required": ["format", "version", "nodes", "outputs"],
        "properties": {
            "format": {"const": FORMAT},
            "version": {"const": VERSION},
            "nodes": {"type": "array", "items": node, "minItems": 1, "maxItems": MOST_NODES},
            "outputs": {"type": "array", "items": name, "minItems": 1},
            "data": block(Data),
            "train": block(Train),
            "expect": {"type": "array", "items": budget},
        },
        "additionalProperties": False,
    }


def write_schema(path: Path) -> None:
    """Write the schema anew: after a word or a setting has changed."""
    path.write_text(json.dumps(schema(), indent=1) + "\n", encoding="utf-8")
