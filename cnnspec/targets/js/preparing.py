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


def preparing(preparation: Preparation, prepares: bool) -> str:
    """Source of the fields of how an input's images were prepared."""
    scaling = preparation.scaling
    found = [f"stored: {script_literal(preparation.stored)}"]
    found += [f"scale: {list(scaling.scale)}", f"offset: {list(scaling.offset)}"]
    if (
        prepares
        and preparation.stored_axes.replace("n", "", 1) != preparation.axes_seen[1:]
        and "c" in preparation.stored_axes
    ):
        sizes, axes = preparation.stored_shape, preparation.stored_axes[1:]
        apart = {axis: prod(sizes[place + 1 :]) for place, axis in enumerate(axes)}
        found.append(f"strides: {[apart['c'], apart.get('h', 0), apart['w']]}")
    if preparation.bytes_as is not None and preparation.stored == "floats":
        found.append(f"bytesAs: {preparation.bytes_as!r}")
    if preparation.fill:
        found.append(f"fill: {list(preparation.fill)}")
    if preparation.resize is not None:
        found.append(f"size: {list(preparation.resize)}")
    if preparation.background not in (None, "white"):
        found.append(f"background: {list(colour_of(preparation.background))}")
    return ", ".join(found)


def colour_of(background: str) -> tuple[int, ...]:
    """Red, green and blue of a colour as the data block says it."""
    digits = COLOURS.get(background, background)[1:]
    return tuple(int(digits[k : k + 2], 16) for k in (0, 2, 4))


def fed(preparation: Preparation) -> str:
    """What a module that prepares images itself wants to be fed, in words."""
    pictures = preparation.source in ("images", "pairs")
    canvas = " Pictures may also be as a canvas gives them, an ImageData or an array of them." if pictures else ""
    takes = f"It is fed {preparation.fed()}, one behind the other, and prepares them itself"
    return f"{takes}: {preparation.wants()}.{canvas}"
