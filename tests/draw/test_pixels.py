"""PNG without a library for it: what is written is what is read."""

import io

import numpy as np
import pytest

from cnnspec.draw.pixels import grey_png, map_of_colours, mask_png

SIZES = [(1, 1), (7, 5), (64, 300)]


@pytest.mark.parametrize("size", SIZES)
def test_grey_is_read_by_pillow_as_it_was(size):
    image = pytest.importorskip("PIL.Image")
    x = np.random.default_rng(0).integers(0, 256, size).astype(np.uint8)
    with image.open(io.BytesIO(grey_png(x))) as found:
        assert found.mode == "L" and np.array_equal(np.asarray(found), x)


@pytest.mark.parametrize("size", SIZES)
def test_the_pixels_of_a_mask_are_class_numbers(size):
    image = pytest.importorskip("PIL.Image")
    x = np.random.default_rng(0).integers(0, 256, size)
    with image.open(io.BytesIO(mask_png(x))) as found:
        assert found.mode == "P" and np.array_equal(np.asarray(found), x)
        assert np.array_equal(np.asarray(found.convert("RGB")), np.reshape(map_of_colours(), (256, 3))[x])


def test_the_colours_are_those_of_voc_and_all_differ():
    colours = np.reshape(map_of_colours(), (256, 3))
    assert colours[:5].tolist() == [[0, 0, 0], [128, 0, 0], [0, 128, 0], [128, 128, 0], [0, 0, 128]]
    assert colours[15].tolist() == [192, 128, 128], "person"
    assert len({tuple(colour) for colour in colours.tolist()}) == 256


def test_the_bytes_are_whole_chunks():
    import struct
    import zlib

    raw, kinds, place = mask_png(np.eye(4)), [], 8
    assert raw[:8] == b"\x89PNG\r\n\x1a\n"
    while place < len(raw):
        (length,) = struct.unpack(">I", raw[place : place + 4])
        kind, content = raw[place + 4 : place + 8], raw[place + 8 : place + 8 + length]
        assert struct.unpack(">I", raw[place + 8 + length : place + 12 + length]) == (zlib.crc32(kind + content),)
        kinds.append(kind)
        if kind == b"IDAT":
            rows = np.frombuffer(zlib.decompress(content), np.uint8).reshape(4, 5)
            assert np.array_equal(rows[:, 1:], np.eye(4)) and not rows[:, 0].any()
        place += 12 + length
    assert kinds == [b"IHDR", b"PLTE", b"IDAT", b"IEND"]
