"""`off` takes a setting back that is off by default: in a file, and by `--set` in place of what the file says."""

import pytest

import cnnspec
from cnnspec.api import read_spec
from cnnspec.diagnostics import Source
from cnnspec.ir.fields import settings
from cnnspec.ir.nested import Nested
from cnnspec.lang.format.applied import applied
from cnnspec.settings.data import Data
from cnnspec.settings.train import Train

NET = "input 1x8x8\n(conv 4x3x3 -> relu) as trunk -> dense 3 -> softmax\n"
STATED = """\
train {
  freeze trunk until 3 ; rate 0.1 of trunk  # gently
  ema 0.9 ; patience 3 ; optimiser adam clip 3 ; weights "theirs.safetensors" partial on ; checkpoint every 2
}
data { source npz "digits.npz" labels "names" ; augment shift 1 ; limit 9 }
"""


def optional(cls):
    """The settings of a block or a word that are off unless they are said."""
    return [
        name
        for name, field in settings(cls).items()
        if (field.default is None or field.default == ()) and not field.metadata["kind"].has_off
    ]


WORDS = [
    (block, name, word)
    for block in (Train, Data)
    for name, field in settings(block).items()
    if isinstance(field.metadata["kind"], Nested)
    for word in field.metadata["kind"].classes
    if optional(word)
]


def read(text, *overrides):
    return read_spec(Source("net.cnn", NET + text), overrides=overrides)


@pytest.mark.parametrize("block", [Train, Data])
def test_every_setting_of_a_block_that_is_off_by_default_may_be_said_to_be(block):
    assert len(optional(block)) > 1
    for name in optional(block):
        plain, off = read(""), read(f"{block.word} {{ {name} off }}\n")
        assert getattr(off, block.word) == getattr(plain, block.word), name


def test_those_of_words_too():
    assert {word.word for _, _, word in WORDS} >= {"adam", "sgd", "npz"}
    for block, name, word in WORDS:
        if name in ("freeze", "weights", "cost", "schedule"):
            continue  # whose own are tried below, or end with a warm-up that 5 epochs have not
        size = (
            ' "x.npz"'
            if word.word in ("npz", "idx", "images", "csv", "pairs")
            else " 3"
            if word.word == "every"
            else ""
        )
        for one in optional(word):
            said = [f"{block.word} {{ {name} {word.word}{size}{end} }}\n" for end in ("", f" {one} off")]
            found = [cnnspec.check(text=NET + text) for text in said]
            assert not [d for d in found[1].errors if d not in found[0].errors], (said, str(found[1]))


def test_settings_of_a_file_are_taken_back_by_set():
    names = ("freeze", "rate", "ema", "patience", "optimiser.clip", "weights", "checkpoint")
    overrides = (*(f"train.{name}=off" for name in names), "data.augment=off", "data.limit=off")
    spec = read(STATED, *overrides)
    assert spec.train == read("").train
    assert spec.data.augment == () and spec.data.limit is None and spec.tuning == read("").tuning
    text = applied(spec.source, overrides, spec)
    assert "# gently" in text and not any(word in text for word in ("freeze", "ema", "patience", "limit", "clip"))
    again = read_spec(Source("again.cnn", text))
    assert (again.train, again.data) == (spec.train, spec.data)


def test_a_value_after_off_counts_and_off_after_a_value():
    assert [one.names for one in read("train { freeze off ; freeze trunk }").train.freeze] == [("conv1",)]
    assert read("train { freeze trunk ; freeze off }").train.freeze == ()
    assert read("train { freeze trunk }", "train.freeze=off", "train.freeze=dense1").train.freeze[0].names == (
        "dense1",
    )


def test_what_has_a_value_always_is_not_off():
    for text in (
        "train { epochs off }",
        "train { batch off }",
        "train { optimiser off }",
        "train { schedule off }",
    ):
        assert not cnnspec.check(text=NET + text).ok, text
