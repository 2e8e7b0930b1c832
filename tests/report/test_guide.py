"""What the guide shows is what cnnspec makes: its pictures, its Python; `tests/test_pages.py` runs its commands."""

import doctest
import re
from pathlib import Path

import pytest

from cnnspec.api import read_spec
from cnnspec.draw.drawing import draw

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "grammar" / "guide.md").read_text(encoding="utf-8")
SPECS = {
    text.partition("\n")[0].removeprefix("# "): text
    for text in re.findall(r"^```cnn\n(# .*?)^```", GUIDE, re.M | re.S)
}


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """Where the guide's specs lie."""
    for name, text in SPECS.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("name", SPECS)
def test_a_picture_is_what_draw_makes_of_its_spec(name):
    stem = name.partition(".")[0]
    picture = ROOT / "grammar" / "pictures" / f"{stem}.svg"
    assert picture.read_text(encoding="utf-8") == draw(read_spec(Path(name)).graph, name=stem)
    assert f"pictures/{stem}.svg" in GUIDE


def test_the_picture_of_the_readme_is_what_draw_makes():
    picture = ROOT / "grammar" / "pictures" / "lenet5.svg"
    graph = read_spec(ROOT / "specs" / "lenet5.cnn").graph
    assert picture.read_text(encoding="utf-8") == draw(graph, name="lenet5")


def test_python_says_what_is_shown():
    found = doctest.DocTestParser().get_doctest(
        "\n".join(re.findall(r"^```pycon\n(.*?)^```", GUIDE, re.M | re.S)), {}, "guide", None, 0
    )
    assert len(found.examples) > 5
    assert doctest.DocTestRunner(verbose=False).run(found).failed == 0
