"""What README and the pages of grammar/ show holds: specs compile, Python and commands run, links lead on."""

import re
import shlex
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

import cnnspec
from cnnspec.cli import program
from cnnspec.report import finished

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
PAGES = {
    str(path.relative_to(ROOT)): path.read_text(encoding="utf-8")
    for path in (README, *sorted((ROOT / "grammar").glob("*.md")))
}


def fenced(kind: str) -> list[tuple[str, str]]:
    """Each block of a kind, with the page that has it."""
    return [
        (page, block)
        for page, text in PAGES.items()
        for block in re.findall(rf"^```{kind}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    ]


def each(found: list[tuple[str, ...]], *names: str):
    """A test for each of `found`, named by its page and what comes first of the rest."""
    return pytest.mark.parametrize(names, found, ids=[" ".join(" ".join(row[:2]).split())[:70] for row in found])


SPECS = fenced("cnn")
NAMED = {match[1]: text for _, text in SPECS if (match := re.match(r"# ([\w-]+\.cnn)\n", text))}
STORIES = ("grammar/experiments.md", "grammar/fine-tuning.md")  # whose commands stand on one another
COMMANDS = [  # in a console, one after another
    (page, command, output)
    for page, block in fenced("console")
    if page not in STORIES
    for command, output in re.findall(r"^\$ cnnspec (.*)\n((?:(?!\$ ).*\n)*)", block, re.MULTILINE)
]
EXCERPTS = [  # a part of what a command prints
    (page, command, "...\n" + output.rstrip("\n") + "\n...\n")
    for page, text in PAGES.items()
    for command, output in re.findall(
        r"^From `cnnspec ([^`]+)`:\n\n```\w*\n(.*?)^```", text, re.MULTILINE | re.DOTALL
    )
]


@each(SPECS, "page", "text")
def test_specs_compile(page, text):
    report = cnnspec.check(text=text)
    assert report.ok, str(report)


@each([(page, text) for page, text in fenced("python") if "import cnnspec" in text], "page", "text")
def test_python_runs(page, text, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    exec(compile(text, page, "exec"), {})


OWN_DATA = [
    (title, part)
    for title, part in re.findall(
        r"^## ([^\n]*)\n(.*?)(?=^## |\Z)", PAGES["grammar/own-data.md"], re.MULTILINE | re.DOTALL
    )
]


@each(OWN_DATA, "title", "part")
def test_own_data_become_an_answer(title, part, tmp_path, monkeypatch):
    """Blocks in their order: Python makes the data, the spec is written, and each command ends well."""
    if "PIL" in part:
        pytest.importorskip("PIL", reason="Pillow reads photos")
    monkeypatch.chdir(tmp_path)
    asked = 0
    for kind, block in re.findall(r"^```(\w+)\n(.*?)^```", part, re.MULTILINE | re.DOTALL):
        if kind == "python":
            exec(compile(block, title, "exec"), {})
        elif kind == "cnn":
            (tmp_path / block.split("\n")[0].removeprefix("# ")).write_text(block, encoding="utf-8")
        else:
            for line in block.splitlines():
                result = CliRunner().invoke(program, line.split()[1:], standalone_mode=False)
                assert result.exception is None and not result.return_value, (line, result.output)
                asked += "predict" in line and bool(result.output.strip())
    assert asked == 1


def test_specs_that_are_shown_are_those_that_are_there():
    shown = [text for _, text in SPECS if re.match(r"# [\w-]+\.cnn:", text)]
    assert shown
    for text in shown:
        name = text.partition(":")[0].removeprefix("# ")
        assert text == (ROOT / "specs" / name).read_text(encoding="utf-8")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Where the specs of the pages lie, those that a console shows by `cat` too, beside specs/."""
    shutil.copytree(ROOT / "specs", tmp_path / "specs")
    shown = [
        found
        for _, block in fenced("console")
        for found in re.findall(r"^\$ cat (\S+)\n((?:(?!\$ ).*\n)*)", block, re.MULTILINE)
    ]
    for name, text in (*NAMED.items(), *shown):
        (tmp_path / name).write_text(text, encoding="utf-8")
    monkeypatch.chdir(tmp_path)


@each(COMMANDS + EXCERPTS, "page", "command", "output")
def test_a_command_prints_what_is_shown(page, command, output, folder):
    result = CliRunner().invoke(program, command.split(), standalone_mode=False)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    assert re.fullmatch(pattern(output), result.output.rstrip() + "\n"), result.output


@pytest.mark.parametrize("page", STORIES)
def test_a_story_prints_what_is_shown(page, folder, monkeypatch):
    """Each command and each piece of Python after those before it, in one folder, which is as in a shell."""
    monkeypatch.setattr(finished, "illustrate", lambda *run: ())  # pages of runs, most of the time of small ones
    told = 0
    for kind, block in re.findall(r"^```(python|console)\n(.*?)^```", PAGES[page], re.MULTILINE | re.DOTALL):
        if kind == "python":
            exec(compile(block, page, "exec"), {})
            continue
        for command, output in re.findall(r"^\$ cnnspec (.*)\n((?:(?!\$ ).*\n)*)", block, re.MULTILINE):
            result = CliRunner().invoke(program, shlex.split(command), standalone_mode=False)
            assert result.exception is None, (command, result.exception)
            assert re.fullmatch(pattern(output), result.output.rstrip() + "\n"), (command, result.output)
            told += 1
    assert told > 4


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


def test_commands_are_found_on_the_pages_that_show_them():
    assert {page for page, *_ in COMMANDS} >= {"README.md", "grammar/guide.md"}
    assert {page for page, *_ in EXCERPTS} >= {"grammar/plans.md", "grammar/cluster.md"}


def test_the_layers_of_the_first_command_are_those_of_summary(folder):
    (shown,) = re.findall(r"^```\n(layer .*?)\n\n", PAGES["README.md"], re.MULTILINE | re.DOTALL)
    assert CliRunner().invoke(program, ["summary", "specs/digits.cnn"]).output.startswith(shown + "\n")


def places(path: Path) -> set[str]:
    """What a link may name after `#`: the headings of a page, as GitHub writes them."""
    headings = re.findall(r"^#+ (.*)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


LINKS = sorted({(page, target) for page, text in PAGES.items() for target in re.findall(r"\]\(([^)]+)\)", text)})


@each(LINKS, "page", "target")
def test_links_lead_somewhere(page, target):
    if target.startswith("https://"):
        return
    name, _, place = target.partition("#")
    other = (ROOT / page).parent / name if name else ROOT / page
    assert other.exists()
    assert not place or place in places(other)


def test_every_page_is_found_from_the_readme():
    assert set(PAGES) - {"README.md"} <= {target for page, target in LINKS if page == "README.md"}


def test_the_two_commands_are_where_ci_looks_for_them():
    for name in ("run", "test"):
        assert re.search(rf"<!-- command: {name} -->\n```sh\n\S.*\n```", PAGES["README.md"])


@pytest.mark.parametrize("page", PAGES)
def test_nothing_is_left_to_be_filled_in(page):
    assert "@@" not in PAGES[page]
