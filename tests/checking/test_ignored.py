"""The .gitignore reader against git itself."""

import os
import random
import re
import shutil
import subprocess
import time

import pytest
from pace import took_under

from cnnspec.checking.ignored import Rules, ignored, parse

git = pytest.mark.skipif(shutil.which("git") is None, reason="git, the oracle, is not installed")

NAMES = ["a", "b", "ab", "a.cnn", "b.cnn", "[x]", "a b", "!a", "#a", "é.cnn", ".a"]
ATOMS = ["a", "b", "ab", "*", "**", "?", "/", "/", ".cnn", "[ab]", "[!a]", "[a-b]", "[]x]", "[[:alpha:]]"]
ATOMS += ["\\*", "\\", "!", "#", "\\!", "\\#", " ", "\\ ", "[", "x]", "**/", "/**", "é", "a.cnn", "b.cnn"]


def tree(root, depth=3):
    """Folders and files whose names patterns could mean; returns the relative paths of the files."""
    random_ = random.Random(7)
    found = []

    def fill(folder, left):
        for name in NAMES:
            if left and not name.endswith(".cnn") and random_.random() < 0.5:
                (folder / name).mkdir()
                fill(folder / name, left - 1)
            else:
                (folder / name).write_text("")
                found.append((folder / name).relative_to(root))

    fill(root, depth - 1)
    return found


def ours(root, path):
    """Whether a file is left out, asking as the walk does: from the top down."""
    rules = ()
    here = root
    for part in path.parts:
        rules = (*rules, Rules.read(here / ".gitignore", here))
        here = here / part
        if ignored(here, here.is_dir(), rules):
            return True
    return False


def theirs(root, paths):
    asked = b"\0".join(str(path).encode() for path in paths) + b"\0"
    done = subprocess.run(
        ["git", "-c", "core.excludesFile=", "check-ignore", "-z", "--stdin", "--no-index"],
        cwd=root,
        input=asked,
        capture_output=True,
    )
    assert done.returncode in (0, 1), done.stderr
    return {name.decode() for name in done.stdout.split(b"\0") if name}


@git
def test_random_patterns_mean_what_git_says(tmp_path):
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    files = tree(tmp_path)
    random_ = random.Random(1)
    wrong = []
    for _ in range(50):
        lines = ["".join(random_.choices(ATOMS, k=random_.randint(1, 5))) for _ in range(random_.randint(1, 3))]
        # git reads the `**` of `b**/a` as its own part of a path, against its own manual: not ours to copy
        lines = [line for line in lines if not re.search(r"[^/]\*\*+/", line)]
        lines = [("!" if random_.random() < 0.2 else "") + line for line in lines]
        (tmp_path / ".gitignore").write_text("\n".join(lines) + "\n")
        inner = random_.choice(["", "!a.cnn\n", "*.cnn\n", "/a\n"])
        folder = next(path for path in sorted(tmp_path.iterdir()) if path.is_dir() and path.name != ".git")
        (folder / ".gitignore").write_text(inner)
        git_says = theirs(tmp_path, files)
        for path in files:
            if ours(tmp_path, path) != (str(path) in git_says):
                wrong.append((lines, inner, str(path), str(path) in git_says))
                break
    assert not wrong, wrong[:5]


@pytest.mark.parametrize(
    ("line", "path", "expected"),
    [
        ("*.cnn", "deep/er/a.cnn", True),
        ("/*.cnn", "deep/a.cnn", False),
        ("nets/**/old.cnn", "nets/old.cnn", True),
        ("nets/**/old.cnn", "nets/x/y/old.cnn", True),
        ("nets/*.cnn", "x/nets/a.cnn", False),
        ("# a comment", "# a comment", False),
        ("\\#a.cnn", "#a.cnn", True),
        ("a.cnn  ", "a.cnn", True),
        ("a[0-9].cnn\r", "a7.cnn", True),
    ],
)
def test_patterns_by_example(line, path, expected):
    rule = parse(line)
    assert bool(rule and rule.pattern.fullmatch(path)) is expected


HOSTILE = {
    "stars and letters": ("*a" * 13 + "*b", "a" * 200),
    "as many stars as fit": ("*a" * 16_000 + "*b", "a" * 4000),
    "folders at any depth": ("**/a/" * 6000 + "b", "a/" * 2000 + "a"),
    "both": ("/" + "**/*a*a/" * 6000 + "b", "aaaa/" * 800 + "a"),
    "question marks": ("?" * 4000 + "*" + "?" * 200, "a" * 4100 + "/"),
    "spaces that do not end the line": (" " * 64_000 + "x", "x"),
    "backslashes": ("\\" * 64_000 + "x ", "x"),
    "brackets": ("[a" * 32_000, "a"),
}


@pytest.mark.parametrize(("line", "path"), HOSTILE.values(), ids=HOSTILE.keys())
def test_a_hostile_line_is_soon_found_to_match_nothing(line, path):
    start = time.thread_time()
    rule = parse(line)
    assert rule is None or not rule.pattern.fullmatch(path)
    assert took_under(4, start)  # half of one on an idle machine; backtracking takes years


def test_a_named_pipe_for_a_gitignore_is_not_waited_for(tmp_path):
    if not hasattr(os, "mkfifo"):
        pytest.skip("no named pipes here")
    os.mkfifo(tmp_path / ".gitignore")
    assert not Rules.read(tmp_path / ".gitignore", tmp_path).rules
