"""Keras' own tests of layers, losses, metrics, optimisers and schedules, with our plans beside them.

Its wheel holds them; those of another folder of its sources are named by KERAS_TESTS. By hand, with the table:

    PYTHONPATH=tests/support python -m pytest -p keras_shim.plugin -o addopts= FOLDER/keras/src/layers
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

SUPPORT = Path(__file__).parents[1] / "support"
SOME = (  # of each kind some that are quick
    "layers/activations", "layers/pooling/average_pooling_test.py", "layers/reshaping/zero_padding2d_test.py",
    "layers/normalization/batch_normalization_test.py", "layers/merging/merging_test.py",
    "optimizers/adam_test.py", "optimizers/rmsprop_test.py", "optimizers/schedules",
    "metrics/accuracy_metrics_test.py", "losses/losses_test.py",
)  # fmt: skip
KINDS = {"values", "gradients", "shapes", "states", "costs", "steps", "rates", "measures"}
LARGE = "keras/src/metrics/iou_metrics_test.py::MeanIoUTest::test_big_chunk"  # minutes, of Keras alone
ALL = (
    *(f"layers/{kind}" for kind in ("convolutional", "pooling", "activations", "normalization", "reshaping")),
    *(f"layers/{kind}" for kind in ("merging", "core", "regularization")),
    "activations", "ops/nn_test.py", "losses", "metrics", "optimizers",
)  # fmt: skip


def keras() -> Path:
    """The folder that Keras' tests lie in."""
    if given := os.environ.get("KERAS_TESTS"):
        return Path(given)
    spec = find_spec("keras")
    if spec is None or spec.origin is None:
        pytest.skip("Keras is not installed")
    return Path(spec.origin).parent / "src"


def table(tmp_path, names, *options):
    pytest.importorskip("torch", reason="Keras computes by PyTorch here, which is not installed")
    pytest.importorskip("absl", reason="absl, which Keras' tests use, is not installed")
    folder = keras()
    missing = [name for name in names if not (folder / name).exists()]
    if missing:
        pytest.skip(f"this Keras comes without its tests: {missing[0]} is not there")
    paths = [str(folder / name) for name in names]
    around = os.environ | {
        "KERAS_BACKEND": "torch", "KERAS_SHIM_TABLE": str(tmp_path / "table.json"), "PYTHONPATH": str(SUPPORT),
    }  # fmt: skip
    how = ["-q", "-p", "keras_shim.plugin", "-p", "no:cacheprovider", "-o", "addopts=", "-W", "ignore"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *how, "--rootdir", str(folder.parents[1]), *options, *paths],
        env=around, cwd=folder.parents[1], capture_output=True, text=True,
    )  # fmt: skip
    assert (tmp_path / "table.json").exists(), done.stdout[-3000:] + done.stderr[-3000:]
    return json.loads((tmp_path / "table.json").read_text()), done.stdout


def test_some_of_each_kind_agree(tmp_path):
    found, told = table(tmp_path, SOME)
    assert not found["disagreed"], told
    assert len(found["agreed"]) >= 100, told
    assert set(found["compared"]) >= {
        "values",
        "gradients",
        "shapes",
        "states",
        "costs",
        "steps",
        "rates",
        "measures",
    }


@pytest.mark.slow
def test_at_least_500_agree_and_none_disagrees(tmp_path):
    found, told = table(
        tmp_path, ALL, "--deselect", "keras/src/metrics/iou_metrics_test.py::MeanIoUTest::test_big_chunk"
    )
    assert not found["disagreed"], told
    assert len(found["agreed"]) >= 500, told


@pytest.mark.slow
def test_what_differs_is_seen(tmp_path):
    """The same layers, with each weight a thousandth larger in our plans."""
    found, told = table(tmp_path, ("layers/activations/prelu_test.py",), "-p", "keras_shim.moved")
    assert found["disagreed"], told
