"""The gradient as nodes: for what it is made, for what not, and in which order parts are added."""

import pytest
from oracles.graphs import after, ops
from oracles.nets import spec

from cnnspec.words.merge import Add


def differentiated(text, **settings):
    return after(spec(text, **settings), "differentiate")


def test_every_trained_parameter_has_a_gradient_of_its_shape():
    graph = differentiated("3x6x6: conv 4x3x3 -> bn -> prelu -> dense 2 -> softmax")
    names = [name for name in graph.nodes if name.endswith((".weight", ".bias"))]
    assert list(graph.gradients) == names
    for name, value in graph.gradients.items():
        assert graph.type(value).shape == graph.type(name).shape


def test_running_means_have_none():
    graph = differentiated("3x6x6: bn -> dense 2 -> softmax")
    assert not any("running" in name for name in graph.gradients)


def test_what_leads_to_no_parameter_is_not_differentiated():
    graph = differentiated("3x6x6: relu -> avgpool 2 -> flatten -> dense 2 -> softmax", everywhere=False)
    assert not any(name.startswith(("relu1.", "avgpool1.", "flatten1.")) for name in graph.nodes)


def test_gradients_of_a_value_with_two_readers_are_added_the_last_readers_first():
    graph = differentiated("3: dense 4 as a -> relu -> add( id | @a ) -> tanh -> dense 2 -> softmax")
    (total,) = [node for node in graph if node.name == "a.sum_of_gradients"]
    assert isinstance(total.op, Add)
    assert total.inputs[0] == "tanh1.dx" and total.inputs[1] == "relu1.dx"


def test_a_value_with_one_reader_needs_no_sum():
    graph = differentiated("3: dense 4 -> relu -> dense 2 -> softmax")
    assert not any("sum_of_gradients" in name for name in graph.nodes)


def test_a_value_read_twice_by_one_node_gets_both_parts():
    graph = differentiated("3: dense 4 as a -> add( id | id ) -> dense 2 -> softmax")
    assert graph["a.sum_of_gradients"].inputs[0] == graph["a.sum_of_gradients"].inputs[1]


@pytest.mark.parametrize(("word", "reads"), [("maxpool 1 stride 2", 1), ("maxpool 2", 5)])
def test_the_largest_of_one_pixel_is_found_without_looking(word, reads):
    """The gradient of a window of one pixel needs neither the image nor what was pooled, so they need not last."""
    graph = differentiated(f"3x6x6: conv 4x3x3 -> {word} -> flatten -> dense 2 -> softmax")
    assert len(graph["maxpool1.pooled.dx"].inputs) == reads


def test_nothing_is_learnt_through_a_step():
    graph = differentiated("3: dense 4 -> step -> dense 2 -> softmax")
    assert set(graph.gradients) == {"dense2.weight", "dense2.bias"}


@pytest.mark.parametrize("text", ["3x4x4: flatten", "3: dense 2 -> step"])
def test_a_net_in_which_nothing_can_be_learnt_has_no_gradients(text):
    graph = after(spec(text, everywhere=False), "gradients_by_rows")
    assert not graph.gradients
    assert ops(graph)[-1] == "Total"


def test_the_forward_part_is_left_as_it_was():
    before = after(spec("3: dense 4 -> relu -> dense 2 -> softmax"), "fuse_norm")
    graph = differentiated("3: dense 4 -> relu -> dense 2 -> softmax")
    assert list(graph.nodes)[: len(before)] == list(before.nodes)
