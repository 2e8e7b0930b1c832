"""By which method a convolution is computed: which there are for it, what each would take, and why one is chosen.

Three questions are asked of each convolution: how the layer is computed (LAYER), and where that is not Winograd's
method, how the gradients of its input (INPUT) and of its filters (FILTERS) are. A method either refuses a
convolution, with its reason, or predicts its time. Of those left the quickest is taken, by times that were measured
for this very convolution where the graph has some (`Graph.measured`, see `runtime/tune.py`), else by the predicted
ones.

The predictions are in seconds on one core, in float32. They are good enough to choose by, not to plan by: other
processors are quicker or slower at everything, and differ less in what is quicker than what.
"""

from __future__ import annotations

from bisect import bisect
from collections.abc import Callable, Mapping
from math import prod

from ..ir import TensorType
from ..ir.geometry import Geometry, size_2d
from ..record import record

# Fitted to plans of one layer (`runtime/tune.py`): 4 to 128 channels, kernels 2x2 to 5x5, 64 images, processor time
# on a busy x86-64 server (AMD EPYC, AVX2, OpenBLAS 0.3.31 of NumPy 2.4): a quiet one is twice as quick. Winograd's
# and those of the input's gradients, whose products have long rows, were set later by 50 layers, with AVX-512 too.
RATES = ((4, 20e9), (8, 28e9), (16, 32e9), (32, 38e9), (64, 57e9), (128, 69e9))  # rows of a product: flops a second
LONG_RATES = ((4, 14e9), (8, 36e9), (16, 50e9), (32, 60e9), (64, 65e9), (128, 69e9))
COPIED = 2.0e9  # numbers a second, from one place in memory to another
ADDED = 0.75e9  # numbers a second, added to others in memory
SUMMED = 1.8e9  # numbers a second that rows add to the filters' gradient
FLIPPED, FLIPPED_AFAR = 1.2e9, 0.3e9  # weights a second that are copied in another order, up to IN_CACHE or more
IN_CACHE = 1 << 17  # numbers
CALL = 3e-6  # seconds that a call takes however little it does: one for each tap, row or column of a kernel
TRANSFORMED = 0.7e9  # numbers a second that go into or come out of Winograd's transforms
SQUARED = 0.38e9  # the same, where tiles of 4x4 are transformed
# Seconds where each channel has a filter: for a number made by strips and a kernel column, with a stride too;
# for a number of a dense matrix, a tap and an image of it; for a number of the images; for a channel.
STRIP, STRIDED = 0.9e-9, 2.5e-9
DENSE_MATRIX, DENSE_TAP, DENSE_IMAGE, DENSE_FLIP, CHANNEL = 0.25e-9, 0.012e-9, 0.02e-9, 0.5e-9, 0.03e-6
RUN = 16  # numbers of a row of tiles: shorter runs of memory are all overhead


@record
class Convolution:
    """A convolution as the choice sees it: of x (c h w), for the images of one shard.

    `first` where it reads the network's input, which needs no gradient.
    """

    geometry: Geometry
    x: TensorType
    filters: int
    groups: int
    images: int
    first: bool = False

    @property
    def y(self) -> TensorType:
        return self.x.resized(self.geometry.out(*size_2d(self.x))[-len(self.x.spatial) :], self.filters)

    @property
    def channels(self) -> int:
        """Of a group."""
        return self.x["c"] // self.groups

    @property
    def depthwise(self) -> bool:
        return self.groups > 1 and self.channels == 1 and self.filters == self.groups

    @property
    def plain(self) -> bool:
        """One tap for each pixel, so that the layer is a product of matrices as it stands."""
        return self.geometry.plain and self.groups == 1

    @property
    def depth(self) -> int:
        """Weights of a filter."""
        return self.channels * self.geometry.kernel[0] * self.geometry.kernel[1]

    @property
    def weights(self) -> int:
        return self.depth * self.filters

    @property
    def flops(self) -> int:
        return 2 * self.depth * self.y.elements * self.images

    def __str__(self) -> str:
        """All that it is, in words; measured times are kept under it.

        conv 32x3x3 stride 1x1 pad 1,1x1,1 dilate 1x1 groups 1 of 16x32x32, 64 images
        """
        g = self.geometry
        pads = "x".join(",".join(map(str, pad)) for pad in g.pad)
        window = f"stride {pair(g.stride)} pad {pads} dilate {pair(g.dilate)} groups {self.groups}"
        what = f"conv {self.filters}x{pair(g.kernel)} {window}"
        return f"{what} of {self.x}, {self.images} images{', first' * self.first}"


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


def no_winograd(c: Convolution) -> str:
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
    run = -(-width // 4) * c.images
    if run < RUN:
        return f"wants runs of {RUN} numbers, and {width} columns of {c.images} images make {run}"
    return ""


def no_winograd_2d(c: Convolution) -> str:
    if refused := no_winograd(c):
        return refused
    return "" if c.images > 1 else "would begin its tiles where a band of rows begins"


def no_im2col(c: Convolution) -> str:
    if c.depthwise:
        return "has a matrix of one row for each channel"
    return "would copy the image as it is" if c.plain else ""


def no_gemm(c: Convolution) -> str:
    return "" if c.plain else "is for 1x1 kernels"


def no_taps(c: Convolution) -> str:
    return "" if c.depthwise else "is for a filter a channel"


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


def no_rows(c: Convolution) -> str:
    return "has products of one row for each tap" if c.depthwise else ""


def flipped_pads(g: Geometry) -> tuple[tuple[int, int], tuple[int, int]]:
    """The padding of the convolution that makes the input's gradient."""
    rows, columns = ((e - 1 - before, e - 1 - after) for e, (before, after) in zip(g.extent, g.pad, strict=True))
    return rows, columns


# ---- what it takes ---------------------------------------------------------------------------------


def rate(rows: float, table: tuple[tuple[int, float], ...] = RATES) -> float:
    """Flops a second of a product of matrices with so many rows, read off the table."""
    sizes, rates = zip(*table, strict=True)
    if rows <= sizes[0]:
        return rates[0] * rows / sizes[0]
    if rows >= sizes[-1]:
        return rates[-1]
    k = bisect(sizes, rows)
    return rates[k - 1] + (rates[k] - rates[k - 1]) * (rows - sizes[k - 1]) / (sizes[k] - sizes[k - 1])


def by_im2col(c: Convolution) -> float:
    """A copy for each column of the kernel, and the products."""
    copies = c.geometry.kernel[1] * c.y.elements * c.x["c"] / c.filters * c.images
    return copies / COPIED + c.flops / rate(c.filters / c.groups)


def by_winograd(c: Convolution) -> float:
    """Half the products, and both transforms."""
    return full_tiles(c) * (numbers(c) / TRANSFORMED + c.flops / 2 / rate(c.filters)) + reordered(c)


def by_winograd_2d(c: Convolution) -> float:
    """A quarter of the products, those for a last strip that is partly empty too, and both transforms."""
    full = full_tiles(c) * -(-c.y["h"] // 4) * 4 / c.y["h"]
    return full * (numbers(c) / SQUARED + c.flops / 4 / rate(c.filters)) + reordered(c)


def numbers(c: Convolution) -> int:
    """What goes in and comes out."""
    return (c.x.elements + c.y.elements) * c.images


def full_tiles(c: Convolution) -> float:
    """How many columns are made for each that there is."""
    return -(-c.y["w"] // 4) * 4 / c.y["w"]


def reordered(c: Convolution) -> float:
    """Where a last tile is partly empty, images come in their own order and leave in it."""
    return numbers(c) / COPIED if c.y["w"] % 4 else 0.0


def by_gemm(c: Convolution) -> float:
    return c.flops / rate(c.filters)


def by_taps(c: Convolution) -> float:
    """A band of each column's numbers times the rows, and their sum."""
    each = STRIP if c.geometry.stride == (1, 1) else STRIDED
    return c.geometry.kernel[1] * c.y.elements * c.images * each


def by_matrices(c: Convolution) -> float:
    """A matrix from pixels to pixels for each channel, and both images with their channels first."""
    size = prod(size_2d(c.x)) * prod(size_2d(c.y))
    each = size * (DENSE_MATRIX + DENSE_TAP * c.depth + DENSE_IMAGE * c.images) + CHANNEL
    return c.groups * each + numbers(c) * DENSE_FLIP


def by_flipped_kernel(c: Convolution) -> float:
    """A convolution by im2col, of dy."""
    copies = c.geometry.kernel[1] * (c.y.elements * c.images / COPIED + CALL)
    return copies + c.flops / rate(c.channels, LONG_RATES) + flipped(c)


def flipped(c: Convolution) -> float:
    """All weights copied in another order."""
    return c.weights / (FLIPPED if c.weights <= IN_CACHE else FLIPPED_AFAR)


def by_col2im(c: Convolution) -> float:
    """Products with a row for each channel and tap, of the weights as they lie, and their sums."""
    return col2im_time(c, c.depth) + c.flops / rate(c.depth, LONG_RATES) + prod(c.geometry.kernel) * CALL


def by_col2im_width(c: Convolution) -> float:
    """dy and the weights copied, products with a row for each channel and column of the kernel, and their sums."""
    rows = col2im_rows(c)
    copies = c.y.elements * c.images / COPIED + flipped(c)
    return copies + col2im_time(c, rows) + c.flops / rate(rows, LONG_RATES) + sum(c.geometry.kernel) * CALL


def col2im_time(c: Convolution, rows: int) -> float:
    """What products with so many rows make, added up."""
    return rows * c.groups * c.y.elements / c.filters * c.images / ADDED


def col2im_rows(c: Convolution) -> int:
    """Rows of the products before col2im along the width."""
    return c.channels * c.geometry.kernel[1]


def by_rows(c: Convolution) -> float:
    """For each row of the output a product as large as all weights, and their sum."""
    return c.flops / rate(c.filters / c.groups) + size_2d(c.y)[0] * c.weights / SUMMED


def by_one_gemm(c: Convolution) -> float:
    """dy and the columns copied, and one product."""
    pixels = c.y.elements // c.filters * c.images
    return c.flops / rate(c.filters / c.groups) + (c.filters + c.depth * c.groups) * pixels / COPIED


# ---- what is chosen --------------------------------------------------------------------------------

TAPS = Method("taps", "taps", no_taps, by_taps, lambda c: "every channel has a filter of its own")
DENSE = Method("dense", "a dense matrix a channel", no_taps, by_matrices, lambda c: "the image has few pixels")
LAYER = (
    Method("im2col", "im2col", no_im2col, by_im2col, lambda c: "the transforms would cost more than they save"),
    Method("Winograd", "Winograd's method", no_winograd, by_winograd, lambda c: "half the products"),
    Method("Winograd 2d", "Winograd's method in two dimensions", no_winograd_2d, by_winograd_2d,
           lambda c: "a quarter of the products"),
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
    Method("gemm", "a product of matrices", no_gemm, by_gemm, lambda c: "1x1 kernels lie ready"),
    TAPS,
)  # fmt: skip
FILTERS = (
    Method("rows", "a product for each row", no_rows, by_rows, lambda c: "nothing is copied"),
    Method("at once", "one product", no_rows, by_one_gemm,
           lambda c: "the sum over rows would cost more than copies"),
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


def pair(sizes: tuple[int, int]) -> str:
    return "x".join(map(str, sizes))


def short(sizes: tuple[int, int]) -> str:
    """2 for both directions, or 2x1"""
    return str(sizes[0]) if sizes[0] == sizes[1] else pair(sizes)
