"""The lines of JavaScript of pooling and of resampling."""

from __future__ import annotations

from collections.abc import Callable

from ...ir.op import Node, Op
from ...primitives.formula_windows import FormulaWindows, FormulaWindowsGradient
from ...primitives.resample import BlendPixels, Enlarge, EnlargeGradient, PixelShuffle, Slice, ZeroPad
from ...primitives.windows import MaxWindows, MaxWindowsGradient, MeanWindows, MeanWindowsGradient
from . import window_formula
from .emit import Emitter, sizes, sliding

Line = Callable[..., None]


def max_windows(e: Emitter, node: Node[MaxWindows]) -> None:
    (x,) = node.inputs
    kernel = "maxpool2(room, " if node.op.quartered else "maxpool("
    e.line(f"{kernel}{e[x]}, {e[node.name]}, n, {sliding(node.op.geometry, e.type(x), node.type)})")


def max_windows_gradient(e: Emitter, node: Node[MaxWindowsGradient]) -> None:
    dy, x, y, *_ = node.inputs
    kernel = "maxpool2Gradient(room, " if node.op.quartered else "maxpoolGradient("
    window = sliding(node.op.geometry, e.type(x), e.type(y))
    e.line(f"{kernel}{e[dy]}, {e[x]}, {e[y]}, {e[node.name]}, n, {window})")


def mean_windows(e: Emitter, node: Node[MeanWindows]) -> None:
    (x,) = node.inputs
    window = sliding(node.op.geometry, e.type(x), node.type)
    e.line(f"avgpool({e[x]}, {e[node.name]}, n, {window}, {truth(node.op.count_pad)})")


def mean_windows_gradient(e: Emitter, node: Node[MeanWindowsGradient]) -> None:
    (dy,) = node.inputs
    window = sliding(node.op.geometry, node.type, e.type(dy))
    e.line(f"avgpoolGradient({e[dy]}, {e[node.name]}, n, {window}, {truth(node.op.count_pad)})")


def formula_windows(e: Emitter, node: Node[FormulaWindows]) -> None:
    (x,) = node.inputs
    window = sliding(node.op.geometry, e.type(x), node.type)
    e.line(f"{window_formula.name(node.op.formula)}({e[x]}, {e[node.name]}, n, {window})")


def formula_windows_gradient(e: Emitter, node: Node[FormulaWindowsGradient]) -> None:
    dy, x, *_ = node.inputs
    window = sliding(node.op.geometry, e.type(x), e.type(dy))
    e.line(f"{window_formula.name(node.op.formula)}Gradient({e[dy]}, {e[x]}, {e[node.name]}, n, {window})")


def truth(value: bool) -> str:
    return "true" if value else "false"


def moved(kernel: str) -> Line:
    """`place` and `take`."""

    def line(e: Emitter, node: Node[ZeroPad | Slice]) -> None:
        (x,) = node.inputs
        how = f"{{ from: {sizes(e.type(x))}, to: {sizes(node.type)}, before: {list(node.op.before)} }}"
        e.line(f"{kernel}({e[x]}, {e[node.name]}, n, {how})")

    return line


def enlarge(e: Emitter, node: Node[Enlarge]) -> None:
    (x,) = node.inputs
    how = f"{{ from: {sizes(e.type(x))}, to: {sizes(node.type)}, factors: {list(node.op.factors)} }}"
    e.line(f"enlarge({e[x]}, {e[node.name]}, n, {how})")


def enlarge_gradient(e: Emitter, node: Node[EnlargeGradient]) -> None:
    (dy,) = node.inputs
    how = f"{{ from: {sizes(node.type)}, to: {sizes(e.type(dy))}, factors: {list(node.op.factors)} }}"
    e.line(f"enlargeGradient({e[dy]}, {e[node.name]}, n, {how})")


def pixel_shuffle(e: Emitter, node: Node[PixelShuffle]) -> None:
    (x,), back = node.inputs, node.op.back
    many = node.type if back else e.type(x)
    how = f"{{ from: {sizes(many)}, factors: {list(node.op.factors)} }}"
    e.line(f"{'pixelUnshuffle' if back else 'pixelShuffle'}({e[x]}, {e[node.name]}, n, {how})")


def blend_pixels(e: Emitter, node: Node[BlendPixels]) -> None:
    (x,) = node.inputs
    tables = [
        f"{name}: [{', '.join(str([[i, weight] for i, weight in enumerate(row) if weight]) for row in matrix)}]"
        for name, matrix in (("down", node.op.down), ("across", node.op.across))
    ]
    how = f"{{ from: {sizes(e.type(x))}, to: {sizes(node.type)}, {', '.join(tables)} }}"
    e.line(f"blendPixels({e[x]}, {e[node.name]}, n, {how})")


FORMULAS: dict[type[Op], Line] = {  # of all that are formulas of windows
    FormulaWindows: formula_windows,
    FormulaWindowsGradient: formula_windows_gradient,
}
LINES: dict[type[Op], Line] = {
    MaxWindows: max_windows,
    MaxWindowsGradient: max_windows_gradient,
    MeanWindows: mean_windows,
    MeanWindowsGradient: mean_windows_gradient,
    ZeroPad: moved("place"),
    Slice: moved("take"),
    Enlarge: enlarge,
    EnlargeGradient: enlarge_gradient,
    BlendPixels: blend_pixels,
    PixelShuffle: pixel_shuffle,
}
