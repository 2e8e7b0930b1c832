"""`eval` and `predict` of a run: the weights are those of the run's own test, and its numbers come back."""

import json

import numpy as np
import pytest

import cnnspec as library

SPEC = """
input 1x6x6
dense 2 -> softmax
data { source npz "f.npz" test %s ; validation %s }
train { epochs 8 ; batch 8 ; optimiser adam lr 3e-2 }
"""


@pytest.fixture
def images(here):
    generator = np.random.default_rng(0)
    x, y = generator.normal(size=(60, 1, 6, 6)).astype("f4"), generator.integers(0, 2, 60)
    np.savez(here / "f.npz", x=x, y=y)
    return x, y


def spec(here, test="20%", validation="20%"):
    (here / "net.cnn").write_text(SPEC % (test, validation))
    return "net.cnn"


@pytest.mark.parametrize("validation, weights", [("0", "last"), ("20%", "best")])
def test_eval_says_what_the_run_said_of_its_test(here, images, cnnspec, validation, weights):
    ran = json.loads(cnnspec("run", spec(here, validation=validation), "--workers", 1, "--json").out)
    assert ran["tested"] == weights and ran["best_epoch"] < ran["epochs"]  # so best and last differ
    found = json.loads(cnnspec("eval", "runs/net-001", "--json").out)
    assert found["cost"] == pytest.approx(ran["test_cost"], abs=1e-6)
    assert found["accuracy"] == ran["test_accuracy"]


@pytest.mark.parametrize("validation", ["0", "20%"])
def test_predict_gives_the_outputs_of_the_weights_that_were_tested(here, images, cnnspec, validation):
    path = spec(here, validation=validation)
    tested = json.loads(cnnspec("run", path, "--workers", 1, "--json").out)["tested"]
    np.save("three.npy", images[0][:3])
    told = json.loads(cnnspec("predict", "runs/net-001", "three.npy", "--json").out)
    model = library.compile(path)
    model.load(f"runs/net-001/weights/{tested}.safetensors")
    np.testing.assert_allclose([one["output"] for one in told], model.predict(images[0][:3]), rtol=1e-5)


def test_eval_without_test_images_is_a_finding(here, images, cnnspec):
    assert cnnspec("run", spec(here, test="0"), "--workers", 1).code == 0
    outcome = cnnspec("eval", "runs/net-001")
    assert outcome.code == 1 and "error[CNN303]: there are no test images in f" in outcome.err
