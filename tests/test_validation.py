"""What a schema refuses is told by its path and in plain words, and nothing else is refused."""

import copy
import json
import time
from pathlib import Path

import jsonschema
import pytest
from pace import took_under

from cnnspec.api import read_spec
from cnnspec.lang.exchange import as_json
from cnnspec.resources import schemas
from cnnspec.settings.optimisers import OPTIMISERS
from cnnspec.validation import fault_of

ROOT = Path(__file__).parents[1]
LENET = json.dumps(as_json(read_spec(ROOT / "specs" / "lenet5.cnn")))

FAULTS = {  # a change of a good graph, and what is told
    "another format": (lambda d: d.update(format="other"), "/format", 'must be "cnnspec-graph", got "other"'),
    "a missing part": (lambda d: d.pop("nodes"), "/nodes", "is missing"),
    "too few": (lambda d: d.update(nodes=[]), "/nodes", "must be a list of 1 to 20 000, got 0"),
    "a key too many": (lambda d: d["nodes"][2].update(more=1), "/nodes/2/more", "is not known here"),
    "a key misspelt": (
        lambda d: d["nodes"][1]["settings"].update(strid=2),
        "/nodes/1/settings/strid",
        "is not known here; did you mean `stride`?",
    ),
    "a key with slashes": (lambda d: d["nodes"][1].update({"a/b~": 1}), "/nodes/1/a~1b~0", "is not known here"),
    "a number too small": (
        lambda d: d["nodes"][1]["settings"].update(stride=0),
        "/nodes/1/settings/stride",
        "must be a whole number from 1 to 65 536, got 0",
    ),
    "a value of a list": (
        lambda d: d["nodes"][1]["settings"].update(stride=[1, "two"]),
        "/nodes/1/settings/stride/1",
        'must be a whole number from 1 to 65 536, got "two"',
    ),
    "another kind": (
        lambda d: d["nodes"][1]["settings"].update(stride="two"),
        "/nodes/1/settings/stride",
        'must be a whole number from 1 to 65 536, or a list of 1 to 4, got "two"',
    ),
    "true is no number": (
        lambda d: d["train"].update(batch=True),
        "/train/batch",
        "must be a whole number from 1 to 1 000 000, got true",
    ),
    "an object": (lambda d: d["train"].update(batch={}), "/train/batch", None),
    "a word of a choice": (
        lambda d: d["train"].update(optimiser={"word": "adams"}),
        "/train/optimiser/word",
        f'must be one of {", ".join(cls.word for cls in OPTIMISERS)}, got "adams"; did you mean `adam`?',
    ),
    "a choice without a word": (
        lambda d: d["train"].update(optimiser="adam"),
        "/train/optimiser",
        'must be an object, got "adam"',
    ),
    "within a choice": (
        lambda d: d["train"].update(optimiser={"word": "sgd", "lr": -1}),
        "/train/optimiser/lr",
        "must be a number above 0, got -1",
    ),
    "a long text": (
        lambda d: d.update(format="a\x1b[31m" * 100),
        "/format",
        'must be "cnnspec-graph", got "a\\u001b[31ma\\u001b[31ma\\u001b[31ma\\u...',
    ),
}


@pytest.mark.parametrize("case", FAULTS)
def test_a_fault_is_told_with_its_path(case):
    change, path, words = FAULTS[case]
    document = json.loads(LENET)
    change(document)
    told = fault_of(document, "graph")
    assert told == (path, words or told[1])


def test_the_schemas_of_a_run_and_of_the_configuration_are_told_likewise():
    assert fault_of([], "summary") == ("", "must be an object, got a list")
    assert fault_of({"status": "done"}, "summary") == (
        "/status",
        'must be one of finished, interrupted, failed, got "done"',
    )
    assert fault_of({"strict": "yes"}, "configuration") == ("/strict", 'must be true or false, got "yes"')
    assert fault_of({"strict": True}, "configuration") is None


def places(value, path=()):
    yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield from places(item, (*path, key))


def test_what_the_standard_refuses_is_refused_and_nothing_else():
    """Every place of a graph in turn holds something else; `jsonschema` without our shortcut agrees."""
    standard = jsonschema.Draft202012Validator(schemas()["graph"])
    short = json.loads(LENET)
    short["nodes"], short["outputs"] = short["nodes"][:4], ["conv1"]
    tried = 0
    for path in list(places(short))[1:]:
        for other in (None, -1, "sgd", [1], {"word": "relu"}):
            document = copy.deepcopy(short)
            parent = document
            for key in path[:-1]:
                parent = parent[key]
            parent[path[-1]] = other
            assert (fault_of(document, "graph") is None) == standard.is_valid(document), (path, other)
            tried += 1
    assert tried > 300


def test_a_graph_of_thousands_of_nodes_is_quick():
    document = json.loads(LENET)
    document["nodes"] = document["nodes"][:1] + document["nodes"][1:] * 250
    fault_of(json.loads(LENET), "graph")
    start = time.thread_time()
    assert fault_of(document, "graph") is None
    assert took_under(3, start) and len(document["nodes"]) > 3000
