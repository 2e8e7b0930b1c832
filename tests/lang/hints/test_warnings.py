"""Warnings: that each is given where it should be, and not where it should not."""

from __future__ import annotations

import pytest

from cnnspec.diagnostics import Source
from cnnspec.lang import read
from cnnspec.lang.hints.fixes import edited


def warned(text: str) -> list[str]:
    found = read(Source("a.cnn", text)).diagnostics
    assert not [each for each in found if each.severity == "error"]
    return [each.code for each in found]


GIVEN = {
    "relu before softmax": ("input 4\ndense 3 -> relu -> softmax", "CNN230"),
    "bias before bn": ("input 1x8x8\nconv 2x3x3 -> bn -> dense 3", "CNN231"),
    "bias before bn, of a dense layer": ("input 8\ndense 4 -> bn -> dense 3", "CNN231"),
    "mse of softmax": ("input 4\ndense 3 -> softmax\ntrain { cost mse }", "CNN232"),
    "fewer classes than labels": ("input 1x28x28\ndense 9 -> softmax\ndata { source mnist }", "CNN233"),
    "classes told by the file": ('input 4\ndense 3 -> softmax\ndata { source npz "a.npz" classes 5 }', "CNN233"),
    "last pixels": ("input 1x8x9\nmaxpool 2 -> dense 3", "CNN234"),
    "pixels between windows": ("input 1x11x11\nconv 2x2x2 stride 3 -> dense 3", "CNN235"),
    "one layer is nearly all": ("input 3x64x64\nconv 4x3x3 -> dense 400 -> relu -> dense 3", "CNN236"),
    "number unused": ("let w = 3\ninput 4\ndense 3", "CNN237"),
    "block unused": ("block b = relu\ninput 4\ndense 3", "CNN237"),
    "parameter unused": ("block b(c) = relu\ninput 4\nb(3) -> dense 3", "CNN237"),
    "setting twice": ("input 1x9x9\nconv 2x3x3 pad 1 pad 0 -> dense 3", "CNN239"),
    "softmax twice": ("input 4\ndense 3 -> softmax -> softmax", "CNN242"),
    "softmax of a sigmoid": ("input 4\ndense 3 -> sigmoid -> softmax", "CNN242"),
    "softmax of a softmax, flattened": ("input 4x4x4\ngap -> softmax -> flatten -> logsoftmax", "CNN242"),
    "softmax before hinge": ("input 4\ndense 3 -> softmax\ntrain { cost hinge }", "CNN243"),
    "softmax before hinge, of two heads": (
        "input 4 as x\nnet a = @x -> dense 3 -> softmax\nnet b = @x -> dense 1\n"
        "train { cost hinge of a ; cost mse of b }",
        "CNN243",
    ),
    "dense after dense": ("input 4\ndense 8 -> dense 3 -> softmax", "CNN244"),
    "dense after a dropped dense": ("input 4\ndense 8 -> dropout 20% -> dense 3 -> softmax", "CNN244"),
    "rate of sgd for adam": ("input 4\ndense 3 -> softmax\ntrain { optimiser adam lr 0.1 }", "CNN245"),
    "rate far below": ("input 4\ndense 3 -> softmax\ntrain { optimizer sgd learning_rate 1e-6 }", "CNN245"),
    "rate of nobody": ("input 4\ndense 3 -> softmax\ntrain { optimiser sgd lr 10 }", "CNN245"),
    "dropout before bn": ("input 1x9x9\nconv 4x3x3 bias off -> dropout 20% -> bn -> dense 3", "CNN246"),
    "dropout before bn, past a relu": ("input 9\ndense 4 -> dropout 20% -> relu -> bn -> dense 3", "CNN246"),
    "dropout before bn, past a mish": ("input 9\ndense 4 -> dropout 20% -> mish -> bn -> dense 3", "CNN246"),
    "sees less than an object": (
        "input 1x28x28\nconv 4x3x3 -> relu -> gap -> dense 3\nexpect { receptive_field >= 50% }",
        "CNN247",
    ),
    "channels last": ("input 32x32x3\ndense 3", "CNN248"),
    "momentum of Keras": ("input 1x9x9\nconv 4x3x3 bias off -> bn momentum 99% -> dense 3", "CNN249"),
    "softmax of a softmax, dropped out": ("input 4\ndense 3 -> softmax -> dropout 20% -> softmax", "CNN242"),
    "fewer scores than labels": (
        "input 1x28x28\ndense 9\ndata { source mnist }\ntrain { cost hinge }",
        "CNN233",
    ),
    "holes of an upconv": ("input 1x4x4\nupconv 2x2x2 stride 3 -> dense 3", "CNN235"),
    "logits": ("input 4\ndense 3\ntrain { cost cross_entropy }", "CNN240"),
}
REFUSED = {
    "relu before another word": "input 4\ndense 3 -> relu -> dense 3 -> softmax",
    "a bias that another branch reads": "input 2x8x8\nconv 2x1x1 -> add( id | bn ) -> dense 3",
    "a sigmoid for each, and a mean": "input 4\ndense 3 -> sigmoid -> dense 2",
    "sigmoids that are joined": "input 4\ndense 3 -> sigmoid -> mul( id | dense 3 -> sigmoid ) -> dense 2",
    "an activation between": "input 4\ndense 8 -> relu -> dropout 20% -> dense 3 -> softmax",
    "a factorisation": "input 40\ndense 4 -> dense 30 -> relu -> dense 3",
    "a dense layer that others read too": "input 4\ndense 8 as a -> dense 3 -> concat( id | @a )",
    "scores before hinge": "input 4\ndense 3\ntrain { cost hinge }",
    "a usual rate": "input 4\ndense 3 -> softmax\ntrain { optimiser adam lr 0.01 }",
    "a rate of numbers": "input 4\ndense 3\ntrain { cost mae ; optimiser adam lr 2 }",
    "a low rate of what is tuned": (
        "input 4\ndense 8 -> relu -> dense 3 -> softmax\ntrain { optimiser adam lr 1e-6 ; freeze dense1 }"
    ),
    "a high rate of large batches": "input 4\ndense 3 -> softmax\ntrain { optimiser sgd lr 3 ; batch 1024 }",
    "dropout after bn": "input 1x9x9\nconv 4x3x3 bias off -> bn -> relu -> dropout 20% -> dense 3",
    "sees enough": "input 1x9x9\nconv 4x5x5 -> relu -> gap -> dense 3\nexpect { receptive_field >= 50% }",
    "few rows": "input 3x32x3\ndense 3",
    "an upconv that overlaps": "input 1x4x4\nupconv 2x3x3 stride 2 -> dense 3",
    "an upconv of single pixels": "input 1x4x4\nupconv 2x1x1 stride 2 -> dense 3",
    "a dilated upconv": "input 1x4x4\nupconv 2x2x2 stride 3 dilate 2 -> dense 3",
    "as many scores as labels": "input 1x28x28\ndense 10\ndata { source mnist }\ntrain { cost hinge }",
    "numbers of another kind": "input 1x28x28\ndense 1\ndata { source mnist }\ntrain { cost mse }",
    "a low momentum": "input 1x9x9\nconv 4x3x3 bias off -> bn momentum 0.01 -> dense 3",
    "bias off": "input 1x8x8\nconv 2x3x3 bias off -> bn -> dense 3",
    "mse of numbers": "input 4\ndense 3\ntrain { cost mse }",
    "as many classes as labels": "input 1x28x28\ndense 10 -> softmax\ndata { source mnist }",
    "classes of data that are not named": "input 1x28x28\ndense 9 -> softmax",
    "pixels that another branch sees": "input 1x9\nconcat( conv 2x3 stride 3 -> gap | gap ) -> dense 3",
    "pixels that overlapping windows see later": "input 1x8x8\nconv 2x3x3 -> maxpool 2 -> dense 3",
    "a stride as large as its kernel": "input 1x9x9\nconv 2x3x3 stride 3 -> dense 3",
    "a shortcut that strides": "input 2x8x8\nadd( conv 2x3x3 stride 2 pad 1 | conv 2x1x1 stride 2 ) -> dense 3",
    "a heavy layer of a small network": "input 1x28x28\nconv 2x3x3 -> dense 10",
    "the only layer is all": "input 3x640x640\ndense 10",
    "a number that another one uses": "let w = 3\nlet v = w + 1\ninput 4\ndense {v}",
    "a number of a default": "let w = 3\nblock b(c = w) = dense {c}\ninput 4\nb()",
    "a number of a block": "let w = 3\nblock b = dense {w}\ninput 4\nb",
    "a parameter handed on": "block b(c) = dense {c}\nblock d(c) = b(c)\ninput 4\nd(3)",
    "a number of the settings": "let n = 3\ninput 4\ndense 2\ntrain { epochs {n} }",
    "a net that is a head": "input 4\ndense 3 as t\nnet a = @t -> dense 2\nnet b = @t -> dense 1",
}


@pytest.mark.parametrize(("text", "code"), GIVEN.values(), ids=GIVEN.keys())
def test_given(text: str, code: str) -> None:
    assert warned(text) == [code]


@pytest.mark.parametrize("text", REFUSED.values(), ids=REFUSED.keys())
def test_not_given(text: str) -> None:
    assert warned(text) == []


def test_names_are_not_called_unused_where_something_could_not_be_read() -> None:
    found = read(Source("a.cnn", "let w = 3\ninput 4\ndense {w")).diagnostics
    assert "CNN237" not in [each.code for each in found]


def test_every_fix_of_a_warning_silences_it() -> None:
    from cnnspec.lang.hints.fixes import edited

    for text, code in GIVEN.values():
        for found in read(Source("a.cnn", text)).diagnostics:
            if found.fix:
                assert code not in warned(edited(text, found.fix))


@pytest.mark.parametrize(("last", "cost", "right"), [
    ("sigmoid", "cross_entropy", "softmax"),
    ("softmax", "binary_cross_entropy", "sigmoid"),
    ("dense 3", "cross_entropy", "dense 3 -> softmax"),
])  # fmt: skip
def test_a_cost_is_given_its_last_word_and_not_a_second_one(last: str, cost: str, right: str) -> None:
    text = f"input 4\ndense 3 -> tanh -> {last}\ntrain {{ cost {cost} }}\n"
    (found,) = read(Source("a.cnn", text)).diagnostics
    assert found.code == "CNN240"
    assert edited(text, found.fix) == text.replace(f"-> {last}", f"-> {right}")
    assert not read(Source("a.cnn", edited(text, found.fix))).diagnostics


def test_the_layer_that_made_the_channels_is_told_and_not_the_mean_over_its_pixels() -> None:
    text = "input 1x28x28\nconv 12x1x1 -> gap -> softmax\ndata { source mnist }\n"
    (found,) = read(Source("a.cnn", text)).diagnostics
    assert found.span is not None
    assert (found.code, found.span.text) == ("CNN233", "conv 12x1x1")
