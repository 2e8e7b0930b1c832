"""A word that is made of other words is one class: plans, gradients and every target follow."""

from __future__ import annotations

import numpy as np
import pytest
import scripts
from networks import engine_for, graph_of, outputs_of, values_for
from oracles.trial import Trial, agrees_with_differences, agrees_with_evaluator, close

import cnnspec
import cnnspec.lang.exchange
import cnnspec.validation
import cnnspec.words
from cnnspec.api import read_spec
from cnnspec.diagnostics import Fault, SpecError
from cnnspec.explain.explanation import account
from cnnspec.explain.receptive_field import receptive
from cnnspec.ir.expression import X, exp
from cnnspec.ir.fields import Choice, Shape, Sizes, setting, size
from cnnspec.ir.op import WordBuilder
from cnnspec.ir.owned import parameters_of
from cnnspec.ir.types import data
from cnnspec.passes.decompose import decompose_inference
from cnnspec.primitives.activation import Formula
from cnnspec.primitives.windows import Negate
from cnnspec.record import record
from cnnspec.words.composed import Composed, spell_out
from cnnspec.words.conv import Conv, DwConv
from cnnspec.words.costs import Mse
from cnnspec.words.merge import Mul
from cnnspec.words.pool import AvgPool, MaxPool, MinPool, Pool


@record
class SoftPool(Pool):
    """Soft pooling: the mean of each window, weighted by exp of its numbers (Stergiou et al. 2021)."""

    word = "softpool"
    example = "softpool 2"

    def in_words(self, b: WordBuilder, *inputs: str) -> str:
        (x,) = inputs
        mean = AvgPool(self.size, stride=self.stride, pad=self.pad, dilate=self.dilate)
        weight = b.add(Formula(exp(X)), x, name="weight")
        weighted = b.add(mean, b.add(Mul(), x, weight, name="product"), name="weighted")
        share = b.add(Formula(1 / X), b.add(mean, weight, name="weights"), name="share")
        return b.add(Mul(), weighted, share)


@record
class SepConv(Composed):
    """Depthwise separable convolution: a filter for each channel, then a sum over the channels."""

    word = "sepconv"
    family = "convolution"
    example = "sepconv 4x3x3"

    size: tuple[int, ...] = size(Shape((2, 3)), "FxKxK", "filters and window")
    stride: int = setting(Sizes(1), 1, "pixels from one window to the next")
    pad: object = setting(Choice(("valid", "same"), Sizes(0)), "valid", "pixels around the input")

    def in_words(self, b: WordBuilder, *inputs: str) -> str:
        (x,) = inputs
        filters, *kernel = self.size
        depth = b.add(DwConv(tuple(kernel), stride=self.stride, pad=self.pad, bias=False), x, name="depth")
        return b.add(Conv((filters, *[1] * len(kernel))), depth)


TEXT = """
input 2x7x8
sepconv 4x3x3 pad same -> relu -> softpool 2x3 stride 2 pad same -> flatten -> dense 3
train { cost mse }
"""


@pytest.fixture
def spoken(monkeypatch):
    """Both words stand in the language's list and in its schema."""
    for op in (SoftPool, SepConv):
        monkeypatch.setitem(cnnspec.words.WORDS, op.word, op)
    monkeypatch.setattr(cnnspec.lang.exchange, "OPS", (*cnnspec.words.OPS, SoftPool, SepConv))
    monkeypatch.setattr(cnnspec.validation, "schemas", lambda: {"graph": cnnspec.lang.exchange.schema()})
    cnnspec.validation.validator.cache_clear()
    yield
    cnnspec.validation.validator.cache_clear()


def soft(x, height, width, stride):
    """Soft pooling by its definition, of (n, c, h, w) that windows tile without padding."""
    rows, columns = ((size - k) // stride + 1 for size, k in zip(x.shape[2:], (height, width), strict=True))
    out = np.empty((*x.shape[:2], rows, columns))
    for i in range(rows):
        for j in range(columns):
            window = x[:, :, i * stride : i * stride + height, j * stride : j * stride + width]
            weight = np.exp(window)
            out[:, :, i, j] = (window * weight).sum((2, 3)) / weight.sum((2, 3))
    return out


@pytest.mark.parametrize(
    "op, word, what", [(MaxPool((9,)), "median", "window"), (DwConv((9, 9)), "spoolconv", "kernel")]
)
def test_what_does_not_fit_is_called_by_its_family(monkeypatch, op, word, what):
    """By none of the letters of its word."""
    monkeypatch.setattr(type(op), "word", word)
    with pytest.raises(Fault, match=f"a 9x9 {what} does not fit a 7x8 image"):
        op.type(data(3, 7, 8))


def test_the_plan_computes_the_definition(spoken):
    graph = graph_of("input 2x7x8\nsoftpool 2x3 stride 2")
    given = values_for(graph)
    close(outputs_of(engine_for(graph), given)[0], soft(given["input"], 2, 3, 2))


def test_the_gradient_follows(spoken):
    trial = Trial(graph_of(TEXT), Mse())
    agrees_with_evaluator(trial)
    agrees_with_differences(trial)


def test_it_is_counted_by_its_words(spoken):
    graph = graph_of(TEXT)
    own = {name: parameter.type.shape for name, parameter in parameters_of(graph).items()}
    assert own == {
        "sepconv1.depth.weight": (2, 1, 3, 3),
        "sepconv1.weight": (4, 2, 1, 1),
        "sepconv1.bias": (4,),
        "dense1.weight": (3, 64),
        "dense1.bias": (3,),
    }
    apart = graph_of("input 2x7x8\ndwconv 3x3 pad same bias off -> conv 4x1x1")
    assert graph.figures["sepconv1"].macs == sum(apart.figures[name].macs for name in ("dwconv1", "conv1"))
    assert graph.figures["sepconv1"].window == apart.figures["dwconv1"].window


def test_a_frozen_word_keeps_all_its_parameters(spoken):
    model = cnnspec.compile(text=TEXT.replace("cost mse", "cost mse; freeze sepconv1"), batch=4, seed=3)
    x = np.random.default_rng(0).normal(size=(4, 2, 7, 8)).astype("float32")
    before = {name: array.copy() for name, array in model.parameters.items()}
    model.train_step(x, np.ones((4, 3), "float32"))
    changed = {name for name, array in model.parameters.items() if not np.array_equal(array, before[name])}
    assert changed == {"dense1.weight", "dense1.bias"}


def test_what_is_known_is_left_alone(spoken):
    graph = graph_of(TEXT)
    assert spell_out(graph, lambda op, types: True) is graph
    half = spell_out(graph, lambda op, types: op.word != "softpool")
    assert half["sepconv1"].op == graph["sepconv1"].op
    assert [name for name in half.nodes if name not in graph.nodes] == [
        f"softpool1.{part}" for part in ("weight", "product", "weighted", "weights", "share")
    ]


def test_shared_weights_stay_shared(spoken):
    twice = "add( @left -> tower | @right -> tower )"
    graph = graph_of(f"input 2x6x6 as left\ninput 2x6x6 as right\nnet tower = sepconv 3x3x3\n{twice}")
    inner = spell_out(graph, lambda op, types: op.word != "sepconv")
    depths = [node.owner for node in inner if node.op.word == "dwconv"]
    assert len(depths) == 2 and len(set(depths)) == 1
    given = values_for(graph)
    engine = engine_for(graph)
    assert len(engine.parameters) == 3
    alone = graph_of("input 2x6x6\nsepconv 3x3x3")
    single = engine_for(alone)
    for name, (_, array) in zip(single.parameters, engine.parameters.items(), strict=True):
        single.parameters[name] = array
    total = sum(outputs_of(single, {"input": x})[0] for x in given.values())
    close(outputs_of(engine, given)[0], total)


def test_pytorch(spoken):
    torch = pytest.importorskip("torch")
    from torch_nets import torch_module

    graph = graph_of(TEXT)
    engine = engine_for(graph)
    given = values_for(graph)
    module = torch_module(graph).double()
    module.load_state_dict({name: torch.tensor(values) for name, values in engine.parameters.items()})
    close(module(torch.tensor(given["input"])).detach().numpy(), outputs_of(engine, given)[0])


def exported():
    from cnnspec.targets.onnx.export import onnx_model

    graph = graph_of(TEXT)
    engine = engine_for(graph, dtype="float32")
    return graph, engine, onnx_model(graph, engine.parameters)


def test_onnx_out_and_in(spoken):
    onnx = pytest.importorskip("onnx")
    from cnnspec.targets.onnx.importer import as_spec

    graph, engine, model = exported()
    onnx.checker.check_model(model, full_check=True)
    found = as_spec(model, "net.onnx")
    assert [node.op for node in graph_of(found.text)] == [node.op for node in graph]
    assert found.weights.keys() == engine.parameters.keys()
    for name, array in engine.parameters.items():
        np.testing.assert_array_equal(found.weights[name], array)


def test_onnx_computes_the_same(spoken):
    pytest.importorskip("onnx")
    runtime = pytest.importorskip("onnxruntime")
    graph, engine, model = exported()
    given = values_for(graph, dtype="float32")
    session = runtime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    np.testing.assert_allclose(session.run(None, given)[0], outputs_of(engine, given)[0], rtol=1e-5, atol=1e-5)


LIES = (
    lambda note: note.replace('"size": [2, 3]', '"size": [2, 2]'),
    lambda note: note.replace("softpool", "maxpool"),
    lambda note: note.replace("softpool", "nopool"),
    lambda note: note.replace("relu1", "dense1"),
    lambda note: note.replace("relu1", ""),
    lambda note: note.replace("relu1", "input relu1"),
    lambda note: note.partition("{")[0],
    lambda note: "relu1\n[1]",
    lambda note: note.replace('"size": [2, 3]', '"size": {"a": 1e999}'),
)


@pytest.mark.parametrize("lie", LIES)
def test_a_note_that_lies_is_not_believed(spoken, lie):
    """The operators decide: a note that they do not bear out is refused."""
    pytest.importorskip("onnx")
    from cnnspec.targets.onnx import page
    from cnnspec.targets.onnx.importer import network

    _, _, model = exported()
    for entry in model.metadata_props:
        if entry.key == f"{page.PARTS} softpool1":
            assert entry.value != lie(entry.value)
            entry.value = lie(entry.value)
    with pytest.raises(SpecError, match="CNN50"):
        network(model)


def test_an_empty_note_says_nothing(spoken):
    """The operators are read by themselves, and compute the same."""
    pytest.importorskip("onnx")
    from cnnspec.targets.onnx import page
    from cnnspec.targets.onnx.importer import network

    graph, engine, model = exported()
    for entry in model.metadata_props:
        entry.value = "" if entry.key == f"{page.PARTS} softpool1" else entry.value
    found = network(model)
    assert "softpool" not in {node.op.word for node in found.graph}
    there = engine_for(found.graph, dtype="float32")
    there.parameters.update(found.weights)
    given = values_for(graph, dtype="float32")
    np.testing.assert_allclose(outputs_of(there, given)[0], outputs_of(engine, given)[0], rtol=1e-5, atol=1e-5)


def test_jax(spoken):
    pytest.importorskip("jax")
    ours, other = (cnnspec.compile(text=TEXT, batch=4, seed=3, dtype="float64", engine=e) for e in ("numpy", "jax"))
    other.parameters.update(ours.parameters)
    x = np.random.default_rng(0).normal(size=(4, 2, 7, 8))
    y = np.random.default_rng(1).normal(size=(4, 3))
    for name, gradient in ours.gradients(x, y).items():
        close(other.gradients(x, y)[name], gradient, name, 1e-9)


def test_javascript(spoken):
    """A module that predicts, trains and shows every word."""
    from cnnspec.targets.js.module import module_source

    spec = read_spec(text=TEXT)
    code = module_source(spec, engine_for(spec.graph, dtype="float32").parameters, train=True, look=True)
    assert "the formula exp(x), number by number" in code and "the formula 1 / x" in code
    assert "softpool1" in code


def test_node_computes_the_same(spoken, tmp_path):
    from cnnspec.targets.js.module import module_source

    scripts.need_node()
    spec = read_spec(text=TEXT)
    engine, given = engine_for(spec.graph), values_for(spec.graph)
    code = module_source(spec, engine.parameters)
    job = scripts.job(code, engine.parameters, [["predict", given]], dtype="float64")
    ((found,),) = scripts.run(tmp_path, [job])
    np.testing.assert_allclose(found["dense1"], outputs_of(engine, given)[0].reshape(-1), rtol=1e-9, atol=1e-9)


def test_a_target_takes_the_words_if_it_knows_no_primitive(spoken, monkeypatch):
    """JavaScript without lines of the p-norm: a word with a kernel of its own is its words there."""
    from cnnspec.targets.js import lines

    graph = graph_of("input 2x6x6\nsoftpool 2")
    node = graph["softpool1"]
    assert not lines.known(node.op, graph.types(node))
    assert lines.known(AvgPool((2,)), graph.types(node))
    monkeypatch.delitem(lines.LINES, lines.pixels.MeanWindows)
    assert not lines.known(AvgPool((2,)), graph.types(node))


@record
class Lowest(MinPool):
    """Min pooling with primitives of its own, and said in words for targets that have nothing for it."""

    word = "lowest"

    def in_words(self, b: WordBuilder, *inputs: str) -> str:
        largest = MaxPool(self.size, stride=self.stride, pad=self.pad, dilate=self.dilate)
        return b.add(Formula(-X), b.add(largest, b.add(Formula(-X), *inputs, name="negated"), name="largest"))


def test_a_word_with_primitives_keeps_them_and_targets_take_the_words(monkeypatch):
    torch = pytest.importorskip("torch")
    from torch_nets import torch_module

    from cnnspec.targets.js import lines
    from cnnspec.targets.torch.module import torch_source

    monkeypatch.setitem(cnnspec.words.WORDS, "lowest", Lowest)
    graph = graph_of("input 2x6x7\nlowest 2x3 stride 2")
    plan = decompose_inference(graph)
    assert not any(isinstance(node.op, Formula) for node in plan)
    assert "F.max_pool2d" in torch_source(graph)
    given = values_for(graph)
    (ours,) = outputs_of(engine_for(graph), given)
    close(torch_module(graph).double()(torch.tensor(given["input"])).numpy(), ours)
    op, types = graph["lowest1"].op, graph.types(graph["lowest1"])
    assert lines.known(op, types)
    monkeypatch.delitem(lines.LINES, Negate)
    assert not lines.known(op, types)


def test_its_account_is_that_of_its_words(spoken):
    graph = graph_of("input 2x6x6\nsoftpool 2")
    told = account(graph, graph["softpool1"])
    assert told.kind == "other"
    assert told.formula == (
        "weight = exp(input); product = input × weight; "
        "weighted[c,i,j] = 1/4 × Σ of product[c, 2i + u, 2j + v] for u < 2, v < 2; "
        "weights[c,i,j] = 1/4 × Σ of weight[c, 2i + u, 2j + v] for u < 2, v < 2; "
        "share = 1 / weights; out = weighted × share"
    )


def test_its_receptive_field(spoken):
    found = receptive(graph_of("input 2x9x9\nsepconv 2x3x3 -> softpool 2"), "input")
    apart = receptive(graph_of("input 2x9x9\ndwconv 3x3 -> conv 2x1x1 -> avgpool 2"), "input")
    assert (found["sepconv1"], found["softpool1"]) == (apart["conv1"], apart["avgpool1"])
