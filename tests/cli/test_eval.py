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


def test_eval_measures_the_part_that_is_asked_for(here, images, cnnspec):
    assert cnnspec("run", spec(here), "--workers", 1).code == 0
    found = {
        part: json.loads(cnnspec("eval", "runs/net-001", "--part", part, "--json").out)
        for part in ("train", "validation", "test", "all")
    }
    counts = {part: told["images"] for part, told in found.items()}
    assert counts["all"] == 60 == counts["train"] + counts["validation"] + counts["test"]
    for name in ("cost", "accuracy"):
        parts = sum(found[part][name] * counts[part] for part in ("train", "validation", "test"))
        assert found["all"][name] == pytest.approx(parts / 60, abs=1e-6)
    assert " on 60 images of f" in cnnspec("eval", "runs/net-001", "--part", "all").out
    assert " training images of f" in cnnspec("eval", "runs/net-001", "--part", "train").out


def test_weighted_images_are_measured_once_each(here, cnnspec):
    """`balance on` is how often an epoch learns from them; what a network is worth is counted image by image."""
    x = np.random.default_rng(0).normal(size=(50, 1, 6, 6)).astype("f4")
    np.savez(here / "f.npz", x=x, y=(np.arange(50) % 10 == 0).astype(int))
    text = SPEC % ("0", "0")
    (here / "net.cnn").write_text(text.replace("data {", "data { balance on ;"))
    assert cnnspec("run", "net.cnn", "--workers", 1).code == 0
    train, whole = (
        json.loads(cnnspec("eval", "runs/net-001", "--part", part, "--json").out) for part in ("train", "all")
    )
    assert train == whole and [one["count"] for one in train["classes"]] == [45, 5]


def test_other_pictures_are_prepared_as_those_of_training(here, cnnspec):
    """Of any size and colour: what the new source leaves open is as the old one had it."""
    image = pytest.importorskip("PIL.Image")
    random = np.random.default_rng(0)
    for folder, size in (("old", (9, 9)), ("new", (30, 17))):
        for k, name in enumerate(("dark", "light")):
            (here / folder / name).mkdir(parents=True)
            for i in range(8):
                pixels = random.integers(100 * k, 100 * k + 90, (*size, 3)).astype(np.uint8)
                image.fromarray(pixels).resize((size[0] + i, size[1])).save(here / folder / name / f"{i}.png")
    (here / "net.cnn").write_text(
        'input 1x6x5\ndense 2 -> softmax\ndata { source images "old" colour off resize 6x5 ; normalise on }\n'
        "train { epochs 30 ; batch 4 ; optimiser adam lr 1e-2 }\n"
    )
    assert cnnspec("run", "net.cnn", "--workers", 1).code == 0
    found = cnnspec("eval", "runs/net-001", "--part", "all", "--set", 'data.source=images "new"', "--json")
    assert found.code == 0, found.err
    assert json.loads(found.out)["images"] == 16 and json.loads(found.out)["accuracy"] == 1
    other = cnnspec("eval", "runs/net-001", "--set", 'data.source=images "new" resize 7x7')
    assert other.code == 1 and "CNN408" in other.err


def test_other_arrays_have_their_axes_as_those_of_training(here, cnnspec):
    x = np.random.default_rng(0).normal(size=(40, 6, 5, 3))
    for name in ("old", "new"):
        np.savez(here / f"{name}.npz", x=x, y=np.arange(40) % 2)
    (here / "net.cnn").write_text(
        'dense 2 -> softmax\ndata { source npz "old.npz" axes nhwc ; validation 0 }\ntrain { epochs 1 }\n'
    )
    assert cnnspec("run", "net.cnn", "--workers", 1).code == 0
    first, second = (
        json.loads(cnnspec("eval", "runs/net-001", "--part", "all", "--json", *how).out)
        for how in ((), ("--set", 'data.source=npz "new.npz"'))
    )
    assert first == second
