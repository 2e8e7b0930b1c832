"""From text to graph: names, blocks, nets and shared weights, taps, outputs, what mistakes leave behind."""

from __future__ import annotations

import pytest

from cnnspec.diagnostics import Source
from cnnspec.ir import Graph, data
from cnnspec.lang import Reading, read


def reading(text: str) -> Reading:
    return read(Source("a.cnn", text), fixes=False)


def graph(text: str) -> Graph:
    found = reading(text)
    assert not found.errors, [str(error) for error in found.errors]
    return found.graph


def codes(text: str) -> list[str]:
    return [found.code for found in reading(text).errors]


def wires(text: str) -> dict[str, tuple[str, ...]]:
    """Every value and what it reads, inputs left out."""
    return {node.name: node.inputs for node in graph(text) if node.inputs}


# ---- names -----------------------------------------------------------------------------------------------


def test_values_are_numbered_by_word_in_the_order_of_the_text() -> None:
    assert list(wires("input 1x9x9\nconv 2x3x3 -> relu -> conv 2x3x3 -> relu -> dense 3")) == [
        "conv1", "relu1", "conv2", "relu2", "flatten1", "dense1",
    ]  # fmt: skip


def test_as_names_a_value() -> None:
    found = graph("input 4\ndense 2 as first -> relu -> dense 2")
    assert list(found.nodes) == ["input", "first", "relu1", "dense1"]
    assert [node.name for node in found if node.given] == ["first"]


def test_blocks_are_paths() -> None:
    text = """input 3x8x8
block inner(c) = conv {c}x3x3 pad same -> relu
block outer(c) = inner(c) -> inner(2 * c) as deep -> bn
outer(4) -> outer(8)*2 -> (outer(2) as named) -> dense 2"""
    found = graph(text)
    names = list(found.nodes)
    assert names[1:6] == [
        "outer1.inner1.conv1", "outer1.inner1.relu1", "outer1.deep.conv1", "outer1.deep.relu1", "outer1.bn1",
    ]  # fmt: skip
    assert [n for n in names if n.endswith("bn1")] == ["outer1.bn1", "outer2.bn1", "outer3.bn1", "named.bn1"]
    assert found["outer2.inner1.conv1"].blocks == ("outer2", "inner1")
    assert found["named.deep.conv1"].blocks == ("named", "deep")


def test_a_repetition_names_each_time_anew() -> None:
    found = wires("input 4\n(dense 4 as d -> relu)*3 -> add( id | @d )")
    assert list(found) == ["d", "relu1", "d_2", "relu2", "d_3", "relu3", "add1"]
    assert found["add1"] == ("relu3", "d_3")


def test_a_group_hands_its_name_to_its_last_layer() -> None:
    assert list(wires("input 4\n(dense 4 -> relu) as out -> dense 2")) == ["dense1", "out", "dense2"]


def test_repetition_none_and_by_number() -> None:
    assert len(wires("input 4\nlet n = 2\n(relu)*{n * 2} -> (relu)*0 -> (relu)*{n - 2}")) == 4


def test_mistakes_do_not_shift_names() -> None:
    found = reading("input 4\ndense 2 strange 3 -> relu -> dense 2\n@relu1 -> dense 3")
    assert [error.code for error in found.errors] == ["CNN202", "CNN018"] or found.errors[0].code == "CNN202"


# ---- blocks ----------------------------------------------------------------------------------------------


def test_arguments_by_place_by_name_and_by_default() -> None:
    text = "input 1x9x9\nblock b(c, k = 2 * c + 1, s = 1) = conv {c}x{k}x{k} stride {s}\n"
    assert graph(f"{text}b(1)")["b1.conv1"].op.written() == "conv 1x3x3"
    assert graph(f"{text}b(2, 1, s = 3)")["b1.conv1"].op.written() == "conv 2x1x1 stride 3"
    assert graph(f"{text}b(s = 2, c = 1)")["b1.conv1"].op.written() == "conv 1x3x3 stride 2"


def test_a_block_sees_its_own_names_and_those_of_the_file() -> None:
    text = "input 4\nlet w = 3\nblock b(c) = dense {w} as inner -> dense {c}\n"
    assert graph(f"{text}b(2)")["b1.inner"].op.written() == "dense 3"
    assert codes(f"{text}b(2) -> dense {{c}}") == ["CNN016"]
    assert codes("input 4\nblock b = add( id | @out )\ndense 4 as out -> b") == ["CNN018"]


def test_blocks_may_be_defined_after_their_use() -> None:
    assert list(wires("input 4\nb(2)\nblock b(c) = dense {c}")) == ["b1.dense1"]


def test_a_block_without_parameters_needs_no_parentheses() -> None:
    assert list(wires("input 4\nblock b = dense 2\nb -> b()")) == ["b1.dense1", "b2.dense1"]


def test_calls_make_new_weights() -> None:
    assert {node.owner for node in graph("input 4\nblock b = dense 4\nb*2")} == {"input", "b1.dense1", "b2.dense1"}


# ---- nets ------------------------------------------------------------------------------------------------


def test_a_net_that_is_called_shares_its_weights() -> None:
    text = """input 4 as left
input 4 as right
net tower = dense 8 -> relu -> dense 3
concat( @left -> tower | @right -> tower ) -> dense 2"""
    found = graph(text)
    assert [node.owner for node in found if node.op.word == "dense"] == [
        "tower.dense1", "tower.dense2", "tower.dense1", "tower.dense2", "dense1",
    ]  # fmt: skip
    assert found["tower_2.relu1"].weights == ""
    assert found["concat1"].inputs == ("tower.dense2", "tower_2.dense2")


def test_blocks_within_a_shared_net_are_shared_too() -> None:
    text = "input 4\nblock b = dense 4\nnet t = b -> b\nt -> t"
    assert [node.owner for node in graph(text) if node.inputs] == ["t.b1.dense1", "t.b2.dense1"] * 2


def test_shared_weights_must_fit() -> None:
    assert codes("input 4 as a\ninput 5 as b\nnet t = dense 3\nconcat( @a -> t | @b -> t )") == ["CNN109"]


def test_a_net_that_is_not_called_is_a_chain_of_its_own() -> None:
    text = "input 4\ndense 4 as trunk\nnet kind = @trunk -> dense 3\nnet size = dense 1\n"
    text += "net sum = add( @kind | @kind )"
    found = reading(text)
    assert found.graph["kind.dense1"].inputs == ("trunk",)
    assert found.graph["size.dense1"].inputs == ("input",)  # from the file's only input
    assert found.graph.outputs == ("size.dense1", "sum.add1")
    assert found.names["kind"] == "kind.dense1"


# ---- outputs ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "outputs"),
    [
        ("dense 2 -> relu", ("relu1",)),
        ("dense 2 as t\nnet a = @t -> dense 3\nnet b = @t -> dense 4", ("a.dense1", "b.dense1")),
        ("dense 2 as t -> relu\nnet a = @t -> dense 3", ("relu1", "a.dense1")),
        ("dense 2 as t\n@t -> dense 3", ("dense1",)),
        ("dense 2 as t\nnet a = @t -> dense 3\nnet out = @t", ("a.dense1", "t")),
        ("dense 2 -> relu\nnet a = @relu1 -> dense 3", ("a.dense1",)),
    ],
)
def test_outputs_are_the_ends_that_nothing_goes_on_from(text: str, outputs: tuple[str, ...]) -> None:
    assert graph(f"input 4\n{text}").outputs == outputs


# ---- joins, taps, shapes ---------------------------------------------------------------------------------


def test_branches_get_the_same_input() -> None:
    found = wires("input 4\nrelu -> add( id | dense 4 | @input ) -> concat( dense 2 -> relu | (id) )")
    assert found["add1"] == ("relu1", "dense1", "input")
    assert found["concat1"] == ("relu2", "add1")


def test_taps_reach_into_blocks_by_path() -> None:
    found = wires(
        "input 4\nblock b = dense 4 as inner -> relu\nb -> b as second -> add( id | @b1.inner | @second )"
    )
    assert found["add1"] == ("second.relu1", "b1.inner", "second.relu1")


def test_dense_flattens_an_image_as_a_node_of_its_own() -> None:
    found = graph("input 3x4x5\ndense 2 -> dense 2")
    assert [node.op.word for node in found][1:] == ["flatten", "dense", "dense"]
    assert found["flatten1"].span == found["dense1"].span


def test_assertions_with_open_sizes_and_numbers() -> None:
    text = "input 1x9x9\nlet c = 4\nconv 4x3x3 :: {c}x?x7 -> (relu :: 4x7x7)*2 -> gap :: 4"
    assert not reading(text).errors
    assert codes("input 1x9x9\nconv 4x3x3 :: 4x?x8") == ["CNN102"]
    assert codes("input 1x9x9\nconv 4x3x3 :: 4x7") == ["CNN102"]


def test_consequences_of_a_mistake_are_silent() -> None:
    assert codes("input 3x9x9\nconv 8x3x3 -> nonsense -> conv 8x99x99 :: 1x1x1 -> add( id | maxpool 77 )") == [
        "CNN201"
    ]
    assert codes("input 3x9x9\nconv 8x99x99 as a -> relu\nnet b = @a -> dense 2") == ["CNN103"]


def test_what_follows_a_mistake_is_still_read() -> None:
    assert codes("input 3x9x9\nconv 8x99x99 -> conv 8x3x3 strid 2 -> sofmax") == ["CNN103", "CNN202", "CNN201"]


def test_a_block_is_read_though_nobody_calls_it() -> None:
    assert codes("input 4\nblock b(c) = dense {c} -> rellu\ndense 2") == ["CNN201"]


def test_the_input_that_the_caller_gives() -> None:
    given = read(Source("a.cnn", "conv 8x5 -> dense 2"), input=data(2, 64))
    assert given.graph["conv1"].type.shape == (8, 60)
    assert given.spec is not None and not given.spec.symbolic
    stated = read(Source("a.cnn", "input 1x9x9\nconv 8x5x5 -> dense 2"), input=data(2, 64))
    assert stated.graph["input"].type.shape == (1, 9, 9)
    partly = read(Source("a.cnn", "input 3x?x?\nconv 8x5x5 -> dense 2"), input=data(3, 20, 30))
    assert partly.graph["input"].type.shape == (3, 20, 30)


def test_images_sequences_and_vectors() -> None:
    assert graph("input 3x16\nconv 8x5 -> maxpool 2")["maxpool1"].type.shape == (8, 6)
    assert graph("input 4\ndense 2")["dense1"].type.shape == (2,)
    assert codes("input 3x16\nconv 8x5x5") == ["CNN205"]
    assert codes("input 3x16x16\nconv 8x5") == ["CNN205"]
    assert codes("input 4\nconv 8x5") == ["CNN104"]
