"""Data of one's own in the page: pictures of a folder, rows of a table; read there, sent nowhere."""

import struct

import numpy as np
import pytest
from browser import complaints, requests
from lab import Lab
from manners import faults

CLASSES = ("<b>left", "right")
NET = """input 1x8x8
conv 3x3x3 -> relu -> dense {} -> softmax
train {{ optimiser adam lr 3e-2 ; batch 8 ; epochs 9 }}
"""
ROWS = "input {}\ndense 4 -> tanh -> dense 2 -> softmax\ntrain {{ batch 8 ; optimiser adam lr 0.1 }}\n"


@pytest.fixture
def lab(driver, server):
    made = Lab(driver, server.address)
    made.find("#tab-train").click()
    made.js("document.querySelector('#train details').open = true")
    yield made
    assert complaints(driver) == []
    away = [one for one in requests(driver) if not one.startswith((server.address, "about:"))]
    assert away == []


def bitmap(x):
    """Grey pixels (h, w) as the bytes of a BMP file of 24 bits."""
    height, width = x.shape
    rows = np.zeros((height, -(-3 * width // 4) * 4), np.uint8)
    rows[:, : 3 * width] = np.repeat(x[::-1], 3, axis=1)
    header = struct.pack("<IIiiHHIIiiII", 54, 40, width, height, 1, 24, 0, rows.size, 0, 0, 0, 0)
    return b"BM" + struct.pack("<IHH", 54 + rows.size, 0, 0) + header + rows.tobytes()


@pytest.fixture
def photos(tmp_path):
    """Thirty pictures of each class, of several sizes: bright on the left, or on the right."""
    generator = np.random.default_rng(0)
    for label, name in enumerate(CLASSES):
        (tmp_path / "photos" / name).mkdir(parents=True)
        for k in range(30):
            x = generator.integers(0, 90, (12 + k % 3, 12 + k % 5)).astype(np.uint8)
            half = x.shape[1] // 2
            x[:, slice(half, None) if label else slice(half)] += 140
            (tmp_path / "photos" / name / f"{k}.bmp").write_bytes(bitmap(x))
    (tmp_path / "photos" / CLASSES[0] / "notes.txt").write_text("no picture")
    (tmp_path / "photos" / CLASSES[1] / "broken.png").write_bytes(b"no picture either")
    return tmp_path / "photos"


def test_a_network_learns_from_a_folder_of_pictures(lab, photos):
    lab.type(NET.format(3), anew=True)
    lab.find("#own-folder").send_keys(str(photos))
    lab.until(lambda: "do not fit" in lab.text("learns-from"))
    assert lab.text("learns-from") == (
        "Your data do not fit: there are 2 classes (<b>left, right): end with `dense 2 -> softmax`."
    )
    assert lab.js("return document.getElementById('start').disabled")
    lab.type(NET.format(2), anew=True)
    assert lab.text("learns-from").startswith("It learns from 61 pictures of yours, of 2 classes; every")
    for _ in range(3):
        learnt = lab.trained("one-epoch")
    assert learnt == 100
    assert "1 file could not be read, and is left out" in lab.text("learns-from")
    assert "test image 0, a <b>left" in lab.text("watched")
    assert "answered <b>left" in lab.text("answer")
    assert faults(lab.driver) == []
    with lab.inside():
        names = [one.text for one in lab.driver.find_elements("css selector", "#answers .answer span:first-child")]
        assert [name.removesuffix(" ✓") for name in names] == list(CLASSES)
        assert lab.find("#pad").is_displayed()
    lab.find("#tab-train").click()
    lab.find("#own-away").click()
    assert "No images come with cnnspec" in lab.text("learns-from")


TABLE = "width;height;kind\n" + "".join(
    f"{k % 7};{'.5' if k % 2 else '-2'};{'tall' if k % 2 else 'flat'}\n" for k in range(40)
)


def test_a_network_learns_from_a_table(lab, tmp_path):
    path = tmp_path / "boxes.csv"
    path.write_text(TABLE)
    lab.type(ROWS.format(3), anew=True)
    lab.find("#own-table").send_keys(str(path))
    lab.until(lambda: "do not fit: a row has 2 numbers: begin with `input 2`" in lab.text("learns-from"))
    lab.type(ROWS.format(2), anew=True)
    for _ in range(4):
        learnt = lab.trained("one-epoch")
    assert learnt == 100
    with lab.inside():
        assert not lab.find("#pad").is_displayed()


def test_a_network_learns_the_numbers_of_a_table(lab, tmp_path):
    """Two numbers of each row, and how near it comes to them: nothing is right or wrong."""
    path = tmp_path / "sums.csv"
    path.write_text("".join(f"{k % 7},{k % 5},{k % 7 + k % 5},{k % 7 - k % 5}\n" for k in range(70)))
    lab.type("input 2\ndense 2\ntrain { loss mse ; batch 2 ; epochs 9 ; optimiser adam lr 0.3 }\n", anew=True)
    lab.find("#own-table").send_keys(str(path))
    lab.until(lambda: "It learns from 70 rows of yours, each with 2 numbers to answer" in lab.text("learns-from"))
    for _ in range(6):
        assert lab.trained("one-epoch") is None
    assert "test cost" in lab.text("progress") and "accuracy" not in lab.text("curves")
    assert float(lab.text("progress").rpartition("test cost ")[2]) < 2
    lab.until(lambda: "right is" in lab.text("answer"))
    with lab.inside():
        rows = lab.js("return [...document.querySelectorAll('#answers table tr')].map((row) => row.innerText)")
        assert "right" in rows[0] and len(rows) == 3
    lab.find("#tab-train").click()
    lab.type("input 3\ndense 2\ntrain { loss mse }\n", anew=True)
    assert "of 4 numbers in a row the last 2 are to be answered: begin with `input 2`" in lab.text("learns-from")


@pytest.fixture
def scenes(tmp_path):
    """Bright squares on dark pictures, and where they are; of one picture there is no mask."""
    generator = np.random.default_rng(0)
    for name in ("images", "masks"):
        (tmp_path / "scenes" / name).mkdir(parents=True)
    for k in range(40):
        x, mask = generator.integers(0, 60, (12, 12)).astype(np.uint8), np.zeros((12, 12), np.uint8)
        i, j = generator.integers(0, 7, 2)
        x[i : i + 5, j : j + 5] += 150
        mask[i : i + 5, j : j + 5] = 255
        (tmp_path / "scenes" / "images" / f"{k}.bmp").write_bytes(bitmap(x))
        if k:
            (tmp_path / "scenes" / "masks" / f"{k}.bmp").write_bytes(bitmap(mask))
    return tmp_path / "scenes"


@pytest.mark.parametrize(
    ("end", "epochs"),
    [("conv 1x1x1 -> sigmoid", 4), pytest.param("conv 2x1x1 -> softmax", 8, marks=pytest.mark.slow)],
)
def test_a_network_learns_masks(lab, scenes, end, epochs):
    spec = (
        "input 1x8x8\nconv 3x3x3 pad same -> relu -> {}\ntrain {{ optimiser adam lr 5e-2 ; batch 4 ; epochs 9 }}\n"
    )
    lab.type(spec.format("dense 2 -> softmax"), anew=True)
    lab.find("#own-folder").send_keys(str(scenes))
    lab.until(lambda: "do not fit: masks of 2 classes (#000000, #ffffff)" in lab.text("learns-from"))
    lab.type(spec.format(end), anew=True)
    assert lab.text("learns-from").startswith("It learns from 39 pictures of yours, with masks of 2 classes")
    for _ in range(epochs):
        learnt = lab.trained("one-epoch")
    assert learnt > 95
    with lab.inside():
        captions = lab.js(
            "return [...document.querySelectorAll('#answers figcaption')].map((one) => one.innerText)"
        )
        assert captions == ["answered", "right"]


def test_masks_of_many_colours_are_told_of(lab, scenes):
    noisy = np.arange(144, dtype=np.uint8).reshape(12, 12)
    (scenes / "masks" / "3.bmp").write_bytes(bitmap(noisy))
    lab.find("#own-folder").send_keys(str(scenes))
    lab.until(lambda: "more than 64 colours" in lab.text("said"))
    assert "digits" in lab.text("learns-from")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a,b,c\n1,2,x\n1,y\n", "line 3 has 2 cells, the first 3"),
        ("a,b,c\n1,2,x\n1,two,y\n", 'line 3, column 2: "two" is no number; the class stands last'),
        ("only one line", "a table has several lines"),
        ("", "a table has several lines"),
    ],
)
def test_a_table_that_cannot_be_read_is_told_of_by_its_line(lab, tmp_path, text, said):
    path = tmp_path / "t.csv"
    path.write_text(text)
    lab.find("#own-table").send_keys(str(path))
    lab.until(lambda: said in lab.text("said"))
    assert "digits" in lab.text("learns-from")


def test_a_folder_without_pictures_is_told_of(lab, tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "notes.txt").write_text("words")
    lab.find("#own-folder").send_keys(str(tmp_path / "empty"))
    lab.until(lambda: "no picture in this folder" in lab.text("said"))
