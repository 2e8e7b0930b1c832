"""Written out in full, a spec means what it meant."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from cnnspec.diagnostics import Source
from cnnspec.lang import read
from cnnspec.lang.format.explicit import explicit

SPECS = sorted((Path(__file__).parents[3] / "specs").rglob("*.cnn"))


def reading(text: str):
    found = read(Source("<text>", text), fixes=False)
    assert not found.errors, found.errors
    return found


def meant(op):
    """An op with the stride that a pooling window has when none is stated."""
    if getattr(op, "stride", 0) is not None:
        return op
    return op.changed(stride=op.size if len(op.size) > 1 else op.size[0])


def same(text: str) -> str:
    """The text in full, which must give the same network and settings, and be full itself."""
    before = reading(text)
    full = explicit(before)
    after = reading(full)
    nodes = [(node.name, node.op, node.inputs, node.type) for node in after.graph]
    assert nodes == [(node.name, meant(node.op), node.inputs, node.type) for node in before.graph]
    assert (after.spec.data, after.spec.train) == (before.spec.data, before.spec.train)
    assert explicit(after) == full
    return full


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
def test_shipped_specs(path):
    same(path.read_text())


def test_the_shortest_file_shows_every_default():
    full = same("conv 8x3x3 stride 1 -> relu -> maxpool 2 -> dense 10 -> softmax\n")
    assert "conv 8x3x3 stride 1 pad valid dilate 1 groups 1 bias on init kaiming_uniform" in full
    assert "maxpool 2 stride 2 pad valid" in full
    assert "flatten -> dense 10 bias on" in full
    for line in (
        "source digits",
        "cost cross_entropy weight 1",
        "optimiser adam lr",
        "schedule constant",
        "batch 64",
    ):
        assert f"\n  {line}" in full


def test_comments_stay_where_they_are():
    full = same("conv 8x3x3  # first\n  -> dense 10 -> softmax  # last\ntrain { # a\n  epochs 3 # b\n  # c\n}\n")
    for line in (r"conv .*  # first", r"  -> flatten .*  # last", r"train \{ +# a", r"  epochs 3 +# b", r"  # c"):
        assert re.search(f"^{line}$", full, re.MULTILINE), line


def test_settings_that_are_stated_stay():
    full = same("conv 8x3x3 pad 1 -> dropout -> dense 10\ntrain { optimizer sgd momentum 0.9 ; epochs 2 }")
    assert full.count("pad 1") == 1 and "dropout 0.5" in full
    assert "  optimizer sgd momentum 0.9 lr" in full and full.count("epochs") == 1


def test_blocks_and_joins():
    full = same("block b(c) = add(conv {c}x3x3 pad same -> bn | id)\nconv 4x3x3 -> b(4)*2 -> gap -> dense 3")
    assert "conv {c}x3x3 pad same stride 1 dilate 1" in full


def test_an_epoch_count_of_zero_is_a_value():
    assert "  epochs 0" in same("dense 2 -> softmax\ntrain { epochs 0 }")
