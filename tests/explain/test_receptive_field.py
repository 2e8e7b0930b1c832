"""The exact receptive field against the network itself: which pixels, when changed, change a number."""

import numpy as np
import pytest

import cnnspec
from cnnspec.explain.receptive_field import NOTHING, hull, receptive
from cnnspec.ir.facts import facts

# sums of positive products, so that nothing can cancel or be cut off
TEXTS = {
    "strides and pads": "input 1x13x11\nconv 2x3x2 stride 2 pad same -> avgpool 3 stride 1 pad 1 -> conv 2x2x3",
    "dilated": "input 1x14x12\nconv 2x3x3 dilate 2 -> conv 1x2x2 stride 2 pad include",
    "branches": "input 1x10x9\nadd( conv 1x5x1 pad 2x0 | conv 1x1x3 pad 0x1 ) -> avgpool 2",
    "a gate": "input 1x8x8\nconv 2x3x3 pad 1 -> mul( id | gap )",
    "a gate of pixels": "input 1x6x6\nconv 2x3x3 pad 1 -> mul( id | gap -> dense 2 -> reshape 2x1x1 )",
    "flattened": "input 1x6x5\nconv 2x3x3 -> flatten -> dense 2",
    "grown": "input 1x5x4\nupconv 2x3x3 stride 2 pad 1 -> upsample 2 -> conv 1x2x3 -> resize 7x9 mode bilinear",
    "cut": "input 1x9x8\npad 1x2 -> conv 2x3x3 -> crop 4x5 -> resize 3x8 -> take 1 start 1 -> avgpool 2 stride 1",
    "a moved vector": "input 1x4x3\nconv 2x2x2 -> flatten -> take 5 start 3 -> concat( id | tanh )",
    "a sequence": "input 2x20\nconv 3x4 stride 2 -> avgpool 2 -> conv 1x2",
}


@pytest.mark.parametrize("name", TEXTS)
def test_changing_a_pixel_changes_what_sees_it_and_nothing_else(name):
    model = cnnspec.compile(text=TEXTS[name] + "\ntrain { cost mse }", dtype="float64", input=None)
    for key in model.parameters:
        model.parameters[key] = np.ones(model.parameters[key].shape)
    kind = model.graph.type("input")
    found = receptive(model.graph, "input")
    x = np.ones((1, *kind.shape))
    before = model.activations(x)
    touched = {value: {} for value in before}
    for place in np.ndindex(kind.spatial):
        moved = x.copy()
        moved[(0, slice(None), *place)] += 1
        for value, after in model.activations(moved).items():
            for index in np.argwhere(np.abs(after - before[value])[0] > 1e-9):
                touched[value].setdefault(tuple(index), []).append(place)
    for value, array in before.items():
        for index in np.ndindex(array.shape[1:]):
            places = np.array(touched[value].get(index, []))
            none = (NOTHING,) * len(kind.spatial)  # of padding
            seen = tuple(zip(places.min(axis=0), places.max(axis=0) + 1, strict=True)) if len(places) else none
            assert found[value].at(index) == seen, (value, index)


def test_in_the_middle_it_is_as_large_as_the_facts_say():
    model = cnnspec.compile(
        text="input 1x60x60\nconv 2x5x5 -> maxpool 2 -> conv 2x3x3 dilate 2 -> maxpool 2 -> gap"
    )
    found, known = receptive(model.graph, "input"), facts(model.graph)
    for name in ("conv1", "maxpool1", "conv2", "maxpool2"):
        middle = [size // 2 for size in model.graph.type(name).spatial]
        sizes = [stop - start for start, stop in found[name].at((0, *middle))]
        assert sizes == [axis.size for axis in known[name].field]


def test_a_value_of_another_input_sees_nothing():
    text = "input 1x8x8 as a\ninput 1x8x8 as b\nnet y = add( @a -> conv 1x3x3 | @b -> conv 1x3x3 ) -> gap"
    graph = cnnspec.api.read_spec(text=text + "\ntrain { cost mse }").graph
    found = receptive(graph, "a")
    assert found["b"].at((0, 0, 0)) == (NOTHING, NOTHING)
    joined = next(node.name for node in graph if node.op.join)
    assert found[joined].at((0, 2, 3)) == ((2, 5), (3, 6))


def test_nothing_adds_nothing_to_a_hull():
    assert hull(NOTHING, (3, 5)) == (3, 5) and hull((3, 5), (7, 8)) == (3, 8)


def test_a_network_on_vectors_has_no_pixels_to_see():
    assert receptive(cnnspec.api.read_spec(text="input 4\ndense 3 -> softmax").graph, "input") == {}


def test_inputs_of_different_ranks():
    """An image and a sequence meet in a vector: what it sees of each is in that input's own axes."""
    text = """
        input 1x6x6 as left
        input 3x10 as sound
        net a = @left -> conv 2x3x3 -> flatten -> dense 4 -> tanh
        net b = @sound -> conv 2x3 -> flatten -> dense 4 -> tanh
        mul( @a | @b ) -> dense 2 -> softmax"""
    graph = cnnspec.compile(text=text).graph
    assert receptive(graph, "left")["dense1"].at((0,)) == ((0, 6), (0, 6))
    assert receptive(graph, "sound")["dense1"].at((0,)) == ((0, 10),)
    assert receptive(graph, "sound")["b.conv1"].at((1, 4)) == ((4, 7),)
    assert receptive(graph, "sound")["a.conv1"].at((1, 2, 3)) == ((0, 0), (0, 0))
