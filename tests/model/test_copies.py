"""A model copied or pickled: the same answers, the same next step, and nothing in common."""

import copy
import pickle

import numpy as np
import pytest

import cnnspec
from cnnspec.runtime.processes import possible

TEXT = """\
input 1x8x8
conv 4x3x3 bias off -> bn -> relu -> dropout 0.4 -> dense 3 -> softmax

train {
  optimiser adam
  schedule cosine
  batch 4
}
"""
X = np.random.default_rng(0).normal(size=(8, 1, 8, 8)).astype("float32")
Y = np.arange(8) % 3
WAYS = {
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
    "pickle": lambda model: pickle.loads(pickle.dumps(model)),
    "old pickle": lambda model: pickle.loads(pickle.dumps(model, 2)),
}
KINDS = [
    {},
    {"workers": 2},
    pytest.param(
        {"workers": 2, "parallel": "processes"},
        marks=pytest.mark.skipif(not possible(), reason="workers are threads here"),
    ),
    {"dtype": "float64", "shards": 3, "batch": 5, "seed": 7},
]


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
@pytest.mark.parametrize("how", KINDS, ids=["plain", "threads", "processes", "settings"])
def test_a_copy_goes_on_as_its_original(way, how):
    model = cnnspec.compile(text=TEXT, **how)
    model.fit(X, Y, epochs=2)
    made = way(model)
    assert (made.batch, made.seed, made.dtype, made.shards) == (model.batch, model.seed, model.dtype, model.shards)
    assert made.engine.described == model.engine.described
    assert made.steps == model.steps and made.rate == model.rate
    before = model.predict(X)
    np.testing.assert_array_equal(made.predict(X), before)
    cost = made.train_step(X, Y)
    np.testing.assert_array_equal(model.predict(X), before)
    assert model.train_step(X, Y) == cost
    np.testing.assert_array_equal(model.predict(X), made.predict(X))
    model.close()
    made.close()


def test_a_spec_is_copied_as_it_is():
    spec = cnnspec.compile(text=TEXT).spec
    for way in WAYS.values():
        made = way(spec)
        assert made == spec and list(made.graph.nodes) == list(spec.graph.nodes)
        with pytest.raises(TypeError):
            made.graph.nodes["conv1"] = None
