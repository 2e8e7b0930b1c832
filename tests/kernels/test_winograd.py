"""Winograd's convolution and polyphase rows against the definitions, alone and to float32's precision."""

from types import MappingProxyType, SimpleNamespace

import numpy as np
import pytest

import cnnspec
from cnnspec.codegen.emit import Emitter, Lines
from cnnspec.codegen.memory import physical
from cnnspec.ir import Graph, Node, data, parameter
from cnnspec.ir.geometry import Geometry
from cnnspec.ir.leaves import Input
from cnnspec.kernels import KERNELS
from cnnspec.kernels.gemm import cut_into
from cnnspec.kernels.polyphase import from_polyphase, to_polyphase
from cnnspec.kernels.winograd_1d import inverse_transform_gradient, transform_filters, transform_input
from cnnspec.kernels.winograd_2d import (
    transform_filters_2d,
)
from cnnspec.kernels.winograd_phases import transform_filters_at_once, transform_filters_of_squares
from cnnspec.primitives.convolution.convolve import Convolve
from cnnspec.primitives.convolution.polyphase import ToPolyphase, as_image
from cnnspec.primitives.convolution.pooled import pooled_geometry
from cnnspec.primitives.convolution.squares import GEOMETRY, ConvolveSquares, TransformFiltersOfSquares
from cnnspec.primitives.convolution.winograd_1d import (
    TransformFilters,
    WinogradConvolve,
    WinogradConvolveGradient,
)
from cnnspec.primitives.convolution.winograd_2d import (
    TransformFilters2d,
    Winograd2dConvolve,
    Winograd2dConvolveGradient,
)
from cnnspec.primitives.convolution.winograd_one import WinogradFilters, WinogradOneImage
from cnnspec.primitives.windows import MaxWindows, PolyphasePool, PolyphasePoolGradient


def run(op, arrays, types, dtype):
    """The value and by-products of one op: by its plan, and by its definition in float64."""
    names = [f"x{k}" for k in range(len(arrays))]
    nodes = {name: Node(name, Input(kind), (), kind) for name, kind in zip(names, types, strict=True)}
    nodes["y"] = Node("y", op, tuple(names), op.type(*types), op.extras(*types))
    values = ("y", *(f"y:{extra}" for extra in nodes["y"].extras))
    graph = Graph(MappingProxyType(nodes), tuple(names), ())
    n = next(len(array) for array, kind in zip(arrays, types, strict=True) if kind.batched)
    e = Emitter(graph, n, n, dtype)
    e.step, e.node = len(names), nodes["y"]
    e.parts.append(Lines(e.node))
    b = SimpleNamespace()
    for value in (*names, *values):
        setattr(b, e[value][2:], np.empty(physical(graph.type(value), n), dtype))
    for name, array, kind in zip(names, arrays, types, strict=True):
        target = getattr(b, name)
        if kind.batched:
            order = {"chrt": (2, 3, 1, 4, 0), "chw": (2, 1, 3, 0)}["".join(kind.names)]
            target[...] = array.transpose(order)
        else:
            target[...] = array
    op.emit(e.node, e)
    for name, buffer in e.buffers.items():
        setattr(b, name, np.full(buffer.shape, np.nan, bool if buffer.dtype == "bool" else dtype))
    scope = {"b": b, "c": e.constants, "f": np.dtype(dtype).type, "np": np, **KERNELS}
    for name, code in e.views.items():
        exec(f"{name} = {code}", scope)
    for code, _ in e.parts[-1].code:
        exec(code, scope)
    made = []
    for value in values:
        array, kind = getattr(b, e[value][2:]), graph.type(value)
        if kind.batched:
            back = {"chrt": (4, 2, 0, 1, 3), "chw": (3, 1, 0, 2)}["".join(kind.names)]
            array = array.transpose(back)
        made.append(array)
    exact = op.evaluate(*(array.astype("float64") for array in arrays))
    return made, exact if isinstance(exact, tuple) else (exact,)


def close(made, exact, dtype, limit=2e-6):
    limit = limit if dtype == "float32" else 1e-13
    for ours, theirs in zip(made, exact, strict=True):
        assert ours.shape == theirs.shape
        assert np.abs(ours - theirs).max() <= limit * max(1, np.abs(theirs).max())


CASES = [
    # channels, filters, height, width, pads
    (5, 3, 7, 8, ((1, 1), (1, 1))),
    (3, 6, 6, 4, ((1, 1), (1, 1))),
    (4, 4, 9, 10, ((0, 0), (0, 0))),
    (2, 33, 5, 14, ((2, 0), (0, 0))),
    (20, 17, 4, 12, ((0, 2), (1, 1))),
    (2, 2, 3, 6, ((0, 0), (0, 0))),
]


MORE_CASES = [  # rows: one, a strip and one more, several strips
    (2, 3, 1, 8, ((1, 1), (1, 1))),
    (3, 2, 5, 4, ((1, 1), (1, 1))),
    (3, 2, 21, 8, ((2, 2), (1, 1))),
    (2, 3, 14, 6, ((0, 0), (0, 0))),
    (2, 2, 11, 10, ((0, 1), (0, 0))),
    # a last tile that is partly empty
    (3, 2, 5, 7, ((1, 1), (1, 1))),
    (2, 4, 6, 13, ((1, 1), (1, 1))),
    (2, 3, 4, 2, ((1, 1), (1, 1))),
]


@pytest.fixture(params=[False, True], ids=["packed", "as they lie"])
def products(request, monkeypatch):
    """Both kinds of BLAS, whichever this machine's is."""
    monkeypatch.setattr("cnnspec.kernels.gemm.WITHOUT_PACKING", request.param)
    return request.param


@pytest.mark.parametrize("case", [(3, 2, 40, 8, ((1, 1), (1, 1))), (2, 3, 23, 6, ((0, 2), (0, 0)))], ids=str)
@pytest.mark.parametrize("numbers", [1, 100])
def test_a_band_of_planes_slides_down_a_tall_image(case, numbers, monkeypatch):
    """Blocks of one row and of a few: the band comes to the end of its memory many times."""
    monkeypatch.setattr("cnnspec.primitives.convolution.winograd_1d.BLOCK", numbers)
    test_product_and_gradients(case, "float64", *WAYS[0])


# what float32 loses: the transforms of squares have larger numbers in them
WAYS = [(WinogradConvolve, WinogradConvolveGradient, 2e-6), (Winograd2dConvolve, Winograd2dConvolveGradient, 1e-5)]


@pytest.mark.usefixtures("products")
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("way", "way_back", "limit"), WAYS, ids=["rows", "squares"])
@pytest.mark.parametrize("case", [*CASES, *MORE_CASES], ids=str)
def test_product_and_gradients(case, dtype, way, way_back, limit):
    c, f, h, w, pads = case
    geometry = Geometry((3, 3), pad=pads)
    random = np.random.default_rng(1)
    n = 3
    image = data(c, h, w)
    limit *= max(1, c / 5) ** 0.5  # rounding adds up as numbers at random do, over the channels of a product
    x = ToPolyphase().evaluate(random.normal(size=(n, c, h, w)))
    weights = random.normal(size=(f, c, 3, 3)) / (3 * np.sqrt(c))
    out_h, out_w = geometry.out(h, w)
    dy = ToPolyphase().evaluate(random.normal(size=(n, f, out_h, out_w)))
    kinds = ToPolyphase().type(image), parameter(f=f, c=c, u=3, v=3)
    # the plan keeps kernels with their channels innermost
    stored = parameter(f=f, u=3, v=3, c=c)

    class Stored:
        def __init__(self, op):
            self.op = op

        def __getattr__(self, name):
            return getattr(self.op, name)

        def evaluate(self, *arrays):
            *rest, kernel = arrays
            made = self.op.evaluate(*rest, kernel.transpose(0, 3, 1, 2))
            return (made[0], made[1].transpose(0, 2, 3, 1)) if isinstance(made, tuple) else made

    inner = weights.transpose(0, 2, 3, 1)

    def pixels(found, width):
        """What lies beyond the image in a last tile may be anything."""
        return [[as_image(first, width), *rest] for first, *rest in found]

    forward = Stored(way(geometry, w))
    close(*pixels(run(forward, [x, inner], [kinds[0], stored], dtype), out_w), dtype, limit)
    backward = Stored(way_back(geometry, w))
    y_kind = ToPolyphase().type(data(f, out_h, out_w))
    close(*pixels(run(backward, [dy, x, inner], [y_kind, kinds[0], stored], dtype), w), dtype, limit)


@pytest.mark.usefixtures("products")
@pytest.mark.parametrize(("dtype", "limit"), [("float32", 2e-6), ("float64", 1e-14)])
@pytest.mark.parametrize("width", [1, 2, 4, 7])
@pytest.mark.parametrize("height", [1, 2, 3, 4, 8])
def test_images_of_few_pixels_by_squares_of_2x2(height, width, dtype, limit):
    random = np.random.default_rng(2)
    c, f, n = 20, 6, 1 if height == 3 else 3
    x, weights = random.normal(size=(n, c, height, width)), random.normal(size=(f, c, 3, 3)) / (3 * np.sqrt(c))
    to_filters = TransformFiltersOfSquares(height, width)
    kind = to_filters.type(parameter(f=f, c=c, u=3, v=3))
    u = np.full(kind.shape, np.nan, dtype)
    inner = np.ascontiguousarray(weights.transpose(0, 2, 3, 1), dtype)
    transform_filters_of_squares(inner, height, width, out=u)
    op = ConvolveSquares(at_once=2 if width == 7 else 0)
    (made,), (exact,) = run(op, [x, u], [data(c, height, width), kind], dtype)
    by_definition = Convolve(GEOMETRY).evaluate(x, weights)
    scale = np.abs(by_definition).max()
    assert np.abs(made - by_definition).max() < limit * scale
    assert np.abs(exact - by_definition).max() < limit * scale


def some_filters_at_a_time(weights, *, out):
    taps, across = np.empty((3, 3, 2, 5)), np.empty((3, 6, 2, 5))
    transform_filters_2d(weights, taps=taps, across=across, out=out)


def of_pairs(weights, *, out):
    transform_filters_of_squares(weights, 2, 4, out=out)


@pytest.mark.parametrize(
    ("op", "kernel"),
    [
        (TransformFilters(), transform_filters),
        (TransformFilters2d(), some_filters_at_a_time),
        (TransformFiltersOfSquares(2, 4), of_pairs),
    ],
    ids=lambda given: type(given).__name__ if isinstance(given, TransformFilters) else "",
)
def test_filters_that_are_transformed_beforehand_are_those_of_the_definition(op, kernel):
    weights = np.random.default_rng(0).normal(size=(6, 5, 3, 3))
    exact = op.evaluate(weights)
    made = np.full(op.type(parameter(f=6, c=5, u=3, v=3)).shape, np.nan)
    kernel(np.ascontiguousarray(weights.transpose(0, 2, 3, 1)), out=made)
    np.testing.assert_allclose(made, exact, rtol=0, atol=1e-14)
    np.testing.assert_allclose(op.undone(exact), weights, rtol=0, atol=1e-13)


@pytest.mark.usefixtures("products")
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("pooled", [False, True])
@pytest.mark.parametrize("case", [*CASES, *MORE_CASES, (64, 64, 20, 24, ((1, 1), (1, 1)))], ids=str)
def test_one_image_with_filters_that_are_transformed(case, pooled, dtype):
    c, f, h, w, pads = case
    geometry = Geometry((3, 3), pad=pads)
    if pooled:
        geometry = pooled_geometry(geometry)
        h += geometry.out(h, w)[0] < 1
    random = np.random.default_rng(1)
    weights = random.normal(size=(f, c, 3, 3)) / (3 * np.sqrt(c))
    u = WinogradFilters().evaluate(weights)
    made = np.empty(u.shape, dtype)
    transform_filters_at_once(weights.transpose(0, 2, 3, 1).astype(dtype), out=made)
    close([made], [u], dtype)
    kind = parameter(f=f, c=c, u=3, v=3)
    image, filters = data(c, h, w), WinogradFilters().type(kind)
    x = random.normal(size=(1, c, h, w))
    limit = 1e-5 * max(1, np.sqrt(c / 16))  # of a sum's rounding
    for together in range(4):  # strips in a product; 0 for all
        found, exact = run(WinogradOneImage(geometry, together, pooled), [x, u], [image, filters], dtype)
        close(found, exact, dtype, limit)
    if f % 2 == 0:  # filters in pieces that lie apart
        op = WinogradFilters(2)
        apart = op.evaluate(weights)
        made = np.empty(apart.shape, dtype)
        transform_filters_at_once(weights.transpose(0, 2, 3, 1).astype(dtype), out=made)
        close([made], [apart], dtype)
        found, same = run(WinogradOneImage(geometry, 0, pooled), [x, apart], [image, op.type(kind)], dtype)
        close(found, exact, dtype, limit)
        close(same, exact, dtype)
    y = Convolve(Geometry((3, 3), pad=pads)).convolved(x, weights)
    wanted = MaxWindows(Geometry((2, 2), (2, 2)), saves=False).evaluate(y) if pooled else y
    close(exact, [wanted], dtype)


@pytest.mark.parametrize("numbers", [1, 25])
def test_the_filters_gradient_of_a_large_layer_is_added_up_some_components_at_a_time(numbers, monkeypatch):
    monkeypatch.setattr("cnnspec.primitives.convolution.winograd_2d.AT_ONCE", numbers)
    test_product_and_gradients((3, 2, 21, 8, ((2, 2), (1, 1))), "float64", *WAYS[1])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("case", [(20, 6, 4, 8, ((1, 1), (1, 1))), (40, 3, 9, 12, ((1, 1), (1, 1)))], ids=str)
def test_filters_and_their_gradient_take_turns_in_one_memory_where_they_are_large(case, dtype, monkeypatch):
    """And are transformed some at a time."""
    monkeypatch.setattr("cnnspec.primitives.convolution.winograd_2d.LARGE", 1)
    monkeypatch.setattr("cnnspec.primitives.convolution.winograd_2d.TRANSFORMED", 80)
    test_product_and_gradients(case, dtype, *WAYS[1])


@pytest.mark.parametrize("width", [4, 5, 6, 7, 9])
def test_residue_rows_are_the_image_in_another_order(width):
    x = np.random.default_rng(0).normal(size=(3, 2, width, 5))
    rows = np.full((3, 4, 2, -(-width // 4), 5), np.nan)
    to_polyphase(x, out=rows)
    for w in range(width):
        assert (rows[:, w % 4, :, w // 4] == x[:, :, w]).all()
    assert np.isfinite(rows).all() and rows.sum() == pytest.approx(x.sum())
    back = np.empty_like(x)
    from_polyphase(rows, out=back)
    assert (back == x).all()


@pytest.mark.parametrize(("onward", "width"), [(False, 8), (False, 12), (True, 8), (True, 24)])
def test_pooling_residue_rows_is_pooling_the_image(onward, width):
    x = np.random.default_rng(0).integers(0, 4, size=(3, 2, 7, width)).astype(float)  # small numbers: many ties
    kind, rows = ToPolyphase().type(data(2, 7, width)), ToPolyphase().evaluate(x)
    made, exact = run(PolyphasePool(onward), [rows], [kind], "float64")
    close(made, exact, "float64")
    wanted = MaxWindows(Geometry((2, 2), (2, 2))).evaluate(x)[0]
    pooled = as_image(made[0], width // 2) if onward else made[0]
    assert (pooled == wanted).all()

    dy = np.random.default_rng(1).normal(size=wanted.shape)
    given = [ToPolyphase().evaluate(dy) if onward else dy, rows, *made[1:]]
    op = PolyphasePool(onward)
    kinds = [op.type(kind), kind, *(op.extras(kind).values())]
    close(*run(PolyphasePoolGradient(), given, kinds, "float64"), "float64")


@pytest.mark.parametrize("tiles, n", [(1, 2), (2, 1), (3, 2)])
@pytest.mark.parametrize("way", ["kept", "spent", "back"])
def test_what_a_tile_gets_is_of_its_own_channel(way, tiles, n):
    """One that is infinite, or whose zeros are negative, changes nothing in the others, not a bit."""
    random, length = np.random.default_rng(0), tiles * n

    def transformed(x):
        if way == "back":
            out = np.full((2, 4, x.shape[2], length), np.nan)
            inverse_transform_gradient(x.copy(), n, out=out)
            return out
        out, given = np.full((6, 2, x.shape[2], length), np.nan), x.copy()
        transform_input(given, n, spent=way == "spent", out=out)
        assert way == "spent" or np.array_equal(given, x)
        return out

    x = random.normal(size=(6, 2, 3, length) if way == "back" else (2, 4, 3, length))
    x[:, :, 1], x[:, :, 2, 0] = np.inf, -0.0
    with np.errstate(invalid="ignore"):
        found = transformed(x)
    for channel in (0, 2):
        alone = transformed(x[:, :, channel : channel + 1])
        assert found[:, :, channel].tobytes() == alone[:, :, 0].tobytes()


def test_plans_for_either_blas_come_to_the_same(monkeypatch):
    """Products in pieces: on one machine only, and the numbers are those of any other."""
    text = "input 3x16x16\nconv 32x5x5 pad 2 -> relu -> conv 24x3x3 pad 1 -> relu -> dense 4 -> softmax\n"
    random = np.random.default_rng(0)
    x, y = random.normal(size=(32, 3, 16, 16)).astype("float32"), random.integers(0, 4, 32)
    sources, gradients = [], []
    monkeypatch.setattr("cnnspec.kernels.gemm.MULTIPLICATIONS", 200_000)
    for flag in (False, True):
        cut_into.cache_clear()
        monkeypatch.setattr("cnnspec.kernels.gemm.WITHOUT_PACKING", flag)
        model = cnnspec.compile(text=text, batch=32, dtype="float64")
        sources.append(model.plan.source)
        gradients.append(model.gradients(x, y))
    cut_into.cache_clear()
    assert " gemm(" in sources[1] and " gemm(" not in sources[0]
    for name, gradient in gradients[0].items():
        np.testing.assert_allclose(gradients[1][name], gradient, rtol=1e-9, atol=1e-12)
