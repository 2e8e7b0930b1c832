"""Image files by Pillow: upright, opaque, eight bits a channel.

orientation     as EXIF, or XMP, tells it: all eight ways are turned upright
transparency    laid onto white, or another colour
16 bits grey    scaled to 8, 65535 to 255; more bits, and floats, are refused
CMYK, palettes, 1 bit, YCbCr    turned into red, green and blue, or grey
animations      the first picture
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from ...diagnostics import Fault
from ...plain_files import open_regular
from ..files import need, unreadable

if TYPE_CHECKING:
    import numpy as np
    from PIL.Image import Image, Transpose

FORMATS = ("PNG", "JPEG", "BMP", "PPM", "WEBP", "GIF", "TIFF")
MOST_PIXELS = 64_000_000
MANY_PIXELS = 4_000_000  # of fewer it is not asked whether memory is there
COPIES = 3  # of an image at once: as it is stored, with its transparency, without
ORIENTATION = 0x0112  # of EXIF
ACROSS = (5, 6, 7, 8)  # the orientations whose width is the height of what is stored


def read_picture(
    path: Path, colour: bool = True, resize: tuple[int, ...] | None = None, background: str = "white"
) -> Image:
    """An image file in mode RGB, or L for grey, in another height and width if told; raises Fault."""
    with _opened(path) as image:
        from PIL import Image as pillow

        whole = _upright(path, image, colour, background)
        return whole.resize((resize[1], resize[0]), pillow.Resampling.BILINEAR) if resize else whole


def read_part(
    path: Path,
    box: Callable[[int, int], tuple[float, float, float, float]],
    colour: bool,
    size: tuple[int, int],
    background: str,
) -> Image:
    """A part in this height and width; `box` is left, top, right and bottom of an image so high and wide."""
    with _opened(path) as image:
        from PIL import Image as pillow

        whole = _upright(path, image, colour, background)
        part = box(whole.height, whole.width)
        return whole.resize((size[1], size[0]), pillow.Resampling.BILINEAR, box=part)


def _upright(path: Path, image: Image, colour: bool, background: str) -> Image:
    """All of an image that is open, turned, opaque, and in mode RGB or L."""
    image.load()
    # asked for after loading, since TIFF is turned while it is loaded
    way = _turn(image.getexif().get(ORIENTATION, 1))
    upright = image if way is None else image.transpose(way)
    return _opaque(path, upright, background).convert("RGB" if colour else "L")


def read_mask(path: Path, resize: tuple[int, ...] | None = None) -> tuple[np.ndarray, bool]:
    """The number of each pixel of a mask, int64[h,w], and whether they are colours (red, green, blue in 24 bits).

    Of a palette the numbers are its places, of 1 bit 0 and 1, of grey what is stored; resizing takes the nearest.
    """
    with _opened(path) as image:
        import numpy as np
        from PIL import Image as pillow

        image.load()
        way = _turn(image.getexif().get(ORIENTATION, 1))
        upright = image if way is None else image.transpose(way)
        plain = upright.mode in ("1", "P", "L", "I") or upright.mode.startswith("I;16")
        whole = upright if plain else _opaque(path, upright).convert("RGB")
        if resize:
            whole = whole.resize((resize[1], resize[0]), pillow.Resampling.NEAREST)
        pixels = np.asarray(whole).astype(np.int64)
        return (pixels, False) if plain else (pixels @ np.array([1 << 16, 1 << 8, 1]), True)


def picture_size(path: Path) -> tuple[int, int]:
    """Height and width of an image file as `read_picture` gives it, without its pixels; raises Fault."""
    with _opened(path) as image:
        width, height = image.size
        across = image.format != "TIFF" and image.getexif().get(ORIENTATION, 1) in ACROSS
        return (width, height) if across else (height, width)


def _turn(orientation: object) -> Transpose | None:
    """What turns an image of this orientation upright; None for nothing."""
    from PIL.Image import Transpose as t

    ways = (
        t.FLIP_LEFT_RIGHT,
        t.ROTATE_180,
        t.FLIP_TOP_BOTTOM,
        t.TRANSPOSE,
        t.ROTATE_270,
        t.TRANSVERSE,
        t.ROTATE_90,
    )
    return dict(enumerate(ways, 2)).get(orientation) if isinstance(orientation, int) else None


def _opaque(path: Path, image: Image, background: str = "white") -> Image:
    """The image with eight bits a channel and nothing transparent."""
    from PIL import Image as pillow

    if image.mode.startswith("I;16") or (image.mode == "I" and image.format in ("PNG", "PPM", None)):
        # I;16 first to I: point() of I;16 knows only tables
        return image.convert("I").point(lambda v: v * (255 / 65535) + 0.5).convert("L")
    if image.mode[0] in "IF":
        raise Fault.of("CNN415", "source", case="bits", path=path)
    if image.has_transparency_data:
        seen = image.convert("RGBA")
        return pillow.alpha_composite(pillow.new("RGBA", seen.size, background), seen)
    return image


@contextmanager
def _opened(path: Path) -> Iterator[Image]:
    """An image whose size is known and its pixels not read yet; what is wrong with the file is a Fault."""
    try:
        from PIL import Image
    except ModuleNotFoundError:
        raise Fault.of("CNN403", "source", name=path.name) from None
    try:
        with open_regular(path) as file, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of damaged EXIF, palettes, vast sizes: what matters is a Fault
            with Image.open(file, formats=FORMATS) as image:
                width, height = image.size  # known before anything is unpacked
                if width * height > MOST_PIXELS:
                    raise _too_large(path, f"{width}x{height}")
                if width * height > MANY_PIXELS:
                    need(COPIES * 4 * width * height, f"{path}, unpacked", "one")
                yield image
    except (Fault, MemoryError):
        raise
    except Image.UnidentifiedImageError:
        raise Fault.of("CNN415", "source", case="format", path=path, formats=", ".join(FORMATS)) from None
    except Image.DecompressionBombError:
        raise _too_large(path, "far too many") from None
    except Exception as error:  # anything that Pillow raises for damaged files, struct.error and KeyError among it
        if isinstance(error, OSError) and error.errno is not None:  # said by the system, not by Pillow
            raise unreadable(path, error) from None
        reason = str(error).split("\n")[0].rstrip(".") or type(error).__name__
        raise Fault.of("CNN415", "source", path=path, reason=reason) from None


def _too_large(path: Path, size: str) -> Fault:
    return Fault.of("CNN415", "source", case="pixels", path=path, size=size, most=MOST_PIXELS)
