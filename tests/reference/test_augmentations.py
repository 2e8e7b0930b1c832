"""The pictures of augmentations are those that the code makes."""

import struct
import zlib

import numpy as np
import pytest

from cnnspec.draw.pixels import colour_png
from cnnspec.reference.augmentations import FOLDER, strips

STRIPS = strips()


def pixels(raw):
    """A PNG of colours without filters, as bytes [h, w, 3]."""
    assert raw.startswith(b"\x89PNG\r\n\x1a\n")
    at, packed, width = 8, b"", 0
    while at < len(raw):
        (length,) = struct.unpack(">I", raw[at : at + 4])
        kind, content = raw[at + 4 : at + 8], raw[at + 8 : at + 8 + length]
        assert struct.unpack(">I", raw[at + 8 + length : at + 12 + length])[0] == zlib.crc32(kind + content)
        if kind == b"IHDR":
            width, height, depth, colours = struct.unpack(">IIBB", content[:10])
            assert (depth, colours) == (8, 2)
        packed += content * (kind == b"IDAT")
        at += 12 + length
    rows = np.frombuffer(zlib.decompress(packed), np.uint8).reshape(height, 3 * width + 1)
    assert not rows[:, 0].any()
    return rows[:, 1:].reshape(height, width, 3)


def test_a_picture_is_written_as_it_is():
    image = np.random.default_rng(0).integers(0, 256, (5, 7, 3), dtype=np.uint8)
    np.testing.assert_array_equal(pixels(colour_png(image)), image)


@pytest.mark.parametrize("word", STRIPS)
def test_the_pictures_of_the_reference_are_those_of_the_code(word):
    shown = pixels((FOLDER / f"{word}.png").read_bytes()).astype(int)
    # interpolation may round the other way on another machine
    assert shown.shape == STRIPS[word].shape and np.abs(shown - STRIPS[word]).max() <= 1, (
        "run python -m cnnspec.reference.augmentations"
    )


def test_there_is_a_picture_of_each_and_no_other():
    assert sorted(path.stem for path in FOLDER.iterdir()) == sorted(STRIPS)
