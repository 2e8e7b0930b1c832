"""The text renderer: the layout of the design, and carets that stand where they should."""

from __future__ import annotations

import re
from unicodedata import east_asian_width

from hypothesis import given
from hypothesis import strategies as st

from cnnspec.diagnostics import Diagnostic, Label, Source, Span
from cnnspec.diagnostics.text import WIDEST, render

SPEC = "input 1x10x10\nconv 8x3x3 -> maxpool 4\n  -> conv 8x5x5 -> relu\n"


def span(source: Source, text: str, number: int = 0) -> Span:
    start = [match.start() for match in re.finditer(re.escape(text), source.text)][number]
    return Span(source, start, start + len(text))


def test_the_layout_of_the_design() -> None:
    source = Source("digits.cnn", SPEC)
    finding = Diagnostic(
        "CNN103",
        "a 5x5 kernel does not fit a 2x2 image",
        span(source, "5x5"),
        label="needs at least 5x5, gets 2x2",
        related=(Label(span(source, "maxpool 4"), "makes it 8x2x2"),),
        help="use `conv 8x5x5 pad same`",
    )
    assert render([finding]) == (
        "error[CNN103]: a 5x5 kernel does not fit a 2x2 image\n"
        " --> digits.cnn:3:13\n"
        "  |\n"
        "2 | conv 8x3x3 -> maxpool 4\n"
        "  |               --------- makes it 8x2x2\n"
        "3 |   -> conv 8x5x5 -> relu\n"
        "  |             ^^^ needs at least 5x5, gets 2x2\n"
        "  = help: use `conv 8x5x5 pad same`\n"
    )


def test_several_labels_on_a_line_hang_below_it() -> None:
    source = Source("a.cnn", "add( conv 8x3x3 | id | relu )\n")
    finding = Diagnostic(
        "CNN101",
        "unequal",
        span(source, "relu"),
        label="third",
        related=(Label(span(source, "conv 8x3x3"), "first"), Label(span(source, "id"), "second")),
    )
    assert render([finding]).splitlines()[3:] == [
        "1 | add( conv 8x3x3 | id | relu )",
        "  |      ----------   --   ^^^^ third",
        "  |      |            |",
        "  |      |            second",
        "  |      first",
    ]


def test_lines_between_are_left_out() -> None:
    source = Source("a.cnn", "one\ntwo\nthree\nfour\nfive\nsix\n")
    finding = Diagnostic(
        "CNN001",
        "m",
        span(source, "six"),
        related=(Label(span(source, "one"), "a"), Label(span(source, "three"), "b")),
    )
    shown = [line[:5] for line in render([finding]).splitlines()]
    assert shown[3:] == ["1 | o", "  | -", "2 | t", "3 | t", "  | -", "...", "6 | s", "  | ^"]


def test_places_in_another_file_come_after() -> None:
    here, there = Source("a.cnn", "body(8)\n"), Source("parts/b.cnn", "block body(c) = relu\n")
    finding = Diagnostic("CNN020", "m", span(here, "body(8)"), related=(Label(span(there, "body"), "here"),))
    assert render([finding]).splitlines()[5:7] == [" ::: parts/b.cnn:1:7", "  |"]


def test_tabs_and_wide_characters_keep_columns() -> None:
    source = Source("a.cnn", "a\t漢字 rellu\n")
    *_, line, carets = render([Diagnostic("CNN201", "m", span(source, "rellu"))]).splitlines()
    assert line == "1 | a   漢字 rellu"
    width = sum(2 if east_asian_width(character) == "W" else 1 for character in line[: line.index("rellu")])
    assert carets.index("^") == width
    assert carets.count("^") == len("rellu")


def test_a_terminal_is_never_commanded() -> None:
    source = Source("a\x1b[2J.cnn", "conv \x1b[31m8x3x3\x00\u202e\n")
    finding = Diagnostic("CNN011", "no \x1b]0;title\x07", span(source, "8x3x3"), help="\x1b[0m")
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f\u202e]", render([finding]))


def test_spans_over_lines_are_marked_to_the_end_of_the_first() -> None:
    source = Source("a.cnn", SPEC)
    whole = Span(source, 0, len(SPEC))
    assert render([Diagnostic("CNN001", "m", whole)]).splitlines()[-1] == "  | " + "^" * len("input 1x10x10")


def test_the_end_of_a_file_can_be_pointed_at() -> None:
    for text in ("", "conv", "conv\n"):
        source = Source("a.cnn", text)
        assert render([Diagnostic("CNN001", "m", Span(source, len(text), len(text)))]).endswith("^\n")


def test_very_long_lines_are_cut_around_the_mark() -> None:
    source = Source("a.cnn", "relu -> " * 1_000_000 + "rellu")
    *_, line, carets = render([Diagnostic("CNN201", "m", span(source, "rellu"))]).splitlines()
    assert len(line) < WIDEST + 20
    assert line[carets.index("^") :].startswith("rellu")


def test_findings_without_a_place_have_no_excerpt() -> None:
    assert render([Diagnostic("CNN009", "net.cnn cannot be read")]) == "error[CNN009]: net.cnn cannot be read\n"


def test_an_empty_line_stands_between_two_findings() -> None:
    one = Diagnostic("CNN009", "a")
    assert render([one, one]) == "error[CNN009]: a\n\nerror[CNN009]: a\n"
    assert render([]) == ""


LINES = st.text(st.characters(min_codepoint=9, max_codepoint=0x3100, exclude_characters="\n\r"), max_size=60)


@given(LINES, st.data())
def test_colours_change_nothing_but_colours(text: str, data: st.DataObject) -> None:
    finding, _ = drawn(text, data)
    coloured = render([finding], color=True)
    assert "\x1b[" in coloured
    assert [line.rstrip() for line in re.sub(r"\x1b\[[0-9;]*m", "", coloured).splitlines()] == [
        line.rstrip() for line in render([finding]).splitlines()
    ]


@given(st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=WIDEST), st.data())
def test_carets_stand_under_their_text(text: str, data: st.DataObject) -> None:
    finding, marked = drawn(text, data)
    *_, line, carets = render([finding]).splitlines()
    under = line[carets.index("^") :][: carets.count("^")]
    assert under in (marked, marked.rstrip()) if marked else len(under) <= 1  # nothing is marked by one caret


def drawn(text: str, data: st.DataObject) -> tuple[Diagnostic, str]:
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text)))
    return Diagnostic("CNN001", "message", Span(Source("a.cnn", text), start, end)), text[start:end]
