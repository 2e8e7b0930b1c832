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
