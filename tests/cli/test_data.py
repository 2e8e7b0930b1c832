"""`cnnspec data`: what there is, what looks odd, and the batch that the network gets."""

import json
import re

import numpy as np
import pytest

from cnnspec.api import read_spec
from cnnspec.data.inspection import inspect
from cnnspec.data.load import load
from cnnspec.report.data_page import first_batch

SPEC = 'input 3x8x8\ngap -> dense 3 -> softmax\ndata { source npz "a.npz" %s }\ntrain { batch 6 }\n'


@pytest.fixture
def archive(here):
    """Images of three classes, of which some look odd."""
    generator = np.random.default_rng(0)
    x = generator.integers(0, 256, (40, 3, 8, 8), dtype=np.uint8)
    y = np.array(["<b>cat", "dog", "dog", "emu"])[np.arange(40) % 4]
    x[3] = x[3, :, :1, :1]  # one colour
    x[9] = x[5]  # a dog twice
    x[10] = x[8]  # a cat and a dog
    test = generator.integers(0, 256, (6, 3, 8, 8), dtype=np.uint8)
    test[2] = x[0]
    np.savez(here / "a.npz", x_train=x, y_train=y, x_test=test, y_test=y[:6])
    (here / "a.cnn").write_text(SPEC % "; validation 0")
    return x, y


def test_what_there_is_and_what_looks_odd(archive, cnnspec):
    x, y = archive
    told = json.loads(cnnspec("data", "a.cnn", "--json").out)
    assert told["input"] == [3, 8, 8] and told["stored"] == "uint8"
    counts = [{"name": name, "images": int((y == name).sum())} for name in sorted(set(y))]
    assert told["parts"]["train"] == {"images": 40, "classes": counts}
    assert told["parts"]["validation"]["images"] == 0 and told["parts"]["test"]["images"] == 6
    for k, channel in enumerate(told["channels"]):
        n = x[:, k] / 255
        wanted = {"mean": n.mean(), "deviation": n.std(), "least": n.min(), "largest": n.max()}
        assert channel == pytest.approx(wanted)
    odd = {one["kind"]: (one["part"], one["places"]) for one in told["odd"]}
    assert odd == {
        "constant": ("train", [3]), "repeated": ("train", [9]), "contradictory": ("train", [10]),
        "shared": ("test", [2]),
    }  # fmt: skip


def test_the_terminal_says_the_same(archive, cnnspec):
    out = cnnspec("data", "a.cnn").out
    assert out.startswith("a: 3x8x8, stored as uint8, 8.6 KiB\n")
    assert re.search(r"^images +40 +0 +6$", out, re.M) and re.search(r"^<b>cat +10 +0 +2$", out, re.M)
    assert "constant: 1 of train, one colour all over (3)" in out
    assert "shared: 1 of test, learnt from too (2)" in out


@pytest.mark.parametrize("scaled", ["", "; normalise on"])
def test_numbers_are_those_that_the_network_gets(archive, here, scaled):
    spec = read_spec(text=SPEC % f"; validation 0 {scaled}")
    data = load(spec.data, root=here)
    x = data.train.arrays("float64")[0]
    for k, channel in enumerate(inspect(data).channels):
        found = (channel.mean, channel.deviation, channel.least, channel.largest)
        numbers = x[:, k]
        wanted = (numbers.mean(), numbers.std(), numbers.min(), numbers.max())
        assert found == pytest.approx(wanted, abs=1e-6)


def test_the_batch_is_the_first_of_a_training(archive, here):
    spec = read_spec(text=SPEC % "; validation 0 ; augment flip ; augment mixup 1 ; augment noise")
    data = load(spec.data, root=here)
    for epoch in (1, 3):
        found = first_batch(spec, data, epoch)
        (x, y), *_ = data.train.batches(6, epoch=epoch - 1, shuffle=True, augment=spec.data.augment)
        np.testing.assert_array_equal(found.x, x)
        np.testing.assert_array_equal(found.y.weight, y.weight)
        np.testing.assert_array_equal(data.train.y[found.places], y.y)


def test_the_page_needs_nothing_and_names_stay_text(archive, here, cnnspec):
    (here / "a.cnn").write_text(SPEC % "; validation 0 ; augment mixup 1")
    assert cnnspec("data", "a.cnn", "-o", "page.html").out.endswith("written to page.html\n")
    text = (here / "page.html").read_text(encoding="utf-8")
    assert "<b>cat" not in text and "&lt;b&gt;cat" in text and "<script" not in text
    assert text.count("data:image/png;base64,") == 6 + 4  # the batch, and what looks odd
    assert not re.search(r"(src|href)=\"(?!data:)", text)
    assert "the first of epoch 1; augmentations: mixup 1" in text and re.search(r"\d+% \S+, \d+% ", text)


def test_a_png_of_the_batch(archive, here, cnnspec):
    assert cnnspec("data", "a.cnn", "-o", "batch.png").code == 0
    assert (here / "batch.png").read_bytes().startswith(b"\x89PNG")
    assert cnnspec("data", "a.cnn", "-o", "batch.jpg").code == 2


@pytest.mark.parametrize(
    "net, x, y, said",
    [
        ("input 5\ndense 2 -> softmax", (30, 5), np.arange(30) % 2, "column, as the network gets it"),
        ("input 2x20\nflatten -> dense 1", (30, 2, 20), np.linspace(0, 1, 30), "number  "),
        ("input 5x6x7\ngap -> dense 2", (30, 5, 6, 7), np.ones((30, 2)) * (0.25, 4.5), "number 1"),
    ],
)
def test_data_of_every_shape(here, cnnspec, net, x, y, said):
    np.savez(here / "a.npz", x=np.random.default_rng(0).normal(size=x).astype("f4"), y=y)
    (here / "a.cnn").write_text(f'{net}\ndata {{ source npz "a.npz" }}\n')
    outcome = cnnspec("data", "a.cnn", "-o", "page.html")
    assert outcome.code == 0 and said in outcome.out
    refused = cnnspec("data", "a.cnn", "-o", "page.png")
    said = "error[CNN613]: a picture of the batch is of grey or coloured images"
    assert refused.code == 1 and said in refused.err
    assert json.loads(cnnspec("data", "a.cnn", "--json").out)["parts"]["train"]["images"] > 0


def test_several_inputs_and_outputs_are_looked_at_pair_by_pair(here, cnnspec):
    x, y = np.random.default_rng(0).normal(size=(30, 1, 5, 5)), np.arange(30) % 2
    np.savez(here / "a.npz", x=x, side=y, level=x.mean(axis=(1, 2, 3)))
    (here / "a.cnn").write_text(
        "input 1x5x5\ndense 8 -> relu as trunk\nnet side = @trunk -> dense 2 -> softmax\n"
        'net level = @trunk -> dense 1\ndata { source npz "a.npz" }\n'
        "train { cost cross_entropy of side ; cost mse of level }\n"
    )
    told = json.loads(cnnspec("data", "a.cnn", "--json").out)["pairs"]
    assert [set(one["parts"]["train"]) for one in told] == [{"images", "classes"}, {"images", "numbers"}]
    assert cnnspec("data", "a.cnn", "-o", "page.html").code == 0
    assert (here / "page.html").read_text(encoding="utf-8").count("<h1>") == 2


def test_uneven_and_missing_classes_are_told(here, cnnspec):
    y = np.array([0] * 30 + [2] * 2)
    np.savez(here / "a.npz", x=np.random.default_rng(0).normal(size=(32, 4)), y=y)
    (here / "a.cnn").write_text('input 4\ndense 3 -> softmax\ndata { source npz "a.npz" test 0 ; validation 0 }\n')
    out = cnnspec("data", "a.cnn").out
    assert "missing: no images to learn from: 1" in out and "uneven: 30 images of 0, and 2 of 2" in out


def test_what_cannot_be_read_or_changed_is_refused(archive, here, cnnspec):
    (here / "a.cnn").write_text(SPEC % "; augment cutout 9")
    assert "error[CNN430]" in cnnspec("data", "a.cnn", "-o", "page.html").err
    (here / "a.npz").unlink()
    assert cnnspec("data", "a.cnn").code == 1
