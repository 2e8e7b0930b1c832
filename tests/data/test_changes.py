"""The augmentations of an epoch: the same for an image however it is batched, and its answer goes along."""

import numpy as np
import pytest

import cnnspec
from cnnspec.data.changes import DrawnAugmentations, Mixed, are_images, ensure_turned
from cnnspec.data.dataset import Labels, Split
from cnnspec.diagnostics import Fault
from cnnspec.settings.augment import (
    AUGMENTATIONS,
    Crop,
    Cutmix,
    Cutout,
    Flip,
    Mixup,
    Noise,
    ResizedCrop,
    Rotate,
    Shift,
    Zoom,
)
from cnnspec.train.loop import TrainingConfig, fit

RANDOM = np.random.default_rng(0)
EVERY = tuple(kind(2) if kind in (Crop, Shift, Cutout) else kind() for kind in AUGMENTATIONS)
HOW = {"seed": 3, "epoch": 2, "shuffle": True}


def split(y, shape=(3, 8, 9), dtype=np.uint8):
    return Split(RANDOM.integers(0, 256, (len(y), *shape)).astype(dtype), y)


def whole(split, augment, batch=100, start=0, **how):
    """All images and answers that come in batches."""
    batches = list(split.batches(batch, augment=augment, start=start, **{**HOW, **how}))
    x = np.concatenate([x for x, _ in batches])
    if isinstance(batches[0][1], Mixed):
        return x, [np.concatenate([getattr(y, part) for _, y in batches]) for part in ("y", "other", "weight")]
    return x, [np.concatenate([y for _, y in batches])]


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
@pytest.mark.parametrize(
    "augment",
    [*((one,) for one in EVERY), (Flip("both"), Rotate(), Mixup(), Noise(), Crop(1))],
    ids=lambda augment: "+".join(one.word for one in augment),
)
def test_an_image_is_changed_alike_in_batches_of_any_size(augment, dtype):
    data = split(np.arange(23) % 4, dtype=dtype)
    x, answers = whole(data, augment)
    for batch, start in ((1, 0), (5, 0), (5, 2)):
        some, theirs = whole(data, augment, batch, start)
        np.testing.assert_array_equal(some, x[batch * start :])
        for a, b in zip(theirs, answers, strict=True):
            np.testing.assert_array_equal(a, b[batch * start :])
    left, _ = whole(data, augment, 5, stored=True)  # to whom they are given
    np.testing.assert_array_equal(left, x)
    other, _ = whole(data, augment, epoch=3)
    order = data.order(3, 2)
    assert not np.array_equal(other[np.argsort(data.order(3, 3))], x[np.argsort(order)])


@pytest.mark.parametrize(
    ("augment", "left"),
    [
        ((Flip(), Crop(1)), 0),
        ((Flip(), Rotate(), Crop(1)), 2),
        ((Noise(), Mixup(), Flip(), Cutout(2)), 1),
        ((Noise(), Cutmix()), 0),
    ],
    ids=lambda augment: "+".join(one.word for one in augment) if isinstance(augment, tuple) else "",
)
def test_slow_changes_that_need_no_other_image_and_no_answer_are_left_to_workers(augment, left):
    found, _ = next(split(np.arange(6)).batches(3, augment=augment, stored=True))
    assert [one for one, _ in found.changes] == list(augment[len(augment) - left :])
    assert all(len(rows) == 3 for _, rows in found.changes)


@pytest.mark.parametrize(("augment", "left"), [(Rotate(), 0), (Noise(), 1), (Cutout(2), 1)])
def test_an_answer_that_moves_along_does_so_with_its_image(augment, left):
    masks = RANDOM.integers(0, 3, (6, 8, 9))
    found, _ = next(split(masks).batches(3, augment=(augment,), stored=True))
    assert len(found.changes) == left


def test_the_data_stay_as_they_are():
    data = split(np.arange(20) % 4)
    before = data.x.copy(), data.y.copy()
    for one in EVERY:
        whole(data, (one,))
    np.testing.assert_array_equal(data.x, before[0])
    np.testing.assert_array_equal(data.y, before[1])


@pytest.mark.parametrize("deep", [False, True])
@pytest.mark.parametrize("augment", [Flip("both"), Flip("vertical"), Crop(3), Shift(3), Cutmix()], ids=str)
def test_a_mask_moves_with_its_image(augment, deep):
    x = RANDOM.integers(0, 2, (30, 1, 8, 9)).astype(np.uint8) * 255
    y = (x > 0).astype(np.int64)
    data = Split(x, y if deep else y[:, 0])
    found, (masks,) = whole(data, (augment,))
    np.testing.assert_array_equal(masks.reshape(found.shape), found > 0.5)
    assert masks.dtype == np.int64


@pytest.mark.parametrize("augment", [Rotate(30), Zoom(0.4), ResizedCrop(0.3)])
def test_a_mask_is_turned_as_its_image_and_has_no_new_classes(augment):
    y = RANDOM.choice([0, 3, 7], (12, 8, 9))
    data = Split(np.repeat(y[:, None], 2, axis=1).astype(np.float32), y)
    changes = DrawnAugmentations(data.x, data.y, (augment,), 1, 1)
    _, masks = changes.take(np.arange(12), slice(0, 12))
    assert set(np.unique(masks)) <= {0, 3, 7} and not np.array_equal(masks, y)
    ((_, drawn),) = changes.drawn
    for mask, before, inverse in zip(masks, y, augment.inverse(drawn, 8, 9), strict=True):
        i, j = np.mgrid[:8, :9]
        at = np.rint(np.clip(np.tensordot(inverse, [i, j, np.ones_like(i)], 1), 0, [[[7]], [[8]]])).astype(int)
        np.testing.assert_array_equal(mask, before[at[0], at[1]])


def test_a_picture_as_answer_is_turned_as_the_image():
    x = RANDOM.random((9, 2, 8, 9)).astype(np.float32)
    for augment in (Flip(), Crop(2), Rotate(), Cutmix()):
        found, (pictures,) = whole(Split(x, x.copy()), (augment,))
        np.testing.assert_array_equal(found, pictures)
    noisy, (clean,) = whole(Split(x, x.copy()), (Noise(),), shuffle=False)
    np.testing.assert_array_equal(clean, x)
    assert not np.array_equal(noisy, x)


@pytest.mark.parametrize(
    "y, shape, found",
    [
        ((5, 8, 9), (5, 3, 8, 9), True),
        ((5, 2, 8, 9), (5, 3, 8, 9), True),
        ((5, 4, 9), (5, 3, 8, 9), False),
        ((5,), (5, 3, 8, 9), False),
        ((5, 9), (5, 3, 9), True),  # a class for each place of a sequence
        ((5, 2, 9), (5, 3, 9), True),
        ((5, 3), (5, 4), False),
    ],
)
def test_which_answers_are_images(y, shape, found):
    assert are_images(np.zeros(y, int), shape) is found


def test_numbers_of_a_sequence_are_no_image_of_it():
    assert not are_images(np.zeros((5, 9)), (5, 3, 9))


def test_answers_of_other_sides_cannot_follow():
    with pytest.raises(Fault, match="moves pixels of images of 8x9, and not those of answers of 4x4$"):
        ensure_turned((Noise(), Rotate()), np.zeros((5, 4, 4), int), (5, 3, 8, 9))
    ensure_turned((Noise(),), np.zeros((5, 4, 4), int), (5, 3, 8, 9))
    ensure_turned((Rotate(),), np.zeros(5, int), (5, 3, 8, 9))


# ---- mixed answers ------------------------------------------------------------------------------------------


def test_answers_are_mixed_as_their_images_are():
    y = np.arange(40) % 5
    data = Split(np.tile(y[:, None, None, None] * 50.0, (1, 1, 6, 6)).astype(np.float32), y)
    for augment in (Mixup(1.0), Cutmix()):
        x, (own, other, share) = whole(data, (augment,), batch=7)
        np.testing.assert_array_equal(own, y[data.order(3, 2)])
        np.testing.assert_allclose(x.mean(axis=(1, 2, 3)), 50 * (share * own + (1 - share) * other), atol=1e-3)
        assert share.min() >= 0 and share.max() <= 1 and not np.array_equal(own, other)


@pytest.mark.parametrize("augment", [Mixup(1.0), Cutmix()])
@pytest.mark.parametrize(
    "end, y",
    [
        ("dense 3 -> softmax", RANDOM.integers(0, 3, 24)),
        ("dense 1 -> sigmoid", RANDOM.integers(0, 2, 24)),
        ("dense 3 -> sigmoid", RANDOM.integers(0, 2, (24, 3)).view(Labels)),
        ("dense 2", RANDOM.normal(size=(24, 2))),
        ("dense 3\ntrain { cost mse }", RANDOM.integers(0, 3, 24)),
        ("conv 3x3x3 pad same -> softmax", RANDOM.integers(0, 3, (24, 6, 6))),
        ("conv 1x3x3 pad same -> sigmoid", RANDOM.integers(0, 2, (24, 6, 6))),
    ],
)
def test_a_network_learns_mixed_answers(augment, end, y):
    if end.startswith("conv"):
        text = f"input 1x6x6\n{end}"
    else:
        text = f"input 1x6x6\nconv 2x3x3 -> relu -> {end}"
    model = cnnspec.compile(text=text, batch=8, seed=1)
    x = RANDOM.normal(size=(24, 1, 6, 6)).astype(np.float32)
    data = Split(x, y)
    ((first, mixed), *_) = data.batches(8, augment=(augment,))
    cost, correct = model.measure(first, mixed)
    pasted = isinstance(mixed, np.ndarray)  # boxes of masks
    assert pasted == (end.startswith("conv") and augment.word == "cutmix")
    if not pasted:
        shares = [model.measure(first[k : k + 1], mixed[k : k + 1])[0] for k in range(8)]
        assert cost == pytest.approx(np.mean(shares), rel=1e-5) and correct is None
        if "softmax" in end or "-> sigmoid" in end:  # such a cost is linear in the answer
            parts = [
                s * model.measure(first[k : k + 1], mixed.y[k : k + 1])[0]
                + (1 - s) * model.measure(first[k : k + 1], mixed.other[k : k + 1])[0]
                for k, s in enumerate(mixed.weight)
            ]
            assert cost == pytest.approx(np.mean(parts), rel=1e-4)
    history = fit(model, data, TrainingConfig(2, 8, augment=(augment,)), data)
    numbers = end == "dense 2"
    assert (history["accuracy"] == [None, None]) is (not pasted)
    assert (None in history["validation_accuracy"]) is numbers
