"""What no result needs is dropped; inputs stay."""

from oracles.graphs import after
from oracles.nets import spec

from cnnspec.passes.dead_code import drop_outputs, eliminate_dead_code


def test_what_nobody_reads_is_dropped():
    words = spec("3: dense 2 as a -> tanh", everywhere=False)
    pruned = eliminate_dead_code(type(words)(words.nodes, words.inputs, ("a",)))
    assert set(pruned.nodes) == {"input", "a"}


def test_an_input_stays_though_nobody_reads_it():
    words = spec("3: dense 2", everywhere=False)
    assert set(eliminate_dead_code(type(words)(words.nodes, words.inputs, ())).nodes) == {"input"}


def test_a_node_is_kept_for_one_of_its_by_products():
    """The probabilities that softmax and cross-entropy leave behind are enough to keep the node."""
    graph = after(spec("3: dense 2 -> softmax"), "differentiate")
    assert graph["softmax1.cost"] and "softmax1.cost" in eliminate_dead_code(drop_outputs(graph)).nodes


def test_gradients_and_updates_are_results():
    graph = eliminate_dead_code(after(spec("3x4x4: bn -> dense 2 -> softmax"), "differentiate"))
    for value in (*graph.gradients.values(), *graph.updates.values()):
        assert value.partition(":")[0] in graph.nodes


def test_the_first_layer_has_no_gradient_of_its_input():
    graph = after(spec("3x6x6: conv 4x3x3 -> relu -> dense 2 -> softmax", everywhere=False), "lower_convolutions")
    assert not any(name.startswith("conv1.products.dx") for name in graph.nodes)


def test_only_cost_forgets_the_outputs():
    graph = after(spec("3: dense 2 -> softmax"), "fuse_softmax_cross_entropy")
    assert graph.outputs and not drop_outputs(graph).outputs and drop_outputs(graph).cost == graph.cost
