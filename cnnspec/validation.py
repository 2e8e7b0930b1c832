"""A document from elsewhere held to a JSON Schema of ours: the first thing that is wrong, and where.

    fault_of({"strict": "yes"}, "configuration") == ("/strict", 'must be true or false, got "yes"')

The words come from the schema alone. jsonschema is imported here and nowhere else, when a document is read.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from functools import cache
from typing import Literal, Protocol, TypeAlias, cast

from .resources import Schema, schemas

Json: TypeAlias = "bool | int | float | str | Sequence[Json] | Mapping[str, Json] | None"  # a value as JSON has it

Bound = Literal["minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum"]

BOUNDS: dict[Bound, str] = {
    "minimum": "from",
    "exclusiveMinimum": "above",
    "maximum": "to",
    "exclusiveMaximum": "below",
}
KINDS = {
    "object": "an object",
    "array": "a list",
    "string": "a text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "null": "null",
}
SHOWN = 12  # of the values that a schema lists


class Failure(Protocol):
    """A validator's finding on a value that violates a schema."""

    context: list[Failure]  # of the branches of `oneOf` and `anyOf`
    path: Sequence[str | int]
    absolute_path: Sequence[str | int]
    schema_path: Sequence[str | int]
    validator: str  # the keyword that it fails
    validator_value: Json
    instance: Json
    schema: Schema


class Validator(Protocol):
    """The part of a jsonschema validator that is used."""

    def iter_errors(self, instance: Json) -> Iterator[Failure]: ...

    def descend(self, instance: Json, schema: Schema, path: str | None = None) -> Iterator[Failure]: ...


def fault_of(document: Json, name: str) -> tuple[str, str] | None:
    """The path (a JSON Pointer, "" for the whole) and the words of the first fault; None where there is none.

    name    of a schema in `grammar/`: "graph", "summary", ...
    """
    error = next(validator(name).iter_errors(document), None)
    while error is not None and error.context and (inner := closest(error)) is not None:
        error = inner
    if error is None:
        return None
    path, words = described(error)
    return "".join("/" + str(key).replace("~", "~0").replace("/", "~1") for key in path), words


@cache
def validator(name: str) -> Validator:
    from jsonschema import Draft202012Validator
    from jsonschema.validators import extend

    return cast(Validator, extend(Draft202012Validator, {"oneOf": one_of})(schemas()[name]))


def one_of(validator: Validator, branches: list[Schema], instance: Json, schema: Schema) -> Iterator[Failure]:
    """`oneOf`; where every branch wants a `word` of its own, the instance's word alone says which one it is.

    Of 48 branches one is tried then, and its fault is told instead of "is not valid under any of them".
    """
    known = by_word(branches)
    if known is None or not isinstance(instance, dict):
        from jsonschema import Draft202012Validator

        yield from Draft202012Validator.VALIDATORS["oneOf"](validator, branches, instance, schema)
        return
    word = instance.get("word")
    if isinstance(word, str) and word in known:
        yield from validator.descend(instance, known[word])
    else:
        choice: Schema = {"enum": list(known)}
        yield from validator.descend(word, choice, path="word")


def by_word(branches: list[Schema]) -> dict[str, Schema] | None:
    """The branches by the words that they want; None where one of them wants none."""
    words = [branch.get("properties", {}).get("word", {}).get("const") for branch in branches]
    found = {word: branch for word, branch in zip(words, branches, strict=True) if isinstance(word, str)}
    return found if len(found) == len(branches) else None


def closest(error: Failure) -> Failure | None:
    """Of the branches that failed, the fault of the only one that is for a value of this kind."""
    fitting = [inner for inner in error.context if not (inner.validator == "type" and not inner.path)]
    branches = {inner.schema_path[0] for inner in fitting}
    return fitting[0] if len(branches) == 1 else None


def described(error: Failure) -> tuple[list[str | int], str]:
    """Where a fault is, and what it is."""
    path, wish, value = list(error.absolute_path), error.validator_value, error.instance
    match error.validator, wish, value:
        case "required", [*keys], Mapping():
            return [*path, next(str(key) for key in keys if key not in value)], "is missing"
        case "additionalProperties" | "unevaluatedProperties", _, Mapping():
            known = error.schema.get("properties", {})
            extra = next(key for key in value if key not in known)
            return [*path, extra], f"is not known here{nearest(extra, known)}"
        case "enum", [*values], _:
            return path, f"must be {wanted(error.schema)}, got {shown(value)}{nearest(value, values)}"
        case "minItems" | "maxItems", _, [*items]:
            return path, f"must be {wanted(error.schema)}, got {len(items)}"
    return path, f"must be {wanted(error.schema)}, got {shown(value)}"


def wanted(schema: Schema) -> str:
    """What a schema takes, in words: `a whole number from 1 to 4, or null`."""
    if "pattern" in schema and "title" in schema:
        return str(schema["title"])
    if "const" in schema:
        return shown(schema["const"])
    if "enum" in schema:
        values = [value if isinstance(value, str) else shown(value) for value in schema["enum"]]
        more = f", or {len(values) - SHOWN} others" if len(values) > SHOWN else ""
        return ("one of " if len(values) > 1 else "") + ", ".join(values[:SHOWN]) + more
    for several in ("oneOf", "anyOf"):
        if several in schema:
            return ", or ".join(dict.fromkeys(map(wanted, schema[several])))
    kinds = schema.get("type", [])
    kinds = [kinds] if isinstance(kinds, str) else kinds
    return ", or ".join(narrowed(kind, schema) for kind in kinds) or "something else"


def narrowed(kind: str, schema: Schema) -> str:
    """A kind of value with the bounds that a schema sets it: `a list of 1 to 3`."""
    if kind in ("integer", "number"):
        return KINDS[kind] + "".join(f" {BOUNDS[key]} {number(schema[key])}" for key in BOUNDS if key in schema)
    low, high = schema.get("minItems", 0), schema.get("maxItems")
    if kind != "array" or not (low or high):
        return KINDS[kind]
    if high is None:
        return f"a list of {number(low)} or more"
    return f"a list of {number(low)}" if low == high else f"a list of {number(low)} to {number(high)}"


def number(value: float) -> str:
    return f"{value:,}".replace(",", " ") if isinstance(value, int) else f"{value:g}"


def shown(value: object) -> str:
    """A value in a few characters, none of which is a control character."""
    if isinstance(value, dict | list):
        return KINDS["object" if isinstance(value, dict) else "array"]
    text = json.dumps(value)
    return text if len(text) <= 40 else f"{text[:37]}..."


def nearest(value: object, known: Iterable[object]) -> str:
    """`; did you mean ...?` where a text is close to one of those known."""
    names = [name for name in known if isinstance(name, str)]
    near = get_close_matches(value, names, 1) if isinstance(value, str) and len(value) < 100 else []
    return f"; did you mean `{near[0]}`?" if near else ""
