"""What the page asks about a text, and that nothing but the compiler is needed to answer it."""

import json
import subprocess
import sys
from xml.etree import ElementTree

import numpy as np
import pytest

from cnnspec.diagnostics import Imported
from cnnspec.ir.owned import distribution
from cnnspec.lab.front import answer

RIGHT = "input 1x9x8\nconv 3x3x2 -> relu -> maxpool 2 -> dense 2 -> softmax\n"


def asked(what, text, imports=(), at=0, settings=()):
    told = answer({"ask": what, "text": text, "at": at, "settings": list(settings)}, imports)
    assert json.loads(json.dumps(told)) == told
    return told


def edited(text, edits):
    """As JavaScript does it, whose texts are units of UTF-16."""
    raw = text.encode("utf-16-le")
    for edit in sorted(edits, key=lambda edit: -edit["start"]):
        raw = raw[: 2 * edit["start"]] + edit["text"].encode("utf-16-le") + raw[2 * edit["end"] :]
    return raw.decode("utf-16-le")


def test_a_right_text_has_a_drawing_its_layers_and_its_settings():
    told = asked("check", RIGHT)
    network = told["network"]
    assert [layer["name"] for layer in network["told"]["layers"]][:2] == ["input", "conv1"]
    assert network["told"]["layers"][1]["shape"] == [3, 7, 7]
    assert ElementTree.fromstring(network["drawing"]).tag.endswith("svg")
    assert network["train"]["batch"] > 0 and network["data"]["source"]


def test_a_wrong_text_has_findings_and_no_network():
    told = asked("check", RIGHT.replace("relu", "relo"))
    (found,) = told["findings"]
    assert "network" not in told and (found["line"], found["code"]) == (2, "CNN201")
    assert RIGHT.replace("relu", "relo")[found["start"] : found["end"]] == "relo"


@pytest.mark.parametrize("comment", ["", "# plain\n", "# 😀😀 é\n"])
def test_a_fix_puts_the_text_right_counted_as_javascript_counts(comment):
    text = comment + RIGHT.replace("relu", "relo")
    (fix,) = asked("fixes", text)["fixes"]
    assert edited(text, fix["edits"]) == comment + RIGHT


def test_completion_knows_where_the_cursor_is():
    text = "# 😀\ninput 1x9x8\nconv 3x3x2 -> ma"
    items = asked("complete", text, at=len(text.encode("utf-16-le")) // 2)["items"]
    assert "maxpool" in [name for name, *_ in items]
    assert asked("complete", text, at=2)["items"] == []


def test_a_network_has_its_script_and_how_it_begins():
    told = asked("network", RIGHT, settings=["train.optimiser=sgd lr 0.5"])
    assert told["train"]["rate"] == 0.5 and "const network" in told["script"]
    assert told["begin"]["conv1.weight"] == ["uniform", pytest.approx(1 / np.sqrt(6)), [3, 1, 3, 2]]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("input 1x9x8\nconv 3x3x20 -> dense 2", "does not fit"),
        ("input 3x64x64\ndense 4000 -> dense 10 -> softmax", "parameters"),
        ("input 1x9x8 -> relo", "relo"),
    ],
)
def test_what_a_page_cannot_train_is_refused_with_the_reason(text, why):
    assert why in asked("network", text)["refused"]


def test_a_text_imports_what_it_was_opened_with_and_nothing_else(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "blocks.cnn").write_text("block twice = conv 2x3x3 -> relu\n")
    text = 'import "blocks.cnn"\ninput 1x9x8\ntwice -> dense 2 -> softmax\n'
    told = asked("check", text)
    assert told["findings"] and "network" not in told, "nothing is read from the disk"
    held = Imported(("blocks.cnn",), "block twice = conv 2x3x3 -> relu\n")
    assert "network" in asked("check", text, (held,)), asked("check", text, (held,))["findings"]


def test_nothing_but_the_compiler_and_its_grammar_is_needed():
    """A browser's Python has no NumPy, click, rich or jsonschema, and no such module is imported."""
    code = f"""
import sys
class Nothing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("numpy", "click", "rich", "jsonschema", "pygls", "ssl", "socket"):
            raise ModuleNotFoundError(name, name=name)
sys.meta_path.insert(0, Nothing())
import json
from cnnspec.lab.front import answer_json
for what in ("check", "fixes", "complete", "network"):
    print(len(answer_json(json.dumps({{"ask": what, "text": {RIGHT!r}, "at": 40, "settings": []}}))) > 10)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.split() == ["True"] * 4, done.stderr


def test_the_distributions_are_those_that_training_begins_with():
    """Of each initialiser its spread, as NumPy draws it; that page and terminal mean the same by a word."""
    from cnnspec.ir import TensorType
    from cnnspec.ir.op import Parameter
    from cnnspec.runtime.parameters import initial

    kinds = ("kaiming_uniform", "kaiming_normal", "lecun_normal", "xavier_uniform", "xavier_normal", "zeros", 1.5)
    for init in kinds:
        parameter = Parameter("weight", TensorType((("f", 60), ("c", 50))), init, 50, 60)
        kind, number = distribution(parameter)
        drawn = initial(parameter, np.random.default_rng(1))
        spread = {"uniform": number / np.sqrt(3), "normal": number, "fill": 0.0}[kind]
        assert drawn.std() == pytest.approx(spread, rel=0.05)
        assert drawn.mean() == pytest.approx(number if kind == "fill" else 0, abs=0.1)


ODD = ("", "\ud800", "x" * 10_000, "input \x00", "</script><img src=x onerror=alert(1)>", "# 😀" * 99)


@pytest.mark.parametrize("text", ODD, ids=ascii)
def test_any_text_has_an_answer(text):
    for what in ("check", "fixes", "complete", "network"):
        assert isinstance(asked(what, text, at=3), dict)
