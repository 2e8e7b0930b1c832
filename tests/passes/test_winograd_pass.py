"""Which convolutions become Winograd's, how far polyphase rows carry, and that the numbers stay."""

from dataclasses import replace

import numpy as np
import pytest
from oracles.graphs import judged, mean_the_same
from oracles.nets import spec

import cnnspec
from cnnspec.codegen.program import generate
from cnnspec.ir import Builder, data
from cnnspec.ir.geometry import Geometry
from cnnspec.ir.leaves import Input
from cnnspec.ir.verify import verify
from cnnspec.passes import INFERENCE, TRAINING, methods, run
from cnnspec.passes.dead_code import eliminate_dead_code
from cnnspec.passes.decompose import attach_costs, decompose_training
from cnnspec.passes.methods import Convolution, layer_method, seconds
from cnnspec.passes.winograd import winograd
from cnnspec.primitives.convolution.convolve import Convolve
from cnnspec.primitives.convolution.im2col import Im2col, Im2colFilterGradient, Im2colGemm
from cnnspec.primitives.convolution.polyphase import FromPolyphase, ToPolyphase
from cnnspec.primitives.convolution.squares import ConvolveSquares
from cnnspec.primitives.convolution.taps import ConvolveByTap
from cnnspec.primitives.convolution.winograd_1d import TransformFilters, WinogradConvolve
from cnnspec.primitives.norm import BatchNorm, BatchNormGradient
from cnnspec.primitives.pooled_norm import PooledBatchNorm
from cnnspec.primitives.windows import PolyphasePool
from cnnspec.runtime.engine import Engine
from cnnspec.settings.optimisers.sgd import Sgd
from cnnspec.words import WORDS
from cnnspec.words.conv import Conv
from cnnspec.words.costs import CrossEntropy

RELU, BN, FLAT, SOFTMAX, RECIPROCAL = (WORDS[word]() for word in ("relu", "bn", "flatten", "softmax", "reciprocal"))
POOL = WORDS["maxpool"]((2,))
DENSE = WORDS["dense"]((3,))


def chain(*ops, image=(16, 8, 8)):
    b = Builder()
    value = b.add(Input(data(*image)), name="input")
    for k, op in enumerate(ops):
        value = b.add(op, value, name=f"v{k}")
    return b.graph(("input",), (value,))


def same(filters=16, **settings):
    return Conv((filters, 3, 3), pad="same", **settings)


def ops(graph):
    return [type(node.op) for node in graph]


def rewritten(*words, images=64, image=(16, 8, 8)):
    graph = chain(*words, FLAT, DENSE, SOFTMAX, image=image)
    judged = replace(attach_costs(graph, (CrossEntropy(),)), images=images)
    return winograd(decompose_training(judged))


@pytest.mark.usefixtures("winograd_everywhere")
def test_layers_between_two_convolutions_stay_in_residue_rows():
    found = ops(eliminate_dead_code(rewritten(same(bias=False), BN, RELU, same(), RELU)))
    assert found.count(WinogradConvolve) == 2
    assert found.count(ToPolyphase) == found.count(FromPolyphase) == 1


def early(*words, image=(3, 16, 16), images=64):
    """The graph of a training after the passes, and its nodes by kind; those before the cost with `ahead`."""
    judged = replace(
        attach_costs(chain(*words, FLAT, DENSE, SOFTMAX, image=image), (CrossEntropy(),)), images=images
    )
    graph = run(judged, TRAINING, check=verify)

    def of(kind, ahead=False):
        nodes = list(graph)[: list(graph.nodes).index(graph.cost)] if ahead else graph
        return [node for node in nodes if isinstance(node.op, kind)]

    return graph, of


def test_a_first_convolution_makes_residue_rows():
    """From columns in that order, with its sums; the filters' gradient is made of rows that have no memory."""
    graph, of = early(same(bias=False), BN, RELU, same())
    (first,) = of(Im2colGemm)
    assert first.type.kind == "tensor" and first.op.moments and not of(ToPolyphase, ahead=True)
    (norm,) = of(BatchNorm)
    assert norm.inputs[0] == first.name and norm.op.relu and norm.op.summed
    (lazy,) = (node for node in of(BatchNormGradient) if node.op.by_rows)
    assert [type(reader.op) for reader in graph.readers()[lazy.name]] == [Im2colFilterGradient]
    (columns,) = of(Im2col)
    assert columns.op.polyphase and len(graph.readers()[columns.name]) == 2


def test_residue_rows_begin_where_another_convolution_ends():
    """One of stride 2, whose input's gradient is wanted in the order of the pixels."""
    down = Conv((16, 3, 3), stride=2, pad=1, bias=False)
    graph, of = early(Conv((8, 3, 3)), down, BN, RELU, same(), image=(3, 34, 34))
    (rows,) = of(ToPolyphase, ahead=True)
    assert graph[rows.inputs[0]].op.macs(*graph.types(graph[rows.inputs[0]])) > 0, "the convolution's own value"
    (norm,) = of(BatchNorm)
    assert norm.inputs[0] == rows.name and norm.op.relu and norm.type.kind == "tensor"
    (lazy,) = (node for node in of(BatchNormGradient) if node.op.by_rows)
    assert [type(reader.op) for reader in graph.readers()[lazy.name]] == [FromPolyphase]


@pytest.mark.parametrize(
    "what", [{"groups": 3}, {"dilate": (2, 1), "pad": (2, 1)}, {"kernel": (1, 1)}], ids=["groups", "dilated", "1x1"]
)
def test_other_first_convolutions_make_an_image(what):
    kernel = what.pop("kernel", (3, 3))
    settings = {"pad": 1, **what} if kernel == (3, 3) else what
    _, of = early(Conv((12, *kernel), bias=False, **settings), BN, RELU, same())
    assert not any(node.op.polyphase for node in of(Im2col))
    assert [node.op.moments for node in of(Im2colGemm)] == [False] * len(of(Im2colGemm))
    assert of(ToPolyphase, ahead=True)


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize(("kernel", "pad"), [(3, 1), (5, 2), (4, 0), (2, 0)])
def test_a_first_convolution_s_numbers_stay(kernel, pad, stride):
    """Against shards of two images, which nothing of this is for: columns in order, and in polyphase order."""
    width = 15 * stride + kernel - 2 * pad
    first = Conv((16, kernel, kernel), pad=pad, stride=stride, bias=False)
    words = chain(first, BN, RELU, same(), FLAT, DENSE, SOFTMAX, image=(3, width, width))
    random = np.random.default_rng(0)
    arrays = {"input": random.normal(size=(36, 3, width, width)), "v6.target": np.eye(3)[random.integers(0, 3, 36)]}
    found = []
    for shards, expected in ((1, True), (18, False)):
        engine = Engine(words, (CrossEntropy(),), Sgd(), shards=shards, dtype="float64", seed=1)
        uses = any(isinstance(n.op, Im2col) and n.op.polyphase for n in engine.graph("train", 36))
        assert uses == expected
        cost, gradients = engine.differentiate(arrays)
        measured, _ = engine.measure(arrays)
        found.append((cost, measured, {name: gradients[name].copy() for name in gradients}))
    (*mine, one), (*theirs, two) = found
    assert mine == pytest.approx(theirs, rel=1e-12)
    for name, value in two.items():
        assert np.abs(one[name] - value).max() <= 1e-10 * max(np.abs(value).max(), 1e-3), name


@pytest.mark.parametrize(
    "why, words, image",
    [
        ("others want the image", (same(), RELU, POOL), (3, 16, 16)),
        ("a tile is half empty", (Conv((16, 3, 3), bias=False), BN, RELU, Conv((16, 3, 3))), (3, 16, 16)),
        ("its rest might not be finite", (Conv((16, 3, 3)), RECIPROCAL, Conv((16, 3, 3))), (3, 16, 16)),
    ],
    ids=lambda v: v if isinstance(v, str) else "",
)
def test_it_stays_an_image_where(why, words, image):
    graph, of = early(*words, image=image)
    for node in of(ToPolyphase, ahead=True):
        assert not isinstance(graph[node.inputs[0]].op, (Convolve, Im2colGemm))


def test_a_half_empty_tile_that_nobody_reads_is_left_so():
    """Fourteen columns, and a convolution without padding: what bias and relu make of the other two is not seen."""
    _, of = early(Conv((16, 3, 3)), RELU, Conv((16, 3, 3)), RELU, image=(3, 16, 16))
    assert of(WinogradConvolve) and not of(ToPolyphase, ahead=True)
    assert [node.op.polyphase for node in of(Im2col)] == [True]


def test_a_value_that_the_network_gives_stays_an_image():
    b = Builder()
    x = b.add(Input(data(3, 16, 16)), name="input")
    first = b.add(RELU, b.add(same(), x, name="c1"), name="r1")
    second = b.add(same(), first, name="c2")
    graph = b.graph(("input",), (second, first))
    made = run(replace(graph, images=64), INFERENCE, check=verify)
    assert made.type(made.outputs[1]).kind == "image"
    assert [node.inputs[0] for node in made if isinstance(node.op, ToPolyphase)] == [made.outputs[1]]


@pytest.mark.parametrize(("width", "then", "onward"), [(16, same(32), True), (20, Conv((32, 3, 3)), False)])
def test_pooling_makes_residue_rows_for_the_next_convolution(width, then, onward):
    """Of 20 columns ten are left, two tiles and a half."""
    _, of = early(same(32), POOL, RELU, then, image=(32, 16, width))
    (pool,) = of(PolyphasePool)
    assert pool.op.onward == onward and len(of(ToPolyphase, ahead=True)) == (1 if onward else 2)


@pytest.mark.usefixtures("winograd_everywhere")
@pytest.mark.parametrize(("words", "relu"), [((BN, RELU, POOL), True), ((BN, POOL), False)])
def test_a_normalisation_that_is_pooled_has_no_memory(words, relu):
    """bools remain of it for the gradient; neither its value nor the winners' are there."""
    graph, of = early(same(32, bias=False), *words, same(32), image=(16, 16, 16))
    (norm,) = of(PooledBatchNorm)
    assert norm.op.relu == relu and norm.op.pool.onward and norm.op.summed
    assert not of(PolyphasePool) and isinstance(graph[norm.inputs[0]].op, WinogradConvolve)
    buffers = {b.name: b for b in generate(graph, 64, 64, "float32").buffers}
    full = 16 * 32 * 16 * 64 * 4  # bytes of a value before it is pooled
    assert set(norm.extras) == {"mean", "var", "argmax"} | ({"relu_mask"} if relu else set())
    assert buffers[f"{norm.name}_argmax"].bytes * 16 == full * 3
    assert buffers[norm.name].bytes * 4 == full


@pytest.mark.usefixtures("winograd_everywhere")
def test_a_normalisation_that_others_read_is_pooled_apart():
    b = Builder()
    x = b.add(Input(data(16, 16, 16)), name="input")
    norm = b.add(BN, b.add(same(32, bias=False), x, name="c1"), name="n1")
    pooled = b.add(POOL, norm, name="m1")
    both = b.add(WORDS["concat"](), b.add(FLAT, pooled, name="f1"), b.add(FLAT, norm, name="f2"), name="both")
    end = b.add(SOFTMAX, b.add(DENSE, both, name="d"), name="p")
    judged = replace(attach_costs(b.graph(("input",), (end,)), (CrossEntropy(),)), images=64)
    kinds = ops(run(judged, TRAINING, check=verify))
    assert PolyphasePool in kinds and PooledBatchNorm not in kinds


@pytest.mark.usefixtures("winograd_everywhere")
def test_pooling_leaves_residue_rows():
    assert PolyphasePool in ops(rewritten(same(), POOL, RELU))


@pytest.mark.parametrize(
    "why, word, image, images",
    [
        ("a stride", same(stride=2), (16, 8, 8), 64),
        ("few channels and filters", same(8), (4, 8, 8), 64),
        ("few channels", same(), (3, 8, 8), 64),
        ("a width that four does not divide", Conv((16, 3, 3)), (16, 8, 9), 64),
        ("a handful of images", same(), (16, 8, 8), 2),
        ("another kernel", Conv((16, 5, 5), pad="same"), (16, 8, 8), 64),
        ("groups", same(groups=2), (16, 8, 8), 64),
        ("a dilation", same(dilate=2), (16, 8, 8), 64),
        ("wide padding", Conv((16, 3, 3), pad=3), (16, 8, 8), 64),
    ],
    ids=lambda v: v if isinstance(v, str) else "",
)
def test_left_alone_for(why, word, image, images):
    found = ops(rewritten(word, images=images, image=image))
    assert Convolve in found and WinogradConvolve not in found


@pytest.mark.usefixtures("winograd_everywhere")
def test_rows_with_a_half_empty_tile_go_through_the_image():
    """What a convolution leaves beyond the image must not be read by the next one."""
    found = rewritten(same(32), same(32), image=(32, 7, 7))
    _, second = (node for node in found if isinstance(node.op, WinogradConvolve))
    (rows,) = (node for node in found if node.name == second.inputs[0])
    assert isinstance(rows.op, ToPolyphase)
    assert any(node.name == rows.inputs[0] and not isinstance(node.op, ToPolyphase) for node in found)


@pytest.mark.usefixtures("winograd_everywhere")
def test_a_half_empty_tile_keeps_its_statistics_out_of_bn():
    """Ten columns fill two and a half tiles: what stands in the other half must not count."""
    found = rewritten(Conv((16, 3, 3)), BN, Conv((16, 3, 3)), image=(16, 14, 14))
    normalised = next(node for node in found if isinstance(node.op, BatchNorm))
    assert normalised.type.kind == "tensor"  # twelve columns: three full tiles
    found = rewritten(same(bias=False), BN, Conv((16, 3, 3)), image=(16, 10, 10))
    normalised = next(node for node in found if isinstance(node.op, BatchNorm))
    assert normalised.type.kind == "image"


def test_bn_residual_and_relu_become_one_and_their_gradient_has_no_memory():
    b = Builder()
    x = b.add(Input(data(16, 8, 8)), name="input")
    first = b.add(RELU, b.add(BN, b.add(same(bias=False), x, name="c1"), name="n1"), name="r1")
    second = b.add(BN, b.add(same(bias=False), first, name="c2"), name="n2")
    total = b.add(WORDS["add"](), second, first, name="sum")
    end = b.add(SOFTMAX, b.add(DENSE, b.add(FLAT, b.add(RELU, total, name="r2"), name="f"), name="d"), name="p")
    judged = attach_costs(b.graph(("input",), (end,)), (CrossEntropy(),))
    nodes = list(run(judged, TRAINING))
    norms = [node for node in nodes if isinstance(node.op, BatchNorm)]
    assert [node.op.relu for node in norms] == [True, True]
    assert [len(node.inputs) for node in norms] == [4, 5]  # the sums, and in one the residual
    lazy = [node.op.by_rows for node in nodes if isinstance(node.op, BatchNormGradient)]
    assert lazy == [True, True]


def test_a_sum_that_somebody_else_reads_is_not_fused():
    b = Builder()
    x = b.add(Input(data(16, 8, 8)), name="input")
    norm = b.add(BN, b.add(same(bias=False), x, name="c1"), name="n1")
    both = b.add(WORDS["add"](), b.add(RELU, norm, name="r1"), norm, name="sum")
    end = b.add(SOFTMAX, b.add(DENSE, b.add(FLAT, both, name="f"), name="d"), name="p")
    nodes = list(run(attach_costs(b.graph(("input",), (end,)), (CrossEntropy(),)), TRAINING))
    assert [node.op.relu for node in nodes if isinstance(node.op, BatchNorm)] == [False]


WORDS_OF_A_NET = (
    Conv((16, 3, 3), pad="same", bias=False),
    BN,
    RELU,
    same(bias=False),
    BN,
    RELU,
    POOL,
    same(20),
    RELU,
)


def gradient(dtype, plain, monkeypatch, words=WORDS_OF_A_NET, image=(3, 16, 16)):
    if plain:
        monkeypatch.setattr(methods, "RUN", 1_000_000)  # never
    else:
        monkeypatch.setattr(seconds, "WINOGRAD", (0.0, 0.0, -1.0))  # wherever it is possible
    graph = chain(*words, FLAT, DENSE, SOFTMAX, image=image)
    engine = Engine(graph, (CrossEntropy(),), Sgd(), shards=2, seed=3, dtype=dtype)
    random = np.random.default_rng(0)
    for parameter in engine.parameters.values():  # biases begin with zero, where many a mistake does not show
        parameter += random.normal(size=parameter.shape) / 10
    x = random.normal(size=(34, *image)).astype(dtype)
    target = np.eye(3, dtype=dtype)[random.integers(0, 3, 34)]
    cost, found = engine.differentiate({"input": x, f"{graph.outputs[0]}.target": target})
    found = {name: found[name] for name in found}
    shown = engine.forward({"input": x})
    monkeypatch.undo()
    uses = any(isinstance(node.op, WinogradConvolve) for node in engine.graph("train", 34))
    assert uses != plain
    return cost, found, np.array(shown[0])


@pytest.mark.parametrize(
    "words, image",
    [
        (WORDS_OF_A_NET, (3, 16, 16)),
        ((same(), RELU, Conv((16, 3, 3)), RELU, POOL), (16, 9, 18)),
        ((Conv((24, 3, 3)), POOL, RELU, Conv((16, 3, 3)), BN), (16, 18, 22)),
        ((same(bias=False), BN, RELU, POOL, same(), BN, POOL), (16, 9, 16)),
        ((same(20, bias=False), BN, POOL, same(), RELU), (16, 7, 24)),
        ((Conv((16, 3, 3)), RELU, Conv((16, 3, 3)), RELU), (3, 9, 16)),
    ],
)
def test_the_numbers_stay(words, image, monkeypatch):
    cost, found, shown = gradient("float64", False, monkeypatch, words, image)
    plain_cost, plain, plain_shown = gradient("float64", True, monkeypatch, words, image)
    assert cost == pytest.approx(plain_cost, rel=1e-12)
    assert np.abs(shown - plain_shown).max() < 1e-12
    for name, value in plain.items():
        assert np.abs(found[name] - value).max() <= 1e-9 * max(1e-3, np.abs(value).max()), name


RESIDUAL = "16x8x8: conv 16x3x3 pad 1 as a -> relu -> add( conv 16x3x3 pad 1 -> bn | @a ) -> relu -> gap"


def finished(text, images=64, passes=INFERENCE):
    graph = spec(text, everywhere=False)
    graph = judged(graph) if passes is TRAINING else graph
    made = run(replace(graph, images=images), passes, check=verify)
    return [node for node in made if isinstance(node.op, WinogradConvolve)], made


@pytest.mark.usefixtures("winograd_everywhere")
def test_bias_residual_and_relu_are_done_where_rows_come_out():
    (first, second), made = finished(RESIDUAL)
    assert (len(first.inputs), first.op.relu) == (3, False)  # its value is the residual as well
    assert (len(second.inputs), second.op.relu) == (4, True)
    assert "AddBias" not in [type(node.op).__name__ for node in made]


@pytest.mark.usefixtures("winograd_everywhere")
def test_in_training_too_where_no_bn_stands_between():
    text = "16x8x8: conv 16x3x3 pad 1 -> relu -> conv 16x3x3 pad 1 -> relu -> gap"
    (first, second), _ = finished(text, passes=TRAINING)
    assert [(len(node.inputs), node.op.relu) for node in (first, second)] == [(3, True), (3, True)]


@pytest.mark.usefixtures("winograd_everywhere")
@pytest.mark.parametrize("passes", [TRAINING, INFERENCE])
def test_a_convolution_before_a_pool_hands_its_bias_on(passes):
    (only,), _ = finished("16x8x8: conv 16x3x3 pad 1 -> relu -> maxpool 2 -> gap", 64, passes)
    assert (len(only.inputs), only.op.relu) == (2, False)


@pytest.mark.usefixtures("winograd_everywhere")
def test_what_was_finished_gives_the_same_numbers():
    random = np.random.default_rng(0)
    words = spec(RESIDUAL, everywhere=False)
    x = random.normal(size=(70, 16, 8, 8))
    together, apart = 1, 35  # shards: two images are too few for Winograd's method
    engines = [Engine(words, (), Sgd(), shards=shards, dtype="float64") for shards in (together, apart)]
    few = [sum(isinstance(n.op, WinogradConvolve) for n in engine.graph("infer", 70)) for engine in engines]
    assert few == [2, 0]
    for name in engines[0].parameters:
        value = random.normal(size=engines[0].parameters[name].shape)
        for engine in engines:
            engine.parameters[name] = np.abs(value) + 0.5 if name.endswith("var") else value
    one, two = (np.array(engine.forward({"input": x})[0]) for engine in engines)
    assert np.abs(one - two).max() < 1e-11 * np.abs(two).max()


@pytest.mark.usefixtures("winograd_everywhere")
def test_filters_are_transformed_once_where_nothing_is_learnt():
    """By a node of parameters alone, one for layers that share them; training transforms them at every step."""
    text = "16x8x8: conv 16x3x3 pad 1 -> relu -> conv 32x3x3 pad 1 -> relu -> gap"
    for passes, expected in ((INFERENCE, True), (TRAINING, False)):
        layers, made = finished(text, passes=passes)
        assert len(layers) == 2 and {node.op.ready for node in layers} == {expected}
        sources = [made[node.inputs[1]].op for node in layers]
        assert all(isinstance(op, TransformFilters) for op in sources) == expected
    _, made = finished("256x4x4: conv 256x3x3 pad 1 -> relu -> conv 4x3x3 pad 1 -> gap")
    assert [node.op.ready for node in made if isinstance(node.op, WinogradConvolve)] == [False, True]
    together, apart = (finished(text, passes=until)[1] for until in (INFERENCE, INFERENCE[:1]))
    mean_the_same(apart, together)


FEW_PIXELS = """input 8x4x4
conv 128x3x3 pad 1 -> relu -> conv 128x3x3 pad 1 -> maxpool 2 -> relu
  -> add( conv 128x3x3 pad 1 -> bn | id ) -> relu -> maxpool 2 -> conv 128x3x3 pad 1 -> gap -> dense 3
"""


def test_images_of_few_pixels_go_by_squares_of_2x2_where_nothing_is_learnt():
    model = cnnspec.compile(text=FEW_PIXELS, batch=8, dtype="float64", seed=0)
    made = {mode: model.engine.graph(mode, 8) for mode in ("infer", "train")}
    kinds = {mode: [type(node.op) for node in graph] for mode, graph in made.items()}
    assert kinds["infer"].count(ConvolveSquares) == 2 and ConvolveSquares not in kinds["train"]
    (two,) = {node.why for node in made["infer"] if isinstance(node.op, ConvolveSquares) and node.type["h"] == 2}
    assert two.startswith("by Winograd's method on squares of 2x2: the image has few pixels")
    (one,) = {node.why for node in made["infer"] if isinstance(node.op, ConvolveByTap)}  # one tap meets it
    assert one.startswith("by a product for each tap: of what the taps look at 89% is padding")
    x = np.random.default_rng(0).normal(size=(8, 8, 4, 4))
    alone = np.concatenate([model.predict(image[None]) for image in x])  # one image goes by im2col
    np.testing.assert_allclose(model.predict(x), alone, rtol=0, atol=1e-13)


def test_what_squares_are_not_for():
    def layer(*x, images=8, learns=False, **window):
        geometry = Geometry(**{"kernel": (3, 3), "pad": ((1, 1), (1, 1)), **window})
        return Convolution(geometry, data(*x), 256, 1, images, learns=learns)

    assert layer_method(layer(256, 4, 4), {}).method == "squares"
    for other in (
        layer(256, 4, 4, learns=True),
        layer(256, 4, 4, images=1),
        layer(256, 4, 3),
        layer(256, 4, 4, stride=(2, 2)),
        layer(256, 4, 4, pad=((0, 0), (1, 1))),
        layer(256, 4, 4, dilate=(2, 2)),
    ):
        assert layer_method(other, {}).method != "squares"
    many = layer_method(layer(256, 4, 4, images=256), {})
    assert many.method == "Winograd 2d"  # 36 products for an image, not 64
