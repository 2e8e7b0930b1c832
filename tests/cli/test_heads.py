"""What a network ends in, from a spec to an answer with the name of its class."""

import json
from itertools import product

import numpy as np
import pytest
from sampled import sampled

import cnnspec as library
from cnnspec.data.formats.idx import write_idx

G = np.random.default_rng(0)
Y = G.permutation(np.arange(80) % 2)
X = np.clip(G.normal(100, 20, (80, 1, 6, 6)) + 60 * Y[:, None, None, None], 0, 255).astype(np.uint8)
NAMES = ("cat", "dog")


def npz(here):
    np.savez(here / "f.npz", x=X, y=Y)
    return 'npz "f.npz"', ("0", "1")


def csv(here):
    rows = [f"{x.mean():.1f},{x.std():.1f},{NAMES[y]}" for x, y in zip(X, Y, strict=True)]
    (here / "t.csv").write_text("\n".join(["a,b,what", *rows]))
    return 'csv "t.csv"', NAMES


def idx(here):
    (here / "d").mkdir()
    write_idx(here / "d" / "train-images-idx3-ubyte", X[:, 0])
    write_idx(here / "d" / "train-labels-idx1-ubyte", Y.astype("u1"))
    return 'idx "d"', ("0", "1")


def images(here):
    Image = pytest.importorskip("PIL.Image")
    for k, (x, y) in enumerate(zip(X, Y, strict=True)):
        folder = here / "pets" / NAMES[y]
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(x[0]).save(folder / f"{k}.png")
    return 'images "pets" colour off', NAMES


TRAIN = "train { epochs 30 ; batch 8 ; optimiser adam lr 1e-2 ; seed 1 }\n"


ENDS = ("dense 1 -> sigmoid", "dense 2 -> sigmoid", "dense 2 -> softmax", "dense 2 -> logsoftmax")


@pytest.mark.parametrize(("source", "end"), sampled(product((npz, csv, idx, images), ENDS), 3))
def test_two_classes_are_told_apart_by_one_output_or_two(here, cnnspec, source, end):
    where, names = source(here)
    (here / "net.cnn").write_text(f"dense 8 -> tanh -> {end}\ndata {{ source {where} ; normalise on }}\n{TRAIN}")
    assert cnnspec("check", "net.cnn").code == 0
    outcome = cnnspec("run", "net.cnn", "--workers", 1, "--json")
    assert outcome.code == 0, outcome.err
    wanted = "binary_cross_entropy" if "sigmoid" in end else "cross_entropy"
    assert f"cost {wanted}, adam" in outcome.err
    assert json.loads(outcome.out)["test_accuracy"] > 0.9
    found = json.loads(cnnspec("eval", "runs/net-001", "--json").out)
    assert found["accuracy"] == json.loads(outcome.out)["test_accuracy"]
    if source is npz:
        np.save("ten.npy", X[:10])
        told = json.loads(cnnspec("predict", "runs/net-001", "ten.npy", "--json").out)
        said = [one["best"][0][0] for one in told]
        assert np.mean([names.index(name) == y for name, y in zip(said, Y[:10], strict=True)]) >= 0.9
        assert all(sum(share for _, share in one["best"]) == pytest.approx(1) for one in told) or "sigmoid" in end


def test_a_single_sigmoid_counts_by_a_half(here, cnnspec):
    where, _ = npz(here)
    spec = f"input 1x6x6\ndense 1 -> sigmoid\ndata {{ source {where} test 50% }}\ntrain {{ epochs 2 }}\n"
    (here / "net.cnn").write_text(spec)
    ran = json.loads(cnnspec("run", "net.cnn", "--workers", 1, "--json").out)
    model = library.compile("net.cnn")
    model.load(f"runs/net-001/weights/{ran['tested']}.safetensors")
    from cnnspec.data.load import load

    x, y = load(model.spec.data, root=here, seed=model.spec.train.seed).test.arrays()
    assert ran["test_accuracy"] == np.mean((model.predict(x)[:, 0] > 0.5) == y)


@pytest.mark.parametrize(
    "end", ["conv 2x6x6 -> softmax", "conv 2x1x1 -> gap -> softmax", "conv 2x6x6 -> softmax -> flatten"]
)
def test_an_all_convolutional_head_answers_in_classes(here, cnnspec, end):
    where, names = npz(here)
    (here / "net.cnn").write_text(f"input 1x6x6\n{end}\ndata {{ source {where} ; normalise on }}\n{TRAIN}")
    assert cnnspec("check", "net.cnn").code == 0
    outcome = cnnspec("run", "net.cnn", "--workers", 1, "--json")
    assert outcome.code == 0 and json.loads(outcome.out)["test_accuracy"] > 0.9
    assert "cost cross_entropy, " in outcome.err
    np.save("ten.npy", X[:10])
    told = json.loads(cnnspec("predict", "runs/net-001", "ten.npy", "--json").out)
    assert np.mean([one["best"][0][0] == names[y] for one, y in zip(told, Y, strict=False)]) >= 0.9
    assert cnnspec("trace", "runs/net-001", "--image", "ten.npy", "--at", "softmax1").code == 0


@pytest.mark.parametrize(
    "end, code",
    [
        ("dense 2", "CNN241"),
        ("dense 2 -> relu", "CNN241"),
        ("conv 2x6x6", "CNN241"),
        ("dense 1", "CNN410"),
        ("dense 1 -> tanh", "CNN410"),
        ("dense 3 -> softmax", "CNN410"),
        ("conv 2x3x3 -> softmax", "CNN410"),
    ],
)
@pytest.mark.parametrize("source", [npz, idx])
def test_what_no_class_can_come_of_is_found_by_check_and_before_the_folder(here, cnnspec, source, end, code):
    where, _ = source(here)
    (here / "net.cnn").write_text(f"input 1x6x6\n{end}\ndata {{ source {where} }}\n")
    for command in ("check", "run"):
        outcome = cnnspec(command, "net.cnn")
        assert outcome.code == 1 and f"error[{code}]" in outcome.out + outcome.err, command
    assert not (here / "runs").exists()


@pytest.mark.parametrize("end", ["dense 1 -> sigmoid", "dense 2 -> softmax"])
def test_a_single_class_is_nothing_to_learn(here, cnnspec, end):
    np.savez(here / "f.npz", x=X, y=0 * Y)
    (here / "net.cnn").write_text(f'input 1x6x6\n{end}\ndata {{ source npz "f.npz" }}\n')
    for command in ("check", "run"):
        outcome = cnnspec(command, "net.cnn")
        assert outcome.code == 1 and "every image of f is of one class" in outcome.out + outcome.err
    assert not (here / "runs").exists()


def test_a_squared_error_that_is_asked_for_is_no_finding(here, cnnspec):
    where, _ = npz(here)
    (here / "net.cnn").write_text(
        f"input 1x6x6\ndense 2\ndata {{ source {where} }}\ntrain {{ cost mse ; epochs 1 }}\n"
    )
    assert cnnspec("check", "net.cnn").code == 0
    outcome = cnnspec("run", "net.cnn", "--workers", 1)
    assert outcome.code == 0 and "\ncost mse, " in outcome.out and "accuracy" in outcome.out


def test_scores_are_no_percentages(here, cnnspec):
    where, _ = npz(here)
    (here / "net.cnn").write_text(
        f"input 1x6x6\ndense 2\ndata {{ source {where} }}\ntrain {{ cost hinge ; epochs 1 }}\n"
    )
    assert cnnspec("run", "net.cnn", "--workers", 1).code == 0
    np.save("two.npy", X[:2])
    assert "%" not in cnnspec("predict", "runs/net-001", "two.npy").out


def test_numbers_to_meet_keep_the_squared_error(here, cnnspec):
    np.savez(here / "f.npz", x=X, y=G.random((80, 2)).astype("f4"))
    (here / "net.cnn").write_text('input 1x6x6\ndense 2\ndata { source npz "f.npz" }\ntrain { epochs 1 }\n')
    assert cnnspec("check", "net.cnn").code == 0
    outcome = cnnspec("run", "net.cnn", "--workers", 1)
    assert outcome.code == 0 and "\ncost mse, " in outcome.out and "accuracy" not in outcome.out


def test_many_labels_are_counted_one_by_one(here, cnnspec):
    """Rows of 0 and 1 of which some have none or several; a batch in which each has one is no exception."""
    y = np.c_[Y, 1 - Y, np.ones(80)].astype("f4")
    y[::3, 2] = 0
    np.savez(here / "f.npz", x=X, y=y)
    spec = 'input 1x6x6\ndense 3 -> sigmoid\ndata { source npz "f.npz" test 50% ; validation 0 }\n'
    (here / "net.cnn").write_text(spec + "train { epochs 2 ; batch 1 }\n")
    ran = json.loads(cnnspec("run", "net.cnn", "--workers", 1, "--json").out)
    model = library.compile("net.cnn")
    model.load("runs/net-001/weights/last.safetensors")
    from cnnspec.data.load import load

    x, wanted = load(model.spec.data, root=here, seed=model.spec.train.seed).test.arrays()
    assert ran["test_accuracy"] == pytest.approx(np.mean((model.predict(x) > 0.5) == (wanted > 0.5)))
    found = json.loads(cnnspec("eval", "runs/net-001", "--json").out)
    assert found["accuracy"] == pytest.approx(ran["test_accuracy"])
