"""Traces: what they add up is what the network computed, and every word has one that tells its steps."""

import re

import numpy as np
import pytest
from click.testing import CliRunner
from pictured import PLAIN, SMALL, TEXTS, batch, every_word

import cnnspec
from cnnspec.api import read_spec
from cnnspec.cli import program
from cnnspec.diagnostics import SpecError
from cnnspec.explain.columns import number
from cnnspec.explain.derivatives import parts
from cnnspec.explain.explanation import TELL, account, image_shape, kind_of
from cnnspec.explain.gradcheck import random_batch
from cnnspec.explain.probe import Probe, look
from cnnspec.explain.trace import trace
from cnnspec.explain.trace_place import Selection, find_place
from cnnspec.ir.op import Op
from cnnspec.words import OPS


def traced(text, n=1):
    model = cnnspec.compile(text=text, dtype="float64")
    x, y = batch(model, n)
    seen = look(model, x, y)
    return model, seen, {name: model.parameters[name] for name in model.parameters}, (x, y)


def every_word_traced():
    model = cnnspec.compile(text=every_word(), dtype="float64")
    generator = np.random.default_rng(3)
    for name in model.parameters:  # none of them 0 or 1, as some begin
        model.parameters[name] = generator.uniform(0.2, 0.9, model.parameters[name].shape)
    seen = Probe(model).look(random_batch(model, 1))
    return model, seen, {name: model.parameters[name] for name in model.parameters}, None


@pytest.mark.parametrize("name", [*PLAIN, "bn and dropout", "every word", "grown"])
def test_what_is_added_up_is_the_value(name):
    """The last number of the account (a sum, a winner, a copy) is the activation, as printed."""
    grown = "input 2x5x4\nupconv 4x3x2 stride 2 pad 1 output_pad 1 groups 2 -> upsample 2 -> dense 3 -> softmax"
    texts = {**PLAIN, **SMALL, "grown": grown}
    model, seen, parameters, _ = every_word_traced() if name == "every word" else traced(texts[name])
    generator = np.random.default_rng(0)
    for node in model.graph:
        kind = account(model.graph, node).kind
        for _ in range(1 if name == "every word" else 4):
            index = tuple(int(generator.integers(size)) for size in node.type.shape)
            value = number(seen.values[node.name][0][index])
            text = trace(model.graph, seen, parameters, Selection(node, index))
            assert text.splitlines()[0].endswith(f"= {value}")
            if kind in ("filter", "all", "blend") and "sum" in text:
                assert re.search(rf"^  sum +{re.escape(value)}$", text, re.M), text
            elif kind in ("mean", "image", "group") or node.op.word in ("logsoftmax", "maxout", "lrn", "layernorm"):
                shown = text.split("\n\n")[1]
                assert re.search(rf"(= |: ){re.escape(value)}$", shown, re.M), text
            elif kind == "pick":
                (winner,) = re.findall(r"\[(\S+)\]", text.split("\n\n")[1])
                assert float(winner) == pytest.approx(float(value), rel=6e-3)
            elif kind == "move" and "padding: 0" in text:
                assert value == "0"
            elif kind == "move":
                source = re.search(r"it is (\S+)", text)[1]
                place = find_place(source, model.graph, seen, parameters)
                assert number(seen.values[place.name][0][place.index]) == value


LEARNT = "input 2x6x5\nconv 3x3x3 pad 1 -> scale -> prelu -> scale init 0.5 -> gap -> dense 3 -> softmax"


@pytest.mark.parametrize("name", [*PLAIN, "learnt"])
def test_the_gradient_of_a_weight_is_the_sum_over_its_places(name):
    model, seen, parameters, (x, y) = traced({**PLAIN, "learnt": LEARNT}[name])
    gradients = model.gradients(x, y)
    generator = np.random.default_rng(1)
    for key, gradient in gradients.items():
        for _ in range(4):
            index = tuple(int(generator.integers(size)) for size in gradient.shape)
            node, _, weight = key.rpartition(".")
            text = trace(model.graph, seen, parameters, Selection(model.graph[node], index, weight))
            found = float(re.search(r"^d cost / d \S+ = (\S+)$", text, re.M)[1])
            assert found == pytest.approx(float(gradient[index]), rel=2e-4, abs=1e-12)


STRIDED = """
    input 4x9x8
    conv 6x3x2 stride 2x3 pad 1 dilate 1x2 groups 2 -> relu -> conv 4x3x3 stride 3 pad same
      -> dense 5 -> softmax
"""


def test_what_comes_back_to_a_number_adds_up_to_its_slope():
    """Strides above one included: every reader's part is slope times weight, over the outputs that met it."""
    model, seen, parameters, _ = traced(STRIDED)
    generator = np.random.default_rng(2)
    for name in ("input", "relu1", "conv1"):
        for _ in range(12):
            index = tuple(int(generator.integers(size)) for size in model.graph.type(name).shape)
            text = trace(model.graph, seen, parameters, Selection(model.graph[name], index))
            parts = re.findall(r"^    sum (\S+)$", text.partition("backward")[2], re.M)
            if parts:
                slope = seen.gradients[name][0][index]
                assert float(parts[0]) == pytest.approx(slope, rel=1e-4, abs=1e-15)


@pytest.mark.parametrize("name", [*PLAIN, *SMALL, "grown", "every word"])
def test_every_reader_tells_what_it_gives_back(name):
    """Through every word: what readers give back adds up to a number's slope, at places drawn at random."""
    grown = "input 2x5x4\nupconv 4x3x2 stride 2 pad 1 output_pad 1 groups 2 -> upsample 2 -> dense 3 -> softmax"
    texts = {**PLAIN, **SMALL, "grown": grown}
    model, seen, parameters, _ = every_word_traced() if name == "every word" else traced(texts[name])
    generator = np.random.default_rng(4)
    readers = model.graph.readers()
    for node in model.graph:
        if node.name in model.graph.outputs:
            continue
        for _ in range(2 if name == "every word" else 5):
            index = tuple(int(generator.integers(size)) for size in node.type.shape)
            place = (index[0], *(0, 0, *index[1:])[-2:])
            came = 0.0
            for reader in readers.get(node.name, []):
                slope = seen.gradients[reader.name][0].reshape(image_shape(reader.type))
                for k, read in enumerate(reader.inputs):
                    if read == node.name:
                        made = parts(model.graph, seen, parameters, reader, k, place)
                        came += sum(float(slope[part.place]) * part.derivative for part in made)
            gradient = float(seen.gradients[node.name][0][index])
            assert came == pytest.approx(gradient, rel=1e-8, abs=1e-12), (node.name, index)


def test_a_number_that_gets_nothing_says_why():
    """A closed rectifier, a window that chose another, a branch that is smaller."""
    text = "input 1x4x4\nconv 1x1x1 -> relu -> maxpool 2 -> max( id | @relu1 -> maxpool 2 -> scale ) -> dense 2"
    model = cnnspec.compile(text=text + "\ntrain { cost mse }", dtype="float64")
    model.parameters["conv1.weight"], model.parameters["conv1.bias"] = np.ones((1, 1, 1, 1)), np.zeros(1)
    model.parameters["scale1.weight"] = np.array([2.0])
    x = np.arange(16.0).reshape(1, 1, 4, 4) - 9.5
    seen = look(model, x, np.zeros((1, 2)))
    parameters = {name: model.parameters[name] for name in model.parameters}

    def told(name, *index):
        return trace(model.graph, seen, parameters, Selection(model.graph[name], index))

    assert "nothing comes back: relu is flat here: of -9.5 it makes 0" in told("conv1", 0, 0, 0)
    assert "nothing comes back: another number of its window was chosen" in told("relu1", 0, 2, 2)
    assert "nothing comes back: another branch is larger" in told("maxpool1", 0, 1, 1)


def test_a_pixel_between_the_strides_is_met_by_nobody():
    model, seen, parameters, _ = traced("input 1x5x5\nconv 1x1x1 stride 2 -> dense 2 -> softmax")
    text = trace(model.graph, seen, parameters, Selection(model.graph["input"], (0, 1, 2)))
    assert "conv1 met it 0 times" in text and "no number of conv1 was made of it" in text
    assert "d cost / d input[0,1,2] = 0" in text


def test_the_gradient_of_a_normalisation_in_use_is_a_difference():
    """In use bn has fixed statistics, so its gradient is that of `cost`, not of a training step."""
    model, seen, parameters, (x, y) = traced(SMALL["bn and dropout"])
    for weight in ("weight", "bias"):
        text = trace(model.graph, seen, parameters, Selection(model.graph["bn1"], (2,), weight))
        found = float(re.search(r"^d cost / d \S+ = (\S+)$", text, re.M)[1])
        costs = []
        for step in (1e-6, -1e-6):
            moved = parameters[f"bn1.{weight}"].copy()
            moved[2] += step
            model.parameters[f"bn1.{weight}"] = moved
            costs.append(model.cost(x, y))
        model.parameters[f"bn1.{weight}"] = parameters[f"bn1.{weight}"]
        assert found == pytest.approx((costs[0] - costs[1]) / 2e-6, rel=1e-3, abs=1e-8)


@pytest.mark.parametrize("op", OPS, ids=lambda op: op.word)
def test_every_word_is_accounted_for(op):
    graph = read_spec(text=f"input {op.on}\n{op.example}\ntrain {{ cost mse }}").graph
    node = next(node for node in graph if isinstance(node.op, op))
    told = account(graph, node)
    assert told.words and told.formula and told.kind != "input"
    assert "None" not in told.formula


def test_every_word_has_an_account_of_its_own():
    """Or that of the words that it is made of."""
    missing = [op.word for op in OPS if kind_of(op.__new__(op)) == "other" and op.in_words is Op.in_words]
    assert missing == []
    assert {kind_of(op.__new__(op)) for op in OPS} <= set(TELL)


def test_a_place_without_index_is_the_largest_number():
    model, seen, parameters, _ = traced(TEXTS["one line"])
    place = find_place("conv1", model.graph, seen, parameters)
    assert abs(seen.values["conv1"][0][place.index]) == np.abs(seen.values["conv1"]).max()


@pytest.mark.parametrize(
    ("at", "code", "help"),
    [
        ("conv9[0,0,0]", "CNN552", "conv1"),
        ("convl.weight[0,0,0,0]", "CNN552", "conv1.weight"),
        ("conv1[8,0,0]", "CNN553", "conv1[7,25,25]"),
        ("conv1[0,0]", "CNN553", "conv1[7,25,25]"),
        ("dense1[-1]", "CNN552", ""),
        ("", "CNN552", "there are"),
    ],
)
def test_a_place_that_is_not_there_is_refused(at, code, help):
    model, seen, parameters, _ = traced(TEXTS["one line"])
    with pytest.raises(SpecError) as error:
        find_place(at, model.graph, seen, parameters)
    (found,) = error.value.diagnostics
    assert found.code == code and help in found.help


# ---- the command -----------------------------------------------------------------------------------------


def run(*arguments):
    return CliRunner().invoke(program, ["trace", *map(str, arguments)], standalone_mode=False)


@pytest.fixture
def spec(tmp_path):
    path = tmp_path / "net.cnn"
    path.write_text(TEXTS["one line"] + "\n")
    return path


def test_a_spec_is_traced_on_a_test_image(spec):
    result = run(spec, "--at", "conv1[3,10,12]")
    assert result.exception is None, result.exception
    assert "net on test image 0 of digits, a 7" in result.stdout
    assert "net.cnn:2:1" in result.stdout and "d cost / d conv1[3,10,12]" in result.stdout


def test_an_image_of_ones_own(spec, tmp_path):
    image = tmp_path / "mine.npy"
    np.save(image, np.full((28, 28), 255, np.uint8))
    result = run(spec, "--at", "conv1[0,4,5]", "--image", image)
    assert "net on mine.npy\n" in result.stdout
    assert "patch" in result.stdout


def test_an_image_that_there_is_not(spec):
    result = run(spec, "--at", "conv1", "--which", "5000")
    assert isinstance(result.exception, SpecError)


def test_without_data_the_image_is_random(tmp_path):
    path = tmp_path / "two.cnn"
    path.write_text('input 3x8x8\nconv 4x3x3 -> gap -> dense 2 -> softmax\ndata { source npz "none.npz" }')
    result = run(path, "--at", "gap1[2]")
    assert result.exception is None, result.exception
    assert "two on random numbers" in result.stdout
