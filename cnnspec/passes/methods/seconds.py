"""What each method would take for a convolution, in seconds on one core, in float32.

Good enough to choose by, not to plan by: other processors are quicker or slower at everything, and differ less in
what is quicker than what. Everything is a sum: the flops of products, what is copied and added around them, calls.
"""

from __future__ import annotations

from math import prod

from ...ir.geometry import size_2d
from ...primitives.convolution.squares import COMPONENTS
from ...primitives.convolution.winograd_1d import READY
from .convolution import Convolution

# Fitted to plans of one layer (`runtime/tune.py`): 150 layers drawn at random, of 8 to 512 channels, 4 to 64 images
# of 2x2 to 56x56 and kernels of 2x2 to 5x5, with AVX-512 and with AVX2 alone, by one set of constants for both. The
# shortest of many rounds: processor time of an x86-64 server (AMD EPYC, OpenBLAS 0.3.31 of NumPy 2.4).
FLOP, FEW = 10.5e-12, 4.2  # of a product of many rows; with FEW rows it takes twice as long
IN_CACHE = 1 << 17  # numbers
CALLS = 2.5e-6  # what a tap, row or column of the kernel takes however little there is
COPIED = 0.25e-9  # a number copied from one place in memory to another, beyond IN_CACHE: within, the calls are all
ADDED = 0.36e-9  # a number added to others in memory
SUMMED = 0.3e-9  # a weight's gradient, added to that of the rows before
# a weight copied in another order or transformed, what more it takes beyond IN_CACHE (0.5e-9 where nothing else
# runs: in a network weights come from memory), and what more where a product reads it across
REORDERED, REORDERED_AFAR, ACROSS = 0.6e-9, 0.7e-9, 0.4e-9
TURNED = 0.6e-9  # a weight turned, a few filters at a time
APART = 11e-9  # the images of a pixel put or added where they belong, of which those beside it are no part
TOGETHER = 9e-6  # dy and the columns brought together for one product, however few
POLYPHASE = 1.4e-9  # a number that is put in polyphase rows or comes out of them
# Winograd's transforms: a number in, a number out, and a layer's or a strip's calls
WINOGRAD, WINOGRAD_2D = (0.7e-9, 0.5e-9, 22e-6), (1.35e-9, 0.6e-9, 31e-6)
READ = 0.2e-9  # a weight that comes from memory
FROM_MEMORY = 0.45e-9  # the same of one image, which leaves nothing else to do meanwhile
WINOGRAD_PHASES = (0.6e-9, 8e-9, 50e-6)  # a component in or out, a row of squares of one, the calls
# Of one image: a component in, one out, a pixel's number in or out, the calls; how many transformed weights stay in
# the cache of all cores.
OF_ONE, OF_ALL_CORES = (0.6e-9, 0.27e-9, 0.5e-9, 14e-6), 1 << 20
TAP, MET = 8.5e-6, 0.45e-9  # a tap by itself, and a number that it meets or makes, put or added where it belongs
# Where each channel has a filter. By strips: a number made and a column of the kernel, its rows too, more with a
# stride; a channel; the calls; all of it so often with the gradients. By dense matrices, alone and with gradients:
# a number of a matrix, a tap and an image of it; a channel.
STRIP, STRIP_TAP, STRIDED, STRIP_CHANNEL, STRIPS, ALL_THREE = 0.05e-9, 0.085e-9, 0.7e-9, 0.14e-6, 18e-6, 4.6
DENSE, DENSE_LEARNT = (0.1e-9, 0, 0.022e-9, 0.08e-6), (0.6e-9, 0.064e-9, 0.08e-9, 0.29e-6)


def product(flops: float, rows: float) -> float:
    """A product of matrices with so many rows."""
    return flops * FLOP * (1 + FEW / rows)


def products(c: Convolution, flops: float, sums: float) -> float:
    """A layer's, and those of its gradients, of which that of the filters is made in so many sums."""
    forward = product(flops, c.filters / c.groups)
    return 2 * forward + sums * c.weights * SUMMED + product(flops, c.channels) if c.learns else forward


def passes(c: Convolution) -> int:
    """How often what surrounds a product is done: forward, for the filters and for the input."""
    return 3 if c.learns else 1


def beyond(numbers: int) -> int:
    """How many of them do not stay in the cache."""
    return max(0, numbers - IN_CACHE)


def copied(numbers: int) -> float:
    return beyond(numbers) * COPIED


def reordered(weights: int) -> float:
    return weights * REORDERED + beyond(weights) * REORDERED_AFAR


def by_im2col(c: Convolution) -> float:
    """A copy for each column of the kernel, and the products."""
    width = c.geometry.kernel[1]
    forward = copied(width * c.x["c"] * c.pixels) + passes(c) * width * CALLS
    back = copied(width * c.filters * c.pixels) if c.learns else 0
    if c.learns and c.first:  # alone of all methods it makes no gradient of the input where nobody wants it
        back = -width * CALLS - product(c.flops, c.channels)
    alone = beyond(c.weights) * FROM_MEMORY if c.images == 1 else 0
    return forward + back + alone + products(c, c.flops, size_2d(c.y)[0])


def by_winograd(c: Convolution) -> float:
    """Half the products, and both transforms."""
    rows = size_2d(c.y)[0]
    return transforms(c, WINOGRAD, full_tiles(c), 1, 2) + products(c, c.flops / 2 * full_tiles(c), 2 * rows)


def by_winograd_2d(c: Convolution) -> float:
    """A quarter of the products, those for a last strip that is partly empty too, and both transforms."""
    rows = size_2d(c.y)[0]
    strips = -(-rows // 4)
    full, makers = full_tiles(c) * 4 * strips / rows, c.winograd_makers
    made = transforms(c, WINOGRAD_2D, full, strips, 4, makers)
    if makers == 1:
        return made + products(c, c.flops / 4 * full, 4 * strips)
    # all strips by one product, so that nothing is added up
    shown = 9 / 4 * full * (c.x.elements + c.y.elements) * c.images
    return made + passes(c) * (product(c.flops / 4 * full, c.filters / makers) + shown * COPIED)


def by_winograd_phases(c: Convolution) -> float:
    """Nine products for sixteen, components of images and of filters, and back; those of filters may be there."""
    component, run, calls = WINOGRAD_PHASES
    components = 9 / 4 * (c.x.elements + c.y.elements) * c.images
    images = components * (component + run / (c.y["w"] // 2 * c.images)) + calls
    weights = 9 / 4 * c.weights
    weights = weights * REORDERED + max(0, weights - OF_ALL_CORES) * REORDERED_AFAR if c.learns else weights * READ
    products = passes(c) * product(c.flops * 9 / 16, min(c.channels, c.filters))
    return products + (2 if c.learns else 1) * (images + weights)


def by_winograd_of_one(c: Convolution) -> float:
    """A quarter of the products, of whole squares, and both transforms; those of filters are there."""
    squares = prod(-(-size // 4) for size in size_2d(c.y))
    components, weights = 36 * squares, 4 * c.weights
    each_in, each_out, pixel, calls = OF_ONE
    images = (
        components * (c.channels * each_in + c.filters * each_out) + (c.x.elements + c.y.elements) * pixel + calls
    )
    afar = max(0, weights - OF_ALL_CORES) * FROM_MEMORY
    return images + afar + product(2 * components * c.channels * c.filters, c.filters)


def transforms(
    c: Convolution, each: tuple[float, float, float], full: float, calls: int, growth: int, makers: int = 1
) -> float:
    """Of images into components and back, and of filters, which grow.

    Where a last tile is partly empty, images come in their own order and leave in it; the network's input comes so.
    """
    x, y = c.x.elements * c.images, c.y.elements * c.images
    images = full * (x * each[0] + y * each[1]) + calls * each[2]
    if c.y["w"] % 4:
        images += (x + y) * POLYPHASE
    ready = not c.learns and c.images > 1 and growth * c.weights <= READY
    weights = growth * (c.weights * READ if ready else reordered(c.weights)) / makers
    return passes(c) * images + (4 if c.learns else 1) * weights + c.first * x * POLYPHASE


def full_tiles(c: Convolution) -> float:
    """How many columns are made for each that there is."""
    return -(-c.y["w"] // 4) * 4 / c.y["w"]


def by_squares(c: Convolution) -> float:
    """Products of components, which are made, put in order and brought together again; filters lie ready."""
    (down, tall), (across, wide) = (COMPONENTS[side] for side in size_2d(c.x))
    count, squares, pixels = down * across, tall * wide, prod(size_2d(c.x))
    weights = count * c.channels * c.filters
    made = count * squares * c.channels * c.images
    transforms = product(2 * pixels * made, count * squares) + product(
        2 * weights / c.channels * pixels * c.images, 4
    )
    moved = c.x["c"] * pixels * c.images + (made if squares > 1 else 0) + c.filters * c.pixels
    products = product(2 * weights * squares * c.images, c.filters)
    more = max(0, weights - c.weights) * READ
    if c.images == 1:
        products, more = max(products, weights * FROM_MEMORY), 0
    return products + transforms + moved * POLYPHASE + more + 5 * CALLS


def layer_tap_by_tap(c: Convolution) -> float:
    """A product for each tap; and those of its gradients."""
    forward = tap_by_tap(c, c.filters)
    return forward + filters_tap_by_tap(c) + input_tap_by_tap(c) * (not c.first) if c.learns else forward


def input_tap_by_tap(c: Convolution) -> float:
    return tap_by_tap(c, c.channels) + beyond(c.weights) * ACROSS / c.makers()


def filters_tap_by_tap(c: Convolution) -> float:
    return tap_by_tap(c, c.filters)


def tap_by_tap(c: Convolution, rows: int) -> float:
    """Products of so many rows with what the taps meet, of the weights of those that meet anything.

    Where shards make the layer together, each has the pixels of all, and a part of the rows.
    """
    meetings = c.geometry.meetings(*size_2d(c.x))
    taps, met, each = len(meetings) - meetings.count(0), sum(meetings) * c.images, c.channels * c.filters
    given = c.channels + c.filters - rows
    moved = met * (given * c.makers() + rows) * MET + taps * TAP
    return product(2 * each * met, rows / c.makers()) + moved + beyond(taps * each) * READ / c.makers()


def by_gemm(c: Convolution) -> float:
    return product(c.flops, c.filters)


def by_taps(c: Convolution) -> float:
    """A copy of the rows for each column, and a band of the kernel's numbers times all of them."""
    kernel_h, kernel_w = c.geometry.kernel
    each = STRIP + STRIP_TAP * kernel_h + STRIDED * (c.geometry.stride[1] > 1)
    layer = STRIPS + c.groups * STRIP_CHANNEL + kernel_w * c.y.elements * c.images * each
    return layer * (ALL_THREE if c.learns else 1)


def by_matrices(c: Convolution) -> float:
    """A matrix from pixels to pixels for each channel."""
    number, tap, image, channel = DENSE_LEARNT if c.learns else DENSE
    size = prod(size_2d(c.x)) * prod(size_2d(c.y))
    return c.groups * (size * (number + tap * c.depth + image * c.images) + channel)


def by_flipped_kernel(c: Convolution) -> float:
    """A convolution by im2col, of dy, with as many pixels as x has."""
    width = c.geometry.kernel[1]
    flops = c.flops * prod(size_2d(c.x)) / prod(size_2d(c.y))
    copies = copied(width * c.filters * c.pixels) + beyond(c.weights) * REORDERED_AFAR
    return copies + width * CALLS + product(flops, c.channels)


def by_col2im(c: Convolution) -> float:
    """Products with a row for each channel and tap, of the weights as they lie, and their sums."""
    numbers = c.depth * c.groups * c.pixels
    sums = numbers * ADDED + prod(c.geometry.kernel) * CALLS
    if c.geometry.stride[1] > 1:  # pixels beside each other belong to other columns of the kernel
        sums += numbers / c.images * APART + copied(numbers)
    return sums + beyond(c.weights) * ACROSS + product(c.flops, c.depth)


def by_phases(c: Convolution) -> float:
    """A copy of dy for each column of the kernel, of the weights, products, and their pixels put in place."""
    columns = copied(c.geometry.kernel[1] * c.filters * c.pixels)
    taps = c.weights * TURNED + prod(c.geometry.kernel) * -(-c.filters // 64) * CALLS
    image = c.x.elements * (APART + c.images * COPIED)
    calls = (c.geometry.kernel[1] + 4 * prod(c.geometry.stride)) * CALLS
    return columns + taps + image + calls + product(c.flops, c.channels)


def by_col2im_width(c: Convolution) -> float:
    """The weights copied, products with a row for each channel and column of the kernel, and their sums."""
    rows = col2im_rows(c)
    sums = rows * c.groups * c.pixels * ADDED + sum(c.geometry.kernel) * CALLS
    return sums + reordered(c.weights) + product(c.flops, rows)


def col2im_rows(c: Convolution) -> int:
    """Rows of the products before col2im along the width."""
    return c.channels * c.geometry.kernel[1]


def by_rows(c: Convolution) -> float:
    """For each row of the output a product as large as all weights, and their sum."""
    return product(c.flops, c.filters / c.groups) + size_2d(c.y)[0] * c.weights * SUMMED


def by_one_gemm(c: Convolution) -> float:
    """dy and the columns copied, and one product."""
    numbers = (c.filters + c.depth * c.groups) * c.pixels
    return product(c.flops, c.filters / c.groups) + copied(numbers) + TOGETHER
