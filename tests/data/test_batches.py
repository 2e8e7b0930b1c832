"""Batches: every image once, the same ones for the same seed and epoch, from any batch on."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cnnspec.data.dataset import Scaling, Split
from cnnspec.settings.augment import Crop, Cutout, Flip, Shift

AUGMENT = (Shift(2), Flip())


def numbered(count, shape=(1, 3, 4)):
    """Images that tell their number in every pixel, which is their class too."""
    x = np.empty((count, *shape), np.float32)
    x[:] = np.arange(count).reshape(-1, *(1,) * len(shape))
    return Split(x, np.arange(count))


def taken(split, batch, **how):
    return [(x.copy(), y.copy()) for x, y in split.batches(batch, **how)]


@settings(deadline=None, max_examples=40)
@given(st.integers(1, 70), st.integers(1, 20), st.integers(0, 99), st.integers(0, 9), st.booleans())
def test_every_image_once_and_with_its_own_label(count, batch, seed, epoch, shuffle):
    split = numbered(count)
    found = taken(split, batch, seed=seed, epoch=epoch, shuffle=shuffle)
    assert len(found) == -(-count // batch)
    assert [len(x) for x, _ in found[:-1]] == [batch] * (len(found) - 1) and 0 < len(found[-1][0]) <= batch
    assert sorted(np.concatenate([y for _, y in found])) == list(range(count))
    for x, y in found:
        assert x.dtype == np.float32 and (x == y.reshape(-1, 1, 1, 1)).all()


@settings(deadline=None, max_examples=25)
@given(st.integers(1, 60), st.integers(1, 16), st.integers(0, 9), st.integers(0, 9), st.data())
def test_an_epoch_goes_on_from_any_batch_as_if_it_had_not_stopped(count, batch, seed, epoch, data):
    generator = np.random.default_rng(count)
    split = Split(generator.integers(0, 256, (count, 2, 6, 5), dtype=np.uint8), np.arange(count))
    how = {"seed": seed, "epoch": epoch, "shuffle": True, "augment": AUGMENT}
    whole = taken(split, batch, **how)
    start = data.draw(st.integers(0, len(whole)))
    rest = taken(split, batch, start=start, **how)
    assert len(rest) == len(whole) - start
    for (x, y), (again_x, again_y) in zip(whole[start:], rest, strict=True):
        np.testing.assert_array_equal(x, again_x)
        np.testing.assert_array_equal(y, again_y)


def test_what_an_image_goes_through_does_not_depend_on_the_batch_size():
    split = Split(np.random.default_rng(1).integers(0, 256, (50, 1, 9, 9), dtype=np.uint8), np.arange(50))
    how = {"seed": 3, "epoch": 4, "shuffle": True, "augment": AUGMENT}
    one, other = (np.concatenate([x for x, _ in taken(split, batch, **how)]) for batch in (7, 16))
    np.testing.assert_array_equal(one, other)


def test_blocks_of_many_batches_are_cut_where_the_batches_end():
    split = numbered(500, (3, 32, 32))  # 12 KiB each: several blocks
    found = taken(split, 33, shuffle=True)
    assert [len(x) for x, _ in found] == [33] * 15 + [5]
    assert sorted(np.concatenate([y for _, y in found])) == list(range(500))


def test_epochs_and_seeds_differ_and_repeat():
    split = numbered(40)
    orders = {(seed, epoch): split.order(seed, epoch).tolist() for seed in range(3) for epoch in range(3)}
    assert len({tuple(order) for order in orders.values()}) == 9
    assert all(split.order(*key).tolist() == order for key, order in orders.items())


def test_order_and_changes_come_from_streams_of_their_own():
    """What an image goes through must not follow from the place that the shuffle gave it."""
    count, seed, epoch = 60, 4, 2
    split = Split(np.random.default_rng(1).integers(0, 256, (count, 1, 3, 5), dtype=np.uint8), np.arange(count))
    order = np.random.default_rng((seed, epoch, 0)).permutation(count)
    flipped = np.random.default_rng((seed, epoch, 1)).random(count) < 0.5
    assert not np.array_equal(flipped, np.random.default_rng((seed, epoch, 0)).random(count) < 0.5)
    ((x, y),) = taken(split, count, seed=seed, epoch=epoch, shuffle=True, augment=(Flip(),))
    assert np.array_equal(y, order) and np.array_equal(split.order(seed, epoch), order)
    wanted = np.where(flipped[:, None, None, None], split.x[order][..., ::-1], split.x[order])
    assert np.array_equal(x, wanted.astype("float32"))


def test_without_shuffle_the_order_is_that_of_storage():
    y = np.concatenate([y for _, y in numbered(10).batches(3)])
    assert y.tolist() == list(range(10))


@pytest.mark.parametrize("augment", [(), (Cutout(2),), (Flip(), Cutout(2))], ids=["none", "left", "some left"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_stored_batches_are_those_that_numpy_sees_scaled(dtype, augment):
    kept = np.random.default_rng(2).integers(0, 256, (23, 2, 5, 4), dtype=np.uint8)
    split = Split(kept.copy(), np.arange(23), Scaling((1 / 255, 2.0), (-0.5, 1.0)))
    how = {"shuffle": True, "augment": augment}
    found, scaled = split.batches(8, stored=True, **how), split.batches(8, dtype=dtype, **how)
    for (x, _), (wanted, _) in zip(found, scaled, strict=True):
        assert x.images.dtype == np.uint8 and len(x) == len(wanted) and x.shape == wanted.shape
        np.testing.assert_array_equal(np.asarray(x, dtype), wanted)
        np.testing.assert_array_equal(np.asarray(x[2:5], dtype), wanted[2:5])
    np.testing.assert_array_equal(split.x, kept)


def test_unless_stored_every_batch_is_an_array_of_its_own():
    first, second = list(numbered(4).batches(2))
    assert not np.shares_memory(first[0], second[0])


def test_feeding_does_not_change_what_is_stored():
    x = np.random.default_rng(3).integers(0, 256, (30, 1, 8, 8), dtype=np.uint8)
    split = Split(x.copy(), np.arange(30))
    for augment in (AUGMENT, (Flip(),), (Crop(1),)):
        list(split.batches(8, shuffle=True, augment=augment))
        list(split.batches(8, augment=augment))
    np.testing.assert_array_equal(split.x, x)


def test_bytes_become_0_to_1_in_the_type_that_is_asked_for():
    split = Split(np.arange(256, dtype=np.uint8).reshape(1, 1, 16, 16), np.zeros(1, int), Scaling((1 / 255,)))
    for dtype, eps in (("float32", 1e-7), ("float64", 1e-15)):
        x, _ = split.arrays(dtype)
        assert x.dtype == dtype and x.min() == 0 and x.max() == 1
        np.testing.assert_allclose(x.ravel(), np.arange(256) / 255, rtol=2 * eps)


@pytest.mark.parametrize("shape", [(2,), (2, 5), (2, 3, 4)])
def test_scaling_is_channel_by_channel_in_every_rank(shape):
    x = np.random.default_rng(4).standard_normal((6, *shape)).astype(np.float32)
    scaled, _ = Split(x, np.zeros(6, int), Scaling((2.0, 3.0), (0.5, -1.0))).arrays()
    np.testing.assert_array_equal(scaled[:, 0], x[:, 0] * 2 + np.float32(0.5))
    np.testing.assert_array_equal(scaled[:, 1], x[:, 1] * 3 - 1)


def test_numbers_to_meet_are_fed_too():
    split = Split(np.zeros((5, 2), np.float32), np.arange(10, dtype=np.float32).reshape(5, 2))
    assert [y.shape for _, y in split.batches(2)] == [(2, 2), (2, 2), (1, 2)]


@pytest.mark.parametrize("mean", [0, 2.9, 3.1, -100, 1e4])
def test_scaling_keeps_what_is_small_beside_the_mean(mean):
    """Within float32's precision of float64, though x * scale and the offset are both that many deviations."""
    x = (np.random.default_rng(0).normal(size=(50, 2, 3, 4)) + mean).astype("float32")
    x[:, 0] -= np.float32(mean)
    wide = x.astype("float64")
    middle, deviation = (getattr(wide, f)(axis=(0, 2, 3)) for f in ("mean", "std"))
    scaling = Scaling(tuple(1 / deviation), tuple(-middle / deviation))
    wanted = (wide - middle.reshape(-1, 1, 1)) / deviation.reshape(-1, 1, 1)
    assert np.abs(scaling.apply(x, np.empty_like(x)) - wanted).max() < 2e-6
