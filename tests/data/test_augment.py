"""Augmentations: what they keep, what they may do at most, and where they do not apply."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cnnspec.diagnostics import Fault
from cnnspec.settings.augment import AUGMENTATIONS, Crop, Flip, Shift

RANDOM = np.random.default_rng(0)


def images(count=40, shape=(2, 7, 8)):
    return RANDOM.integers(1, 256, (count, *shape), dtype=np.uint8)


def moved(image, rows, columns, mode):
    """The naive way: pad, then look at the place that many pixels further."""
    framed = np.pad(image, ((0, 0), (9, 9), (9, 9)), mode)
    return framed[:, 9 + rows : 9 + rows + image.shape[1], 9 + columns : 9 + columns + image.shape[2]]


def test_flip_twice_is_identity():
    x = images()
    drawn = Flip().draw(RANDOM, len(x), x.shape[1:])
    once = Flip().apply(x.copy(), drawn)
    assert not np.array_equal(once, x)
    np.testing.assert_array_equal(Flip().apply(once.copy(), drawn), x)


def test_flip_mirrors_the_drawn_images_and_no_others():
    x, drawn = images(4), np.array([True, False, False, True])
    flipped = Flip().apply(x.copy(), drawn)
    np.testing.assert_array_equal(flipped[drawn], x[drawn][..., ::-1])
    np.testing.assert_array_equal(flipped[~drawn], x[~drawn])


def test_flip_draws_half_of_them():
    drawn = Flip().draw(np.random.default_rng(5), 10_000, (1, 2, 2))
    assert 4800 < drawn.sum() < 5200


@pytest.mark.parametrize("augment, mode", [(Crop((2, 3)), "constant"), (Shift((2, 3)), "edge"), (Shift(1), "edge")])
@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_crop_and_shift_are_the_naive_ones(augment, mode, dtype):
    x = images().astype(dtype)
    reach = augment.reach(x.shape[1:])
    drawn = augment.draw(RANDOM, len(x), x.shape[1:])
    for image, result, offsets in zip(x, augment.apply(x.copy(), drawn), drawn, strict=True):
        rows, columns = offsets - reach
        assert abs(rows) <= reach[0] and abs(columns) <= reach[1]
        np.testing.assert_array_equal(result, moved(image, rows, columns, mode))


def test_every_offset_is_drawn():
    drawn = Shift((1, 2)).draw(np.random.default_rng(6), 2000, (1, 9, 9))
    assert set(map(tuple, drawn.tolist())) == {(rows, columns) for rows in range(3) for columns in range(5)}


@settings(deadline=None, max_examples=30)
@given(st.integers(1, 3), st.integers(1, 4), st.sampled_from([Crop, Shift]))
def test_what_has_room_to_move_keeps_its_pixels(reach, channels, kind):
    """An image whose margin is black and as wide as the move keeps every pixel, only elsewhere."""
    x = np.zeros((9, channels, 12, 11), np.uint8)
    inner = x[:, :, reach:-reach, reach:-reach]
    inner[:] = RANDOM.integers(1, 256, inner.shape)
    result = kind(reach).apply(x.copy(), kind(reach).draw(RANDOM, 9, x.shape[1:]))
    flat = (len(x), channels, -1)
    np.testing.assert_array_equal(np.sort(result.reshape(flat)), np.sort(x.reshape(flat)))


def test_images_may_lie_in_memory_as_they_like():
    x = images().transpose(0, 1, 3, 2)
    drawn = Shift(2).draw(RANDOM, len(x), x.shape[1:])
    np.testing.assert_array_equal(Shift(2).apply(x, drawn), Shift(2).apply(x.copy(), drawn))


def test_the_middle_place_leaves_the_image_alone():
    x = images()
    for augment in (Crop(2), Shift(2)):
        np.testing.assert_array_equal(augment.apply(x.copy(), np.full((len(x), 2), 2)), x)


def test_sequences_move_along_their_one_way():
    x = images(5, (3, 10))
    drawn = np.array([[0], [1], [2], [3], [4]])
    cropped = Crop(2).apply(x.copy(), drawn)
    np.testing.assert_array_equal(cropped[0, :, 2:], x[0, :, :-2])
    assert not cropped[0, :, :2].any()
    shifted = Shift(2).apply(x.copy(), drawn)
    assert (shifted[4, :, -2:] == x[4, :, -1:]).all()
    np.testing.assert_array_equal(Flip().apply(x.copy(), np.ones(5, bool)), x[..., ::-1])


@pytest.mark.parametrize("kind", AUGMENTATIONS)
def test_shape_and_type_stay(kind):
    augment = kind() if kind is Flip else kind(3)
    for dtype in (np.uint8, np.float32):
        x = images().astype(dtype)
        result = augment.apply(x, augment.draw(RANDOM, len(x), x.shape[1:]))
        assert result.shape == x.shape and result.dtype == dtype


@pytest.mark.parametrize(
    "augment, shape, message",
    [
        (Flip(), (4,), "`augment flip` moves pixels, and the data are vectors of 4 numbers"),
        (Shift(2), (4,), "`augment shift` moves pixels, and the data are vectors of 4 numbers"),
        (Shift((2, 2)), (3, 20), "`augment shift 2x2` tells 2 ways, and the data have 1"),
        (Crop(28), (1, 28, 28), "`augment crop 28` could move an image of 28x28 out of sight"),
    ],
)
def test_what_does_not_fit_is_refused(augment, shape, message):
    with pytest.raises(Fault) as caught:
        augment.fits(shape)
    assert (caught.value.code, caught.value.message) == ("CNN430", message)
