"""Flattened images come in order to those who mind, and to them alone."""

import pytest
from oracles.graphs import after, ops
from oracles.nets import spec


def straightened(text):
    return after(spec(text, everywhere=False), "canonicalise_layout")


MINDS = "bn", "shuffle 2", "maxout 2", "groupnorm 2", "layernorm", "scale", "prelu", "lrn 3"
MINDS_NOT = "relu", "gelu", "softmax", "logsoftmax", "dropout 50%", "id", "add( id | tanh )"


@pytest.mark.parametrize("words", MINDS)
def test_what_minds_gets_them_in_order(words):
    graph = straightened(f"4x3x4: flatten -> {words} -> dense 3")
    assert ops(graph).count("Contiguous") == 1
    node = next(node for node in graph if "flatten1.straight" in node.inputs)
    assert not node.type.folded


@pytest.mark.parametrize("words", MINDS_NOT)
def test_what_minds_not_is_left_alone(words):
    graph = straightened(f"4x3x4: flatten -> {words} -> dense 3")
    assert "Contiguous" not in ops(graph)
    assert graph["dense1.weight"].op.parameter.stored == ("o", "h", "c", "w")


def test_dense_after_order_was_made_keeps_its_weights_in_order():
    graph = straightened("4x3x4: flatten -> bn -> dense 3")
    assert graph["dense1.weight"].op.parameter.stored == ("o", "c")


@pytest.mark.parametrize("image", ["1x5x6", "5x1x6", "5x6"])
def test_one_channel_one_row_and_a_sequence_are_in_order_anyhow(image):
    assert "Contiguous" not in ops(straightened(f"{image}: flatten -> bn"))


def test_a_value_is_straightened_once_for_all_who_ask():
    graph = straightened("4x3x4: flatten -> concat( id | bn | shuffle 2 ) -> dense 3")
    assert ops(graph).count("Contiguous") == 1


def test_branches_in_two_orders_are_both_straightened():
    graph = straightened("4x3x4: add( flatten | reshape 2x4x6 -> flatten ) -> dense 3")
    assert {"flatten1.straight", "flatten2.straight"} <= set(graph.nodes)
    assert graph["add1"].inputs == ("flatten1.straight", "flatten2.straight")


def test_branches_folded_alike_are_left_alone():
    graph = straightened("4x3x4: add( flatten -> relu | flatten -> tanh ) -> dense 3")
    assert "Contiguous" not in ops(graph)
