"""Blocks that take chains, behind bars: `block gated(r | f) = ...`, called `gated(4 | conv 8x3x3 -> relu)`."""

from __future__ import annotations

import pytest

from cnnspec.diagnostics import Source
from cnnspec.lang import read
from cnnspec.lang.format.formatter import format as format_text

GATED = "block gated(r = 2 | f) = f -> mul( id | gap -> dense {r} -> relu -> dense 8 -> sigmoid )\n"
RES = "block res(| f) = add( f | id )\n"


def nodes(text: str) -> list[tuple[str, str]]:
    found = read(Source("a.cnn", f"input 8x6x7\n{text}\n"))
    assert found.spec is not None, [str(finding) for finding in found.diagnostics]
    return [(node.name, node.op.written()) for node in found.spec.graph]


def said(text: str) -> list[str]:
    found = read(Source("a.cnn", f"input 8x6x7\n{text}\n"))
    return [f"{finding.code} {finding.message}" for finding in found.diagnostics]


def test_a_chain_stands_where_its_name_does():
    written = [
        op
        for _, op in nodes(
            "conv 8x3x3 pad same -> relu -> mul( id | gap -> dense 4 -> relu -> dense 8 -> sigmoid )"
        )
    ]
    found = nodes(GATED + "gated(4 | conv 8x3x3 pad same -> relu)")
    assert [op for _, op in found] == written
    assert ("gated1.f1.conv1", "conv 8x3x3 pad same") in found


def test_each_use_has_weights_of_its_own():
    names = [name for name, op in nodes("block twice(| f) = f -> f\ntwice(| conv 8x1x1)") if op.startswith("conv")]
    assert names == ["twice1.f1.conv1", "twice1.f2.conv1"]


def test_a_chain_means_what_it_means_where_it_is_written():
    """It sees the numbers and the values around the call, not those of the block."""
    text = "block deep(w | f) = conv {w}x1x1 as own -> f\nlet w = 4\n"
    text += "conv 6x1x1 as here -> deep(3 | conv {w}x1x1 -> concat( id | @here ))"
    assert ("deep1.f1.conv1", "conv 4x1x1") in nodes(text)
    assert said("block deep(| f) = conv 3x1x1 as own -> f\ndeep(| concat( id | @own ))")[0].startswith("CNN018")


def test_calls_stand_in_each_other():
    found = [
        name
        for name, op in nodes(RES + "block three(| f) = res(| f -> relu) -> res(| res(| f))\nthree(| conv 8x1x1)")
    ]
    assert "three1.res1.f1.f1.conv1" in found and sum(name.endswith("add1") for name in found) == 3


def test_several_chains():
    found = nodes("block pick(c | a | b) = concat( a | b -> conv {c}x1x1 )\npick(2 | relu | id)")
    assert [op for _, op in found][1:] == ["relu", "conv 2x1x1", "concat"]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (RES + "res", "CNN020 `res` takes 1 chain behind `|`, not 0"),
        (RES + "res(| relu | id)", "CNN020 `res` takes 1 chain behind `|`, not 2"),
        ("block a(c) = conv {c}x1x1\na(8 | relu)", "CNN020 `a` takes no chains behind `|`, not 1"),
        ("block a(| f) = f 3\na(| relu)", "CNN020 `f` stands for a chain and takes nothing"),
        ("block a(| f) = f(2)\na(| relu)", "CNN020 `f` stands for a chain and takes nothing"),
        ("block a(| relu) = relu\na(| id)", "CNN019 `relu` is a word of the language already"),
        ("block a(f | f) = conv {f}x1x1 -> f\na(8 | id)", "CNN019 two parameters are called `f`"),
        ("block a(| f) = f -> a(| f)\na(| relu)", "CNN021 `a` calls itself"),
        ("block a(| f) = a(| f)\na(| a(| relu))", "CNN021 `a` calls itself"),
        (RES + "res(conv 8x3x3 pad same -> relu)", "CNN001 a call takes numbers, and chains behind `|`"),
        (GATED + "gated(2, conv 8x3x3 pad same)", "CNN001 a call takes numbers, and chains behind `|`"),
        ("block a(| f) = relu\na(| id)", "CNN237 the parameter `f` is never used"),
        ("block a(| f) = f -> conv 8x9x9\na(| relu)", "CNN103 a 9x9 kernel does not fit a 6x7 image"),
    ],
)
def test_what_is_wrong_is_said(text, wanted):
    assert wanted in said(text)


def test_a_block_that_nobody_calls_is_read_for_its_mistakes():
    assert said("block a(| f) = f -> conv 8x3x3 strid 2\nrelu")[0].startswith("CNN2")
    assert not [line for line in said("block a(| f) = f -> conv 8x3x3\nrelu") if not line.startswith("CNN237")]


def test_fmt_writes_bars_with_spaces():
    untidy = "block g( r ,s=2|f|h )=f->h\ng( 4,s = 3|conv 8x3x3->relu|(id)*2 )->g(1,2|id|add(id|relu))\n"
    tidy = format_text(untidy)
    assert "block g(r, s = 2 | f | h) = f -> h" in tidy
    assert "g(4, s = 3 | conv 8x3x3 -> relu | (id)*2) -> g(1, 2 | id | add( id | relu ))" in tidy
    assert format_text(tidy) == tidy


@pytest.mark.parametrize("first, second", [((8, 1), (6, 1)), ((8, 1), (8, 2)), ((8, 2), (8, 1))])
def test_a_layer_of_a_block_is_read_with_the_numbers_of_each_call(first, second):
    block = "block unit(c, s, unused = 1) = conv {c}x3x3 stride {s} pad same\n"
    found = read(Source("a.cnn", f"input 3x16x16\n{block}unit{first} -> unit{second} -> unit{first}\n"))
    assert [(node.op.filters, node.op.stride) for node in found.graph if node.inputs] == [first, second, first]
    assert ["unused" in found.message for found in found.diagnostics] == [True]  # the others are, by every call
