"""Augmentations: what they keep, what they may do at most, and where they do not apply."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cnnspec.diagnostics import Fault
from cnnspec.settings.augment import (
    AUGMENTATIONS,
    Brightness,
    Contrast,
    Crop,
    Cutmix,
    Cutout,
    Flip,
    Mixup,
    Noise,
    ResizedCrop,
    Rotate,
    Saturation,
    Shift,
    Zoom,
)
from cnnspec.settings.augment.streams import spread, streams
from cnnspec.settings.augment.warps import GROUP

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


@pytest.mark.parametrize("dtype", [np.uint8, np.int8, np.bool_, np.float32])
@pytest.mark.parametrize("direction", ["horizontal", "vertical", "both"])
@pytest.mark.parametrize("width", [1, 6, 7, 12, 16])
def test_flips_are_the_naive_ones_of_rows_of_any_width_that_lie_anyhow(width, direction, dtype):
    x = images(shape=(3, 5, width)).astype(dtype)
    drawn = Flip(direction).draw(RANDOM, len(x), x.shape[1:])
    sideways, over = drawn.T if direction == "both" else (drawn, drawn)
    expected = x.copy()
    for image, left, up in zip(expected, sideways, over, strict=True):
        if left and direction != "vertical":
            image[...] = image[..., ::-1].copy()
        if up and direction != "horizontal":
            image[...] = image[:, ::-1].copy()
    for lying in (x.copy(), x[:, ::-1].copy()[:, ::-1], np.asfortranarray(x)):
        np.testing.assert_array_equal(Flip(direction).apply(lying, drawn), expected)


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
    augment = kind(3) if kind in (Crop, Shift, Cutout) else kind()
    for dtype in (np.uint8, np.float32):
        x = images(shape=(3, 7, 8)).astype(dtype)
        drawn = augment.draw(RANDOM, len(x), x.shape[1:])
        assert len(drawn) == len(x)
        result = augment.mix(x, x[::-1].copy(), drawn) if augment.mixes else augment.apply(x, drawn)
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


# ---- looked at through a map ---------------------------------------------------------------------------------


def looked_up(image, inverse):
    """An image (c, h, w) through a map [2, 3], pixel by pixel."""
    c, h, w = image.shape
    out = np.zeros((c, h, w))
    for i in range(h):
        for j in range(w):
            y, x = np.clip(inverse @ (i, j, 1), 0, (h - 1, w - 1))
            top, left = int(y), int(x)
            below, right, down, over = min(top + 1, h - 1), min(left + 1, w - 1), y - top, x - left
            upper = image[:, top, left] * (1 - over) + image[:, top, right] * over
            lower = image[:, below, left] * (1 - over) + image[:, below, right] * over
            out[:, i, j] = upper * (1 - down) + lower * down
    return out


@pytest.mark.parametrize("augment", [Rotate(40), Zoom(0.5), ResizedCrop(0.2)])
def test_a_warp_is_the_naive_one(augment):
    x = images(5).astype(np.float32)
    drawn = augment.draw(RANDOM, len(x), x.shape[1:])
    maps = augment.inverse(drawn, *x.shape[2:])
    for image, result, inverse in zip(x, augment.apply(x.copy(), drawn), maps, strict=True):
        np.testing.assert_allclose(result, looked_up(image, inverse), atol=1e-3)


@pytest.mark.parametrize("kind", ["uint8", "float32"])
@pytest.mark.parametrize("augment", [Rotate(170), Zoom(0.9), ResizedCrop()])
def test_a_warp_of_many_images_is_that_of_each(augment, kind):
    x = images(2 * GROUP // (40 * 37) + 1, (3, 40, 37)).astype(kind)
    drawn = augment.draw(RANDOM, len(x), x.shape[1:])
    for change in (augment.apply, augment.follow):
        alone = [change(x[k : k + 1], drawn[k : k + 1])[0] for k in range(len(x))]
        np.testing.assert_array_equal(change(x, drawn), alone)


def test_a_warp_that_does_nothing_keeps_every_bit():
    x = images()
    np.testing.assert_array_equal(Rotate().apply(x, np.zeros(len(x))), x)
    np.testing.assert_array_equal(Zoom().apply(x, np.ones(len(x))), x)
    whole = np.tile([1.0, 1, 0, 0], (len(x), 1))
    np.testing.assert_array_equal(ResizedCrop().apply(x, whole), x)


def test_a_quarter_turn_is_that_of_numpy():
    x = images(3, (2, 7, 7))
    for degrees, turns in ((90, 1), (-90, -1), (180, 2)):
        found = Rotate(180).apply(x, np.full(3, float(degrees)))
        np.testing.assert_array_equal(found, np.rot90(x, turns, axes=(2, 3)))


def test_twice_as_large_is_the_middle_and_half_as_large_has_edges():
    x = np.arange(64, dtype=np.float32).reshape(1, 1, 8, 8)
    larger = Zoom(0.9).apply(x, np.array([2.0]))
    assert larger[0, 0, 0, 0] == pytest.approx(x[0, 0, 1:3, 1:3].mean() + (8 + 1) * 0.25)
    smaller = Zoom(0.9).apply(x, np.array([0.5]))
    assert smaller[0, 0, 0, 0] == 0 and smaller[0, 0, -1, -1] == 63


def test_a_part_of_the_image_fills_it():
    x = images(2, (1, 8, 8)).astype(np.float32)
    half = np.array([[0.25, 1.0, 1.0, 1.0]] * 2)  # the lower right quarter
    found = ResizedCrop().apply(x, half)
    for image, result in zip(x, found, strict=True):  # the middle of its first pixel is a quarter into theirs
        wanted = looked_up(image, np.array([[0.5, 0, 3.75], [0, 0.5, 3.75]]))
        np.testing.assert_allclose(result, wanted, atol=1e-3)
    crop = ResizedCrop(0.3, ratio=2)
    drawn = crop.parts(crop.draw(np.random.default_rng(1), 4000, (1, 8, 8)))
    area = drawn[:, 0] * drawn[:, 1]
    assert area.min() > 0.2 and area.max() <= 1 and (drawn[:, :2] + drawn[:, 2:] <= 1 + 1e-12).all()
    assert (drawn >= 0).all() and 0.6 < area.mean() < 0.68


# ---- numbers of pixels ----------------------------------------------------------------------------------------


def test_brightness_contrast_and_saturation_as_defined():
    x = RANDOM.random((6, 3, 4, 5)).astype(np.float32)
    f = np.linspace(0.6, 1.4, 6)
    wide = f[:, None, None, None]
    np.testing.assert_allclose(Brightness().apply(x.copy(), f), x * wide, rtol=1e-6)
    mean = x.mean(axis=(1, 2, 3), keepdims=True)
    np.testing.assert_allclose(Contrast().apply(x.copy(), f), mean + (x - mean) * wide, atol=1e-6)
    grey = (0.299 * x[:, 0] + 0.587 * x[:, 1] + 0.114 * x[:, 2])[:, None]
    np.testing.assert_allclose(Saturation().apply(x.copy(), f), grey + (x - grey) * wide, atol=1e-6)


@pytest.mark.parametrize("side", [28, 300])
def test_contrast_is_about_the_exact_mean_of_bytes(side):
    x = images(2, (1, side, side)) | 0xF0
    middle = x.reshape(2, -1).mean(axis=1, dtype=np.float64).astype(np.float32)[:, None, None, None]
    expected = middle + (x.astype(np.float32) - middle) * np.float32(1.4)
    np.testing.assert_array_equal(Contrast().apply(x, np.full(2, 1.4)), np.clip(np.rint(expected), 0, 255))


def test_bytes_stay_bytes_and_are_rounded():
    x = np.array([[[[0, 100, 255]]]], np.uint8)
    np.testing.assert_array_equal(Brightness(0.5).apply(x, np.array([1.255]))[0, 0, 0], [0, 126, 255])
    noisy = Noise(1).apply(images(), RANDOM.integers(0, 99, 40))
    assert noisy.dtype == np.uint8 and noisy.min() == 0 and noisy.max() == 255


@pytest.mark.parametrize("full, dtype", [(255, np.uint8), (1, np.float32)])
def test_noise_has_its_deviation(full, dtype):
    x = np.full((4, 1, 64, 64), 0.5 * full).astype(dtype)
    added = Noise(0.1).apply(x, np.arange(4)).astype(float) - x
    assert abs(added.std() - 0.1 * full) < 0.005 * full and abs(added.mean()) < 0.005 * full
    assert not np.array_equal(added[0], added[1])


def test_the_noise_of_an_image_is_that_of_a_generator_of_its_own():
    seeds = np.array([0, 1, 2**32 - 1, 2**32, 2**63 - 1, *RANDOM.integers(0, 1 << 63, 50).tolist()])
    for seed, stream in zip(seeds.tolist(), streams(spread(seeds)), strict=True):
        own = np.random.Generator(np.random.PCG64(seed))
        assert stream.bit_generator.state == own.bit_generator.state
        np.testing.assert_array_equal(stream.standard_normal(3, np.float32), own.standard_normal(3, np.float32))
    drawn = Noise().draw(np.random.default_rng(3), 5, (1, 2, 2))
    np.testing.assert_array_equal(drawn, spread(np.random.default_rng(3).integers(0, 1 << 63, 5)))
    assert spread(np.empty(0, np.int64)).shape == (0, 4)


def test_factors_are_within_their_bounds():
    for kind in (Brightness, Contrast, Saturation, Zoom):
        drawn = kind(0.3).draw(np.random.default_rng(2), 5000, (3, 8, 8))
        assert 0.7 <= drawn.min() < 0.71 and 1.29 < drawn.max() <= 1.3
    turned = Rotate(20).draw(np.random.default_rng(2), 5000, (3, 8, 8))
    assert -20 <= turned.min() < -19.8 and 19.8 < turned.max() <= 20


# ---- boxes and mixtures ------------------------------------------------------------------------------------


def test_a_box_is_cut_out_around_its_middle():
    x = np.ones((3, 2, 6, 7), np.uint8)
    found = Cutout((2, 3)).apply(x, np.array([[3, 3], [0, 0], [5, 6]]))
    for image, (rows, columns) in zip(found, [((2, 4), (2, 5)), ((0, 1), (0, 2)), ((4, 6), (5, 7))], strict=True):
        wanted = np.ones((2, 6, 7))
        wanted[:, slice(*rows), slice(*columns)] = 0
        np.testing.assert_array_equal(image, wanted)
    line = Cutout(3).apply(np.ones((1, 2, 8)), np.array([[4]]))
    assert line[0, 0].tolist() == [1, 1, 1, 0, 0, 0, 1, 1]


def test_mixup_takes_a_share_of_each():
    x, other = images(4), images(4)
    drawn = np.array([[0.0, 1], [1.0, 2], [0.25, 3], [0.5, 0]])
    found = Mixup().mix(x.copy(), other, drawn)
    np.testing.assert_array_equal(found[:2], np.stack([other[0], x[1]]))
    np.testing.assert_array_equal(found[2], np.rint(0.25 * x[2].astype("f4") + 0.75 * other[2].astype("f4")))
    assert Mixup().mixing_weights(drawn, (2, 7, 8)).tolist() == [0, 1, 0.25, 0.5]


def test_cutmix_puts_a_box_of_the_other_image_there_and_counts_its_area():
    augment, x, other = Cutmix(), np.zeros((500, 1, 10, 12)), np.ones((500, 1, 10, 12))
    drawn = augment.draw(np.random.default_rng(3), 500, x.shape[1:])
    found = augment.mix(x, other, drawn)
    np.testing.assert_allclose(augment.mixing_weights(drawn, x.shape[1:]), 1 - found.mean(axis=(1, 2, 3)))
    for image in found[:50, 0]:
        rows, columns = np.flatnonzero(image.any(axis=1)), np.flatnonzero(image.any(axis=0))
        if len(rows):
            assert image[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].all()
    assert sorted(drawn[:, -1]) == list(range(500))


@pytest.mark.parametrize(
    "augment, shape, message",
    [
        (Flip("vertical"), (3, 20), "`augment flip` direction vertical is of images, and the data are sequences"),
        (Rotate(), (3, 20), "`augment rotate` is of images, and the data are sequences"),
        (Rotate(), (5,), "`augment rotate` moves pixels, and the data are vectors of 5 numbers"),
        (Noise(), (5,), "`augment noise` changes pixels, and the data are vectors of 5 numbers"),
        (Saturation(), (1, 8, 8), "`augment saturation` is of red, green and blue, and the data have one channel"),
        (Cutout(8), (1, 8, 8), "`augment cutout` 8x8 could hide all of an image of 8x8"),
        (Cutout((2, 2)), (3, 20), "`augment cutout` 2x2 has 2 sides, and the data have 1"),
    ],
)
def test_what_is_not_for_such_data_is_refused(augment, shape, message):
    with pytest.raises(Fault) as caught:
        augment.fits(shape)
    assert (caught.value.code, caught.value.message) == ("CNN430", message)
