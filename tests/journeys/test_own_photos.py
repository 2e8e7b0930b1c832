"""Days with photos: folders of files, trained, moved, asked from elsewhere."""

from __future__ import annotations

import random

import pytest

Image = pytest.importorskip("PIL.Image", reason="photos are read by Pillow, which is not installed")

SPEC = """conv 4x3x3 pad same -> relu -> maxpool 2 -> dense 2 -> softmax
data { source images "photos" resize 12x12 ; validation 0 }
train { optimiser adam lr 1e-2 ; batch 8 ; epochs 8 ; seed 1 }
"""


def photo(path, half, size, draw, mode="RGB", orientation=None):
    """A picture whose upper or lower half is bright, as a viewer shows it; stored turned where told so."""
    width, height = size
    image = Image.new("L", size)
    image.putdata([
        draw.randrange(170, 250) if (row < height / 2) == (half == "up") else draw.randrange(0, 60)
        for row in range(height) for _ in range(width)
    ])  # fmt: skip
    path.parent.mkdir(parents=True, exist_ok=True)
    if orientation == 3:
        exif = Image.Exif()
        exif[0x0112] = 3  # the camera was held upside down
        image.rotate(180).convert(mode).save(path, exif=exif, quality=95)
        return
    image.convert(mode).save(path)


def album(day, count=24, kind="png"):
    draw = random.Random(5)
    for half in ("up", "down"):
        for number in range(count):
            size = draw.randrange(14, 30), draw.randrange(14, 30)
            photo(day / f"photos/{half}/{number}.{kind}", half, size, draw)
    return draw


def test_photos_of_all_sizes_trained_moved_and_asked_from_another_folder(day):
    draw = album(day)
    day.write("halves.cnn", SPEC)
    day.well("check", "halves.cnn")
    said = day.well("run", "halves.cnn", "--workers", 1)
    assert said.number("test accuracy") == 1.0
    before = day.well("eval", "runs/halves-001").out
    elsewhere = day.folder.parent / "elsewhere"
    day.folder.rename(elsewhere)  # the project gets another name
    day.folder.mkdir()
    (elsewhere / "halves.cnn").write_text("dense 7 -> softmax\n", encoding="utf-8")  # and the spec is edited
    run = elsewhere / "runs/halves-001"
    assert day.well("eval", run).out == before
    for half, mode in (("up", "RGB"), ("down", "L"), ("up", "P"), ("down", "RGBA")):
        photo(day / f"ask/{half}-{mode}.png", half, (40, 33), draw, mode)
        (answer,) = day.well("predict", run, f"ask/{half}-{mode}.png", "--json").json()
        assert answer["best"][0][0] == half


def test_the_model_answers_when_the_photos_are_gone(day):
    draw = album(day)
    day.write("halves.cnn", SPEC)
    day.well("run", "halves.cnn", "--workers", 1)
    (day / "photos").rename(day.folder.parent / "archive")
    photo(day / "new.png", "down", (25, 31), draw)
    assert "down" in day.well("predict", "runs/halves-001", "new.png").out.split(",")[0]
    said = day.tell("eval", "runs/halves-001")
    assert said.code == 1 and "photos" in said.err


def test_photos_of_a_camera_that_was_held_upside_down(day):
    draw = random.Random(6)
    for half in ("up", "down"):
        for number in range(30):
            photo(day / f"photos/{half}/{number}.jpg", half, (20, 20), draw, orientation=3 if number % 2 else None)
    day.write("halves.cnn", SPEC)
    assert day.well("run", "halves.cnn", "--workers", 1).number("test accuracy") == 1.0


def test_photos_with_a_validation_folder_of_their_own(day):
    draw = random.Random(7)
    for part, count in (("train", 20), ("val", 6), ("test", 6)):
        for half in ("up", "down"):
            for number in range(count):
                photo(day / f"photos/{part}/{half}/{number}.png", half, (16, 16), draw)
    day.write("halves.cnn", SPEC)
    said = day.well("run", "halves.cnn", "--workers", 1)
    assert "40 images of photos to learn from, 12 from val for validation, 12 from test to test" in said.out


def test_folders_named_by_numbers_are_classes_in_the_order_of_the_numbers(day):
    draw = random.Random(8)
    for label in range(11):
        for number in range(6):
            image = Image.new("L", (11, 4))
            image.putdata([draw.randrange(30) + 220 * (column == label) for _ in range(4) for column in range(11)])
            path = day / f"photos/{label}/{number}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            image.save(path)
    day.write("columns.cnn", """dense 11 -> softmax
data { source images "photos" colour off ; validation 0 }
train { optimiser adam lr 3e-2 ; batch 8 ; epochs 40 }
""")  # fmt: skip
    assert day.well("run", "columns.cnn", "--workers", 1).number("test accuracy") == 1.0
    (answer,) = day.well("predict", "runs/columns-001", "photos/10/0.png", "--json").json()
    assert answer["best"][0][0] == "10" and max(range(11), key=answer["output"].__getitem__) == 10
