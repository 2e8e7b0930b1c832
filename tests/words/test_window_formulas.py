"""A pooling word that is a formula of each window: its definition, its derivatives, and every form that follows."""

from __future__ import annotations

import numpy as np
import pytest
import scripts
from networks import engine_for, graph_of, outputs_of, values_for

import cnnspec
from cnnspec.api import read_spec
from cnnspec.explain.explanation import account
from cnnspec.primitives.norm_windows import p_norm
from cnnspec.words import OPS
from cnnspec.words.pool import OfFormula

FORMULATED = [op for op in OPS if issubclass(op, OfFormula)]
TRYING = pytest.mark.parametrize("op", FORMULATED, ids=lambda op: op.word)
WINDOWS = ([3.0, -4.0, 0.5, 1.0], [0.25, 0.0, -0.125, 2.0], [-7.0, 6.5, 0.75, 3.0])
INSIDE = np.array([[True, True, True], [True, True, False], [True, False, True], [True, True, True]])


def formula_of(op):
    graph = graph_of(f"input {op.on}\n{op.example}")
    return graph[f"{op.word}1"].op.formula(graph.type("input"))


@TRYING
def test_derivatives_are_those_of_the_value(op):
    """Against central differences, of windows that stand partly in the padding."""
    formula, seen = formula_of(op), np.array(WINDOWS).T
    seen[1, 1] = 0.5  # no pixel of 0, where a norm has an edge
    found, h = formula.derivatives(seen, INSIDE), 1e-6
    for k in range(len(seen)):
        step = np.zeros_like(seen)
        step[k] = h
        central = (formula.evaluate(seen + step, INSIDE) - formula.evaluate(seen - step, INSIDE)) / (2 * h)
        np.testing.assert_allclose(found[k], central, rtol=1e-6, atol=1e-8)


@TRYING
def test_the_largest_measure_is_there_for_the_range_alone(op):
    """Another m, another sum, the same value: so no gradient goes through it."""
    from cnnspec.ir.expression import evaluate

    formula, seen = formula_of(op), np.array(WINDOWS).T
    value = formula.evaluate(seen, INSIDE)
    for m in (0.5, 3.0):
        s = np.where(INSIDE, evaluate(formula.each, x=seen, m=np.array(m)), 0).sum(axis=0)
        np.testing.assert_allclose(evaluate(formula.total, s=s, m=np.array(m)), value, rtol=1e-12)


def test_the_norm_by_hand():
    everywhere = np.ones((2, 2), bool)
    assert p_norm(2).evaluate(np.array([[3.0, 0.0], [-4.0, 0.0]]), everywhere).tolist() == [5, 0]
    assert p_norm(1).evaluate(np.array([[3.0, 0.0], [-4.0, 0.0]]), everywhere).tolist() == [7, 0]
    assert p_norm(1).derivatives(np.array([[3.0, 0.0], [-4.0, 0.0]]), everywhere).tolist() == [[1, 0], [-1, 0]]
    assert p_norm(3).derivatives(np.array([[3.0, 0.0], [-4.0, 0.0]]), everywhere)[:, 1].tolist() == [0, 0]
    far = p_norm(64).evaluate(np.array([[1e30], [-1e-30]]), everywhere[:, :1])
    np.testing.assert_allclose(far, 1e30, rtol=1e-12)


HARD = "input 2x5x6\nlppool 2x3 stride 1x2 pad 1 p 64\n"


def hard(dtype):
    """Numbers whose 64th powers no float has, and windows of zeros alone."""
    x = np.random.default_rng(0).normal(size=(2, 2, 5, 6))
    x[0, 0] *= 1e20
    x[0, 1] *= 1e-20
    x[1, 0, :3] = 0
    return x.astype(dtype)


def test_no_form_overflows():
    pytest.importorskip("jax")
    ours, other = (cnnspec.compile(text=HARD + "train { cost mse }", batch=2, engine=e) for e in ("numpy", "jax"))
    x = hard("float32")
    np.testing.assert_allclose(other.predict(x), ours.predict(x), rtol=1e-5)


def test_javascript_computes_the_same(tmp_path):
    from cnnspec.targets.js.module import module_source

    scripts.need_node()
    spec = read_spec(text=HARD)
    job = scripts.job(module_source(spec, {}), {}, [["predict", {"input": hard("float64")}]], dtype="float64")
    ((found,),) = scripts.run(tmp_path, [job])
    expected = outputs_of(engine_for(spec.graph), {"input": hard("float64")})[0]
    np.testing.assert_allclose(np.array(found["lppool1"], float), expected.reshape(-1), rtol=1e-9)


def test_its_account_has_the_formula():
    graph = graph_of("input 2x6x6\nlppool 2 p 3")
    told = account(graph, graph["lppool1"])
    assert told.kind == "window" and told.detail["says"] == "3-norm"
    assert told.formula == "out[c,i,j] = (Σ of |x|^3)^(1/3), x = in[c, 2i + u, 2j + v] for u < 2, v < 2"
    assert outputs_of(engine_for(graph), values_for(graph))[0].shape[1:] == (2, 3, 3)


@pytest.mark.parametrize("p", [1, 2, 3])
def test_javascript_takes_the_same_step(p, tmp_path):
    from cnnspec.targets.js.module import module_source

    scripts.need_node()
    text = f"input 2x5x6\nconv 3x3x3 pad same -> relu -> lppool 2x3 stride 2 pad 1 p {p} -> dense 4\n"
    text += "train { cost mse; optimiser sgd lr 0.1; batch 4 }"
    model = cnnspec.compile(text=text, batch=4, seed=1, dtype="float64")
    random = np.random.default_rng(0)
    x, y = random.normal(size=(4, 2, 5, 6)), random.normal(size=(4, 4))
    source = module_source(read_spec(text=text), model.parameters, train=True)
    calls = [["learn", x, y], ["get", "conv1.weight"]]
    ((_, found),) = scripts.run(tmp_path, [scripts.job(source, model.parameters, calls, dtype="float64")])
    model.train_step(x, y)
    np.testing.assert_allclose(found, model.parameters["conv1.weight"].reshape(-1), rtol=1e-9, atol=1e-12)
