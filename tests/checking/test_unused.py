"""Comments that silence nothing are a warning of their own, with a fix that leaves the rest as it is."""

from __future__ import annotations

import pytest

import cnnspec
from cnnspec.checking import Configuration
from cnnspec.lang.hints.fixes import edited

NET = "input 1x9x9\nconv 2x3x3 -> bn -> dense 3{}\n"


def found(text, **more):
    return cnnspec.check(text=text, **more).diagnostics


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("input 4\ndense 3  # cnnspec: ignore CNN231\n", "input 4\ndense 3\n"),
        ("# cnnspec: ignore CNN231\ninput 4\ndense 3\n", "input 4\ndense 3\n"),
        ("input 4\ndense 3  # why # cnnspec: ignore CNN231\n", "input 4\ndense 3  # why\n"),
        ("input 4\ndense 3  # cnnspec: ignore CNN231", "input 4\ndense 3"),
        (NET.format(" # cnnspec: ignore CNN231, CNN234"), NET.format(" # cnnspec: ignore CNN231")),
        (NET.format("").replace("input", "# cnnspec: ignore CNN237 CNN231\ninput"),
         NET.format("").replace("input", "# cnnspec: ignore CNN231\ninput")),
    ],
)  # fmt: skip
def test_what_silences_nothing_is_told_and_taken_away(text, left):
    (unused,) = found(text)
    assert unused.code == "CNN250" and unused.severity == "warning" and unused.safe
    assert edited(text, unused.fix) == left
    assert found(left) == ()


@pytest.mark.parametrize(
    "text",
    [
        NET.format(" # cnnspec: ignore CNN231"),
        "# cnnspec: ignore CNN231\n" + NET.format(""),
        "block b(c) = conv {c}x3x3 -> bn  # cnnspec: ignore CNN231\n",
        "# cnnspec: ignore CNN231\nblock b(c) =\n  conv {c}x3x3 -> bn\n",
        "block b(c) = conv {c}x3x3 -> bn  # cnnspec: ignore CNN231\ninput 1x9x9\nb(3) -> dense 3\n",
        "input 4\ndense 3  # cnnspec: ignore CNN410\n",  # only a look at the data tells
        "input 4\ndense 3  # cnnspec: ignore CNN241\n",
    ],
)
def test_what_is_used_or_cannot_be_known_is_not_told(text):
    assert "CNN250" not in [each.code for each in found(text)]


def test_nothing_is_told_where_the_file_has_an_error():
    assert [each.code for each in found("input 4\ndese 3  # cnnspec: ignore CNN231\n")] == ["CNN201"]


def test_a_block_counts_where_it_is_called(tmp_path):
    (tmp_path / "blocks.cnn").write_text("block b(c) = conv {c}x3x3 -> bn  # cnnspec: ignore CNN231\n")
    (tmp_path / "net.cnn").write_text('import "blocks.cnn"\ninput 1x9x9\nb(3) -> dense 3\n')
    assert cnnspec.check(tmp_path / "blocks.cnn").diagnostics == ()
    assert cnnspec.check(tmp_path / "net.cnn").diagnostics == ()


def test_a_code_that_the_configuration_ignores_is_not_judged():
    text = "input 4\ndense 3  # cnnspec: ignore CNN231\n"
    assert found(text, configuration=Configuration(ignore=("CNN231",))) == ()
    assert found(text, configuration=Configuration(ignore=("CNN250",))) == ()
    assert found(text + "# cnnspec: ignore CNN250\n") == ()
