"""What the README shows must hold: its specs compile, its Python runs, its links lead somewhere."""

import re
from pathlib import Path

import pytest

import cnnspec

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(kind: str) -> list[str]:
    return re.findall(rf"^```{kind}\n(.*?)^```", README, re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("text", blocks("cnn"))
def test_specs_compile(text):
    report = cnnspec.check(text=text)
    assert report.ok, str(report)


@pytest.mark.parametrize("text", [text for text in blocks("python") if "import cnnspec" in text])
def test_python_runs(text, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    exec(compile(text, "README.md", "exec"), {})


def test_specs_that_are_shown_are_those_that_are_there():
    shown = [text for text in blocks("cnn") if text.startswith("# ")]
    assert shown
    for text in shown:
        name = text.partition(":")[0].removeprefix("# ")
        assert text == (ROOT / "specs" / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("target", sorted(set(re.findall(r"\]\(([^)#]+)\)", README))))
def test_links_lead_somewhere(target):
    assert target.startswith("https://") or (ROOT / target).exists()


def test_the_two_commands_are_where_ci_looks_for_them():
    for name in ("run", "test"):
        assert re.search(rf"<!-- command: {name} -->\n```sh\n\S.*\n```", README)


def test_nothing_is_left_to_be_filled_in():
    assert "@@" not in README
