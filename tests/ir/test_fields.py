"""What a setting says it wants, what it reads, and its JSON Schema are one and the same at every bound."""

import math
from dataclasses import fields
from itertools import pairwise

import jsonschema
import numpy as np
import pytest

import cnnspec
from cnnspec.diagnostics import Fault, SpecError
from cnnspec.ir.fields import Number
from cnnspec.settings.data import Data
from cnnspec.settings.optimisers import OPTIMISERS
from cnnspec.settings.schedules import SCHEDULES
from cnnspec.settings.train import Train
from cnnspec.words import OPS
from cnnspec.words.costs import COSTS

KINDS = {
    f"{cls.__name__}.{field.name}": field.metadata["kind"]
    for cls in (*OPS, *COSTS, *OPTIMISERS, *SCHEDULES, Data, Train)
    for field in fields(cls)
    if isinstance(field.metadata.get("kind"), Number)
}


def accepted(kind, value):
    try:
        kind.read(value)
    except Fault:
        return False
    return True


@pytest.mark.parametrize("name", KINDS)
def test_the_bounds_are_what_they_say(name):
    kind = KINDS[name]
    words = kind.wanted.split()
    said = {bound: word for word, bound in pairwise(words)}
    for bound, sign in ((kind.low, -1), (kind.high, 1)):
        if math.isinf(bound):
            continue
        open_ = said[f"{bound:g}"] in ("above", "below")
        beyond, within = bound + sign * 1e-9 * max(1, abs(bound)), bound - sign * 1e-9 * max(1, abs(bound))
        for value, expected in ((bound, not open_), (beyond, False), (within, True)):
            assert accepted(kind, value) == expected, (kind.wanted, value)
            assert jsonschema.Draft202012Validator(kind.schema()).is_valid(value) == expected, (
                kind.schema(),
                value,
            )
    assert not accepted(kind, math.nan)


@pytest.mark.parametrize(
    ("kind", "wanted"),
    [
        (Number(), "a number"),
        (Number(0), "a number from 0"),
        (Number(0, open_low=True), "a number above 0"),
        (Number(high=5), "a number to 5"),
        (Number(0, 1), "a number from 0 to 1"),
        (Number(0, 1, open_low=True), "a number above 0 to 1"),
        (Number(0, 1, open_high=True), "a number from 0 to below 1"),
        (Number(-1, 1, open_low=True, open_high=True), "a number above -1 to below 1"),
    ],
)
def test_every_form_of_it(kind, wanted):
    assert kind.wanted == wanted


@pytest.mark.parametrize(
    ("text", "setting"),
    [
        ("conv 4x3x3 bias off -> bn eps 0", "eps"),
        ("layernorm eps 0", "eps"),
        ("groupnorm 1 eps 0", "eps"),
        ("relu -> dense 2\ntrain { cost mse ; schedule exponential gamma 0 }", "gamma"),
        ("relu -> dense 2\ntrain { cost mse ; schedule step gamma 0 }", "gamma"),
    ],
)
def test_zero_is_refused_where_it_divides_or_ends_all_learning(text, setting):
    with pytest.raises(SpecError, match=f"`{setting}` wants a number above 0 to 1, got 0"):
        cnnspec.compile(text=f"input 3x8x8\n{text}")


def test_leaky_with_slope_zero_is_relu():
    texts = (f"input 4\ndense 6 -> {word} -> dense 2 -> softmax" for word in ("relu", "leaky slope 0"))
    models = [cnnspec.compile(text=text, seed=1) for text in texts]
    x, y = np.random.default_rng(0).normal(size=(8, 4)).astype("float32"), np.arange(8) % 2
    one, two = (model.gradients(x, y) for model in models)
    assert all(np.array_equal(one[name], two[name]) for name in one)
