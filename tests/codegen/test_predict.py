"""The memory that `check` predicts is that of the engine which would train."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import cnnspec
from cnnspec.api import read_spec
from cnnspec.codegen.predict import step_bytes

ROOT = Path(__file__).parents[2]
NET = "input 1x12x10\nconv 4x3x3 bias off -> bn -> relu -> maxpool 2 -> dense 5 -> softmax\n"


@pytest.mark.parametrize(
    "train", ["batch 16", "batch 7 ; shards 3", "optimiser sgd lr 0.1", "optimiser sgd lr 0.1 momentum 0.9"]
)
def test_it_is_that_of_the_engine(train):
    text = f"{NET}train {{ {train} }}"
    spec = read_spec(text=text)
    model = cnnspec.compile(text=text, shards=spec.train.shards or 1)
    assert step_bytes(spec.graph, spec.train) == model.engine.memory(spec.train.batch)


def test_a_gradient_that_shards_make_together_is_counted_once(monkeypatch):
    train = "batch 5 ; shards 3"
    spec = read_spec(text=f"{NET}train {{ {train} }}")
    apart = step_bytes(spec.graph, spec.train)["gradients"]
    monkeypatch.setattr("cnnspec.primitives.together.SHARED", 1)
    assert apart - step_bytes(spec.graph, spec.train)["gradients"] == 2 * 4 * (5 * 4 * 5 * 4)  # of 4x5x4 numbers
    test_it_is_that_of_the_engine(train)


def test_a_budget_is_held_against_it():
    needed = sum(step_bytes(read_spec(text=NET).graph, read_spec(text=NET).train).values())
    assert not cnnspec.check(text=f"{NET}expect {{ memory <= {needed} }}").diagnostics
    (missed,) = cnnspec.check(text=f"{NET}expect {{ memory < {needed} }}").diagnostics
    assert missed.code == "CNN604" and missed.related


def test_a_file_that_states_no_memory_needs_no_numpy():
    code = f"import sys, cnnspec.lang as l, cnnspec.diagnostics as d; l.read(d.Source('', {NET!r})); "
    asked = subprocess.run(
        [sys.executable, "-c", f"{code} print('numpy' in sys.modules)"], cwd=ROOT, capture_output=True
    )
    assert asked.stdout == b"False\n"
