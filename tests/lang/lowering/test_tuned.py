"""`freeze` and `rate`: which layers their names mean, and what is said of names that mean none."""

from __future__ import annotations

import json

import pytest

from cnnspec.diagnostics import Source
from cnnspec.diagnostics.text import render
from cnnspec.ir.fields import settings
from cnnspec.ir.nested import Clause
from cnnspec.lang.exchange import as_json
from cnnspec.lang.format.formatter import format
from cnnspec.lang.hints.safety import _classes
from cnnspec.lang.parse.layout import LISTS
from cnnspec.lang.reading import read
from cnnspec.settings.train import Train
from cnnspec.settings.tuning import fits

NET = """\
input 3x16x16
block twice(c) = (conv {c}x3x3 pad same bias off -> bn -> relu)*2
net trunk = (conv 4x3x3 pad same bias off -> bn -> relu) as stem -> twice(4) as first -> twice(8) as second
@trunk -> gap -> dense 10 as head -> softmax
"""


def reading(train, net=NET, **how):
    return read(Source("net.cnn", f"{net}train {{ {train} }}\n"), **how)


def spec(train, **how):
    found = reading(train, **how)
    assert found.spec is not None, render(found.diagnostics)
    return found.spec


@pytest.mark.parametrize(
    ("names", "layers"),
    [
        ("head", "head"),
        ("trunk.stem", "trunk.conv1 trunk.bn1"),  # a label means all that is in its parentheses
        ("trunk.first", "trunk.first.conv1 trunk.first.bn1 trunk.first.conv2 trunk.first.bn2"),
        ("trunk.first.bn2, head", "trunk.first.bn2 head"),
        ('"trunk.*.bn*"', "trunk.first.bn1 trunk.first.bn2 trunk.second.bn1 trunk.second.bn2"),
        ('"*.bn1", "he*d"', "trunk.bn1 trunk.first.bn1 trunk.second.bn1 head"),
    ],
)
def test_names_mean_layers(names, layers):
    assert list(spec(f"freeze {names}").tuning.frozen) == layers.split()
    assert spec(f"rate 0.1 of {names}").tuning.rates == dict.fromkeys(layers.split(), 0.1)


def test_a_net_means_all_that_is_in_it():
    frozen = spec("freeze trunk until 3").tuning.frozen
    assert "head" not in frozen and len(frozen) == 10 and set(frozen.values()) == {3}


def test_of_a_shared_net_the_weights_are_frozen_once():
    net = "input 8 as left\ninput 8 as right\nnet tower = dense 4\n"
    net += "net out = concat(@left -> tower | @right -> tower) -> dense 2\n"
    for name in ("tower", "tower_2", "out.tower", '"tower*"'):
        assert list(spec(f"freeze {name}", net=net).tuning.frozen) == ["tower.dense1"]


def test_the_last_that_is_said_counts():
    tuning = spec("freeze trunk ; freeze trunk.second until 2 ; rate 0.1 of trunk ; rate 2 of trunk.stem").tuning
    assert tuning.frozen["trunk.conv1"] is None and tuning.frozen["trunk.second.bn1"] == 2
    assert tuning.rates["trunk.conv1"] == 2 and tuning.rates["trunk.first.bn2"] == 0.1


@pytest.mark.parametrize(
    ("train", "code", "at", "message", "help"),
    [
        ("freeze stem", "CNN323", "stem", "no layer, block or net is called `stem`", "use `trunk.stem`"),
        ("freeze bn2", "CNN323", "bn2", "no layer, block or net is called `bn2`",
         "there are `trunk.first.bn2`, `trunk.second.bn2`"),
        ("freeze trunk.stem, hed", "CNN323", "hed", "no layer, block or net is called `hed`", "use `head`"),
        ("freeze trunk.first.relu1", "CNN323", "trunk.first.relu1", "`trunk.first.relu1` has no parameters",
         "label more of the chain: `(conv 8x3x3 -> bn -> relu) as stem`"),
        ('rate 3 of "*relu*"', "CNN323", '"*relu*"', "what `*relu*` means has no parameters", ""),
        ('freeze "x*"', "CNN323", '"x*"', "no layer, block or net is called `x*`",
         "`cnnspec summary` lists the names"),
        ("freeze trunk, head", "CNN324", "freeze trunk, head",
         "every layer with parameters is frozen, so nothing learns",
         "leave out the layers that are to learn, such as a new head"),
        ("freeze head ; freeze trunk until 2", "CNN324", "freeze trunk until 2",
         "every layer with parameters is frozen, so nothing learns",
         "leave out the layers that are to learn, such as a new head"),
        ("rate 0.1", "CNN204", "rate", "`rate` needs `of`", None),
        ("rate trunk of head", "CNN203", "trunk", "the size of `rate` wants a number above 0, got `trunk`", ""),
        ("rate 0 of head", "CNN203", "0", "the size of `rate` wants a number above 0, got 0", ""),
        ("freeze 3", "CNN203", "3", None, ""),
        ("freeze head untl 3", "CNN202", "untl", "`freeze` has no setting `untl`", "use `until`"),
        ("freeze trunk 3", "CNN003", "3", "`freeze` takes one value", None),
        ("schedule multistep at 3, 2", "CNN203", "3, 2", None, ""),
        ("ema 1", "CNN203", "1", "`ema` wants a number from 0 to below 1, got 1", ""),
        ("accumulate 0", "CNN203", "0", "`accumulate` wants a whole number from 1 to 4 096, got 0", ""),
        ("cost cross_entropy of head, trunk", "CNN203", "head, trunk", None, ""),
    ],
)  # fmt: skip
def test_mistakes_have_their_place(train, code, at, message, help):
    found = reading(train)
    assert found.spec is None
    (finding,) = found.errors
    assert (finding.code, finding.span.text) == (code, at)
    assert message is None or finding.message == message
    assert help is None or finding.help == help


def test_every_mistake_is_told_at_once():
    found = reading("freeze a, head, b ; rate 2 of c ; epochs -1")
    assert sorted(d.code for d in found.errors) == ["CNN203", "CNN323", "CNN323", "CNN323"]


def test_a_comma_is_still_none_between_settings():
    assert [d.message for d in reading("epochs 5, batch 32").errors] == ["there is no comma between settings"]
    (finding,) = reading("freeze head, epochs 3").errors
    assert finding.message == "there is no comma between settings" and finding.help == "write `;` or a new line"


def test_the_settings_that_take_a_list_are_those_that_the_layout_knows():
    known = {name for cls in _classes() for name, field in settings(cls).items() if field.metadata["kind"].listed}
    known |= {
        name
        for name, field in settings(Train).items()
        if isinstance(field.metadata["kind"], Clause)
        and any(f.metadata["kind"].listed and f.metadata["role"] == "size" for f in _fields(field))
    }
    assert known == LISTS


def _fields(field):
    import dataclasses

    return dataclasses.fields(field.metadata["kind"].classes[0])


def test_lists_go_on_over_lines_and_are_formatted():
    text = f"{NET}train {{ freeze trunk.stem,\n   head   until 3 ; schedule multistep at 3,4 }}\n"
    tidy = format(text)
    assert "  freeze trunk.stem, head until 3 ; schedule multistep at 3, 4\n" in tidy
    assert format(tidy) == tidy


def test_a_layer_that_is_called_like_a_word_keeps_its_name():
    text = "input 4\ndense 3 as color -> dense 2 as optimizer\ntrain { freeze color ; rate 2 of optimizer }\n"
    assert format(text) == text
    assert list(read(Source("a.cnn", text)).spec.tuning.frozen) == ["color"]


def test_a_graph_as_json_keeps_the_layers_that_labels_mean():
    one = spec("freeze trunk.stem ; freeze trunk.first until 3 ; rate 0.5 of trunk.second ; ema 0.9 ; accumulate 2")
    text = json.dumps(as_json(one))
    again = read(Source("net.cnn.json", text)).spec
    assert again.tuning == one.tuning
    assert again.train == one.train
    frozen = {"word": "freeze", "names": ["nobody"]}
    wrong = {**json.loads(text), "train": {"freeze": [frozen]}}
    (finding,) = read(Source("net.cnn.json", json.dumps(wrong))).errors
    assert finding.code == "CNN323"


def test_the_command_line_may_freeze():
    tuning = spec("freeze head", overrides=('train.freeze=trunk.stem, "trunk.first.*" until 2',)).tuning
    assert "head" not in tuning.frozen and tuning.frozen["trunk.first.conv2"] == 2


@pytest.mark.parametrize(
    ("pattern", "text", "found"),
    [("a*", "a", True), ("*a", "ba", True), ("a*a", "a", False), ("a*b*c", "a.b.c", True), ("a*b*c", "a.c", False),
     ("*", "", True), ("**", "x", True), ("*b*b", "ab", False)],
)  # fmt: skip
def test_a_star_stands_for_any_letters(pattern, text, found):
    assert fits(pattern, text) is found


def test_a_pattern_of_many_stars_takes_no_time():
    assert not fits("*a" * 5_000 + "b", "a" * 10_000)
