"""The arithmetic that `why` shows is right: every sum, computed by Python, gives the size that it says."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from cnnspec.cli import program
from cnnspec.diagnostics import Source
from cnnspec.explain.why import page, why
from cnnspec.lang import read

SPECS = Path(__file__).parents[2] / "specs"


def graph(text: str):
    found = read(Source("<text>", text), fixes=False)
    assert not found.errors, found.errors
    return found.graph


@pytest.mark.parametrize("path", sorted(SPECS.glob("*.cnn")), ids=lambda path: path.stem)
def test_every_sum_of_every_spec(path):
    whole = graph(path.read_text())
    for node in whole:
        last = why(whole, node.name)[-1]
        assert last.name == node.name and last.type == node.type
        for line in last.sums:
            if " = " in line:
                sum, _, result = re.sub(r"^(height|width|channels) | numbers$", "", line).partition(" = ")
                assert re.fullmatch(r"[\d +*/()-]+", sum), line
                assert eval(sum) == int(result), line
        if last.reads and node.type.axes != whole.types(node)[0].axes:
            assert last.sums, f"{node.name} changes the shape and says nothing"


def test_back_to_the_input():
    steps = why(graph("input 3x20x20\nconv 8x5x3 stride 2 pad same -> relu -> maxpool 3 -> dense 10"), "dense1")
    assert [step.name for step in steps] == ["input", "conv1", "relu1", "maxpool1", "flatten1", "dense1"]
    assert steps[1].sums == (
        "8 filters, whatever the 3 that come in",
        "height (20 + 1 + 2 - 5) // 2 + 1 = 10",
        "width (20 + 0 + 1 - 3) // 2 + 1 = 10",
    )
    assert steps[3].sums == ("height (10 - 3) // 3 + 1 = 3", "width (10 - 3) // 3 + 1 = 3")
    assert steps[4].sums == ("8 * 3 * 3 = 72 numbers",)


def test_a_size_that_stays_has_its_arithmetic_too():
    steps = why(
        graph("input 8x20x20\nconv 8x3x3 pad same -> relu -> maxpool 3 stride 1 pad 1 -> gap -> dense 8"), "dense1"
    )
    assert steps[1].sums == (
        "8 filters, whatever the 8 that come in",
        "height (20 + 1 + 1 - 3) // 1 + 1 = 20",
        "width (20 + 1 + 1 - 3) // 1 + 1 = 20",
    )
    assert steps[2].sums == ()
    assert steps[3].sums == ("height (20 + 1 + 1 - 3) // 1 + 1 = 20", "width (20 + 1 + 1 - 3) // 1 + 1 = 20")
    assert steps[5].sums == ("8 outputs, whatever the 8 that come in",)


def test_a_join_of_equals_is_followed_along_one_branch():
    steps = why(graph("input 3x8x8\nadd(conv 3x3x3 pad same -> relu | id)"), "add1")
    assert [step.name for step in steps] == ["input", "conv1", "relu1", "add1"]
    assert steps[-1].sums == ("all 2 branches are 3x8x8",)


def test_a_concat_depends_on_all():
    steps = why(graph("input 3x8x8\nconcat(conv 5x1x1 | id)"), "concat1")
    assert steps[-1].sums == ("channels 5 + 3 = 8",)
    assert {step.name for step in steps} == {"input", "conv1", "concat1"}


def test_dilation_and_sequences():
    steps = why(graph("input 2x30\nconv 4x3 dilate 4 -> gap"), "gap1")
    assert steps[1].sums[1:] == ("width (30 - (4 * 2 + 1)) // 1 + 1 = 22",)
    assert steps[2].sums == ("one number for each channel of 22",)


@pytest.fixture
def call(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def run(text, *arguments):
        Path("a.cnn").write_text(text)
        return CliRunner().invoke(program, ["why", "a.cnn", *arguments], standalone_mode=False)

    return run


def test_the_command(call):
    text = "input 1x9x9\nconv 2x3x3 as first -> relu\n"
    assert call(text, "first").stdout == (
        "input  input       1x9x9  a.cnn:1:1\n"
        "first  conv 2x3x3  2x7x7  a.cnn:2:1\n"
        "         2 filters, whatever the 1 that come in\n"
        "         height (9 - 3) // 1 + 1 = 7\n"
        "         width (9 - 3) // 1 + 1 = 7\n"
    )
    assert json.loads(call(text, "--json").stdout)[-1]["name"] == "relu1"


def test_the_command_names_what_is_near(call):
    assert "did you mean `conv1`?" in str(call("input 1x9x9\nconv 2x3x3", "conv").exception)


def test_a_spec_with_mistakes_is_explained_up_to_them(call):
    assert "height" in call("input 1x9x9\nconv 2x3x3 -> conv 4x9x9", "conv1").stdout
    assert call("input 1x9x9\nconv 2x3x3 -> conv 4x9x9", "conv2").exception.diagnostics


def test_the_page_is_aligned():
    lines = page(why(graph("input 1x9x9\nconv 12x3x3 as a -> relu"), "relu1")).splitlines()
    assert lines[0].index("1x9x9") + 5 == lines[1].index("12x7x7") + 6


def test_images_that_grow():
    steps = why(graph("input 2x5x5\nupconv 4x4x3 stride 2 pad 1 output_pad 1 -> upsample 3"), "upsample1")
    assert steps[1].sums[1:] == ("height (5 - 1) * 2 + 4 - 1 = 11", "width 5 * 2 = 10")
    assert steps[2].sums == ("height 11 * 3 = 33", "width 10 * 3 = 30")
