"""Graphs written down as specs: what returns is the same graph, and reads as a person would write it."""

from __future__ import annotations

import random

import pytest
from networks import ROOT, STRUCTURES, examples, graph_of

from cnnspec.api import read_spec
from cnnspec.diagnostics import SpecError
from cnnspec.ir import Builder, data
from cnnspec.ir.leaves import Input
from cnnspec.targets.spec.chains import Chains, dominators
from cnnspec.targets.spec.text import WIDTH, spec_text
from cnnspec.words import WORDS

TEXTS = {**examples(), **STRUCTURES}
TEXTS |= {path.stem: path.read_text() for path in sorted((ROOT / "specs").glob("*.cnn"))}


def written(text):
    graph = graph_of(text)
    return spec_text(graph, {name: name for name in graph.nodes}).text.split("\n\n", 1)[1].strip()


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_what_is_written_is_the_graph(text):
    """`spec_text` reads its own text and holds it against the graph; here its lines are held as well."""
    made = spec_text(graph_of(text))
    assert max(map(len, made.text.splitlines())) <= WIDTH
    assert spec_text(graph_of(made.text)).text.split("\n\n", 1)[1] == made.text.split("\n\n", 1)[1]


def random_graph(seed):
    """Values that read one another as chance has it: several inputs, outputs, and readers of everything."""
    draw = random.Random(seed)
    b = Builder()
    inputs = tuple(b.add(Input(data(4, 6, 6)), name=f"in{k}") for k in range(draw.choice([1, 1, 2])))
    values = list(inputs)
    for k in range(draw.randint(1, 25)):
        if draw.random() < 0.35:
            parts = [draw.choice(values[-6:]) for _ in range(draw.randint(2, 3))]
            values.append(b.add(WORDS[draw.choice(["add", "max", "mean"])](), *parts, name=f"v{k}"))
        else:
            word = draw.choice(["relu", "tanh", "bn", "sigmoid"])
            shared = next((n.name for n in b.nodes.values() if n.op.word == word == "bn"), "")
            owner = shared if draw.random() < 0.1 else ""
            values.append(b.add(WORDS[word](), draw.choice(values[-6:]), name=f"v{k}", weights=owner))
    ends = [value for value in values if not any(value in node.inputs for node in b.nodes.values())]
    return b.graph(inputs, tuple(dict.fromkeys([*ends, *draw.sample(values, draw.choice([0, 0, 1]))])))


@pytest.mark.parametrize("seed", range(120))
def test_any_graph_can_be_written(seed):
    graph = random_graph(seed)
    made = spec_text(graph)
    assert read_spec(text=made.text)


def test_branches_stay_in_parentheses_and_blocks_are_repeated():
    text = (ROOT / "specs" / "resnet20.cnn").read_text()
    lines = written(text).splitlines()
    assert lines[1].strip().startswith("-> (add( conv 16x3x3 pad ")
    assert lines[2].strip() == "-> relu)*3" or lines[2].strip().endswith("relu)*3")


def test_a_branch_too_long_to_read_becomes_the_chain_that_goes_on():
    conv = " -> ".join(["conv 4x3x3 pad 1 -> relu"] * 10)
    text = f"input 4x8x8\nadd({conv} | conv 4x1x1)"
    assert written(text) == ("(conv 4x3x3 pad 1 -> relu)*10 -> add( id | @input -> conv 4x1x1 )")


def test_a_value_is_named_where_its_readers_are_apart():
    text = "input 4x8x8\nconv 4x1x1 as a -> relu -> conv 4x1x1 as b -> tanh -> add(id | @a) -> add(id | @b)"
    assert written(text) == "conv 4x1x1 -> add( add( relu -> conv 4x1x1 as b -> tanh | id ) | @b )"


def test_layers_that_share_their_weights_are_a_net():
    assert written(STRUCTURES["two inputs"]).startswith("net shared = conv 4x3x3 -> bn -> relu\n")


def test_an_output_that_others_read_ends_in_a_layer_that_does_nothing():
    text = "input 4x8x8\nconv 4x1x1 as a -> relu -> add(id | @a)\n@a -> dropout 0"
    assert written(text).splitlines()[-1] == "@a -> dropout 0"


def test_weights_shared_crosswise_cannot_be_written():
    b = Builder()
    x = b.add(Input(data(4)), name="input")
    first = b.add(WORDS["dense"]((4,)), x, name="p")
    second = b.add(WORDS["dense"]((4,)), first, name="q")
    third = b.add(WORDS["dense"]((4,), bias=False), second, name="r", weights="p")
    with pytest.raises(SpecError, match="CNN506"):
        spec_text(b.graph((x,), (third,)))


def test_branches_nested_without_end_are_refused():
    b = Builder()
    value = b.add(Input(data(4)), name="input")
    lefts = []
    for k in range(400):
        lefts.append(value)
        value = b.add(WORDS["relu"](), value, name=f"r{k}")
    for k, left in enumerate(reversed(lefts)):
        value = b.add(WORDS["add"](), left, value, name=f"a{k}")
    made = spec_text(b.graph(("input",), (value,)))  # names keep them flat
    assert made.text.count("(") == 400


def test_dominators_are_what_every_way_passes():
    graph = graph_of(STRUCTURES["taps"])
    above = dominators(graph)
    join = next(node.name for node in graph if node.op.word == "add")
    assert above[join] == "e1"
    assert Chains(graph).tapped == []
