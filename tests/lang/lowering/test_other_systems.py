"""Words and settings as other systems spell them: read as ours, rewritten only where that is asked for."""

from __future__ import annotations

import pytest

from cnnspec.diagnostics import Source
from cnnspec.ir.fields import settings
from cnnspec.ir.nested import Nested
from cnnspec.lang import read
from cnnspec.lang.format.formatter import format
from cnnspec.lang.format.own_words import in_own_words
from cnnspec.lang.hints.spelling import AMERICAN, ELSEWHERE, LOOKALIKE, own_setting, own_word
from cnnspec.settings.data import Data
from cnnspec.settings.train import Train
from cnnspec.words import WORDS

TWINS = {
    "Conv2d 8x3x3 padding 1 use_bias False -> BatchNorm2d epsilon 1e-3 -> ReLU -> Linear 10 -> Softmax": (
        "conv 8x3x3 pad 1 bias off -> bn eps 1e-3 -> relu -> dense 10 -> softmax"
    ),
    "Conv2D 8x3x3 strides 2 dilation 1 -> LeakyReLU negative_slope 0.2 -> GlobalAveragePooling2D -> Dense 3": (
        "conv 8x3x3 stride 2 dilate 1 -> leaky slope 0.2 -> gap -> dense 3"
    ),
    "conv_transpose 4x2x2 stride 2 -> SiLU -> max_pool 2 -> layer_norm": (
        "upconv 4x2x2 stride 2 -> swish -> maxpool 2 -> layernorm"
    ),
    "dense 10 -> softmax\ntrain { loss CrossEntropy label_smoothing 0.1 ; optimizer Adam learning_rate 1e-3 }": (
        "dense 10 -> softmax\ntrain { cost cross_entropy smoothing 0.1 ; optimiser adam lr 1e-3 }"
    ),
    "dense 1\ntrain { loss mean_squared_error ; batch_size 8 ; num_epochs 3 ; random_seed 4 }": (
        "dense 1\ntrain { cost mse ; batch 8 ; epochs 3 ; seed 4 }"
    ),
    "dense 9\ndata { dataset digits ; normalize on ; validation_split 20% }\nexpect { parameters < 9k }": (
        "dense 9\ndata { source digits ; normalise on ; validation 20% }\nexpect { params < 9k }"
    ),
}


def reading(text: str):
    return read(Source("a.cnn", f"input 1x28x28\n{text}\n"))


@pytest.mark.parametrize(("theirs", "ours"), TWINS.items())
def test_the_same_network(theirs: str, ours: str) -> None:
    there, here = reading(theirs), reading(ours)
    assert there.errors == here.errors == ()
    assert [(node.name, node.op) for node in there.graph] == [(node.name, node.op) for node in here.graph]
    assert (there.spec.train, there.spec.data) == (here.spec.train, here.spec.data)
    assert [budget.quantity for budget in there.spec.expect] == [budget.quantity for budget in here.spec.expect]


@pytest.mark.parametrize(("theirs", "ours"), TWINS.items())
def test_rewritten_only_where_told(theirs: str, ours: str) -> None:
    there, here = reading(theirs), reading(ours)
    assert set(format(there.source.text).split()) == set(there.source.text.split())
    assert in_own_words(there) == format(here.source.text)
    assert in_own_words(here) == format(here.source.text)


def test_a_name_of_the_author_is_no_spelling():
    found = reading("block Conv2d(c) = conv {c}x1x1 -> relu\nlet loss = 3\nConv2d(loss) -> gap -> dense 2")
    assert not found.errors and found.graph["Conv2d1.conv1"].type.shape == (3, 28, 28)
    found = reading("block Conv2d(c = 2) = conv {c}x1x1 -> relu\nConv2d -> gap -> dense 2")
    assert not found.errors
    assert "Conv2d -> gap" in in_own_words(found)
    assert [node.op.word for node in found.graph] == ["", "conv", "relu", "gap", "dense"]


def test_overrides_say_it_either_way():
    source = Source("a.cnn", "input 4\ndense 2\ntrain { optimizer sgd learning_rate 0.5 momentum 0.1 }\n")
    for part in ("train.optimiser.lr=0.25", "train.optimizer.learning_rate=0.25"):
        found = read(source, overrides=(part,))
        assert not found.errors
        assert (found.spec.train.optimiser.lr, found.spec.train.optimiser.momentum) == (0.25, 0.1)


def classes():
    waiting = [*WORDS.values(), Train, Data]
    while waiting:
        cls = waiting.pop()
        yield cls
        for field in settings(cls).values():
            kind = field.metadata["kind"]
            waiting += kind.classes if isinstance(kind, Nested) else ()


def test_what_means_something_else_is_not_read():
    """Random slopes, pooling to a size, other optimisers: suggested perhaps, never taken for ours."""
    for name in LOOKALIKE:
        assert own_word(name, WORDS) == name
    for cls in classes():
        for name in LOOKALIKE:
            assert own_setting(name, settings(cls)) == name
            for field in settings(cls).values():
                kind = field.metadata["kind"]
                if isinstance(kind, Nested):
                    assert own_word(name, {each.word: each for each in kind.classes}) == name


def test_a_setting_of_ones_own_is_never_taken_for_another():
    for cls in classes():
        for name in settings(cls):
            assert own_setting(name, settings(cls)) == name
    assert not set(AMERICAN) & set(ELSEWHERE)
