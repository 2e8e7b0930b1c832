"""The verifier finds what a pass may break."""

from dataclasses import replace

import pytest
from oracles.graphs import after
from oracles.nets import spec

from cnnspec.ir.verify import verify


@pytest.fixture
def graph():
    return after(spec("3x6x6: conv 4x3x3 -> relu -> bn -> dense 2 -> softmax"), "differentiate")


def broken(graph, which, **changes):
    return graph.with_nodes({**graph.nodes, which: replace(graph.nodes[which], **changes)})


def test_a_good_graph_is_returned(graph):
    assert verify(graph) is graph


def test_a_value_read_before_it_is_made(graph):
    order = [name for name in graph.nodes if name != "conv1.products"] + ["conv1.products"]
    with pytest.raises(AssertionError, match="reads conv1.products, which nobody has made before it"):
        verify(graph.with_nodes({name: graph.nodes[name] for name in order}))


def test_a_type_that_the_op_does_not_make(graph):
    with pytest.raises(AssertionError, match="relu1 is 4x9x9, its op makes 4x4x4"):
        verify(broken(graph, "relu1", type=graph.type("relu1").resized((9, 9))))


def test_a_name_that_is_not_the_nodes(graph):
    with pytest.raises(AssertionError, match="stands under the name"):
        verify(broken(graph, "relu1", name="relu2"))


def test_by_products_that_are_gone(graph):
    with pytest.raises(AssertionError, match="bn1 has other by-products"):
        verify(broken(graph, "bn1", extras={}))


def test_a_result_that_nobody_makes(graph):
    with pytest.raises(AssertionError, match="lost is wanted"):
        verify(replace(graph, gradients={**graph.gradients, "conv1.bias": "lost"}))


def test_a_gradient_of_another_shape(graph):
    other = graph.gradients["conv1.weight"]
    with pytest.raises(AssertionError, match="conv1.bias is"):
        verify(replace(graph, gradients={**graph.gradients, "conv1.bias": other}))
