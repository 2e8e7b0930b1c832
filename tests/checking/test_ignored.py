"""The .gitignore reader against git itself."""

import random
import re
import shutil
import subprocess

import pytest

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
