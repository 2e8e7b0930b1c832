"""What every word and cost declares about itself."""

from __future__ import annotations

import pytest

from cnnspec.ir.fields import settings, size_field, written
from cnnspec.words import OPS, WORDS
from cnnspec.words.costs import COSTS

FAMILIES = {
    "convolution": "conv dwconv upconv",
    "pooling": "maxpool avgpool minpool lppool gap gmp channelmean channelmax",
    "dense and shape": "dense flatten reshape pad crop upsample resize pixelshuffle pixelunshuffle shuffle take",
    "activation": "relu relu6 clip leaky prelu elu celu selu gelu swish hardswish mish sigmoid hardsigmoid tanh "
    "softplus softsign step abs shrink thresholdedrelu exp log sqrt reciprocal softmax logsoftmax radixsoftmax "
    "maxout",
    "normalisation and regularisation": "bn layernorm groupnorm lrn grn dropout droppath scale",
    "join": "add concat mul max min mean sub",
}
ALL = [*OPS, *COSTS]
each = pytest.mark.parametrize("cls", ALL, ids=lambda cls: cls.word)


def test_the_words_are_those_of_the_language():
    found: dict[str, set[str]] = {}
    for op in OPS:
        found.setdefault(op.family, set()).add(op.word)
    assert found == {family: set(words.split()) for family, words in FAMILIES.items()}
    assert len(WORDS) == len(OPS)
    assert {cost.word for cost in COSTS} == {
        "cross_entropy",
        "binary_cross_entropy",
        "mse",
        "mae",
        "huber",
        "hinge",
    }


def test_a_word_of_another_system_means_one_word_here():
    layers = [alias for op in OPS for alias in op.aliases]
    assert len(layers) == len(set(layers)) and not set(layers) & set(WORDS)
    costs = [alias for cost in COSTS for alias in cost.aliases]
    assert len(costs) == len(set(costs)) and not set(costs) & {cost.word for cost in COSTS}


@each
def test_says_what_it_does(cls):
    summary = cls.summary()
    assert (summary and summary[0].isupper()) or summary.startswith("x"), summary
    assert summary.endswith(".") and len(summary) < 140
    for field in (size_field(cls), *settings(cls).values()):
        assert field is None or field.metadata["doc"]


@each
def test_has_an_example_with_the_word_in_it(cls):
    assert cls in COSTS or cls.word in cls.example.replace("(", " ").split()


@each
def test_defaults_are_values_that_may_be_written(cls):
    """What `fmt --explicit` writes reads back to the same."""
    for field in settings(cls).values():
        kind, default = field.metadata["kind"], field.default
        if default not in (None, "", ()) and not isinstance(default, bool):
            assert kind.read(default) == default
    if size_field(cls) is None:
        assert written(cls()) == cls.word
