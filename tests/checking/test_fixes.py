"""Applying fixes: only what helps, and never two that touch."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnnspec.checking.fixes import compatible, difference, lines_of, repair, write
from cnnspec.diagnostics import Diagnostic, Edit, Source, Span


def marks(source, fixes=True):
    """A stand-in for a check: each `x` is an error that a dot would cure, each `y` a cure that makes a `z`."""
    cures = {"x": ".", "y": "z", "z": ""}
    return tuple(
        Diagnostic(
            "CNN201", f"`{letter}`", span, fix=(Edit(span, cures[letter]),) if cures[letter] else (), safe=True
        )
        for i, letter in enumerate(source.text)
        if letter in cures
        for span in [Span(source, i, i + 1)]
    )


@pytest.mark.parametrize(
    ("before", "after", "count"),
    [
        ("axbxc", "a.b.c", 2),
        ("abc", "abc", 0),
        ("y", "y", 0),  # what it makes is as wrong as what it was
        ("xyx", ".y.", 2),  # the others are still applied
        ("xx", "..", 2),
    ],
)
def test_fixes_are_applied_where_the_text_gets_better(before, after, count):
    source = Source("a.cnn", before)
    fixed, applied, left = repair(source, marks(source), marks)
    assert (fixed.text, applied) == (after, count) and left == marks(fixed)


def test_a_fix_is_applied_that_brings_a_mistake_with_a_fix_to_light():
    """`rellu maxpool 2`: once the word is right, its arrow is missing, and that can be put there."""
    from cnnspec.checking import Configuration, examine

    def find(source, fixes=True):
        return examine(source, Configuration(), None, fixes=fixes).diagnostics

    source = Source("a.cnn", "input 1x8x8\nconv 8x3x3 -> rellu maxpool 2 -> dense 10 -> softmax\n")
    fixed, applied, _ = repair(source, find(source), find)
    assert fixed.text == "input 1x8x8\nconv 8x3x3 -> relu -> maxpool 2 -> dense 10 -> softmax\n"
    assert applied == 2 and not find(fixed)


@given(st.text("axyz ", max_size=12))
def test_repairing_ends_and_never_adds_a_finding(text):
    source = Source("a.cnn", text)
    fixed, applied, _ = repair(source, marks(source), marks)
    assert len(marks(fixed)) == len(marks(source)) - applied
    assert repair(fixed, marks(fixed), marks)[1] == 0


def test_fixes_of_other_files_are_left_to_them():
    source, other = Source("a.cnn", "x"), Source("b.cnn", "x")
    assert repair(source, marks(other), marks)[:2] == (source, 0)


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 5)), max_size=8))
def test_fixes_that_touch_do_not_go_together(spans):
    source = Source("a.cnn", "." * 40)
    fixes = [(Edit(Span(source, start, start + length), ""),) for start, length in spans]
    chosen = [fix[0].span for fix in compatible(fixes)]
    assert all(before.end < after.start for before, after in pairwise(chosen))
    assert bool(chosen) == bool(fixes)


@given(st.text("a\n\r\u2028\x0b", max_size=20), st.text("a\n\r\u2028\x0b", max_size=20))
def test_a_difference_is_empty_only_for_equal_texts(before, after):
    assert "".join(lines_of(before)) == before
    text = difference(Source("a", before), Source("a", after))
    assert (text == "") == (before == after)
    assert text == "" or text.endswith("\n")


def test_writing_leaves_the_old_file_where_it_fails(tmp_path, monkeypatch):
    path = tmp_path / "a.cnn"
    path.write_text("old")

    def fail(*arguments):
        raise OSError("no space")

    monkeypatch.setattr("os.replace", fail)
    with pytest.raises(OSError):
        write(path, b"new")
    assert path.read_text() == "old" and list(tmp_path.iterdir()) == [path]
