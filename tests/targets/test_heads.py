"""Detectors: maps that a model puts into one array are the outputs, one by one, and hold the same numbers."""

from __future__ import annotations

import numpy as np
import pytest

import cnnspec

onnx = pytest.importorskip("onnx", reason="ONNX is not installed")
from onnx import TensorProto, helper, numpy_helper  # noqa: E402
from onnx_models import agrees  # noqa: E402

from cnnspec.targets.onnx.importer import as_spec  # noqa: E402

G = np.random.default_rng(0)


class Model:
    """Steps of a model, one by one; `conv` has weights of its own."""

    def __init__(self):
        self.nodes, self.arrays = [], []

    def array(self, name, values):
        self.arrays.append(numpy_helper.from_array(np.asarray(values), name))
        return name

    def add(self, op, *inputs, out, **said):
        self.nodes.append(helper.make_node(op, list(inputs), [out], name=f"{out}/{op}", **said))
        return out

    def conv(self, x, out, channels, filters, stride=1):
        weight = self.array(f"{out}.w", G.normal(size=(filters, channels, 3, 3)).astype("f4") / 5)
        bias = self.array(f"{out}.b", G.normal(size=filters).astype("f4"))
        return self.add("Conv", x, weight, bias, out=out, pads=[1] * 4, strides=[stride] * 2)

    def rows(self, x, out, size):
        """(n, a·size, h, w) -> (n, h·w·a, size)"""
        turned = self.add("Transpose", x, out=f"{out}.t", perm=[0, 2, 3, 1])
        return self.add("Reshape", turned, self.array(f"{out}.s", [0, -1, size]), out=out)

    def built(self, *outputs, rank=3):
        graph = helper.make_graph(
            self.nodes, "net",
            [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 3, 8, 8])],
            [helper.make_tensor_value_info(name, TensorProto.FLOAT, [None] * rank) for name in outputs],
            self.arrays,
        )  # fmt: skip
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def pyramid():
    m = Model()
    fine = m.add("Relu", m.conv("x", "c1", 3, 6, 2), out="r1")
    coarse = m.add("Relu", m.conv(fine, "c2", 6, 8, 2), out="r2")
    return m, fine, coarse


def single_shot():
    m, fine, coarse = pyramid()
    maps = (("0", fine, 6), ("1", coarse, 8))
    boxes = [m.rows(m.conv(x, f"b{k}", channels, 8), f"rows{k}", 4) for k, x, channels in maps]
    classes = [m.rows(m.conv(x, f"k{k}", channels, 6), f"krows{k}", 3) for k, x, channels in maps]
    m.add("Concat", *boxes, out="boxes", axis=1)
    joined = m.add("Concat", *classes, out="logits", axis=1)
    m.add("Sigmoid", joined, out="scores")
    return m.built("boxes", "scores")


def grids():
    """(n, 2·5, h, w) -> (n, 2, h, w, 5), each an output."""
    m, fine, coarse = pyramid()
    for name, x, c, side in (("fine", fine, 6, 4), ("coarse", coarse, 8, 2)):
        y = m.conv(x, f"head.{name}", c, 10)
        apart = m.add("Reshape", y, m.array(f"{name}.s", [0, 2, 5, side, side]), out=f"{name}.apart")
        m.add("Sigmoid", m.add("Transpose", apart, out=f"{name}.t", perm=[0, 1, 3, 4, 2]), out=name)
    return m.built("fine", "coarse", rank=5)


def ours(model):
    found = as_spec(model, "net.onnx")
    made = cnnspec.compile(text=found.text)
    for name, values in found.weights.items():
        made.parameters[name] = values
    x = np.random.default_rng(1).normal(size=(3, 3, 8, 8)).astype("f4")
    return found, x, list(made.predict(x).values())


def theirs(model, x):
    runtime = pytest.importorskip("onnxruntime", reason="ONNX Runtime is not installed")
    return runtime.InferenceSession(model.SerializeToString()).run(None, {"x": x})


def test_a_single_shot_detector_gives_its_maps():
    model = single_shot()
    found, x, maps = ours(model)
    assert [y.shape[1:] for y in maps] == [(8, 4, 4), (8, 2, 2), (6, 4, 4), (6, 2, 2)]
    one_by_one = ": the network gives these one by one"
    assert found.notes == (
        f"the output boxes is made of b0, b1 by Transpose, Reshape, Concat{one_by_one}",
        f"the output scores is made of k0, k1 by Transpose, Reshape, Concat, Sigmoid{one_by_one}",
    )
    rows = [y.transpose(0, 2, 3, 1).reshape(3, -1, size) for y, size in zip(maps, (4, 4, 3, 3), strict=True)]
    boxes, scores = theirs(model, x)
    np.testing.assert_allclose(np.concatenate(rows[:2], axis=1), boxes, atol=1e-5)
    np.testing.assert_allclose(np.concatenate(rows[2:], axis=1), scores, atol=1e-6)


def test_a_detector_with_a_grid_a_scale_gives_its_maps():
    model = grids()
    _, x, maps = ours(model)
    for y, grid in zip(maps, theirs(model, x), strict=True):
        n, _, h, w = y.shape
        np.testing.assert_allclose(y.reshape(n, 2, 5, h, w).transpose(0, 1, 3, 4, 2), grid, atol=1e-6)


def test_what_is_computed_of_the_joined_numbers_is_never_left_out():
    """Boxes that are decoded with anchors are other numbers than the maps: they are the output."""
    m, fine, _ = pyramid()
    rows = m.rows(m.conv(fine, "b", 6, 8), "rows", 4)
    m.add("Mul", rows, m.array("anchors", G.normal(size=(1, 32, 4)).astype("f4")), out="boxes")
    model = m.built("boxes")
    assert as_spec(model, "net.onnx").notes == ()
    agrees(model)


def test_outputs_that_can_be_said_stay_as_they_are():
    m, fine, coarse = pyramid()
    found = as_spec(m.built(fine, coarse, rank=4), "net.onnx")
    assert found.notes == ()
