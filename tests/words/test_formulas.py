"""A pointwise word is its formula: one of the tests on every target, and those of the language by theirs alone."""

from __future__ import annotations

import numpy as np
import pytest
from networks import engine_for, graph_of, outputs_of, values_for
from oracles.nets import Everywhere
from oracles.random_nets import POSITIVE
from oracles.trial import Trial, agrees_with_differences, agrees_with_evaluator, close

import cnnspec
import cnnspec.words
from cnnspec.ir import Builder, data
from cnnspec.ir.expression import (
    FUNCTIONS,
    INFIX,
    Apply,
    Expression,
    X,
    differentiate,
    evaluate,
    in_order,
    maximum,
    minimum,
    tanh,
    walk,
    where,
)
from cnnspec.ir.fields import Number, setting
from cnnspec.ir.leaves import Input
from cnnspec.primitives.activation import Activation
from cnnspec.record import record
from cnnspec.words.activation import ACTIVATIONS
from cnnspec.words.activation.elementary import Exp
from cnnspec.words.costs import Mse


@record
class Tanhx(Activation):
    """Whole of what is written to add a word: x * tanh(slope * x)."""

    word = "tanhx"
    example = "conv 4x3x3 -> tanhx slope 0.7"

    slope: float = setting(Number(0, 10), 1.0, "how steep it is at 0")

    def formula(self, x: Expression) -> Expression:
        return x * tanh(self.slope * x)


TEXT = "input 2x5x6\nconv 3x2x2 -> tanhx slope 0.7 -> flatten -> dense 3\ntrain { cost mse }\n"
CORNERS = (-7, -3, -2.5, -1, -0.1, 0, 0.1, 1, 2.9, 3, 5.5, 6, 8)  # where pieces of formulas meet, and between


@pytest.fixture
def spoken(monkeypatch):
    """The word stands in the language's list."""
    monkeypatch.setitem(cnnspec.words.WORDS, "tanhx", Tanhx)


def net(op, shape=(2, 3, 4)):
    """A net that makes the gradient of the op's input visible."""
    b = Builder()
    x = b.add(Input(data(*shape)), name="input")
    positive = op.word in POSITIVE
    x = b.add(Everywhere(), x, name="input.any" if positive else "input.each")
    if positive:
        x = b.add(Exp(), x, name="input.each")
    return b.graph(("input",), (b.add(op, x, name="value"),))


def corners(op):
    """Numbers at which pieces of formulas meet, those that the word is for."""
    return [x for x in CORNERS if x > 0 or op.word not in POSITIVE]


def plain(cls):
    """A word by its formula alone: no kernels, no derivative of the output."""
    return record(
        type(f"Plain{cls.__name__}", (cls,), {"by_hand": lambda self: None, "derivative": lambda self, y: None})
    )


def lines_alone(cls):
    return record(type(f"Lines{cls.__name__}", (cls,), {"by_hand": lambda self: None}))


WORDS = [Tanhx, *map(plain, ACTIVATIONS), *map(lines_alone, ACTIVATIONS)]
FORMS = [cls() for cls in WORDS] + [plain(cls)(form="tanh") for cls in ACTIVATIONS if cls.word == "gelu"]


@pytest.mark.parametrize("op", FORMS, ids=lambda op: f"{type(op).__name__}")
def test_the_plan_and_its_gradient_follow(op):
    trial = Trial(net(op), Mse())
    agrees_with_evaluator(trial)
    agrees_with_differences(trial)
    close(trial.shown["value"], evaluate(op.formula(X), x=trial.shown["input.each"]))


@pytest.mark.parametrize("cls", ACTIVATIONS, ids=lambda cls: cls.word)
def test_derivatives_of_the_output_are_those_of_the_input(cls):
    """Where two pieces meet as well: at 0, at -3 and 3, at 6."""
    op = cls()
    x = np.array(corners(op))
    y = evaluate(op.formula(X), x=x)
    of_output = op.derivative(X)
    if of_output is not None:
        close(
            evaluate(of_output, x=y), evaluate(differentiate(op.formula(X)), x=x) * np.ones_like(x), cls.word, 1e-12
        )


@pytest.mark.parametrize(
    "op", [op for op in FORMS if op.word not in POSITIVE], ids=lambda op: f"{type(op).__name__}"
)
def test_a_plan_that_writes_over_its_input_computes_the_same(op):
    """Two in a row on one memory, images of odd sizes."""
    b = Builder()
    x = b.add(Input(data(3, 5, 3)), name="input")
    x = b.add(Everywhere(), x, name="input.each")
    first = b.add(op, x, name="first")
    graph = b.graph(("input",), (b.add(op, first, name="second"),))
    engine = engine_for(graph)
    given = values_for(graph)
    (found,) = outputs_of(engine, given)
    weight = engine.parameters["input.each.weight"]
    close(found, evaluate(op.formula(X), x=evaluate(op.formula(X), x=given["input"] * weight)))


def test_lines_of_the_plan():
    """A call for each function; only the last writes the value, which may lie where its input does."""
    source = engine_for(net(Tanhx(0.7), (4,))).program("infer", 2, 2).source
    calls = [line.partition("#")[0].strip() for line in source.splitlines() if "b.value" in line and "np." in line]
    assert calls[:3] == [
        "np.multiply(f(0.7), b.input_each, out=b.value_part)",
        "np.tanh(b.value_part, out=b.value_part)",
        "np.multiply(b.input_each, b.value_part, out=b.value)",
    ]


def test_the_language_reads_it_and_it_learns(spoken):
    model = cnnspec.compile(text=TEXT, batch=4, seed=3)
    x = np.random.default_rng(0).normal(size=(8, 2, 5, 6)).astype("float32")
    y = np.random.default_rng(1).normal(size=(8, 3)).astype("float32")
    before = model.cost(x[:4], y[:4])
    for _ in range(20):
        model.train_step(x[:4], y[:4])
    assert model.cost(x[:4], y[:4]) < before


def test_pytorch(spoken):
    torch = pytest.importorskip("torch")
    from torch_nets import torch_module

    from cnnspec.targets.torch.module import torch_source

    graph = graph_of(TEXT)
    assert "tanhx1 = conv1 * torch.tanh(0.7 * conv1)" in torch_source(graph)
    engine = engine_for(graph)
    given = values_for(graph)
    module = torch_module(graph).double()
    module.load_state_dict({name: torch.tensor(values) for name, values in engine.parameters.items()})
    close(module(torch.tensor(given["input"])).detach().numpy(), outputs_of(engine, given)[0])


@pytest.mark.parametrize("cls", ACTIVATIONS, ids=lambda cls: cls.word)
def test_formulas_mean_in_pytorch_what_its_own_functions_mean(cls, monkeypatch):
    """The source of the formula against the definition, and its gradient, also where two pieces meet."""
    torch = pytest.importorskip("torch")
    from torch_nets import torch_module

    from cnnspec.targets.torch import words

    monkeypatch.setattr(words, "WORDS", {"everywhere": lambda page, node, x: x})
    b = Builder()
    numbers = [
        x for x in (-7, -3, -2.5, -1, -0.1, 0, 0.1, 1, 2.9, 3, 5.5, 6, 8) if x > 0 or cls.word not in POSITIVE
    ]
    graph = b.graph((b.add(Input(data(len(numbers))), name="input"),), (b.add(cls(), "input", name="value"),))
    x = torch.tensor([numbers], dtype=torch.float64, requires_grad=True)
    y = torch_module(graph)(x)
    numbers = x.detach().numpy()
    close(y.detach().numpy(), evaluate(cls().formula(X), x=numbers) * np.ones_like(numbers))
    if y.requires_grad:
        y.sum().backward()
        slopes = evaluate(differentiate(cls().formula(X)), x=numbers) * np.ones_like(numbers)
        close(x.grad.numpy(), slopes, cls.word, 1e-12)


def test_every_function_has_operators_of_onnx():
    pytest.importorskip("onnx")
    from cnnspec.targets.onnx.words.activation import OPERATORS, in_operators

    for name in FUNCTIONS:
        parts = (X, X, X)[: 3 if name == "where" else 2 if name in (*INFIX, "maximum", "minimum", "power") else 1]
        assert all(part.function in OPERATORS for part in in_order(in_operators(Apply(name, parts)))), name


def onnx_outputs(model, given):
    runtime = pytest.importorskip("onnxruntime")
    session = runtime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(None, given)


@pytest.mark.parametrize("slope", [0.7, 1.0])
def test_onnx_out_and_in(spoken, slope):
    onnx = pytest.importorskip("onnx")
    from cnnspec.targets.onnx.export import onnx_model
    from cnnspec.targets.onnx.importer import as_spec

    graph = graph_of(TEXT.replace("0.7", str(slope)))
    engine = engine_for(graph, dtype="float32")
    model = onnx_model(graph, engine.parameters)
    onnx.checker.check_model(model, full_check=True)
    given = values_for(graph, dtype="float32")
    np.testing.assert_allclose(onnx_outputs(model, given)[0], outputs_of(engine, given)[0], rtol=1e-5, atol=1e-5)
    back = graph_of(as_spec(model, "net.onnx").text)
    assert [node.op for node in back] == [node.op for node in graph]


@pytest.mark.parametrize("cls", ACTIVATIONS, ids=lambda cls: cls.word)
def test_formulas_mean_in_onnx_what_its_own_operators_mean(cls, monkeypatch):
    pytest.importorskip("onnx")
    from cnnspec.targets.onnx import words
    from cnnspec.targets.onnx.export import onnx_model
    from cnnspec.targets.onnx.importer import network

    monkeypatch.setattr(words, "WORDS", {})
    b = Builder()
    graph = b.graph((b.add(Input(data(13)), name="input"),), (b.add(cls(), "input", name="value"),))
    model = onnx_model(graph, {})
    x = np.array([CORNERS], "float32")
    made = onnx_outputs(model, {"input": x})[0]
    np.testing.assert_allclose(made, evaluate(cls().formula(X), x=x), rtol=1e-6, atol=2e-6)  # both in float32
    assert [node.op for node in network(model).graph][1:] == [cls()]


@pytest.mark.parametrize(
    "note",
    ["tanhx slope 1e999", "tanhx slope", "tanhx slope 11", "tanhx steep 1", "tanhx", "conv 3x3x3", "", "mish"],
)
def test_a_note_that_lies_is_not_believed(spoken, note):
    """The operators decide: what they do not say is not read into them."""
    pytest.importorskip("onnx")
    from cnnspec.diagnostics import SpecError
    from cnnspec.targets.onnx import page
    from cnnspec.targets.onnx.export import onnx_model
    from cnnspec.targets.onnx.importer import network

    graph = graph_of(TEXT)
    model = onnx_model(graph, engine_for(graph, dtype="float32").parameters)
    for entry in [*model.metadata_props, *(e for node in model.graph.node for e in node.metadata_props)]:
        if entry.key.startswith(page.WORD):
            entry.value = note
    try:
        found = network(model).graph
    except SpecError as error:
        assert "CNN50" in str(error)
    else:
        assert not any(isinstance(node.op, Tanhx) and node.op.slope != 0.7 for node in found)


def test_jax(spoken):
    pytest.importorskip("jax")
    ours, other = (cnnspec.compile(text=TEXT, batch=4, seed=3, dtype="float64", engine=e) for e in ("numpy", "jax"))
    other.parameters.update(ours.parameters)
    x = np.random.default_rng(0).normal(size=(4, 2, 5, 6))
    y = np.random.default_rng(1).normal(size=(4, 3))
    for name, gradient in ours.gradients(x, y).items():
        close(other.gradients(x, y)[name], gradient, name, 1e-9)


def test_formulas_mean_the_same_in_jax():
    """Values and slopes, also where two pieces meet."""
    jax = pytest.importorskip("jax")
    from cnnspec.targets.jax.activation import FUNCTIONS as IN_JAX

    assert set(IN_JAX) == set(FUNCTIONS)
    with jax.enable_x64(True):
        for cls in ACTIVATIONS:
            numbers = corners(cls)
            x = jax.numpy.array(numbers, float)
            formula = cls().formula(X)
            y, slope = jax.jvp(lambda x: walk(formula, {"x": x}, IN_JAX, float), (x,), (jax.numpy.ones_like(x),))  # noqa: B023
            ones = np.ones(len(numbers))
            close(y, evaluate(formula, x=np.array(numbers)) * ones, cls.word, 1e-12)
            close(slope, evaluate(differentiate(formula), x=np.array(numbers)) * ones, cls.word, 1e-12)


def test_javascript():
    """Each function has its JavaScript, and a word its function (computed by Node in tests/targets/test_js.py)."""
    from cnnspec.targets.js import pointwise

    assert {*pointwise.FUNCTIONS, *INFIX, "negative"} == set(FUNCTIONS)
    code = "\n".join(pointwise.functions(Tanhx(0.7)).values())
    assert "function tanhx$0_7(from, to)" in code and "    to[i] = x * Math.tanh(0.7 * x);" in code
    assert "const part0 = Math.tanh(0.7 * x);" in code.partition("Gradient")[2]  # used three times


def test_ties_go_to_the_second_everywhere():
    """maximum(x, 0) at 0 has the slope of the 0; so has minimum(x, 6) at 6."""

    @record
    class Ties(Activation):
        """A number between 0 and 6, its own choice at both ends."""

        word = "ties"

        def formula(self, x: Expression) -> Expression:
            return where(x >= 3, minimum(x, 6), maximum(x, 0))

    b = Builder()
    graph = b.graph((b.add(Input(data(4)), name="input"),), (b.add(Ties(), "input", name="value"),))
    x = np.array([[0.0, 6.0, 3.0, -0.0]])
    assert evaluate(differentiate(Ties().formula(X)), x=x).tolist() == [[0, 0, 1, 0]]
    torch = pytest.importorskip("torch")
    from torch_nets import torch_module

    given = torch.tensor(x, requires_grad=True)
    torch_module(graph)(given).sum().backward()
    assert given.grad.tolist() == [[0, 0, 1, 0]]
