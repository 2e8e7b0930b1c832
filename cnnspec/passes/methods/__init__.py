"""By which method a convolution is computed: which there are for it, what each would take, and why one is chosen.

Three questions are asked of each convolution: how the layer is computed (LAYER), and where that is not Winograd's
method, how the gradients of its input (INPUT) and of its filters (FILTERS) are. A method either refuses a
convolution, with its reason, or predicts its time (`seconds.py`). Of those left the quickest is taken, by times
that were measured for this very convolution where the graph has some (`Graph.measured`, see `runtime/tune.py`),
else by the predicted ones.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import prod

from ...ir.geometry import Geometry, size_2d
from ...primitives.convolution.squares import COMPONENTS, GEOMETRY
from ...primitives.convolution.winograd_phases import GEOMETRY as OF_PHASES
from ...record import record
from .convolution import Convolution, pair, short
from .seconds import (
    by_col2im,
    by_col2im_width,
    by_flipped_kernel,
    by_gemm,
    by_im2col,
    by_matrices,
    by_one_gemm,
    by_phases,
    by_rows,
    by_squares,
    by_taps,
    by_winograd,
    by_winograd_2d,
    by_winograd_of_one,
    by_winograd_phases,
    col2im_rows,
    filters_tap_by_tap,
    input_tap_by_tap,
    layer_tap_by_tap,
)

ROOM = 10_000_000  # components of an image, or weights that are transformed, of which more would take much memory
FILTERS_ROOM = 1 << 21  # transformed weights of a layer that several images go through
WITHOUT_ZEROS = (1, 2, 4)  # sides of several images for which squares of 2x2 pay
MET = 3 / 4  # of what taps look at, pixels of an image that are few beside the padding
RUN = 16  # numbers of a row of tiles: shorter runs of memory are all overhead


@record
class Method:
    """A way to compute: why it cannot be this one (or ""), what it would take, and what it gains over others."""

    name: str
    title: str
    refusal: Callable[[Convolution], str]
    seconds: Callable[[Convolution], float]
    gain: Callable[[Convolution], str] = lambda c: ""


@record
class MethodChoice:
    """The name of the method that is taken, and the reason in a line."""

    method: str
    why: str


# ---- what is possible ------------------------------------------------------------------------------


def no_winograd(c: Convolution, makers: int = 1) -> str:
    g = c.geometry
    if c.x.kind != "image":
        return "is for images"
    if g.kernel != (3, 3):
        return f"is for 3x3 kernels, not {pair(g.kernel)}"
    if c.groups > 1:
        return "does not do groups"
    if g.stride != (1, 1):
        return f"does not do stride {short(g.stride)}"
    if g.dilate != (1, 1):
        return f"does not do dilate {short(g.dilate)}"
    if g.pad[1] not in ((0, 0), (1, 1)) or max(g.pad[0]) > 2:
        return "does not do this padding"
    width = c.y["w"]
    if width % 4 and g.pad[1] == (0, 0):
        return f"makes four columns at a time, and there are {width}"
    run = -(-width // 4) * c.images * makers
    if run < RUN:
        return f"wants runs of {RUN} numbers, and {width} columns of {c.images} images make {run}"
    return ""


def no_winograd_2d(c: Convolution) -> str:
    if refused := no_winograd(c, c.winograd_makers):
        return refused
    return "" if c.images > 1 else "would begin its tiles where a band of rows begins"


def no_squares(c: Convolution) -> str:
    if c.learns:
        return "would transform its filters at every step"
    if c.x.kind != "image" or c.geometry != GEOMETRY or c.groups > 1:
        return "is for 3x3 kernels with padding of one"
    sides = COMPONENTS if c.images == 1 else WITHOUT_ZEROS
    return "" if c.x["h"] in sides and c.x["w"] in sides else "is for images of few pixels"


def no_winograd_of_one(c: Convolution) -> str:
    g = c.geometry
    if c.images > 1 or c.learns:
        return "is for one image that nothing is learnt from"
    if c.x.kind != "image" or g.kernel != (3, 3) or c.groups > 1 or g.stride != (1, 1) or g.dilate != (1, 1):
        return no_winograd(c)
    if max(map(max, g.pad)) > 2:
        return "does not do this padding"
    squares = prod(-(-size // 4) for size in size_2d(c.y))
    too_much = 36 * squares * max(c.channels, c.filters) > ROOM or 4 * c.weights > ROOM
    return "would take much memory" if too_much else ""


def no_winograd_phases(c: Convolution) -> str:
    if c.x.kind != "image" or c.geometry != OF_PHASES or c.groups > 1:
        return "is for 4x4 kernels with stride 2 and padding of one"
    if any(size % 4 for size in size_2d(c.x)):
        return "makes squares of 2x2 pixels"
    if c.images == 1:
        return "has no bits of its own for a band of rows"
    return "would take much memory" if not c.learns and 9 * c.weights > 4 * FILTERS_ROOM else ""


def no_tap_by_tap(c: Convolution) -> str:
    if c.groups > 1:
        return "does not do groups"
    if c.images == 1 and not c.learns:
        return "has no bits of its own for a band of rows"
    pixels = prod(size_2d(c.y)) * prod(c.geometry.kernel)
    return "" if c.met <= MET * pixels else "is for images that are hardly larger than the kernel"


def no_im2col(c: Convolution) -> str:
    if c.depthwise:
        return "has a matrix of one row for each channel"
    return "would copy the image as it is" if c.plain else ""


def no_gemm(c: Convolution) -> str:
    return "" if c.plain else "is for 1x1 kernels"


def no_taps(c: Convolution) -> str:
    return "" if c.depthwise else "is for a filter a channel"


def no_dense(c: Convolution) -> str:
    if refused := no_taps(c):
        return refused
    return "" if c.images > 1 else "has no bits of its own for a band of rows"


def no_flipping(c: Convolution) -> str:
    if c.geometry.stride != (1, 1):
        return f"with stride {short(c.geometry.stride)} it falls on some pixels only"
    if c.depthwise:
        return "has products of one row"
    if c.plain:
        return "would copy weights that are taken as they lie"
    if min(min(pair) for pair in flipped_pads(c.geometry)) < 0:
        return "there would be padding to take away"
    return ""


def no_col2im(c: Convolution) -> str:
    if c.depthwise:
        return "has products of one row for each tap"
    return "one product makes it as it stands" if c.plain else ""


def no_col2im_width(c: Convolution) -> str:
    if c.groups > 1:
        return "does not do groups"
    if not c.geometry.adjacent:
        return "is for pixels side by side"
    return no_col2im(c)


def no_phases(c: Convolution) -> str:
    if c.geometry.stride == (1, 1):
        return "is for strides above one"
    if c.geometry.dilate != (1, 1):
        return f"does not do dilate {short(c.geometry.dilate)}"
    return "does not do groups" if c.groups > 1 else ""


def no_phases_alone(c: Convolution) -> str:
    return "is chosen with the layer" if c.learns else no_winograd_phases(c)


def no_rows(c: Convolution) -> str:
    return "has products of one row for each tap" if c.depthwise else ""


def flipped_pads(g: Geometry) -> tuple[tuple[int, int], tuple[int, int]]:
    """The padding of the convolution that makes the input's gradient."""
    rows, columns = ((e - 1 - before, e - 1 - after) for e, (before, after) in zip(g.extent, g.pad, strict=True))
    return rows, columns


def without_padding(c: Convolution) -> str:
    """What is gained tap by tap."""
    met = c.met / (prod(size_2d(c.y)) * prod(c.geometry.kernel))
    return f"of what the taps look at {1 - met:.0%} is padding"


# ---- what is chosen --------------------------------------------------------------------------------

PHASES = "Winograd in phases"
TAPS = Method("taps", "taps", no_taps, by_taps, lambda c: "every channel has a filter of its own")
DENSE = Method("dense", "a dense matrix a channel", no_dense, by_matrices, lambda c: "the image has few pixels")
LAYER = (
    Method("im2col", "im2col", no_im2col, by_im2col, lambda c: "the transforms would cost more than they save"),
    Method("Winograd", "Winograd's method", no_winograd, by_winograd, lambda c: "half the products"),
    Method("Winograd 2d", "Winograd's method in two dimensions", no_winograd_2d, by_winograd_2d,
           lambda c: "a quarter of the products"),
    Method("squares", "Winograd's method on squares of 2x2", no_squares, by_squares,
           lambda c: "the image has few pixels, most of them at its edge"),
    Method("Winograd of one", "Winograd's method on the squares of one image", no_winograd_of_one,
           by_winograd_of_one, lambda c: "a quarter of the products"),
    Method(PHASES, "Winograd's method in phases", no_winograd_phases, by_winograd_phases,
           lambda c: "nine products for sixteen"),
    Method("tap by tap", "a product for each tap", no_tap_by_tap, layer_tap_by_tap, without_padding),
    Method("gemm", "a product of matrices", no_gemm, by_gemm, lambda c: "1x1 kernels need no im2col"),
    TAPS,
    DENSE,
)  # fmt: skip
INPUT = (
    Method("flipping", "flipping the kernel", no_flipping, by_flipped_kernel,
           lambda c: "one product, nothing to add up"),
    Method("col2im", "col2im", no_col2im, by_col2im, lambda c: "weights are taken as they lie"),
    Method("col2im width", "col2im along the width", no_col2im_width, by_col2im_width,
           lambda c: f"products of {col2im_rows(c)} rows, not {c.channels}"),
    Method("phases", "phases", no_phases, by_phases, lambda c: "the same taps meet pixels that lie a stride apart"),
    Method(PHASES, "Winograd's method in phases", no_phases_alone, by_winograd_phases,
           lambda c: "nine products for sixteen"),
    Method("tap by tap", "a product for each tap", no_tap_by_tap, input_tap_by_tap, without_padding),
    Method("gemm", "a product of matrices", no_gemm, by_gemm, lambda c: "1x1 kernels lie ready"),
    TAPS,
)  # fmt: skip
FILTERS = (
    Method("rows", "a product for each row", no_rows, by_rows, lambda c: "nothing is copied"),
    Method("at once", "one product", no_rows, by_one_gemm,
           lambda c: "the sum over rows would cost more than copies"),
    Method("tap by tap", "a product for each tap", no_tap_by_tap, filters_tap_by_tap, without_padding),
    TAPS,
)  # fmt: skip

Times = Mapping[str, Mapping[str, float]]


def layer_method(c: Convolution, measured: Times) -> MethodChoice:
    """How a layer is computed."""
    return choose(c, LAYER, str(c), measured)


def input_method(c: Convolution, measured: Times) -> MethodChoice:
    """How its input's gradient is."""
    return choose(c, INPUT, input_key(c), measured)


def input_key(c: Convolution) -> str:
    return f"input gradient of {c}"


def filter_method(c: Convolution, measured: Times) -> MethodChoice:
    """How its filters' gradient is."""
    return choose(c, FILTERS, filter_key(c), measured)


def filter_key(c: Convolution) -> str:
    return f"filter gradient of {c}"


def possible(c: Convolution, methods: tuple[Method, ...]) -> tuple[Method, ...]:
    return tuple(method for method in methods if not method.refusal(c))


def choose(c: Convolution, methods: tuple[Method, ...], key: str, measured: Times) -> MethodChoice:
    """The quickest of the methods that are possible; of two alike the first."""
    left = possible(c, methods)
    if len(left) == 1:
        return MethodChoice(left[0].name, f"by {left[0].title}: {alone(c, left[0], methods)}")
    found = measured.get(key, {})
    known = all(method.name in found for method in left)
    seconds = {m.name: found[m.name] if known else m.seconds(c) for m in left}
    best = min(left, key=lambda method: seconds[method.name])
    times = ", ".join(f"{method.name} {milliseconds(seconds[method.name])}" for method in left)
    why = f" (measured: {times})" if known else f": {best.gain(c)} ({times} predicted)"
    return MethodChoice(best.name, f"by {best.title}{why}")


def alone(c: Convolution, method: Method, methods: tuple[Method, ...]) -> str:
    """Why there is no other: what the rival refuses, or what is special about the one that is left."""
    if method.name == "im2col":
        return f"Winograd's method {no_winograd(c)}"
    return no_flipping(c) if method.name == "col2im" else method.gain(c)


def milliseconds(seconds: float) -> str:
    """143 ms, 5.3 ms, 0.041 ms"""
    thousandths = seconds * 1e3
    return f"{thousandths:.0f} ms" if thousandths >= 10 else f"{thousandths:.2g} ms"
