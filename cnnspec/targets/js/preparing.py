"""How a module of JavaScript prepares images: the `preparation` of its tables; see kernels/preparation.js."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING

from ...quoting import script_literal

if TYPE_CHECKING:  # a page's compiler has no NumPy
    from ...data.preparation import Preparation

COLOURS = {"white": "#ffffff", "black": "#000000", "grey": "#808080"}


def prepared(preparation: Preparation, prepares: bool) -> list[str]:
    """How images were prepared, and the names of the classes."""
    names = preparation.classes
    classes = "null" if names is None else f"[{', '.join(map(script_literal, names))}]"
    others = [
        f"{script_literal(name)}: {{ {preparing(one, prepares)} }}" for name, one in preparation.inputs.items()
    ]
    more = f", others: {{ {', '.join(others)} }}" if others else ""
    return [
        f"  preparation: {{ {preparing(preparation, prepares)}{more} }},",
        *(["  prepares: true,"] if prepares else []),
        f"  classes: {classes},",
    ]


def preparing(kept: Preparation, prepares: bool) -> str:
    """Source of the fields of how an input's images were prepared."""
    scaling = kept.scaling
    found = [f"stored: {script_literal(kept.stored)}"]
    found += [f"scale: {list(scaling.scale)}", f"offset: {list(scaling.offset)}"]
    if prepares and kept.stored_axes.replace("n", "", 1) != kept.axes_seen[1:] and "c" in kept.stored_axes:
        sizes, axes = kept.stored_shape, kept.stored_axes[1:]
        apart = {axis: prod(sizes[place + 1 :]) for place, axis in enumerate(axes)}
        found.append(f"strides: {[apart['c'], apart.get('h', 0), apart['w']]}")
    if kept.bytes_as is not None and kept.stored == "floats":
        found.append(f"bytesAs: {kept.bytes_as!r}")
    if kept.fill:
        found.append(f"fill: {list(kept.fill)}")
    if kept.resize is not None:
        found.append(f"size: {list(kept.resize)}")
    if kept.background not in (None, "white"):
        found.append(f"background: {list(colour_of(kept.background))}")
    return ", ".join(found)


def colour_of(background: str) -> tuple[int, ...]:
    """Red, green and blue of a colour as the data block says it."""
    digits = COLOURS.get(background, background)[1:]
    return tuple(int(digits[k : k + 2], 16) for k in (0, 2, 4))


def fed(kept: Preparation) -> str:
    """What a module that prepares images itself wants to be fed, in words."""
    pictures = kept.source in ("images", "pairs")
    canvas = " Pictures may also be as a canvas gives them, an ImageData or an array of them." if pictures else ""
    return f"It is fed {kept.fed()}, one behind the other, and prepares them itself: {kept.wants()}.{canvas}"
