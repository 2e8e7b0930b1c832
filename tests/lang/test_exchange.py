"""A checked graph as JSON: there and back it compiles to the same plan, and what is bad is told with its path."""

import json
from pathlib import Path

import jsonschema
import pytest

import cnnspec
from cnnspec.api import read_spec
from cnnspec.codegen.program import generate
from cnnspec.diagnostics import Source
from cnnspec.lang import exchange, read

ROOT = Path(__file__).parents[2]
SCHEMA = ROOT / "grammar" / "graph.schema.json"
SPECS = sorted((ROOT / "specs").rglob("*.cnn"))


def written(spec):
    return json.loads(json.dumps(exchange.as_json(spec)))


def reading(document, **more):
    return read(Source("net.cnn.json", json.dumps(document)), **more)


def test_the_schema_is_that_of_the_words():
    assert json.loads(SCHEMA.read_text()) == exchange.schema(), "write it anew: exchange.write_schema(path)"
    jsonschema.Draft202012Validator.check_schema(exchange.schema())


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
def test_every_spec_goes_to_json_and_back(path):
    spec = read_spec(path)
    document = written(spec)
    jsonschema.Draft202012Validator(json.loads(SCHEMA.read_text())).validate(document)
    back = reading(document).spec
    assert back is not None
    assert [(n.name, n.op, n.inputs, n.type, n.owner) for n in back.graph] == [
        (n.name, n.op, n.inputs, n.type, n.owner) for n in spec.graph
    ]
    assert (back.data, back.train) == (spec.data, spec.train)
    assert [(b.quantity, b.relation, b.bound, b.at) for b in back.expect] == [
        (b.quantity, b.relation, b.bound, b.at) for b in spec.expect
    ]


def test_a_graph_read_back_compiles_to_the_same_plan(tmp_path):
    spec = read_spec(ROOT / "specs" / "resnet20.cnn")
    path = tmp_path / "net.cnn.json"
    path.write_text(json.dumps(exchange.as_json(spec)))
    plans = []
    for one in (spec, read_spec(path)):
        model = cnnspec.Model(one, batch=4)
        source = generate(model.engine.graph("train", 4), 4, 4).source
        plans.append([line.partition("  #")[0].rstrip() for line in source.splitlines() if "# " not in line[:6]])
    assert plans[0] == plans[1]


def test_settings_may_be_given_instead():
    document = written(read_spec(ROOT / "specs" / "lenet5.cnn"))
    spec = reading(document, overrides=("train.epochs=2", "train.optimiser=sgd lr 0.5")).spec
    assert (spec.train.epochs, spec.train.optimiser.written()) == (2, "sgd lr 0.5")
    assert spec.train.batch == 64


CHANGES = {
    "/format": lambda d: d.update(format="other"),
    "/nodes": lambda d: d.update(nodes=[]),
    "/nodes/1/word": lambda d: d["nodes"][1].update(word="konv"),
    "/nodes/1/inputs/0": lambda d: d["nodes"][1].update(inputs=["none"]),
    "/nodes/1/inputs": lambda d: d["nodes"][1].update(inputs=["input", "input"]),
    "/nodes/1/settings/stride": lambda d: d["nodes"][1]["settings"].update(stride=0),
    "/nodes/1/settings/strid": lambda d: d["nodes"][1]["settings"].update(strid=2),
    "/nodes/1/settings/size": lambda d: d["nodes"][1]["settings"].update(size=[6, 99, 99]),
    "/nodes/1/shape": lambda d: d["nodes"][1].update(shape=[6, 1, 1]),
    "/nodes/1/name": lambda d: d["nodes"][1].update(name="input"),
    "/nodes/0/shape/1": lambda d: d["nodes"][0].update(shape=[1, -28, 28]),
    "/nodes/2/more": lambda d: d["nodes"][2].update(more=1),
    "/outputs/0": lambda d: d.update(outputs=["nothing"]),
    "/train/batch": lambda d: d["train"].update(batch="many"),
    "/train/optimiser/word": lambda d: d["train"].update(optimiser={"word": "adams"}),
    "/nodes/1/settings": lambda d: d["nodes"][1].pop("settings"),
    "/train/cost": lambda d: d["train"].update(cost=3),
    "/train/cost/0/of": lambda d: d["train"]["cost"][0].update(of="conv1"),
    "/train/cost/1/of": lambda d: d["train"].update(cost=d["train"]["cost"] * 2),
    "/train/cost/0": lambda d: (
        d["nodes"][-2]["settings"].update(size=[1]) or [d["nodes"][k].pop("shape") for k in (-2, -1)]
    ),
    "/train/schedule": lambda d: d["train"].update(schedule={"word": "cosine", "warmup": 99}),
    "/expect/0/at": lambda d: d["expect"][0].update(at="nothing"),
    "/expect/0/quantity": lambda d: d["expect"][0].update(quantity="parms"),
}


@pytest.mark.parametrize("path", CHANGES)
def test_what_is_bad_is_told_with_its_path(path):
    document = written(read_spec(ROOT / "specs" / "lenet5.cnn"))
    CHANGES[path](document)
    (finding,) = reading(document).diagnostics
    assert finding.code == "CNN027" and finding.message.startswith(f"{path}: ")


@pytest.mark.parametrize("name", ["conv1.weight", "dense2.bias", "softmax1.target"])
def test_a_name_that_the_network_takes_for_itself_is_refused(name):
    document = written(read_spec(ROOT / "specs" / "lenet5.cnn"))
    document["nodes"][2]["name"] = name
    document["nodes"][3]["inputs"] = [name]
    (finding,) = reading(document).diagnostics
    assert finding.code == "CNN027"
    assert finding.message.startswith(f"/nodes/2/name: `{name}` is what ") and finding.message.endswith(" called")


def test_a_graph_that_states_no_cost_has_that_of_its_last_word():
    document = written(read_spec(ROOT / "specs" / "lenet5.cnn"))
    for missing in (lambda: document["train"].update(cost=[]), lambda: document.pop("train")):
        missing()
        assert [cost.word for cost in reading(document).spec.train.cost] == ["cross_entropy"]


NOT_NAMES = (
    "",
    "\n",
    "1",
    "größe",
    "conv²",
    "a b",
    "a.",
    ".a",
    "a..b",
    "a\n",
    "a\r",
    "a\u2028b",
    'a"]',
    "a'",
    "a\\",
    "a#",
    "\x1b[31m",
    "a\0",
    7,
)
NAMED = {
    "node": ("/nodes/3/name", lambda d, name: d["nodes"][3].update(name=name)),
    "reader": ("/nodes/3/inputs/0", lambda d, name: d["nodes"][3].update(inputs=[name])),
    "block": ("/nodes/3/blocks/0", lambda d, name: d["nodes"][3].update(blocks=[name])),
    "owner of weights": ("/nodes/3/weights", lambda d, name: d["nodes"][3].update(weights=name)),
    "output": ("/outputs/0", lambda d, name: d.update(outputs=[name])),
    "budget": ("/expect/0/at", lambda d, name: d["expect"][0].update(at=name or "1")),
}


@pytest.mark.parametrize("name", NOT_NAMES, ids=ascii)
@pytest.mark.parametrize("place", NAMED)
def test_a_name_is_one_of_the_grammar(place, name):
    path, change = NAMED[place]
    document = written(read_spec(ROOT / "specs" / "lenet5.cnn"))
    change(document, name)
    (finding,) = reading(document).diagnostics
    assert finding.code == "CNN027"
    assert finding.message.startswith(f"{path}: must be a name of letters, digits and _")


@pytest.mark.parametrize("name", ["conv", "_", "Conv_1", "a.b.c2"])
def test_names_that_a_spec_can_make_are_taken(name):
    document = written(read_spec(ROOT / "specs" / "lenet5.cnn"))
    document["nodes"][-1]["name"], document["outputs"] = name, [name]
    assert reading(document).spec is not None


@pytest.mark.parametrize("number", ["1e999", "-1e999", "1e16", "NaN", "Infinity", "1" * 400, "1" * 5000])
def test_what_is_no_number_of_json_is_told(number):
    text = json.dumps(written(read_spec(ROOT / "specs" / "lenet5.cnn"))).replace("0.985", number)
    (finding,) = read(Source("net.cnn.json", text)).diagnostics
    assert finding.code == "CNN027"


def test_whole_numbers_may_be_written_with_a_point():
    document = written(read_spec(ROOT / "specs" / "lenet5.cnn"))
    document["nodes"][0]["shape"] = [1.0, 28.0, 28.0]
    spec = reading(document).spec
    assert all(type(size) is int for size in spec.graph.type("input").shape)


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "{}", "[" * 100_000, '{"format": "cnnspec-graph"}', "\0"])
def test_what_is_no_graph_is_a_finding(text):
    (finding,) = read(Source("net.cnn.json", text)).diagnostics
    assert finding.code == "CNN027"
