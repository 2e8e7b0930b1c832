"""Drawings: nothing overlaps or leaves the picture, the file is valid, and what is drawn is what there is."""

import itertools
from collections import defaultdict
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pictured import SPECS, TEXTS, graph

from cnnspec.api import read_spec
from cnnspec.draw.diagram import diagram
from cnnspec.draw.drawing import draw, scene
from cnnspec.draw.layout import Size, Waypoint, _order_preserving, lay_out
from cnnspec.draw.scene import Box, Curve, Polygon, Text
from cnnspec.draw.u_layout import u_layout
from cnnspec.draw.volumes import caption
from cnnspec.draw.windows import made_by, spans_of
from cnnspec.words import Window

FILES = sorted(SPECS.rglob("*.cnn"))
CASES = [(name, depth) for name in TEXTS for depth in (0, 1, 2)]


def of_file(path):
    return read_spec(path).graph


def check_boxes(picture):
    page = Box(0, 0, picture.width, picture.height)
    texts = sorted(((text.box, text.text) for text in picture.texts()), key=lambda item: item[0].y0)
    for k, (box, text) in enumerate(texts):
        assert box.within(page), f"{text!r} leaves the picture"
        for other, below in itertools.takewhile(lambda item, end=box.y1: item[0].y0 < end, texts[k + 1 :]):
            assert not box.overlaps(other), f"{text!r} on {below!r}"
    for shape in picture.shapes():
        for x, y in getattr(shape, "points", ()):
            assert 0 <= x <= picture.width and 0 <= y <= picture.height


def check_lines(picture):
    """No link and no ray runs through a text."""
    texts = [(text.box, text.text) for text in picture.texts()]
    for shape in picture.shapes():
        if isinstance(shape, Curve):
            points = list(sampled(shape.points))
        elif isinstance(shape, Polygon) and shape.style.startswith(("ray", "link")):
            points = shape.points
        else:
            continue
        across, down = zip(*points, strict=True)
        around = Box(min(across), min(down), max(across) + 0.1, max(down) + 0.1)
        for box, text in texts:
            if box.overlaps(around):
                for one, other in itertools.pairwise(points):
                    assert not box.met_by(one, other), f"a {shape.style} runs through {text!r}"


def sampled(points, steps=12):
    """Points along cubic pieces."""
    yield points[0]
    for k in range(1, len(points), 3):
        a, b, c, d = points[k - 1 : k + 3]
        for t in (i / steps for i in range(1, steps + 1)):
            s = 1 - t
            yield tuple(s**3 * a[i] + 3 * s * s * t * b[i] + 3 * s * t * t * c[i] + t**3 * d[i] for i in (0, 1))


@pytest.mark.parametrize(("name", "depth"), CASES)
def test_no_text_overlaps_or_leaves_the_picture(name, depth):
    picture = scene(graph(name), depth=depth)
    check_boxes(picture)
    check_lines(picture)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_spec_of_the_folder_can_be_drawn(path):
    for depth in (0, 9):
        picture = scene(of_file(path), depth=depth)
        check_boxes(picture)
        check_lines(picture)


@pytest.mark.parametrize("width", [300, 700, 20_000])
def test_rows_fit_whatever_width_is_wanted(width):
    picture = scene(graph("residual blocks"), depth=1, width=width)
    check_boxes(picture)
    check_lines(picture)
    if width == 700:
        assert picture.width <= 700


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_no_row_is_wider_than_wanted(path):
    for depth in (0, 1, 9):
        shown = of_file(path)
        picture = scene(shown, depth=depth)
        assert picture.width <= 1400 or (picture.width <= 1.4 * 1400 and path.stem.endswith("unet"))


SKIPS = """
    input 1x40x40
    conv 8x3x3 pad 1 as a -> conv 8x3x3 pad 1 as b -> conv 8x3x3 pad 1 as c -> conv 8x3x3 pad 1
      -> conv 8x3x3 pad 1 -> concat( id | @c ) -> conv 8x3x3 pad 1 -> concat( id | @b ) -> conv 8x3x3 pad 1
      -> concat( id | @a ) -> conv 2x1x1 -> gap -> dense 2 -> softmax"""


@pytest.mark.parametrize("width", [500, 700, 900])
def test_links_go_round_the_end_of_a_row_within_one_another(width):
    picture = scene(read_spec(text=SKIPS).graph, width=width)
    assert picture.width <= width
    check_boxes(picture)
    check_lines(picture)
    turns = [list(sampled(s.points, 1)) for s in picture.shapes() if isinstance(s, Curve) and len(s.points) > 20]
    assert len(turns) >= 3
    for one, other in itertools.combinations(turns, 2):
        if one[0] != other[0]:
            pairs = itertools.product(itertools.pairwise(one), itertools.pairwise(other))
            assert not any(cross(*a, *b) for a, b in pairs)


def cross(a, b, c, d):
    """Whether the lines from a to b and from c to d cross."""

    def side(p, q, r):
        return (q[0] - p[0]) * (r[1] - p[1]) - (q[1] - p[1]) * (r[0] - p[0])

    return side(a, b, c) * side(a, b, d) < 0 and side(c, d, a) * side(c, d, b) < 0


def test_a_row_ends_between_blocks_rather_than_within_one():
    shown = of_file(SPECS / "squeezenet.cnn")
    titles = [t.text for t in scene(shown, depth=1).texts() if t.style == "heading"]
    assert titles == [f"fire{k}" for k in range(1, 9)]  # a frame, and a title, for each row that a block comes to


# ---- a network that narrows and widens -------------------------------------------------------------------

U = """
    input 1x32x32
    conv 4x3x3 pad 1 as a -> maxpool 2 -> conv 8x3x3 pad 1 as b -> maxpool 2 -> conv 16x3x3 pad 1
      -> concat( @b | upconv 8x2x2 stride 2 ) -> conv 8x3x3 pad 1
      -> concat( @a | upconv 4x2x2 stride 2 ) -> conv 4x3x3 pad 1 -> conv 2x1x1 -> softmax"""


def placed(text, **names):
    """Where the front of each volume stands: the middle of its box."""
    picture = scene(read_spec(text=text).graph)
    check_boxes(picture)
    check_lines(picture)
    fronts = {}
    for group in picture.groups:
        for shape in group.shapes:
            if group.name and getattr(shape, "style", "").startswith("front"):
                fronts[group.name] = ((shape.box.x0 + shape.box.x1) / 2, (shape.box.y0 + shape.box.y1) / 2)
    return fronts


def test_a_network_that_narrows_and_widens_with_bridges_is_drawn_as_a_u():
    at = placed(U)
    names = ["input a upconv2 concat2", "maxpool1 b upconv1 concat1 conv2", "maxpool2 conv1"]
    levels = [{round(at[name][1]) for name in level.split()} for level in names]
    assert [len(level) for level in levels] == [1, 1, 1]
    assert levels == sorted(levels, key=min)
    assert at["maxpool1"][0] == pytest.approx(at["a"][0])
    assert at["upconv2"][0] == pytest.approx(at["conv2"][0])


@pytest.mark.parametrize(
    ("why", "part", "instead"),
    [
        ("one bridge is a row with a skip", "concat( @b | upconv 8x2x2 stride 2 )", "upconv 8x2x2 stride 2"),
        ("a vector has no level", "-> conv 2x1x1 -> softmax", "-> gap -> dense 2 -> softmax"),
        ("two levels at once", "maxpool 2 -> conv 16x3x3 pad 1", "maxpool 4 -> conv 16x3x3 pad 1 -> upsample 2"),
    ],
)
def test_what_is_no_u_is_drawn_in_rows(why, part, instead):
    assert part in U
    assert u_layout(diagram(read_spec(text=U).graph), ANY)
    assert not u_layout(diagram(read_spec(text=U.replace(part, instead)).graph), ANY), why


ANY = defaultdict(lambda: Size(20, 20, 20, 20))


def test_a_u_that_is_much_too_wide_is_drawn_in_rows():
    shown = read_spec(text=U).graph
    assert scene(shown, width=500).width <= 500


def test_a_drawing_of_vectors_says_nothing_of_volumes():
    notes = [text.text for text in scene(graph("vectors")).texts() if text.style == "note"]
    assert notes[-1] == "a circle for each number, the middle ones left out where there are many"


@pytest.mark.parametrize("name", TEXTS)
def test_the_file_is_valid_and_asks_for_nothing(name):
    text = draw(graph(name), depth=1, name='a < "b" & c')
    root = ElementTree.fromstring(text)
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    for element in root.iter():
        assert not any(key.endswith("href") or key == "src" or key.startswith("on") for key in element.attrib)
        assert element.tag.rpartition("}")[2] not in ("script", "foreignObject", "image", "use")
    assert "url(" not in text and "@import" not in text and "nan" not in text
    assert root.find("{*}title").text == 'a < "b" & c'
    assert "prefers-color-scheme: dark" in text


def test_the_same_network_gives_the_same_picture():
    assert draw(graph("four branches"), depth=1) == draw(graph("four branches"), depth=1)


def test_shapes_and_words_of_every_layer_stand_in_the_picture():
    texts = {text.text.replace("\N{NO-BREAK SPACE}", " ") for text in scene(graph("one line")).texts()}
    assert {"1×28×28", "8×26×26", "conv 8×3×3", "relu", "8×13×13", "maxpool 2", "dense 10", "10"} <= texts


def test_activations_stand_under_the_layer_before_them():
    shown = diagram(graph("one line"))
    assert [vertex.words for vertex in shown] == [
        ("input",), ("conv 8×3×3", "relu"), ("maxpool 2",), ("dense 10", "softmax"),
    ]  # fmt: skip


def test_an_activation_with_two_readers_before_it_keeps_its_own_volume():
    shown = diagram(read_spec(text="input 3x8x8\nconv 3x3x3 pad 1 as c -> relu -> add( id | @c ) -> gap").graph)
    assert [vertex.words for vertex in shown] == [("input",), ("conv 3×3×3 pad\N{NO-BREAK SPACE}1",), ("relu",),
                                                    ("add",), ("gap",)]  # fmt: skip


def test_folding_counts_equal_blocks_and_opening_shows_them():
    folded = diagram(graph("residual blocks"), 0)
    block = next(vertex for vertex in folded if vertex.family == "block")
    assert (block.count, block.title) == (4, "neck1–4")
    opened = diagram(graph("residual blocks"), 1)
    assert not any(vertex.family == "block" for vertex in opened)
    assert sum(vertex.symbol == "+" for vertex in opened) == 4


def test_blocks_that_differ_are_not_counted_together():
    text = "block b(c) = conv {c}x3x3 pad 1 -> relu\ninput 3x8x8\nb(3) -> b(4) -> b(4) -> b(4) -> gap"
    counts = [vertex.count for vertex in diagram(read_spec(text=text).graph) if vertex.family == "block"]
    assert counts == [1, 1, 2]  # the second reads three channels, the third and fourth four


def test_a_rate_of_noise_that_grows_does_not_make_blocks_differ():
    text = (
        "block b(p) = add( conv 4x3x3 pad 1 -> droppath {p} | id )\ninput 4x8x8\nb(0.1) -> b(0.2) -> b(0.3) -> gap"
    )
    text += "\ntrain { cost mse }"
    assert [s.count for s in diagram(read_spec(text=text).graph) if s.family == "block"] == [3]
    other = text.replace("b(0.3) ->", "add( conv 4x3x3 pad 1 -> dropout 0.3 | id ) ->")
    assert [s.count for s in diagram(read_spec(text=other).graph) if s.family == "block"] == [2]


def test_a_caption_is_broken_between_what_a_block_holds():
    text = "block b = conv 8x3x3 -> dwconv 3x3 -> maxpool 2 -> dense 10\ninput 4x12x12\nb -> softmax"
    block = next(s for s in diagram(read_spec(text=text).graph) if s.family == "block")
    assert caption(block) == ["1 conv · 1 dwconv", "1 maxpool", "1 dense"]


def test_zero_channels_are_named():
    text = "input 4x12x12\npad 0 channels 2 -> gap -> dense 2 -> softmax"
    assert "pad 0 channels 2" in words_of(text)


def words_of(text):
    return {t.text.replace("\N{NO-BREAK SPACE}", " ") for t in scene(read_spec(text=text).graph).texts()}


def test_blocks_that_each_add_as_many_channels_are_counted():
    text = "block more = concat( id | conv 8x3x3 pad 1 ) -> relu\ninput 4x8x8\nmore*5 -> gap"
    (vertex,) = (s for s in diagram(read_spec(text=text + "\ntrain { cost mse }").graph) if s.family == "block")
    assert (vertex.count, vertex.growth, vertex.type["c"]) == (5, 8, 44)


def test_every_value_belongs_to_one_station():
    for name in TEXTS:
        for depth in (0, 1, 2):
            shown = diagram(graph(name), depth)
            members = [member for vertex in shown for member in vertex.members]
            assert sorted(members) == sorted(graph(name).nodes)


def test_a_window_is_drawn_where_it_looks():
    shown = graph("one line")
    picture = scene(shown)
    patches = [shape.box for shape in picture.shapes() if getattr(shape, "style", "").startswith("patch convo")]
    patch, pixel = patches[0], patches[1]
    assert patch.x1 - patch.x0 == pytest.approx(3 * 132 / 28)  # three pixels of a map of 28, 132 wide
    assert patch.x1 < pixel.x0


@pytest.mark.parametrize(
    ("given", "pixel", "span"),
    [
        ("conv 4x3x3 pad 1", (0, 5), [(0, 2), (4, 7)]),
        ("conv 4x3x3 stride 2 dilate 2", (1, 2), [(2, 7), (4, 9)]),
        ("maxpool 3 stride 2 pad 1", (4, 4), [(7, 10), (7, 10)]),
    ],
)
def test_spans_are_the_pixels_that_a_window_meets(given, pixel, span):
    found = read_spec(text=f"input 3x12x12\n{given} as here -> gap").graph
    node = found["here"]
    assert spans_of(node.op.window(*found.types(node)), pixel, (12, 12)) == span


@given(st.integers(1, 4), st.integers(1, 3), st.integers(0, 3), st.integers(1, 2), st.integers(1, 3))
@settings(max_examples=60, deadline=None)
def test_a_pixel_is_seen_by_those_who_meet_it(kernel, stride, pad, dilate, grow):
    window = Window((kernel,), (stride,), (pad,), (dilate,), (grow,))
    for pixel in range(8):
        seers = [
            out
            for out in range(20)
            if any(out * stride - pad + tap * dilate == pixel * grow for tap in range(kernel))
        ]
        ((start, stop),) = made_by(window, (pixel,), (20,))
        assert not seers or (start <= seers[0] and seers[-1] < stop)
        if dilate == stride == 1:
            assert seers == list(range(start, stop))


# ---- layout ----------------------------------------------------------------------------------------------


@given(st.lists(st.tuples(st.floats(-50, 50), st.floats(1, 20)), min_size=1, max_size=6))
@settings(max_examples=60, deadline=None)
def test_a_column_settles_where_nothing_can_be_nearer_to_what_is_wanted(wanted):
    column = [Waypoint(str(k), Size(1, 1, 5, 5), 0) for k in range(len(wanted))]
    _order_preserving(column, wanted)
    levels = [place.y for place in column]
    assert all(b - a >= 10 for a, b in itertools.pairwise(levels))

    def cost(ys):
        return sum(weight * (y - level) ** 2 for y, (level, weight) in zip(ys, wanted, strict=True))

    for k in range(len(levels)):
        for step in (-0.5, 0.5):
            for stop in range(k + 1, len(levels) + 1):  # moving a run of places together
                moved = [y + step if k <= i < stop else y for i, y in enumerate(levels)]
                if all(b - a >= 24 for a, b in itertools.pairwise(moved)):
                    assert cost(moved) >= cost(levels) - 1e-6


def laid(inputs, width=900.0):
    """Vertices of 20 by 40 around their anchors, 40 apart."""
    return lay_out(inputs, {name: Size(10, 10, 20, 20) for name in inputs}, lambda a, b: 40, width=width)


def test_things_of_a_column_stand_14_apart_and_a_passing_link_takes_16():
    layout = laid({"a": (), "b": ("a",), "c": ("a",), "d": ("b", "c")})
    assert abs(layout.places["b"].y - layout.places["c"].y) == pytest.approx(20 + 14 + 20)
    layout = laid({"a": (), "b": ("a",), "c": ("a", "b")})
    (_, passing, _) = layout.links["a", "c"]
    assert abs(layout.places["b"].y - passing.y) == pytest.approx(20 + 14 + 16 / 2)


def test_a_row_leaves_26_for_a_link_from_the_row_above_and_7_for_each_other():
    one = laid({"a": (), "b": ("a",)}, width=120)
    assert [row.top for row in one.rows] == [24, 24 + 40 + 56]
    assert one.places["b"].x == 24 + 26 + 10
    two = laid({"a": (), "b": (), "c": ("a", "b")}, width=120)
    assert [row.top for row in two.rows] == [24, 24 + 40 + 14 + 40 + 56 + 7]
    assert two.places["c"].x == 24 + 26 + 7 + 10


def test_links_that_need_not_cross_do_not():
    places = laid({"a": (), "b": (), "c": ("b",), "d": ("a",)}).places
    assert (places["a"].y < places["b"].y) == (places["d"].y < places["c"].y)
    far = laid({"a": (), "b": (), "c": ("b",), "d": ("a",), "e": ("c",), "f": ("d",)}).places
    assert all(far[x].y == pytest.approx(far[y].y) for x, y in ("af", "be", "ad", "bc"))


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_any_graph_is_laid_out_without_overlap(data):
    count = data.draw(st.integers(1, 14))
    inputs, sizes = {}, {}
    for k in range(count):
        readable = [str(j) for j in range(k)]
        chosen = data.draw(st.sets(st.sampled_from(readable), max_size=3)) if readable else set()
        inputs[str(k)] = tuple(sorted(chosen))
        sizes[str(k)] = Size(*(data.draw(st.floats(3, 60)) for _ in range(4)))
    layout = lay_out(inputs, sizes, lambda a, b: 40, width=data.draw(st.floats(200, 900)))
    boxes = {
        name: Box(p.x - p.size.left, p.y - p.size.above, p.x + p.size.right, p.y + p.size.below)
        for name, p in layout.places.items()
    }
    page = Box(0, 0, layout.width, layout.height)
    assert all(box.within(page) for box in boxes.values())
    for one, other in itertools.combinations(boxes.values(), 2):
        assert not one.overlaps(other)
    for name, values in inputs.items():
        for value in values:
            here, there = layout.places[value], layout.places[name]
            rows = [layout.columns[place.column].row for place in (here, there)]
            assert rows[0] < rows[1] or (rows[0] == rows[1] and here.x < there.x)


def test_text_knows_its_room():
    wide = Text(0, 0, "12×34", "word")
    assert wide.box.x1 - wide.box.x0 == pytest.approx(5 * 0.605 * 10)
    assert Text(0, 0, "漢字", "word").box.x1 * 2 == pytest.approx(4 * 0.605 * 10)
