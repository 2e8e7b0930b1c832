"""What the guide shows is what the commands say: its pictures, its traces, its Python."""

import doctest
import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from cnnspec.api import read_spec
from cnnspec.cli import program
from cnnspec.draw.drawing import draw

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "grammar" / "guide.md", ROOT / "README.md"]
GUIDE = PAGES[0].read_text(encoding="utf-8")
SPECS = {
    text.partition("\n")[0].removeprefix("# "): text
    for text in re.findall(r"^```cnn\n(# .*?)^```", GUIDE, re.M | re.S)
}
SHOWN = [
    (page.name, command, output)
    for page in PAGES
    for block in re.findall(r"^```console\n(.*?)^```", page.read_text(encoding="utf-8"), re.M | re.S)
    for command, output in re.findall(r"^\$ cnnspec (.*)\n((?:(?!\$ ).*\n)*)", block, re.M)
]


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """Where the guide's specs lie."""
    for name, text in SPECS.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(("page", "command", "output"), SHOWN, ids=[f"{page} {said}" for page, said, _ in SHOWN])
def test_a_command_says_what_is_shown(page, command, output):
    result = CliRunner().invoke(program, command.split(), standalone_mode=False)
    assert result.exception is None, result.exception
    assert re.fullmatch(pattern(output), result.stdout.rstrip() + "\n"), result.stdout


def pattern(output):
    """The shown lines as an expression: `...` alone stands for lines, at a line's end for the rest of it."""
    parts = []
    for line in output.splitlines():
        if line == "...":
            parts.append(r"(?:.*\n)*?")
        else:
            before, dots, _ = line.partition(" ...")
            parts.append(re.escape(before) + (r".*\n" if dots else r"\n"))
    return "".join(parts)


def test_the_pattern_misses_nothing_that_is_not_marked():
    assert re.fullmatch(pattern("a\n...\nb ...\n"), "a\nx\ny\nb c\n")
    assert not re.fullmatch(pattern("a\nb\n"), "a\nx\nb\n")
    assert not re.fullmatch(pattern("a\n"), "a\nb\n")


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


@pytest.mark.parametrize("page", ["guide.md", "README.md"])
def test_links_lead_to_where_something_stands(page):
    text = (ROOT / "grammar" / page).read_text(encoding="utf-8")
    for target in set(re.findall(r"\]\(([^)]+)\)", text)):
        name, _, place = target.partition("#")
        other = ROOT / "grammar" / (name or page)
        assert other.exists(), target
        if place:
            headings = re.findall(r"^#+ (.*)$", other.read_text(encoding="utf-8"), re.M)
            assert place in {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}, (
                target
            )
