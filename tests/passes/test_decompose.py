"""Words become primitives: what each mode makes of them, and how costs find their outputs."""

import dataclasses

from oracles.graphs import judged, ops
from oracles.nets import spec

from cnnspec.ir.leaves import Target, Weight
from cnnspec.passes.decompose import attach_costs, decompose_inference, decompose_training
from cnnspec.words.costs import CrossEntropy, Mse


def plain(text):
    return spec(text, everywhere=False)


def test_a_conv_is_a_convolution_and_a_bias():
    assert ops(decompose_training(plain("3x7x8: conv 4x3x2"))) == ["Convolve", "AddBias"]


def test_a_conv_without_bias_has_none():
    assert ops(decompose_training(plain("3x7x8: conv 4x3x2 bias off"))) == ["Convolve"]


def test_dropout_is_there_in_training_only():
    words = plain("5: dropout 50% -> dense 3")
    assert ops(decompose_training(words)) == ["Drop", "Multiply", "AddBias"]
    assert ops(decompose_inference(words)) == ["Multiply", "AddBias"]


def test_dropout_of_nothing_is_not_there():
    assert ops(decompose_training(plain("5: dropout 0 -> dense 3"))) == ["Multiply", "AddBias"]


def test_bn_uses_the_batch_in_training_and_what_was_kept_afterwards():
    words = plain("3x7x8: bn")
    training, inference = decompose_training(words), decompose_inference(words)
    assert ops(training) == ["BatchNorm", "Blend", "Blend"]
    assert set(training.updates) == {"bn1.running_mean", "bn1.running_var"}
    assert ops(inference) == ["Normalise"] and not inference.updates


def test_values_keep_the_names_of_their_words():
    graph = decompose_training(plain("3x7x8: conv 4x3x2 -> relu -> minpool 2"))
    assert {"conv1", "relu1", "minpool1", "conv1.weight", "conv1.bias"} <= set(graph.nodes)


def test_weights_that_two_words_share_are_one_leaf():
    words = plain("3x7x8: conv 3x3x3 pad same as a -> relu -> conv 3x3x3 pad same")
    shared = words.nodes["conv1"]
    nodes = {**words.nodes, "conv1": dataclasses.replace(shared, weights="a")}
    graph = decompose_training(words.with_nodes(nodes))
    assert [node.name for node in graph if isinstance(node.op, Weight)] == ["a.weight", "a.bias"]


def test_a_cost_without_a_name_judges_the_output_that_is_left():
    words = plain("3: dense 2 as a -> tanh")
    words = type(words)(words.nodes, words.inputs, ("a", "tanh1"))
    graph = attach_costs(words, (Mse(of="tanh1"), CrossEntropy()))
    assert [node.name for node in graph if isinstance(node.op, Target)] == ["tanh1.target", "a.target"]
    assert graph["a.cost"].inputs == ("a", "a.target")
    assert graph[graph.cost].inputs == ("tanh1.cost", "a.cost")


def test_cross_entropy_knows_logarithms_even_through_a_flatten():
    found = ops(decompose_training(judged(plain("4x1x1: logsoftmax -> flatten"), CrossEntropy())))
    assert "NegativeLogLikelihood" in found
    assert "CrossEntropyLoss" in ops(decompose_training(judged(plain("4x1x1: softmax -> flatten"), CrossEntropy())))
