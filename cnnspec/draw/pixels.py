"""Pixels as PNG, by the standard library alone.

A mask keeps its class numbers: it is a picture with a palette, whose colours are there to be seen.

    grey_png(x[h,w])          bytes, 0 black and 255 white
    colour_png(x[h,w,3])      bytes of red, green and blue
    mask_png(classes[h,w])    whole numbers from 0 to 255, each in a colour of its own, 0 in black
"""

from __future__ import annotations

import struct
import zlib

import numpy as np

SIGNATURE = b"\x89PNG\r\n\x1a\n"
GREY, COLOUR, PALETTE = 0, 2, 3  # colour types of PNG


def grey_png(x: np.ndarray) -> bytes:
    """Bytes [h, w] as a picture of grey."""
    return _png(x, GREY, b"")


def colour_png(x: np.ndarray) -> bytes:
    """Bytes [h, w, 3] as a picture of red, green and blue."""
    return _png(x, COLOUR, b"")


def mask_png(classes: np.ndarray) -> bytes:
    """Class numbers [h, w] below 256 as a picture whose pixels are those numbers."""
    return _png(classes.astype(np.uint8), PALETTE, _chunk(b"PLTE", bytes(map_of_colours())))


def map_of_colours() -> list[int]:
    """Red, green and blue of 256 classes; the first 21 are those of PASCAL VOC's masks, since the rule is theirs.

    Bit 3k + i of a class's number becomes bit 7 - k of its channel i.
    """
    return [
        sum((number >> (3 * k + channel) & 1) << (7 - k) for k in range(8))
        for number in range(256)
        for channel in range(3)
    ]


def _png(x: np.ndarray, kind: int, palette: bytes) -> bytes:
    height, width = x.shape[:2]
    header = struct.pack(">IIBBBBB", width, height, 8, kind, 0, 0, 0)
    flat = x.reshape(height, -1)
    rows = np.zeros((height, flat.shape[1] + 1), np.uint8)  # each row begins with its filter, none
    rows[:, 1:] = flat
    packed = zlib.compress(rows.tobytes(), 9)
    return SIGNATURE + _chunk(b"IHDR", header) + palette + _chunk(b"IDAT", packed) + _chunk(b"IEND", b"")


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
