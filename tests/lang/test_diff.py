"""Specs that mean the same do not differ; each change of meaning is found, and only that."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from cnnspec.api import read_spec
from cnnspec.cli import program
from cnnspec.diagnostics import Source
from cnnspec.lang import read
from cnnspec.lang.diff import compare, page
from cnnspec.lang.format.explicit import explicit

SPECS = sorted((Path(__file__).parents[2] / "specs").glob("*.cnn"))
BASE = "input 1x16x16\nconv 8x3x3 -> relu -> maxpool 2 -> dense 10 -> softmax\n"


def differences(before: str, after: str):
    return compare(read_spec(text=before), read_spec(text=after))


def kinds(before: str, after: str) -> list[tuple[str, str]]:
    found = differences(before, after).changes
    return [(change.kind, (change.after or change.before).name) for change in found]


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
def test_a_spec_does_not_differ_from_itself_written_in_full(path):
    text = path.read_text()
    reading = read(Source("<text>", text), fixes=False)
    assert not differences(text, text)
    full = differences(text, explicit(reading))
    # a pooling window's stride is stated in the one and left out in the other: the words differ, no figure does
    assert not full.figures and not full.settings
    assert all(change.before.word.endswith("pool") for change in full.changes)


def test_blocks_names_and_lines_do_not_count():
    after = (
        "let c = 8\ninput 1x16x16\nblock b(n) = conv {n}x3x3\n  -> relu as here\nb(c) -> maxpool 2\n -> dense 10"
    )
    assert not differences(BASE, f"{after} -> softmax")


def test_a_changed_layer():
    found = differences(BASE, BASE.replace("8x3x3", "6x3x3"))
    assert next((c.kind, c.before.written, c.after.written) for c in found.changes) == (
        "changed", "conv 8x3x3", "conv 6x3x3",
    )  # fmt: skip
    assert {c.kind for c in found.changes[1:]} == {"reshaped"}
    assert found.figures["parameters"] == (80 + 3930, 60 + 2950)


def test_layers_added_and_removed():
    longer = BASE.replace("relu", "relu -> bn")
    assert kinds(BASE, longer) == [("added", "bn1")]
    assert kinds(longer, BASE) == [("removed", "bn1")]


def test_later_numbers_of_names_do_not_count():
    """A layer put first renames every later one of its word, which is no change of theirs."""
    assert kinds(BASE, BASE.replace("conv", "conv 1x1x1 -> conv")) == [("added", "conv1")]


def test_wires():
    before = "input 3x8x8\nconv 3x1x1 as a -> relu as b -> tanh -> add(id | @a)"
    assert kinds(before, before.replace("@a", "@b")) == [("rewired", "add1")]


def test_weights_shared_or_not():
    shared = "input 4\nnet n = dense 4\nn -> relu -> n"
    assert kinds(shared.replace("net", "block"), shared) == [("rewired", "n_2.dense1")]
    assert differences(shared.replace("net", "block"), shared).figures["parameters"] == (40, 20)


def test_settings_and_budgets():
    found = differences(BASE + "expect { params <= 5k }", BASE + "train { epochs 3 ; optimiser sgd lr 0.1 }")
    assert {(s.name, s.before, s.after) for s in found.settings} >= {
        ("train.epochs", "5", "3"),
        ("expect.params <=", "5 000", ""),
    }
    assert "train.optimiser: adam -> sgd" in page(found)


def test_the_command(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("a.cnn").write_text(BASE)
    Path("b.cnn").write_text(BASE.replace("maxpool", "avgpool"))

    def run(*arguments):
        result = CliRunner().invoke(program, ["diff", *arguments], standalone_mode=False)
        assert result.exception is None
        return result.return_value, result.stdout

    assert run("a.cnn", "a.cnn") == (0, "the same network, trained the same way\n")
    code, output = run("a.cnn", "b.cnn")
    assert code == 1 and output.splitlines()[:2] == ["- maxpool1: maxpool 2  8x7x7", "+ avgpool1: avgpool 2  8x7x7"]
    code, output = run("a.cnn", "b.cnn", "--json")
    assert code == 1 and [layer["kind"] for layer in json.loads(output)["layers"]] == ["removed", "added"]
