"""Facts against what they speak of: the network's own numbers, and which pixels really matter."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cnnspec.ir import Builder, Graph, data
from cnnspec.ir.facts import facts
from cnnspec.ir.leaves import Input
from cnnspec.ir.op import Window
from cnnspec.words import WORDS


def chain(kind, *words, blocks=()):
    """A graph of words in a row; blocks[k] is where word k stands."""
    b = Builder()
    value = b.add(Input(kind), name="input")
    for k, op in enumerate(words):
        value = b.add(op, value, name=f"{op.word}{k}", blocks=blocks[k] if blocks else ())
    return b.graph(("input",), (value,))


def looked_at(graph: Graph, windows: list[Window], out: int, size: int) -> np.ndarray:
    """FromPolyphase of a row of `size` that output `out` depends on, by walking every tap back."""
    seen = {out}
    for window in reversed(windows):
        grow = (window.grow or (1,))[-1]
        taps = {
            o * window.stride[-1] - window.pad[-1] + v * window.dilate[-1]
            for o in seen
            for v in range(window.kernel[-1])
        }
        seen = {t // grow for t in taps if t % grow == 0}
    return np.array(sorted(seen))


@given(
    st.lists(
        st.tuples(st.integers(1, 4), st.integers(1, 3), st.integers(0, 2), st.integers(1, 2)),
        min_size=1,
        max_size=4,
    )
)
@settings(max_examples=80, deadline=None)
def test_the_field_is_the_span_of_the_pixels_that_taps_reach(steps):
    words = [
        WORDS["conv"]((2, kernel), stride=stride, pad=pad, dilate=dilate) for kernel, stride, pad, dilate in steps
    ]
    graph = chain(data(1, 400), *words)
    found = facts(graph)
    (axis,) = found.field
    windows = [node.op.window(*graph.types(node)) for node in graph if node.op.word]
    for out in (0, 1, 5):
        pixels = looked_at(graph, windows, out, 400)
        assert pixels[0] == axis.start + out * axis.jump
        assert pixels[-1] - pixels[0] + 1 == axis.size


@pytest.mark.parametrize(
    ("window", "size", "jump"),
    [
        (Window((2,), (1,), (1,), (1,), (2,)), 1, "1/2"),  # upsample 2
        (Window((3,), (1,), (2,), (1,), (2,)), 2, "1/2"),  # upconv of 3 taps, stride 2: at most two pixels
        (Window((4,), (1,), (3,), (1,), (2,)), 2, "1/2"),
    ],
)
def test_a_growing_window_sees_a_share_of_its_taps(window, size, jump):
    from fractions import Fraction

    from cnnspec.ir.facts import FieldAxis

    axis = FieldAxis(1, Fraction(1), Fraction(0), 9).through(*(side[0] for side in vars_of(window)))
    assert (axis.size, axis.jump) == (size, Fraction(jump))
    most = max(len(looked_at(None, [window], out, 9)) for out in range(4, 8))
    assert most == size


def vars_of(window):
    return window.kernel, window.stride, window.pad, window.dilate, window.grow


def test_resnet_stem_has_the_published_field():
    words = [
        WORDS["conv"]((64, 7, 7), stride=2, pad=3),
        WORDS["maxpool"]((3,), stride=2, pad=1),
        *[WORDS["conv"]((64, 3, 3), pad=1)] * 4,
    ]
    found = facts(chain(data(3, 224, 224), *words))
    assert [axis.size for axis in found.field] == [43, 43]
    assert [axis.jump for axis in found.field] == [4, 4]


def test_branches_see_together_what_each_sees():
    b = Builder()
    x = b.add(Input(data(2, 20, 20)), name="input")
    left = b.add(WORDS["conv"]((2, 5, 1), pad=(2, 0)), x, name="left")
    right = b.add(WORDS["conv"]((2, 1, 3), pad=(0, 1)), x, name="right")
    joined = b.add(WORDS["add"](), left, right, name="sum")
    found = facts(b.graph(("input",), (joined,)))
    assert [axis.size for axis in found["sum"].field] == [5, 3]


def test_dense_sees_everything_and_no_more_than_there_is():
    found = facts(chain(data(1, 9, 7), WORDS["conv"]((2, 3, 3)), WORDS["flatten"](), WORDS["dense"]((4,))))
    assert [axis.size for axis in found["flatten1"].field] == [3, 3]
    assert [axis.seen for axis in found.field] == [9, 7]


def test_shared_weights_count_once():
    b = Builder()
    x = b.add(Input(data(2, 8, 8)), name="input")
    first = b.add(WORDS["conv"]((2, 3, 3)), x, name="conv1")
    second = b.add(WORDS["conv"]((2, 3, 3)), first, name="conv2", weights="conv1")
    found = facts(b.graph(("input",), (second,)))
    assert found.parameters == 2 * 2 * 9 + 2
    assert found["conv2"].parameters == 0 and found["conv2"].shares == "conv1"
    assert found.macs == 36 * 36 + 36 * 16  # the work is done twice


def test_state_is_no_parameter_and_depth_counts_weighted_layers_on_the_longest_way():
    b = Builder()
    x = b.add(Input(data(2, 8, 8)), name="input")
    a = b.add(WORDS["conv"]((2, 3, 3), pad=1, bias=False), x, name="a")
    a = b.add(WORDS["bn"](), a, name="bn")
    a = b.add(WORDS["conv"]((2, 3, 3), pad=1, bias=False), a, name="a2")
    y = b.add(WORDS["add"](), a, x, name="sum")
    found = facts(b.graph(("input",), (y,)))
    assert (found.parameters, found.state, found.depth) == (2 * 36 + 4, 4, 2)


def test_folding_keeps_the_totals():
    words = [
        WORDS["conv"]((4, 3, 3)),
        WORDS["relu"](),
        WORDS["conv"]((4, 3, 3)),
        WORDS["gap"](),
        WORDS["dense"]((3,)),
    ]
    found = facts(chain(data(1, 12, 12), *words, blocks=((), ("b1",), ("b1", "inner1"), (), ())))
    folded = found.folded(0)
    assert [row.name for row in folded.rows] == ["input", "conv0", "b1", "gap3", "dense4"]
    assert folded["b1"].nodes == 2 and folded["b1"].type == found["conv2"].type
    assert [row.name for row in found.folded(1).rows][2:4] == ["relu1", "b1.inner1"]
    for total in ("parameters", "macs", "flops", "activation_bytes", "depth", "field"):
        assert getattr(folded, total) == getattr(found, total)
