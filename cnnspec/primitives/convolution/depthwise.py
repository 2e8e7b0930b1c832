"""The lines of plan of the gradients of depthwise convolutions: by taps, or by a dense matrix for each channel."""

from __future__ import annotations

from ... import kernels
from ...ir.geometry import Geometry
from ...ir.op import PlanWriter

STRIP = 4  # rows of a layer that are made at a time
STRIPS = 262_144  # numbers of what such strips are made from


def emit_input_gradient(dy: str, w: str, dx: str, geometry: Geometry, dense: bool, e: PlanWriter) -> None:
    """dx[h,c,w,n] from dy[i,c,j,n]"""
    by, weights, arguments = kernels.depthwise, taps(w, geometry, e), geometry.arguments
    if dense:
        lent = matrices(dx, dy, e)
        e.call(by.depthwise_dense_input_gradient, e[dy], weights, *arguments, **lent, out=e[dx])
    else:
        lent = {"parts": strips_of(dy, dx, geometry, e)}
        if geometry.stride[1] > 1:
            _, _, width, n = e.shape(dx)
            rows, block = strip(dx, geometry, e), channels_of_strip(dy, dx, geometry, e)
            lent["sums"] = e.scratch("sums", (rows, block, -(-width // geometry.stride[1]), n))
        e.call(by.depthwise_input_gradient, e[dy], weights, *arguments, **lent, out=e[dx])


def emit_filter_gradient(x: str, dy: str, dw: str, geometry: Geometry, dense: bool, e: PlanWriter) -> None:
    """dw[c,u,v] from both"""
    by, arguments, out = kernels.depthwise, geometry.arguments, taps(dw, geometry, e)
    if dense:
        e.call(by.depthwise_dense_filter_gradient, e[x], e[dy], *arguments, **matrices(x, dy, e), out=out)
    else:
        rows, channels, width, n = e.shape(dy)
        count = min(STRIP, rows)
        span = (count - 1) * geometry.stride[0] + geometry.extent[0]
        lent = {"products": e.scratch("products", (channels, count, span))}
        if geometry.stride[1] > 1:
            lent["seen"] = e.scratch("seen", (channels, span, width, n))
        e.call(by.depthwise_filter_gradient, e[x], e[dy], *arguments, **lent, out=out)


def taps(w: str, geometry: Geometry, e: PlanWriter) -> str:
    """A kernel for each channel, [c,u,v]."""
    return e.view_of(w, "taps", f"{e[w]}.reshape(-1, {geometry.kernel[0]}, {geometry.kernel[1]})")


def matrices(x: str, y: str, e: PlanWriter) -> dict[str, str]:
    """Scratch for the matrices of all channels, from x's pixels to y's, and for both images with channels first."""
    (height, channels, width, n), (rows, _, columns, _) = e.shape(x), e.shape(y)
    seen, made = height * width, rows * columns
    return {
        "matrix": e.scratch("matrix", (channels, made, seen)),
        "seen": e.scratch("seen", (channels, seen, n)),
        "made": e.scratch("made", (channels, made, n)),
    }


def strips_of(x: str, y: str, geometry: Geometry, e: PlanWriter) -> str:
    """Scratch for a strip of y's rows that a depthwise kernel makes of x, for as many channels as fit the cache."""
    _, _, width, n = e.shape(x)
    block = channels_of_strip(x, y, geometry, e)
    return e.scratch("parts", (block, geometry.kernel[1], strip(y, geometry, e), width, n))


def strip(y: str, geometry: Geometry, e: PlanWriter) -> int:
    """Rows of a strip: the input's gradient repeats with every `stride` of them."""
    step = geometry.stride[0]
    return -(-min(STRIP, e.shape(y)[0]) // step) * step


def channels_of_strip(x: str, y: str, geometry: Geometry, e: PlanWriter) -> int:
    """How many channels go through a strip together."""
    _, channels, width, n = e.shape(x)
    return max(1, min(channels, STRIPS // (geometry.kernel[1] * strip(y, geometry, e) * width * n)))
