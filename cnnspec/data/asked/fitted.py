"""Pictures of any size brought to a network that was trained on images of one size: `cnnspec predict --fit`.

    handwritten digits    as MNIST was made: light on dark, in a box of 20 of 28 pixels, the centre of mass amid
    any other pictures    cut to the network's proportions around the middle, and scaled

"The original black and white (bilevel) images from NIST were size normalized to fit in a 20x20 pixel box while
preserving their aspect ratio. The resulting images contain grey levels as a result of the anti-aliasing technique
used by the normalization algorithm. The images were centered in a 28x28 image by computing the center of mass of
the pixels, and translating the image so as to position this point at the center of the 28x28 field." (LeCun,
Cortes, Burges: The MNIST database)
"""

from __future__ import annotations

import numpy as np

from ...diagnostics import Fault
from ...ir import TensorType
from ...kernels.resample import resample
from ..preparation import Preparation

DIGITS = tuple("0123456789")
BOX = 20 / 28  # the longer side of a digit, of the image's side
LUMA = (299, 587, 114)  # thousandths of red, green and blue (ITU-R BT.601)
INK = 0.2  # of the darkest stroke: what is fainter is paper, its grain or its shadow
CONTRAST = 8  # grey levels from the paper to the darkest stroke: below it there is none


def fitted(x: np.ndarray, preparation: Preparation, where: str) -> tuple[np.ndarray, str]:
    """One picture of pixels [c,h,w], or several [n,c,h,w], as [n,c,h,w] of the network's size, and what was done.

    Bytes, or floats from 0 to 1, as bytes. Raises Fault for what has no pixels (CNN408), and for empty drawings.
    """
    kind = preparation.input_type
    ensure_pixels(preparation)
    pixels = as_pictures(_as_bytes(x, where), where)
    pixels = as_grey(pixels) if kind["c"] == 1 else as_coloured(pixels)
    if is_of_digits(preparation):
        size = kind["h"]
        made = np.stack([as_digit(picture[0], size, where) for picture in pixels])[:, None]
        return made, f"drawings, fitted as MNIST was: light on dark, {round(size * BOX)} pixels, centred by mass"
    return cover(pixels, kind), f"pictures, cut around the middle and scaled to {kind['h']}x{kind['w']}"


def ensure_pixels(preparation: Preparation) -> None:
    """Raise a Fault where a network takes something else than pictures."""
    kind = preparation.input_type
    if kind.kind != "image" or kind["c"] not in (1, 3):
        raise Fault.of("CNN408", case="fitted", takes=kind)


def is_of_digits(preparation: Preparation) -> bool:
    """Whether a network reads handwritten digits: square images of one channel, and the classes 0 to 9."""
    kind = preparation.input_type
    return preparation.classes == DIGITS and kind.kind == "image" and kind["c"] == 1 and kind["h"] == kind["w"]


def _as_bytes(x: np.ndarray, where: str) -> np.ndarray:
    if x.dtype == np.bool_:
        return x.astype(np.uint8) * np.uint8(255)
    if x.dtype == np.uint8 or not x.size:
        return x.astype(np.uint8)
    low, high = float(x.min()), float(x.max())  # not a number is in no range
    if x.dtype.kind == "f" and 0 <= low <= high <= 1:
        return np.rint(x * 255).astype(np.uint8)
    if 0 <= low <= high <= 255 and (x == np.floor(x)).all():
        return x.astype(np.uint8)
    raise Fault.of("CNN426", case="pixels", array=where, type=x.dtype, low=low, high=high)


def as_pictures(x: np.ndarray, where: str) -> np.ndarray:
    """Pictures as [n,c,h,w], whose channels (1, 3, or 4 with transparency, laid on white) came first or last.

    h w | n h w | h w c | c h w | n h w c | n c h w
    """
    if x.ndim == 2:
        x = x[None, None]
    elif x.ndim == 3 and x.shape[-1] in (3, 4):
        x = x.transpose(2, 0, 1)[None]
    elif x.ndim == 3:
        x = x[None] if x.shape[0] in (1, 3, 4) else x[:, None]
    elif x.ndim == 4 and x.shape[1] not in (1, 3, 4) and x.shape[-1] in (1, 3, 4):
        x = x.transpose(0, 3, 1, 2)
    if x.ndim != 4 or x.shape[1] not in (1, 3, 4) or 0 in x.shape:
        raise Fault.of("CNN408", case="no pictures", array=where, type=x.dtype, shape=x.shape)
    if x.shape[1] == 4:
        colours, opaque = x[:, :3].astype(np.float32), x[:, 3:].astype(np.float32) / 255
        x = np.rint(colours * opaque + 255 * (1 - opaque)).astype(np.uint8)
    return x


def as_grey(x: np.ndarray) -> np.ndarray:
    """x[n,c,h,w] -> [n,1,h,w], bytes."""
    if x.shape[1] == 1:
        return x
    weights = np.array(LUMA, np.uint32).reshape(1, 3, 1, 1)
    return ((x * weights).sum(1, keepdims=True) // 1000).astype(np.uint8)


def as_coloured(x: np.ndarray) -> np.ndarray:
    """x[n,c,h,w] -> [n,3,h,w], bytes."""
    return np.repeat(x, 3, 1) if x.shape[1] == 1 else x


def as_digit(x: np.ndarray, size: int, where: str) -> np.ndarray:
    """A drawing x[h,w] of bytes as a digit of MNIST [size,size]; the paper is what most of the border is."""
    border = np.concatenate([x[0], x[-1], x[:, 0], x[:, -1]])
    paper = float(np.median(border))
    ink = np.maximum(x - paper if paper < x.mean() else paper - x, 0.0)  # strokes are lighter, or darker
    if ink.max() < CONTRAST:
        raise Fault.of("CNN475", picture=where)
    ink /= ink.max()
    ink[ink < INK] = 0
    rows, columns = (np.flatnonzero(ink.any(axis)) for axis in (1, 0))
    drawn = ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    box = max(1, round(size * BOX))
    scale = box / max(drawn.shape)
    drawn = resample(drawn, *(min(box, max(1, round(side * scale))) for side in drawn.shape))
    drawn = np.clip(drawn / drawn.max(), 0, 1)
    made = np.zeros((size, size))
    places = []
    for axis, side in enumerate(drawn.shape):
        mass = drawn.sum(1 - axis)
        centre = float(mass @ np.arange(side)) / float(mass.sum())
        places.append(min(max(0, round(size / 2 - centre)), size - side))
    top, left = places
    made[top : top + drawn.shape[0], left : left + drawn.shape[1]] = drawn
    return np.rint(made * 255).astype(np.uint8)


def cover(x: np.ndarray, kind: TensorType) -> np.ndarray:
    """Pictures x[n,c,h,w] cut around the middle to the proportions of a type, and scaled to its size; bytes."""
    (height, width), (wanted_h, wanted_w) = x.shape[2:], kind.spatial
    part = min(height / wanted_h, width / wanted_w)
    tall, wide = max(1, round(part * wanted_h)), max(1, round(part * wanted_w))
    top, left = (height - tall) // 2, (width - wide) // 2
    cut = x[:, :, top : top + tall, left : left + wide].astype(np.float64)
    return np.rint(np.clip(resample(cut, wanted_h, wanted_w), 0, 255)).astype(np.uint8)
