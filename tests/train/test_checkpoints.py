"""Weights and states: what they hold, and which of them are refused."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest
import safetensors
from tiny import COURSE, SPEC, STAMP, Blobs, Tiny, same

from cnnspec.diagnostics import Source, SpecError
from cnnspec.diagnostics.text import render
from cnnspec.train import tensors, weights
from cnnspec.train.checkpoints import Stamp, differences, load_state, save_state, save_weights
from cnnspec.train.history import Progress
from cnnspec.train.loop import training


@pytest.fixture
def saved(tmp_path):
    """A state file, the model and the progress that it holds."""
    model, progress, path = Tiny(), Progress(), tmp_path / "last.safetensors"
    for event in training(model, Blobs(), COURSE, Blobs(9), progress):
        if getattr(event, "step", 0) == 12:
            break
    save_state(path, model, STAMP, progress, 12)
    return path, model, progress


def refused(path, model=None, stamp=STAMP):
    model = model or Tiny(seed=5)
    before = Tiny(seed=5)
    with pytest.raises(SpecError) as error:
        load_state(path, model, stamp)
    if model.parameters.keys() == before.parameters.keys():
        assert same(model, before) or model.dtype != before.dtype
    (finding,) = error.value.diagnostics
    return finding


def test_a_state_brings_everything_back(saved):
    path, model, progress = saved
    other = Tiny(seed=5)
    assert load_state(path, other, STAMP) == progress
    assert same(model, other) and progress.batch == 5


def test_files_are_stamped(saved, tmp_path):
    path, model, _ = saved
    save_weights(tmp_path / "w", model, STAMP, 12, 1)
    for file, kind in ((path, "state"), (tmp_path / "w", "weights")):
        with safetensors.safe_open(file, "np") as found:
            told = found.metadata()
        assert (told["kind"], told["spec"], told["step"], told["epoch"]) == (kind, SPEC, "12", "1")
        assert told["spec_sha256"] == hashlib.sha256(SPEC.encode()).hexdigest()
    other = Tiny(seed=5)
    weights.load(tmp_path / "w", other.parameters)
    assert np.array_equal(other.parameters["dense1.weight"], model.parameters["dense1.weight"])


def test_another_spec_is_refused_with_what_differs(saved):
    changed = SPEC.replace("dense 3", "  dense 4").replace("lr 0.2", "lr 0.1")
    finding = refused(saved[0], stamp=Stamp(changed, "net.cnn"))
    assert finding.code == "CNN461" and finding.message == f"{saved[0]} belongs to another spec"
    assert render([finding]).splitlines()[1:] == [
        " --> net.cnn:2:3",
        "  |",
        "2 |   dense 4 -> softmax",
        "  |   ^^^^^^^^^^^^^^^^^^ was `dense 3 -> softmax`",
        "3 | train { optimiser sgd lr 0.1 momentum 0.9 }",
        "  | ------------------------------------------- was `train { optimiser sgd lr 0.2 momentum 0.9 }`",
        "  = help: put the spec back as it was, or start anew with `--weights`",
    ]


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("a\nb\nc\n", "a\nB\nc\n", [(2, "was `b`")]),
        ("a\nb\nc\n", "a\nc\n", [(2, "before it stood `b`")]),
        ("a\nb\nc\n", "a\nb\n", [(2, "after it stood `c`")]),
        ("a\n", "a\nb\n", [(2, "is new")]),
        ("a\n", "a\nb\nc\nd\n", [(2, "is new, and 2 more lines after it")]),
        ("a\nb\nc\n", "A\nb\nC\n", [(1, "was `a`"), (3, "was `c`")]),
        ("a\n", "a\r\n", [(1, "the ends of its lines have changed")]),
        ("a\n", "", [(1, "was `a`")]),
        ("a\nb\n", "c\n", [(1, "was `a ; b`")]),
        ("a\nb\n", "a\n\x1b[2J\n", [(2, "was `b`")]),
    ],
)
def test_differences(old, new, told):
    assert [(label.span.line, label.text) for label in differences(old, Source("s", new))] == told


def test_weights_are_no_state(tmp_path):
    save_weights(tmp_path / "w", Tiny(), STAMP)
    finding = refused(tmp_path / "w")
    assert finding.code == "CNN460" and "holds weights without the state of a training" in finding.message


def rewrite(path, arrays=lambda a: a, metadata=lambda m: m):
    found = tensors.read(path)
    tensors.write(path, arrays(dict(found.arrays)), metadata(dict(found.metadata)))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda a: {k: v for k, v in a.items() if k != "state/steps"}, "lacks state/steps"),
        (lambda a: {k: v for k, v in a.items() if k != "progress"}, "lacks progress"),
        (lambda a: {**a, "state/v/x": np.zeros(2)}, "holds state/v/x, which this training does not have"),
        (
            lambda a: {**a, "parameter/dense1.bias": np.zeros(4)},
            "holds parameter/dense1.bias as 4 float64, and this training has 3 float64",
        ),
        (
            lambda a: {**a, "state/m/dense1.bias": np.zeros(3, np.float32)},
            "holds state/m/dense1.bias as 3 float32, and this training has 3 float64",
        ),
        (lambda a: {**a, "progress": a["progress"][:-1]}, "holds a progress that cannot be read"),
        (lambda a: {**a, "progress": np.zeros(9)}, "holds a progress that cannot be read"),
        (lambda a: {**a, "progress": np.frombuffer(b"[" * 99999, np.uint8)}, "holds a progress that cannot"),
    ],
)  # fmt: skip
def test_a_state_of_something_else_is_refused(saved, change, told):
    rewrite(saved[0], change)
    finding = refused(saved[0])
    assert finding.code == "CNN460" and told in finding.message


def test_a_later_version_is_refused(saved):
    rewrite(saved[0], metadata=lambda m: {**m, "version": "9"})
    assert "holds a state of version 9" in refused(saved[0]).message


def test_a_truncated_state_is_refused(saved):
    raw = saved[0].read_bytes()
    for size in (0, 7, 100, len(raw) - 1):
        saved[0].write_bytes(raw[:size])
        assert refused(saved[0]).code == "CNN452"


def test_a_state_of_an_earlier_version_goes_on():
    progress = Progress(batch=2, images=8, cost=3.0, correct=5.0)
    told = progress.to_json()
    before = {("right" if name == "correct" else name): value for name, value in told.items()}
    assert Progress.from_json(before) == Progress.from_json(told) == progress
    with pytest.raises(ValueError, match="correct is missing"):
        Progress.from_json({name: value for name, value in told.items() if name != "correct"})
