"""What a network is to answer: classes of pixels, pictures, other arrays, and its input itself."""

from __future__ import annotations

import numpy as np
import pytest

import cnnspec
from cnnspec.data.dataset import Numbers
from cnnspec.data.known import describe
from cnnspec.data.load import load
from cnnspec.diagnostics import Fault, SpecError
from cnnspec.settings.augment import Brightness, Cutmix, Cutout, Flip, Mixup, Noise, Rotate
from cnnspec.settings.data import Csv, Data, Digits, Images, Npz, Pairs

RANDOM = np.random.default_rng(0)
X = RANDOM.integers(0, 256, (24, 3, 6, 5), dtype=np.uint8)
GREY = X[:, :1]
MASKS = (X[:, 0] > 100).astype(np.uint8) + (X[:, 0] > 200)


def read(folder, source, **settings):
    """The data, after `check` has known the same of them."""
    data = Data(source=source, **{"validation": 0.0, **settings})
    known, found = describe(data, folder), load(data, root=folder)
    assert known.input == found.input_type and known.places == found.known.places
    assert known.outputs in (None, found.known.outputs) and known.numbers in (None, found.known.numbers)
    assert known.classes in (None, found.classes)
    return found


def archive(folder, **arrays):
    np.savez(folder / "a.npz", **arrays)
    return Npz("a.npz", test=0.0)


def pictures(folder, images, names, **how):
    pillow = pytest.importorskip("PIL.Image", reason="Pillow reads images")
    for image, name in zip(images, names, strict=True):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        pixels = image.transpose(1, 2, 0) if image.ndim == 3 else image
        pillow.fromarray(pixels[..., 0] if pixels.shape[2:] == (1,) else pixels, **how).save(path)


@pytest.mark.parametrize("y", [MASKS, MASKS[:, None], MASKS.astype(np.int64), MASKS.astype(np.int16) + 1])
def test_a_class_for_each_pixel(tmp_path, y):
    found = read(tmp_path, archive(tmp_path, x=X, y=y))
    assert found.known.places == (6, 5) and len(found.classes) == 3
    assert (found.train.y == MASKS).all() and found.classes[0] == str(y.min())


@pytest.mark.parametrize(
    "y, told",
    [
        (X, X / 255),
        (X.astype(np.float32), X.astype(np.float32)),
        (GREY[:, 0] / 255, GREY / 255),
        (X.mean(axis=(2, 3)), X.mean(axis=(2, 3))),
    ],
)
def test_numbers_for_each_image_and_for_each_pixel(tmp_path, y, told):
    found = read(tmp_path, archive(tmp_path, x=X, y=y))
    np.testing.assert_allclose(found.train.y, told, rtol=1e-6)
    assert found.known.numbers and found.classes is None and found.train.y.dtype == np.float32


def test_whole_numbers_are_met_where_the_spec_says_so(tmp_path):
    source = archive(tmp_path, x=X, y=np.arange(24) + 20)
    assert read(tmp_path, source, target="numbers").train.y.ravel().tolist() == list(range(20, 44))
    source = archive(tmp_path, x=GREY, y=GREY)
    np.testing.assert_allclose(read(tmp_path, source, target="numbers").train.y, GREY / 255, rtol=1e-6)
    for source in (Digits(), archive(tmp_path, x=X, y=np.array(["a", "b"] * 12))):
        with pytest.raises(SpecError, match="names classes, which are no regression targets"):
            load(Data(source=source, target="numbers"), root=tmp_path)
    with pytest.raises(Fault, match="no regression targets"):
        describe(Data(source=Digits(), target="numbers"))


def test_channels_last_of_images_and_of_their_targets(tmp_path):
    np.savez(tmp_path / "a.npz", x=X.transpose(0, 2, 3, 1), y=MASKS[..., None])
    found = read(tmp_path, Npz("a.npz", axes="nhwc", test=0.0))
    assert (found.train.x == X).all() and (found.train.y == MASKS).all()


def test_other_names_of_arrays(tmp_path):
    np.savez(tmp_path / "a.npz", photos_train=X, masks_train=MASKS, photos_test=X[:4], masks_test=MASKS[:4], x=[1])
    found = read(tmp_path, Npz("a.npz", images="photos", labels="masks"))
    assert (len(found.train), len(found.test), found.known.places) == (24, 4, (6, 5))
    with pytest.raises(Fault, match="has .*: photos_train without labels_train"):
        describe(Data(source=Npz("a.npz", images="photos", labels="labels")), tmp_path)


# ---- the input itself ---------------------------------------------------------------------------------


def test_the_input_itself_as_the_network_sees_it(tmp_path):
    np.savez(tmp_path / "a.npz", x=X)
    found = read(tmp_path, Npz("a.npz"), target="itself", normalise=True, validation=0.25)
    assert (len(found.train), len(found.validation), len(found.test)) == (17, 5, 2) and found.train.itself
    assert found.known.outputs == 3 and found.known.places == (6, 5)
    for how in ({}, {"stored": True}, {"augment": (Flip(),), "shuffle": True}):
        for x, y in found.train.batches(5, **how):
            assert isinstance(y, Numbers) and (np.asarray(x) == y).all()
    x, y = found.train.part(np.array([3, 1])).arrays()
    assert x is y and len(x) == 2


@pytest.mark.parametrize("bytes_", [True, False])
def test_the_input_itself_is_clean_where_augmentations_spoil_it(tmp_path, bytes_):
    np.savez(tmp_path / "a.npz", x=X if bytes_ else X.astype("f4") / 255)
    part = read(tmp_path, Npz("a.npz"), target="itself", normalise=True).train
    how = {"seed": 3, "epoch": 2, "shuffle": True}
    moved = [x for x, _ in part.batches(5, augment=(Flip(), Rotate(20.0)), **how)]
    spoilt = list(part.batches(5, augment=(Flip(), Rotate(20.0), Noise(0.2), Cutout(2)), **how))
    for clean, (x, y) in zip(moved, spoilt, strict=True):
        assert isinstance(y, Numbers) and y.dtype == np.float32
        np.testing.assert_array_equal(np.asarray(y), clean)
        assert np.abs(x - y).mean() > 0.05
    for mixing in (Mixup(), Cutmix()):
        for x, y in part.batches(5, augment=(Flip(), mixing, Brightness(0.4)), **how):
            assert x.shape == y.shape and np.isfinite(y).all() and (x != y).any()
        for x, y in part.batches(5, augment=(Flip(), mixing), **how):
            np.testing.assert_array_equal(x, np.asarray(y))


def test_each_process_of_jax_has_its_own_rows_of_clean_answers(tmp_path):
    pytest.importorskip("jax", reason="needs the extra cnnspec[jax]")
    from types import SimpleNamespace

    from cnnspec.jax.processes import ProcessSplit

    np.savez(tmp_path / "a.npz", x=X)
    part = read(tmp_path, Npz("a.npz"), target="itself").train
    for augment in ((), (Flip(), Noise(0.2))):
        how = {"seed": 1, "epoch": 2, "shuffle": True, "augment": augment}
        for rows in (slice(0, 2), slice(2, 4)):
            share = ProcessSplit(part, SimpleNamespace(rows=lambda count, rows=rows: rows))
            for (x, y), (own, answers) in zip(part.batches(4, **how), share.batches(4, **how), strict=True):
                np.testing.assert_array_equal(own[rows], x[rows])
                np.testing.assert_array_equal(answers[rows], y[rows])
                assert isinstance(answers, Numbers) and answers.shape == y.shape


def test_the_input_itself_needs_no_labels(tmp_path):
    pictures(tmp_path / "photos", X, [f"{'ab'[i % 2]}/{i}.png" if i % 3 else f"{i}.png" for i in range(24)])
    found = read(tmp_path, Images("photos", test=0.25), target="itself")
    assert (len(found.train), len(found.test), found.classes) == (18, 6, None)
    (tmp_path / "t.csv").write_text("a,b\n" + "1,2\n3,5\n" * 6)
    assert str(read(tmp_path, Csv("t.csv", test=0.0), target="itself").input_type) == "2"
    assert str(read(tmp_path, Csv("t.csv", "b", test=0.0), target="itself").input_type) == "1"
    (tmp_path / "t.csv").write_text("1\n2\n3\n4\n")
    assert len(read(tmp_path, Csv("t.csv", test=0.0), target="itself").train) == 4


# ---- pairs --------------------------------------------------------------------------------------------


def test_pairs_of_an_image_and_its_mask(tmp_path):
    names = [f"{'street/' if i % 2 else ''}{i:02}" for i in range(24)]
    pictures(tmp_path / "photos", X, [f"{name}.png" for name in names])
    pictures(tmp_path / "masks", MASKS * 100, [f"{name}.bmp" for name in names])
    (tmp_path / "masks" / "readme.txt").write_text("how they were drawn")
    found = read(tmp_path, Pairs("photos", test=0.0))
    order = sorted(range(24), key=lambda i: (i % 2, i))  # files before the folders beside them
    assert (found.train.x == X[order]).all() and (found.train.y == MASKS[order]).all()
    assert found.classes == ("0", "100", "200") and found.train.y.dtype == np.uint8


def test_colours_of_masks_are_classes(tmp_path):
    colours = np.array([[0, 0, 0], [255, 0, 16], [0, 200, 0]], np.uint8)
    names = [f"{i}.png" for i in range(24)]
    for part, masks in (("photos", X), ("m", colours[MASKS].transpose(0, 3, 1, 2))):
        for folder, some in (("train", slice(12)), ("valid", slice(12, 18)), ("test", slice(18, 24))):
            there = folder if part == "photos" else {"valid": "val"}.get(folder, folder)
            pictures(tmp_path / part / there, masks[some], names[some])
    found = read(tmp_path, Pairs("photos", "m"))
    assert found.classes == ("#000000", "#00c800", "#ff0010")
    assert [len(part) for part in (found.train, found.validation, found.test)] == [12, 6, 6]
    assert (np.array([0, 2, 1])[MASKS[18:]][np.argsort(names[18:])] == found.test.y).all()


def test_numbers_of_masks_may_be_told_to_be_classes(tmp_path):
    names = [f"{i:02}.png" for i in range(24)]
    pictures(tmp_path / "photos", X, names)
    pictures(tmp_path / "masks", MASKS, names)
    found = read(tmp_path, Pairs("photos", classes=21, test=0.0))
    assert len(found.classes) == 21 and (found.train.y == MASKS).all()
    with pytest.raises(SpecError, match="CNN410.*has label 2, which is not among the 2 classes"):
        load(Data(source=Pairs("photos", classes=2)), root=tmp_path)


def test_pairs_of_pictures(tmp_path):
    names = [f"{i:02}.png" for i in range(24)]
    for channels, colour in ((X, True), (GREY, False)):
        pictures(tmp_path / "noisy", channels, names)
        pictures(tmp_path / "clean", channels[::-1], names)
        found = read(tmp_path, Pairs("noisy", "clean", kind="pictures", colour=colour, test=0.0))
        np.testing.assert_allclose(found.train.y, channels[::-1] / 255, rtol=1e-6)
        assert found.known.numbers and isinstance(found.train.y, Numbers)


@pytest.mark.parametrize(
    "photos, masks, code, told",
    [
        (["a.png", "b.png"], ["a.png"], "CNN434", "b.png has no partner in"),
        (["a.png"], ["a.png", "c.png"], "CNN434", "c.png has no partner in"),
        (["a.png", "a.jpg"], ["a.png"], "CNN434", "have one name"),
        (["train/a.png"], ["a.png"], "CNN434", "has no partner in"),
        ([], ["a.png"], "CNN414", "has no image in it"),
    ],
)
def test_pairs_that_are_none(tmp_path, photos, masks, code, told):
    for folder, names in (("photos", photos), ("masks", masks)):
        (tmp_path / folder).mkdir()
        pictures(tmp_path / folder, X[: len(names)], names)
    for look in (describe, lambda data, root: load(data, root=root)):
        with pytest.raises((Fault, SpecError), match=told) as caught:
            look(Data(source=Pairs("photos")), tmp_path)
        assert code in str(getattr(caught.value, "code", caught.value))


def test_masks_that_are_photos_or_of_two_kinds(tmp_path):
    names = [f"{i:02}.png" for i in range(24)]
    pictures(tmp_path / "photos", X, names)
    with pytest.raises(SpecError, match="CNN435.*more than 256 colours"):
        load(Data(source=Pairs("photos", "photos")), root=tmp_path)
    pictures(tmp_path / "masks", MASKS, names)
    pictures(tmp_path / "masks", X[:1], names[5:6])
    with pytest.raises(SpecError, match="CNN435.*05.png has colours"):
        load(Data(source=Pairs("photos")), root=tmp_path)


def test_masks_move_with_their_images(tmp_path):
    split = read(tmp_path, archive(tmp_path, x=X, y=(X[:, 0] > 127).astype(int))).train
    moved = False
    for x, y in split.batches(5, augment=(Flip(),), shuffle=True):
        assert ((x[:, 0] * 255 > 127.5) == y).all()
    for epoch in range(3):
        for x, _ in split.batches(24, augment=(Flip(),), epoch=epoch):
            moved |= not np.allclose(x * 255, X)
    assert moved


# ---- trained ------------------------------------------------------------------------------------------


def trained(folder, text):
    (folder / "net.cnn").write_text(text)
    assert not cnnspec.check(folder / "net.cnn").diagnostics
    return cnnspec.run(folder / "net.cnn", out=folder / "runs", workers=1)


def test_an_autoencoder_is_trained_and_a_network_that_answers_otherwise_refused(tmp_path):
    data = "data { source digits ; target itself ; limit 200 }"
    text = f"flatten -> dense 16 -> relu -> dense 784 -> sigmoid -> reshape 1x28x28\n{data}\n"
    run = trained(tmp_path, text + "train { cost mse ; epochs 12 ; optimiser adam lr 1e-2 }\n")
    assert run.summary["test_accuracy"] is None and run.summary["test_cost"] < 0.08  # of grey: 0.1
    (tmp_path / "net.cnn").write_text(f"dense 10 -> softmax\n{data}")
    (finding,) = cnnspec.check(tmp_path / "net.cnn").diagnostics
    assert finding.code == "CNN410" and "1 regression target at each of 28x28 places" in finding.message.replace(
        "one", "1"
    )


def test_a_segmentation_is_trained_and_tested_again(tmp_path):
    x = RANDOM.random((60, 1, 8, 8)).astype(np.float32)
    np.savez(tmp_path / "a.npz", x=x, y=(x[:, 0] > 0.5).astype(np.uint8))
    run = trained(
        tmp_path, 'conv 2x1x1 -> softmax\ndata { source npz "a.npz" ; augment flip }\n'
        "train { optimiser adam lr 0.1 ; batch 8 ; epochs 12 }  # cnnspec: ignore CNN245\n",
    )  # fmt: skip
    assert run.summary["test_accuracy"] > 0.9


@pytest.mark.parametrize(
    "source",
    [
        Npz("a.npz", "nhwc", 3, 0.2, "scans", "masks", "w"),
        Images("p", False, (8, 9), 0.0, "#c0ffee"),
        Pairs("p", "m", "pictures", 4, False, (8, 9), 0.3, "grey"),
        Csv("a.csv", "k", "numbers", False, ";", 0.2, "v.csv", "t.csv", "a, 3-4", None, "z", "mean"),
        Csv("a.csv", 3, drop="a"),
    ],
)
def test_what_a_source_says_can_be_written_in_a_spec(source):
    from cnnspec.diagnostics import Source
    from cnnspec.lang import read

    for explicit in (False, True):
        text = f"input 1x8x9\ndense 2\ndata {{ source {source.written(explicit)} ; target itself ; balance on }}"
        found = read(Source("net.cnn", text))
        assert found.spec.data.source == source and found.spec.data.target == "itself" and found.spec.data.balance
