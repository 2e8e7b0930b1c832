"""Curves in characters and as SVG: each point where it belongs, and nothing of what is no number."""

import xml.etree.ElementTree as tree

import pytest

from cnnspec.draw.chart import HEIGHT, WIDTH, Chart, Series, svg, text


def grid(chart):
    """The plotted area: rows of characters, the lowest first."""
    lines = text(chart).splitlines()[1 : 1 + HEIGHT]
    return [line.partition("|")[2].ljust(WIDTH) for line in lines][::-1]


def test_a_point_is_where_its_numbers_say():
    rows = grid(Chart("t", "x", (Series("a", (0, 1, 2), (0.0, 0.5, 1.0)),)))
    found = {(x, y) for y, row in enumerate(rows) for x, sign in enumerate(row) if sign == "*"}
    assert {(0, 0), (WIDTH - 1, HEIGHT - 1)} < found and len(found) == 3


def test_a_logarithmic_axis_puts_powers_of_ten_at_equal_steps():
    rows = grid(Chart("t", "x", (Series("a", (1e-4, 1e-2, 1.0), (0.0, 0.0, 1.0)),), logarithmic=True))
    assert rows[0].index("*", 1) in ((WIDTH - 1) // 2, WIDTH // 2)


def test_the_mark_is_a_line_behind_the_points():
    rows = grid(Chart("t", "x", (Series("a", (0, 1), (0.0, 1.0)),), mark=0.0))
    assert rows[0][0] == "*" and all(row[0] == "|" for row in rows[1:])


@pytest.mark.parametrize("y", [(None,), (float("nan"),), ()])
def test_without_a_number_there_is_nothing_to_draw(y):
    chart = Chart("cost", "x", (Series("a", (1.0,) * len(y), y),))
    assert text(chart) == "cost: nothing to draw\n"
    assert "nothing to draw" in svg([chart])


def test_a_single_point_and_a_level_curve_are_drawn():
    for y in ((3.0,), (3.0, 3.0, None, float("inf"))):
        chart = Chart("t", "x", (Series("a", tuple(range(len(y))), y),))
        assert "*" in text(chart)
        assert tree.fromstring(svg([chart])).findall(".//{*}polyline")


def test_names_of_others_are_quoted():
    chart = Chart("<t>\n", "x\x1b[1m", (Series("a<&\n", (1.0,), (1.0,)), Series("b", (1.0,), (1.0,))))
    assert "\x1b" not in text(chart) and len(text(chart).splitlines()) == HEIGHT + 4
    tree.fromstring(svg([chart, chart]))
