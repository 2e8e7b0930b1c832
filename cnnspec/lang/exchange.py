"""A checked spec as JSON and back: `cnnspec compile --emit json`, and files called `*.cnn.json`.

    {"format": "cnnspec-graph", "version": 1,
     "nodes": [{"name": "input", "shape": [1, 28, 28]},
               {"name": "conv1", "word": "conv", "inputs": ["input"], "settings": {"size": [8, 3, 3]}, ...}],
     "outputs": ["softmax1"], "data": {...}, "train": {...}, "expect": [...]}

Every setting is written, defaults too. What is read is held to the same kinds as a text's settings and to the
same shape rules; a fault is told with its path (`/nodes/3/settings/stride`). `grammar/graph.schema.json` is its
JSON Schema, made from the words by `schema`.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ..diagnostics import Diagnostic, Fault, Source, Span
from ..ir import Builder, Graph, Node, TensorType, data
from ..ir.fields import Kind, Nested, Quoted, Switch, Text, word_schema
from ..ir.op import Op
from ..ops import OPS, WORDS
from ..ops.leaves import Input
from ..settings.data import Data
from ..settings.expect import QUANTITIES, RELATIONS, Budget
from ..settings.train import Train

FORMAT, VERSION = "cnnspec-graph", 1
MOST_NODES = 20_000


class Misfit(Exception):
    """What is wrong, and the path to it."""

    def __init__(self, path: str, what: str) -> None:
        super().__init__(path, what)
        self.path, self.what = path, what


# ---- writing -----------------------------------------------------------------------------------------


def as_json(spec: Any) -> dict[str, Any]:
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
            for b in spec.expect
        ],
    }


def node_as_json(node: Node) -> dict[str, Any]:
    found: dict[str, Any] = {"name": node.name}
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


def plain(value: Any) -> Any:
    """A setting's value as JSON has it."""
    if isinstance(value, tuple):
        return [plain(item) for item in value]
    if getattr(type(value), "word", ""):
        return {"word": value.word, **fields_as_json(value)}
    return value


def fields_as_json(thing: Any) -> dict[str, Any]:
    return {f.name: plain(getattr(thing, f.name)) for f in dataclasses.fields(thing) if f.metadata.get("kind")}


# ---- reading -----------------------------------------------------------------------------------------


def from_json(text: str, source: Source) -> tuple[Graph, Data, Train, tuple[Budget, ...]] | Diagnostic:
    """The parts of a spec, or the one thing that is wrong with the file, with its path."""
    whole = Span(source, 0, min(len(text), 1))
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        at = getattr(error, "pos", 0)
        return Diagnostic("CNN027", "the file is not JSON", Span(source, at, at + 1), label=str(error)[:80])
    try:
        with at_path("", ""):
            found = expect_object(document, "")
            if found.get("format") != FORMAT or found.get("version") != VERSION:
                raise Misfit("/format", f"is not `{FORMAT}` of version {VERSION}")
            graph = read_graph(found)
            settings = [read_fields(cls, found.get(cls.word, {}), f"/{cls.word}") for cls in (Data, Train)]
            budgets = [read_budget(one, f"/expect/{k}", whole) for k, one in enumerate(listed(found, "expect", ""))]
    except Misfit as misfit:
        return Diagnostic("CNN027", f"{misfit.path or '/'}: {misfit.what}", whole, label="in this file")
    return graph, settings[0], settings[1], tuple(budgets)


@contextmanager
def at_path(path: str, prefix: str) -> Iterator[None]:
    """Faults of ops and kinds become misfits with a path."""
    try:
        yield
    except Fault as fault:
        field = f"/{fault.at}" if fault.at and not fault.at.startswith("input") else ""
        raise Misfit(f"{path}{field}", f"{prefix}{fault.message}") from None


def expect_object(value: Any, path: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise Misfit(path, f"must be an object, got {type(value).__name__}")
    return value


def listed(found: Mapping[str, Any], key: str, path: str) -> list[Any]:
    value = found.get(key, [])
    if not isinstance(value, list):
        raise Misfit(f"{path}/{key}", f"must be a list, got {type(value).__name__}")
    return value


def names(found: Mapping[str, Any], key: str, path: str) -> tuple[str, ...]:
    value = listed(found, key, path)
    for k, item in enumerate(value):
        if not isinstance(item, str):
            raise Misfit(f"{path}/{key}/{k}", "must be a name")
    return tuple(value)


def read_graph(found: Mapping[str, Any]) -> Graph:
    nodes = listed(found, "nodes", "")
    if not nodes or len(nodes) > MOST_NODES:
        raise Misfit("/nodes", f"must have from 1 to {MOST_NODES:,} nodes, got {len(nodes):,}")
    b = Builder()
    inputs: list[str] = []
    for k, entry in enumerate(nodes):
        path = f"/nodes/{k}"
        read_node(b, expect_object(entry, path), path, inputs)
    outputs = names(found, "outputs", "")
    for k, value in enumerate(outputs):
        if value not in b.nodes:
            raise Misfit(f"/outputs/{k}", f"there is no node `{value}`")
    if not outputs or not inputs:
        raise Misfit("/outputs", "there must be an input and an output")
    return b.graph(tuple(inputs), outputs)


def read_node(b: Builder, entry: dict[str, Any], path: str, inputs: list[str]) -> None:
    """Add a node; its shape, where told, must be what its word makes."""
    name = entry.get("name")
    if not isinstance(name, str) or not name or name in b.nodes:
        raise Misfit(f"{path}/name", "must be a name that no other node has")
    known = {"name", "word", "inputs", "settings", "shape", "weights", "blocks", "given"}
    for key in entry:
        if key not in known:
            raise Misfit(f"{path}/{key}", "is not known here")
    if "word" not in entry:
        b.add(Input(read_shape(entry.get("shape"), f"{path}/shape")), name=name)
        inputs.append(name)
        return
    word = entry["word"]
    if not isinstance(word, str) or word not in WORDS:
        raise Misfit(f"{path}/word", f"there is no layer called {json.dumps(word)[:40]}")
    values = names(entry, "inputs", path)
    for j, value in enumerate(values):
        if value not in b.nodes:
            raise Misfit(f"{path}/inputs/{j}", f"there is no node `{value}` before this one")
    if not values or (len(values) > 1) != WORDS[word].join:
        raise Misfit(
            f"{path}/inputs", f"`{word}` takes {'two or more values' if WORDS[word].join else 'one value'}"
        )
    op = read_fields(WORDS[word], entry.get("settings", {}), f"{path}/settings")
    parts = {
        "weights": entry.get("weights", ""),
        "blocks": names(entry, "blocks", path),
        "given": entry.get("given", False),
    }
    if not isinstance(parts["weights"], str) or not isinstance(parts["given"], bool):
        raise Misfit(path, "`weights` must be a name and `given` true or false")
    with at_path(f"{path}/settings", ""):
        b.add(op, *values, name=name, **parts)
    if "shape" in entry and entry["shape"] != list(b.type(name).shape):
        raise Misfit(f"{path}/shape", f"is {entry['shape']}, and the layer gives {b.type(name)}")
    owner = parts["weights"]
    if owner and (owner not in b.nodes or b.nodes[owner].op != op):
        raise Misfit(f"{path}/weights", f"`{owner}` is no earlier node of the same word and settings")


def read_shape(value: Any, path: str) -> TensorType:
    sizes = value if isinstance(value, list) else []
    if not 1 <= len(sizes) <= 3 or not all(type(n) is int and 1 <= n <= 65_536 for n in sizes):
        raise Misfit(path, "an input has one to three sizes from 1 to 65536")
    return data(*sizes)


def read_fields(cls: type, value: Any, path: str) -> Any:
    """A record of settings: every value held to its kind."""
    given = expect_object(value, path)
    fields = {f.name: f for f in dataclasses.fields(cls) if f.metadata.get("kind")}
    found: dict[str, Any] = {}
    for key, item in given.items():
        if key == "word":
            continue
        if key not in fields:
            raise Misfit(f"{path}/{key}", f"`{cls.word}` has no setting of this name")  # type: ignore[attr-defined]
        field = fields[key]
        if item is None and field.default is None:
            continue
        if field.metadata.get("repeat"):
            several = item if isinstance(item, list) else [item]
            kind = field.metadata["kind"]
            found[key] = tuple(read_value(kind, one, f"{path}/{key}/{k}") for k, one in enumerate(several))
        else:
            found[key] = read_value(field.metadata["kind"], item, f"{path}/{key}")
    for name, field in fields.items():
        if name not in found and field.default is dataclasses.MISSING:
            raise Misfit(f"{path}/{name}", "is missing")
    with at_path(path, ""):
        return cls(**found)


def read_value(kind: Kind, value: Any, path: str) -> Any:
    """A value as its kind keeps it."""
    if isinstance(kind, Nested):
        entry = expect_object(value, path)
        for cls in kind.classes:
            if cls.word == entry.get("word"):  # type: ignore[attr-defined]
                return read_fields(cls, entry, path)
        raise Misfit(f"{path}/word", f"must be {kind.wanted}")
    written = value
    if isinstance(kind, Switch) and isinstance(value, bool):
        written = "on" if value else "off"
    elif isinstance(kind, Text) and isinstance(value, str):
        written = Quoted(value)
    elif isinstance(value, list):
        written = tuple(value)
    elif isinstance(value, (dict, bool)):
        raise Misfit(path, f"must be {kind.wanted}")
    with at_path(path, ""):
        return kind.read(written)


def read_budget(value: Any, path: str, span: Span) -> Budget:
    entry = expect_object(value, path)
    quantity = next((q for q in QUANTITIES if q.name == entry.get("quantity")), None)
    if quantity is None:
        raise Misfit(f"{path}/quantity", "must be one of " + ", ".join(q.name for q in QUANTITIES))
    if entry.get("relation") not in RELATIONS:
        raise Misfit(f"{path}/relation", "must be one of " + ", ".join(RELATIONS))
    bound = entry.get("bound")
    if quantity.name == "shape":
        if not isinstance(bound, list) or not all(n is None or type(n) is int for n in bound):
            raise Misfit(f"{path}/bound", "must be a list of sizes, null for any")
        bound = tuple(bound)
    elif isinstance(bound, bool) or not isinstance(bound, (int, float)):
        raise Misfit(f"{path}/bound", "must be a number")
    return Budget(quantity, entry["relation"], bound, str(entry.get("at", "")), span)


# ---- schema ------------------------------------------------------------------------------------------


def schema() -> dict[str, Any]:
    """The JSON Schema of the format, made from the words."""

    def block(cls: type) -> dict[str, Any]:
        fields = {f.name: f for f in dataclasses.fields(cls) if f.metadata.get("kind")}
        properties = {}
        for name, field in fields.items():
            one = field.metadata["kind"].schema()
            several = {"type": "array", "items": one} if field.metadata.get("repeat") else one
            properties[name] = {"anyOf": [several, {"type": "null"}]} if field.default is None else several
        return {"type": "object", "properties": properties, "additionalProperties": False}

    def word(cls: type[Op]) -> dict[str, Any]:
        full = word_schema(cls)
        required = [name for name in full["required"] if name != "word"]
        settings = {**block(cls), "required": required}
        return {"properties": {"word": {"const": cls.word}, "settings": settings}}

    name = {"type": "string", "minLength": 1}
    sizes = {"type": "array", "items": {"type": "integer", "minimum": 1}, "minItems": 1, "maxItems": 3}
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
    budget = {
        "type": "object",
        "required": ["quantity", "relation", "bound"],
        "properties": {
            "quantity": {"enum": [q.name for q in QUANTITIES]},
            "relation": {"enum": list(RELATIONS)},
            "bound": {"anyOf": [{"type": "number"}, {"type": "array", "items": {"type": ["integer", "null"]}}]},
            "at": {"type": "string"},
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
