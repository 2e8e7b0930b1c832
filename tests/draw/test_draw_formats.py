"""`cnnspec draw` into every format, and what it says where it cannot."""

import re
import shutil
import subprocess
import sys

import pytest
from click.testing import CliRunner
from pictured import TEXTS, graph

from cnnspec.cli import program
from cnnspec.diagnostics import SpecError
from cnnspec.draw import text_graphs
from cnnspec.draw.drawing import scene
from cnnspec.draw.png import png


@pytest.fixture
def spec(tmp_path):
    path = tmp_path / "net.cnn"
    path.write_text(TEXTS["four branches"])
    return path


def draw(*arguments):
    return CliRunner().invoke(program, ["draw", *map(str, arguments)], standalone_mode=False)


@pytest.mark.parametrize(("ending", "start"), [("svg", b"<svg "), ("mmd", b"flowchart LR"), ("dot", b"digraph")])
def test_the_ending_tells_the_format(spec, tmp_path, ending, start):
    out = tmp_path / f"net.{ending}"
    assert draw(spec, "-o", out).exception is None
    assert out.read_bytes().startswith(start)


def test_without_a_file_the_drawing_goes_to_standard_output(spec):
    assert draw(spec, "--depth", 1).stdout.startswith("<svg ")


def test_an_unknown_ending_names_those_that_there_are(spec, tmp_path):
    result = draw(spec, "-o", tmp_path / "net.gif")
    assert ".svg, .png, .mmd, .dot" in str(result.exception)


def test_a_png_is_as_large_as_its_scene():
    pytest.importorskip("matplotlib")
    picture = scene(graph("one line"))
    made = png(picture, scale=1.0)
    assert made.startswith(b"\x89PNG\r\n\x1a\n")
    width, height = (int.from_bytes(made[k : k + 4], "big") for k in (16, 20))
    assert abs(width - picture.width) <= 1 and abs(height - picture.height) <= 1


def test_without_matplotlib_the_missing_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    monkeypatch.setitem(sys.modules, "matplotlib.backends.backend_agg", None)
    with pytest.raises(SpecError) as error:
        png(scene(graph("one line")))
    (found,) = error.value.diagnostics
    assert found.code == "CNN551" and "cnnspec[plot]" in found.help


@pytest.mark.parametrize("name", TEXTS)
def test_mermaid_has_every_station_and_link_once(name):
    text = text_graphs.mermaid(graph(name), depth=1)
    nodes = re.findall(r"^\s+(n\d+)\[\"", text, re.M)
    links = re.findall(r"^\s+(n\d+) --> (n\d+)$", text, re.M)
    assert len(nodes) == len(set(nodes)) and {end for link in links for end in link} <= set(nodes)
    assert text.count("subgraph") == len(re.findall(r"^\s+end$", text, re.M))


@pytest.mark.parametrize("name", TEXTS)
def test_dot_is_balanced_and_graphviz_reads_it_where_it_is_installed(name):
    text = text_graphs.dot(graph(name), depth=2)
    assert text.count("{") == text.count("}")
    if shutil.which("dot"):
        subprocess.run(["dot", "-Tcanon"], input=text.encode(), check=True, capture_output=True)


def test_quotes_in_names_stay_inside_their_quotes():
    assert text_graphs._mermaid_text('a"b<c>') == "a#34;b#60;c#62;"
    assert text_graphs._dot_text('a"b\\') == 'a\\"b\\\\'
