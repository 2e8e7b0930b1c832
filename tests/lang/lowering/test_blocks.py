"""`train`, `data` and `expect`: defaults, spellings, overrides, costs and budgets."""

from __future__ import annotations

import pytest

from cnnspec.diagnostics import Source
from cnnspec.lang import Reading, read
from cnnspec.settings.data import Data
from cnnspec.settings.train import Train

CHAIN = "input 1x28x28\ndense 10 -> softmax\n"
HEADS = """input 4
dense 8 -> relu as trunk
net kind = @trunk -> dense 3 -> softmax
net size = @trunk -> dense 1
"""


def reading(text: str, *overrides: str) -> Reading:
    return read(Source("a.cnn", text), overrides=overrides)


def train(text: str, *overrides: str) -> Train:
    found = reading(CHAIN + text, *overrides)
    assert found.spec is not None, found.diagnostics
    return found.spec.train


def codes(text: str, *overrides: str) -> list[str]:
    return [found.code for found in reading(CHAIN + text, *overrides).diagnostics]


def test_everything_has_a_default() -> None:
    found = reading(CHAIN).spec
    assert found is not None
    assert found.data == Data()
    assert [cost.word for cost in found.train.cost] == ["cross_entropy"]
    assert found.train.optimiser.written() == "adam"
    assert (found.train.batch, found.train.epochs, found.train.seed) == (64, 5, 0)


@pytest.mark.parametrize(
    ("chain", "cost"),
    [("softmax", "cross_entropy"), ("sigmoid", "binary_cross_entropy"), ("relu", "mse")],
)
def test_the_last_word_tells_the_cost(chain: str, cost: str) -> None:
    found = reading(f"input 4\ndense 2 -> {chain}").spec
    assert found is not None and [each.word for each in found.train.cost] == [cost]


def test_settings_with_settings() -> None:
    found = train("train { optimiser sgd lr 0.1 momentum 90% nesterov on ; schedule cosine warmup 2\n batch 1k }")
    assert found.optimiser.written() == "sgd lr 0.1 momentum 0.9 nesterov on"
    assert (found.schedule.written(), found.batch) == ("cosine warmup 2", 1000)


def test_both_spellings() -> None:
    british = reading(f"{CHAIN}train {{ optimiser adam }}\ndata {{ source digits ; normalise on }}")
    american = reading(f"{CHAIN}train {{ optimizer adam }}\ndata {{ source digits ; normalize on }}")
    assert british.spec is not None and american.spec is not None
    assert (british.spec.train, british.spec.data) == (american.spec.train, american.spec.data)


def test_blocks_may_stand_in_parts_and_use_numbers() -> None:
    found = train("let n = 4\ntrain { batch {8 * n} }\ntrain { epochs {n} }")
    assert (found.batch, found.epochs) == (32, 4)


def test_a_setting_twice_is_a_warning_and_the_second_counts() -> None:
    assert codes("train { epochs 3 ; epochs 4 }") == ["CNN239"]
    assert train("train { epochs 3 ; epochs 4 }").epochs == 4


# ---- overrides -------------------------------------------------------------------------------------------


def test_overrides_take_the_place_of_what_the_file_says() -> None:
    text = "train { epochs 5 ; optimiser sgd lr 0.1 momentum 0.9 ; cost mse }"
    assert train(text, "train.epochs=3").epochs == 3
    assert train(text, "train.epochs=3", "train.epochs = 4").epochs == 4
    assert train(text, "train.optimizer=adam lr 1e-3").optimiser.written(True).startswith("adam lr 0.001")
    assert [cost.word for cost in train(text, "train.cost=cross_entropy").cost] == ["cross_entropy"]
    assert reading(CHAIN, "data.validation=20%").spec.data.validation == 0.2  # type: ignore[union-attr]


def test_overrides_of_one_part() -> None:
    text = "train { optimiser sgd lr 0.1 momentum 0.9 }"
    assert train(text, "train.optimiser.lr=0.5").optimiser.written() == "sgd lr 0.5 momentum 0.9"
    assert train("", "train.optimiser.lr=0.5").optimiser.written() == "adam lr 0.5"
    both = train(text, "train.optimiser.lr=0.5", "train.optimiser.momentum=0.8")
    assert both.optimiser.written() == "sgd lr 0.5 momentum 0.8"


@pytest.mark.parametrize(
    ("override", "form"),
    [
        ("train.lr=0.1", "train.optimiser.lr=0.1"),
        ("train.learning_rate=0.1", "train.optimiser.lr=0.1"),
        ("train.momentum=90%", "train.optimiser.momentum=90%"),
        ("train.warmup=2", "train.schedule.warmup=2"),
        ("data.classes=3", "data.source.classes=3"),
        ("lr=0.1", "train.optimiser.lr=0.1"),
        ("epochs=3", "train.epochs=3"),
    ],
)
def test_an_override_that_misses_its_place_is_told_the_form_that_works(override: str, form: str) -> None:
    (found,) = reading(CHAIN, override).diagnostics
    assert f"`--set {form}`" in found.help


@pytest.mark.parametrize(
    ("override", "code"),
    [
        ("epochs=3", "CNN026"),
        ("train.epochs", "CNN026"),
        ("net.epochs=3", "CNN026"),
        ("", "CNN026"),
        ("train.epochs=3 ; batch 4", "CNN026"),
        ("train.epochs=three", "CNN203"),
        ("train.epochz=3", "CNN202"),
        ("train.optimiser=adamm", "CNN201"),
        ("train.epochs=", "CNN003"),
        ("train.epochs=}", "CNN026"),
        ("train.a.b.c=1", "CNN026"),
    ],
)
def test_overrides_are_checked(override: str, code: str) -> None:
    found = reading(CHAIN, override).diagnostics
    assert [each.code for each in found] == [code]
    assert found[0].span is not None and found[0].span.source.name == "--set"


# ---- costs -----------------------------------------------------------------------------------------------


def test_costs_of_several_outputs() -> None:
    found = reading(f"{HEADS}train {{ cost cross_entropy of kind weight 0.3 ; cost mse of size }}")
    assert found.diagnostics == () and found.spec is not None
    assert [(c.word, c.of, c.weight) for c in found.spec.train.cost] == [
        ("cross_entropy", "kind.softmax1", 0.3), ("mse", "size.dense1", 1.0),
    ]  # fmt: skip
    implied = reading(HEADS).spec
    assert implied is not None
    assert [(c.word, c.of) for c in implied.train.cost] == [
        ("cross_entropy", "kind.softmax1"),
        ("mse", "size.dense1"),
    ]


@pytest.mark.parametrize(
    ("costs", "code"),
    [
        ("cost cross_entropy", "CNN209"),
        ("cost cross_entropy of trunk ; cost mse of size", "CNN209"),
        ("cost mse of kind ; cost mse of kind ; cost mse of size", "CNN209"),
        ("cost mse of gone ; cost mse of size", "CNN018"),
        ("cost cross_entropy of kind", "CNN238"),
        ("cost cross_entropy of size ; cost cross_entropy of kind", "CNN240"),
    ],
)
def test_costs_in_the_wrong_place(costs: str, code: str) -> None:
    assert code in [found.code for found in reading(f"{HEADS}train {{ {costs} }}").diagnostics]


# ---- budgets ---------------------------------------------------------------------------------------------

NET = "input 1x28x28\nconv 8x3x3 -> relu -> maxpool 2 -> dense 10 -> softmax\n"  # 80 + 13530 parameters


@pytest.mark.parametrize(
    "budget",
    ["params <= 13610", "params == 13610", "params >= 13.61k", "macs <= 62192", "depth == 2",
     "receptive_field == 4", "shape == 10", "shape @conv1 == 8x26x26", "shape @conv1 == ?x26x?",
     "shape @conv1 != 8x26x27", "params @conv1 <= 80", "memory <= 1GiB",
     "accuracy >= 98.5%", "cost <= 0.1", "flops < 1M"],
)  # fmt: skip
def test_budgets_that_are_met(budget: str) -> None:
    found = reading(f"{NET}expect {{ {budget} }}")
    assert found.diagnostics == () and found.spec is not None and len(found.spec.expect) == 1


@pytest.mark.parametrize(
    ("budget", "code"),
    [
        ("params <= 13609", "CNN601"),
        ("params != 13610", "CNN601"),
        ("macs < 62192", "CNN602"),
        ("flops <= 10k", "CNN603"),
        ("receptive_field > 4", "CNN605"),
        ("depth > 2", "CNN606"),
        ("shape @relu1 == 8x26x27", "CNN607"),
        ("shape <= 10", "CNN203"),
        ("shape == many", "CNN203"),
        ("params <= 3x3", "CNN203"),
        ("accuracy >= 98", "CNN203"),
        ("memory @conv1 <= 1k", "CNN203"),
        ("sharpe == 10", "CNN202"),
        ("shape @conv9 == 10", "CNN018"),
    ],
)
def test_budgets_that_are_not(budget: str, code: str) -> None:
    found = reading(f"{NET}expect {{ {budget} }}").diagnostics
    assert [each.code for each in found] == [code]


def test_the_layer_that_contributes_most_is_named() -> None:
    (found,) = reading(f"{NET}expect {{ params <= 10k }}").diagnostics
    assert found.message == "params is 13 610, expected at most 10 000"
    assert [label.span.text for label in found.related] == ["dense 10"]
