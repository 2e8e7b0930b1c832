"""Which files a check looks at."""

import os
import subprocess
import sys

import pytest

from cnnspec.checking.configuration import Configurations
from cnnspec.checking.search import search


def names(found):
    return found.files


def fill(folder, *paths):
    for path in paths:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text("relu\n")


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_folders_are_searched_in_order_by_the_names_that_were_given(here):
    fill(here, "nets/b.cnn", "nets/a.cnn", "nets/sub/c.cnn.json", "nets/readme.md", "d.cnn", "nets/x.cnn.txt")
    assert names(search(["nets", "."], Configurations())) == [
        "nets/a.cnn",
        "nets/b.cnn",
        "nets/sub/c.cnn.json",
        "d.cnn",
    ]


def test_a_file_is_checked_once_whatever_it_is_called(here):
    fill(here, "a.cnn")
    assert names(search(["a.cnn", "./a.cnn", str(here / "a.cnn"), "."], Configurations())) == ["a.cnn"]


def test_hidden_folders_and_what_gitignore_names_are_left_out(here):
    fill(here, ".venv/a.cnn", ".git/b.cnn", "runs/c.cnn", "d.cnn", "sub/e.cnn", "sub/keep.cnn")
    (here / ".gitignore").write_text("/runs/\nkeep.cnn\n")
    (here / "sub" / ".gitignore").write_text("*.cnn\n!keep.cnn\n")
    assert names(search(["."], Configurations())) == ["d.cnn", "sub/keep.cnn"]


def test_gitignore_files_above_the_folder_hold_within_the_repository(here):
    fill(here, "repo/nets/a.cnn", "repo/nets/b.cnn")
    (here / ".gitignore").write_text("a.cnn\n")  # outside of the repository
    (here / "repo" / ".git" / "info").mkdir(parents=True)
    (here / "repo" / ".git" / "info" / "exclude").write_text("b.cnn\n")
    assert names(search(["repo/nets"], Configurations())) == ["repo/nets/a.cnn"]


def test_a_named_file_is_checked_even_when_ignored(here):
    fill(here, "a.cnn")
    (here / ".gitignore").write_text("*\n")
    assert names(search(["a.cnn"], Configurations())) == ["a.cnn"]


def test_exclude_holds_in_folders_and_for_named_files_where_forced(here):
    fill(here, "drafts/a.cnn", "nets/b.cnn")
    (here / "pyproject.toml").write_text('[tool.cnnspec]\nexclude = ["drafts/"]\n')
    assert names(search(["."], Configurations())) == ["nets/b.cnn"]
    assert names(search(["drafts/a.cnn"], Configurations())) == ["drafts/a.cnn"]
    forced = search(["drafts/a.cnn"], Configurations(), force_exclude=True)
    assert not forced.files and not forced.problems


def test_nothing_that_matches_is_said(here):
    fill(here, "readme.md")
    assert [d.code for _, d in search(["."], Configurations()).problems] == ["CNN903"]
    assert [d.code for _, d in search(["nope"], Configurations()).problems] == ["CNN903"]


@pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege there")
def test_links_to_folders_are_not_followed_so_loops_end(here):
    fill(here, "nets/a.cnn")
    os.symlink("..", here / "nets" / "up")
    os.symlink("nets", here / "also")
    os.symlink("b.cnn", here / "c.cnn")
    os.symlink("c.cnn", here / "b.cnn")
    assert names(search(["."], Configurations())) == ["b.cnn", "c.cnn", "nets/a.cnn"]


def test_very_deep_folders_are_no_recursion(here):
    # deeper than Python's stack; made by a shell, since the whole path is longer than one call may name
    script = "import os\nfor _ in range(1050):\n os.mkdir('d'); os.chdir('d')\nopen('a.cnn', 'w').close()"
    subprocess.run([sys.executable, "-c", script], check=True)
    search(["."], Configurations())
    subprocess.run(["rm", "-rf", str(here / "d")], check=True)
