"""resized_crop cuts its part out of the photo itself, not out of what is left of it at the network's size."""

from __future__ import annotations

import numpy as np
import pytest

from cnnspec.data.changes import DrawnAugmentations
from cnnspec.data.load import load
from cnnspec.diagnostics import SpecError
from cnnspec.settings.augment import Flip, Mixup, ResizedCrop
from cnnspec.settings.data import Data, Images

pillow = pytest.importorskip("PIL.Image", reason="photos are read by Pillow, which is not installed")
SIZE = (8, 8)


def photos(folder, count=12, size=(64, 96), mode="RGB"):
    """Stripes a pixel wide, which are grey all over at the network's size; red grows with the photo's number."""
    for k in range(count):
        pixels = np.zeros((*size, 3), np.uint8)
        pixels[:, ::2, 1] = 255
        pixels[..., 0] = 20 * k
        path = folder / "photos" / "ab"[k % 2]
        path.mkdir(parents=True, exist_ok=True)
        pillow.fromarray(pixels).convert(mode).save(path / f"{k:02}.png")


def settings(*augment, **more):
    source = Images("photos", resize=SIZE, test=0.25)
    return Data(source=source, validation=0.0, augment=augment, **more)


def test_a_small_part_shows_what_the_whole_has_lost(tmp_path):
    photos(tmp_path)
    crop = ResizedCrop()
    data = load(settings(crop), root=tmp_path)
    assert data.train.x[:, 1].std() < 5, "the stripes are gone at the network's size"
    changes = data.train.changes((crop,), 0, 0)
    changes.drawn = [(crop, np.array([[0.01, 1.0, 0.3, 0.6]] * len(data.train)))]  # nearly as many pixels as it has
    order = data.train.order(0, 0)
    images, _ = changes.take(order, slice(0, len(data.train)))
    assert (images[:, 1].astype(float).std(axis=(1, 2)) > 60).all()
    assert (images[:, 0, 0, 0] == data.train.x[order][:, 0, 0, 0]).all(), "each part is its own photo's"
    assert data.test.originals is None is data.validation.originals


def test_parts_are_those_that_are_drawn_with_the_shape_of_pixels(tmp_path):
    folder = tmp_path / "photos" / "a"
    folder.mkdir(parents=True)
    rows, columns = np.mgrid[0:60, 0:240]
    pillow.fromarray(np.stack([rows * 4, columns, rows * 0], axis=2).astype(np.uint8)).save(folder / "0.png")
    (tmp_path / "photos" / "b").mkdir()
    pillow.new("RGB", (240, 60)).save(tmp_path / "photos" / "b" / "0.png")
    crop = ResizedCrop(0.05, 2.0)
    data = load(
        Data(source=Images("photos", resize=SIZE, test=0.0), validation=0.0, augment=(crop,)), root=tmp_path
    )
    for epoch in range(20):
        changes = data.train.changes((crop,), 0, epoch)
        ((_, drawn),) = changes.drawn
        images, _ = changes.take(np.array([0, 1]), slice(0, 1))
        down, across, top, left = crop.parts(drawn[:1], 60, 240)[0]
        height, width = down * 60, across * 240
        assert 0.5 - 1e-9 <= width / height <= 2 + 1e-9 or height == 60
        middle = images[0, :2].astype(float).mean(axis=(1, 2))
        wanted = 4 * (top * 60 + height / 2 - 0.5), left * 240 + width / 2 - 0.5
        np.testing.assert_allclose(middle, wanted, atol=1.5)


def test_an_epoch_has_the_same_bits_whatever_its_batches_and_wherever_it_is_taken_up(tmp_path):
    photos(tmp_path)
    how = {"seed": 5, "epoch": 2, "shuffle": True, "augment": (ResizedCrop(), Mixup(), Flip())}
    data = load(settings(*how["augment"]), root=tmp_path)
    by_four, by_three = (np.concatenate([x for x, _ in data.train.batches(n, **how)]) for n in (4, 3))
    later = np.concatenate([x for x, _ in data.train.batches(3, start=1, **how)])
    assert (by_four == by_three).all() and (later == by_three[3:]).all()


def test_only_what_comes_first_begins_with_the_photo(tmp_path):
    photos(tmp_path)
    for augment in ((Flip(), ResizedCrop()), (Flip(),), ()):
        assert load(settings(*augment), root=tmp_path).train.originals is None
    same = Data(source=Images("photos"), augment=(ResizedCrop(),))
    assert load(same, root=tmp_path).train.originals is None, "nothing was lost"


def test_grey_photos_and_those_that_answer_themselves(tmp_path):
    photos(tmp_path, mode="L")
    source = Images("photos", resize=SIZE, colour=False, test=0.0)
    data = load(Data(source=source, augment=(ResizedCrop(),), target="itself", validation=0.0), root=tmp_path)
    ((x, y),) = data.train.batches(12, augment=(ResizedCrop(),), seed=1)
    assert x.shape == (12, 1, *SIZE) and (x == y).all()


def test_a_photo_that_goes_away_is_told(tmp_path):
    photos(tmp_path)
    data = load(settings(ResizedCrop()), root=tmp_path)
    for path in (tmp_path / "photos" / "a").iterdir():
        path.unlink()
    with pytest.raises(SpecError, match="CNN40"):
        list(data.train.batches(4, augment=(ResizedCrop(),)))


def test_drawn_parts_lie_within_the_image():
    crop = ResizedCrop(0.01, 10.0)
    drawn = crop.draw(np.random.default_rng(0), 500, (3, 8, 8))
    for height, width in ((1, 1), (10, 300), (300, 10)):
        down, across, top, left = crop.parts(drawn, height, width).T
        assert (down > 0).all() and (across > 0).all() and (top >= 0).all() and (left >= 0).all()
        assert (top + down <= 1 + 1e-9).all() and (left + across <= 1 + 1e-9).all()
    assert DrawnAugmentations(np.zeros((3, 1, 4, 4), np.uint8), np.zeros(3), (crop,), 0, 0).originals is None
