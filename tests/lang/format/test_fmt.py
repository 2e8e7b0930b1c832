"""The formatter changes how a file looks and nothing else."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cnnspec.diagnostics import Source, Span, SpecError
from cnnspec.lang.findings import Findings
from cnnspec.lang.format.formatter import WIDEST, format
from cnnspec.lang.parse.parser import parse
from cnnspec.lang.parse.tokens import lex
from cnnspec.lang.parse.tree import File, Name

SPECS = sorted((Path(__file__).parents[3] / "specs").rglob("*.cnn"))
TEXTS = [path.read_text() for path in SPECS] + [
    "let w = 2 * -3 + max(4, w // 2) % 2\nconv {w % 2}x3x3 -> leaky slope -0.1 -> (relu)*{w} as e :: 3x?x?\n",
    "block b(c, s = 1) = add(conv {c}x3x3 # one\n | id  # two\n # three\n) -> bn\nb(3)\n",
    'train{optimizer adam lr 1e-3;epochs 5 # x\n} ; data { source npz "a b.npz" ; normalize on }; expect { }',
    "input 3x8x8 as rgb; net a = @rgb -> gap\n; @a -> dense 2 ;;\n# end",
]


def tree(text: str) -> tuple[object, list[str]]:
    """The tree of a text without its places, and its comments; raises SpecError where there is none."""
    findings = Findings()
    file = parse(Source("<text>", text), findings)
    if findings.errors:
        raise SpecError(tuple(findings.diagnostics))
    return plain(file.statements), [span.text.rstrip() for span in file.comments]


def plain(part: object) -> object:
    if isinstance(part, Span | Source):
        return None
    if isinstance(part, Name):
        return part.text
    if isinstance(part, tuple):
        return type(part).__name__, *(plain(each) for each in part)
    return part


def holds(text: str) -> str:
    """Check all that the formatter promises of a text that can be read."""
    written = format(text)
    before, comments = tree(text)
    after, kept = tree(written)
    assert after == before
    assert kept == comments
    assert format(written) == written
    assert not re.search(r"[ \t]\n|\n\n\n|\A\n|\n\n\Z", written)
    return written


@pytest.mark.parametrize("text", TEXTS)
def test_the_tree_and_the_comments_stay(text):
    holds(text)


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
def test_shipped_specs_are_formatted(path):
    assert format(path.read_text()) == path.read_text()


FILLERS = ["", " ", "   ", "\t", "\n", "\n\n", "\n\n\n  ", " # note\n", "\n# own\n", "\r\n", " ; ", "\n;\n"]


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_texts_with_other_spaces(data):
    """Tokens with anything that may separate them in between: whatever can be read is written as it is meant."""
    text = data.draw(st.sampled_from(TEXTS))
    tokens = [str(token) for token in lex(text)]
    first = data.draw(st.integers(0, max(0, len(tokens) - 12)))
    changed = " ".join(tokens[:first])
    for token in tokens[first : first + 12]:
        changed += data.draw(st.sampled_from(FILLERS)) + token
    changed += " " + " ".join(tokens[first + 12 :])
    try:
        tree(changed)
    except SpecError:
        with pytest.raises(SpecError):
            format(changed)
    else:
        holds(changed)


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_texts_with_tokens_moved(data):
    """Tokens dropped, doubled and swapped between files."""
    tokens = [str(token) for token in lex(data.draw(st.sampled_from(TEXTS)))]
    others = [str(token) for token in lex(data.draw(st.sampled_from(TEXTS)))]
    for _ in range(data.draw(st.integers(1, 4))):
        at, size = data.draw(st.integers(0, len(tokens))), data.draw(st.integers(0, 3))
        put = data.draw(st.integers(0, len(others)))
        tokens[at : at + size] = others[put : put + data.draw(st.integers(0, 6))]
    changed = " ".join(tokens)
    try:
        tree(changed)
    except SpecError as error:
        assert error.diagnostics
        with pytest.raises(SpecError):
            format(changed)
    else:
        holds(changed)


def test_arrows_begin_lines():
    assert format("conv 8x3x3->relu -># first\n maxpool 2") == "conv 8x3x3 -> relu  # first\n  -> maxpool 2\n"


def test_branches_stand_under_their_parenthesis():
    assert format("relu -> add(conv 8x3x3\n-> bn\n| id)\n-> relu") == (
        "relu -> add( conv 8x3x3\n             -> bn\n           | id )\n  -> relu\n"
    )
    assert format("add(\nconv 8x3x3\n| id\n)*2") == "add(\n    conv 8x3x3\n  | id\n)*2\n"


def test_braces_and_comments_stand_under_one_another():
    assert format("train {epochs 5}  # a\nexpect {params<=2k} # b") == (
        "train  { epochs 5 }      # a\nexpect { params <= 2k }  # b\n"
    )


def test_long_lines_break_outside_of_parentheses_first():
    layer = "conv 64x3x3 pad same bias off"
    written = holds(" -> ".join([layer, f"add({layer} -> {layer}|id)", layer, layer]))
    assert written.splitlines()[0] == f"{layer} -> add( {layer} -> {layer} | id )"
    assert max(map(len, written.splitlines())) <= WIDEST


def test_a_line_that_speaks_to_check_stays_whole():
    """`# cnnspec: ignore` counts for its line, so no layer may leave it."""
    line = " -> ".join(["conv 64x3x3 pad same bias off"] * 5) + "  # cnnspec: ignore CNN231\n"
    assert format(line) == line


def test_spellings_are_those_of_the_author():
    assert format("train { optimizer adam }") == "train { optimizer adam }\n"
    assert format("let color = 3\nconv {color}x3x3") == "let color = 3\nconv {color}x3x3\n"


def test_a_percent_sign_in_a_hole_keeps_its_spaces():
    """`{9 % 4}` without them would hold a percentage."""
    assert format("dense {9 % 4}") == "dense {9 % 4}\n"


def test_what_cannot_be_read_is_refused():
    with pytest.raises(SpecError) as caught:
        format("conv 8x3x3 -> -> relu")
    assert caught.value.diagnostics


def test_empty_files():
    assert format("") == ""
    assert format("\n\n  \n") == ""
    assert format("# only this") == "# only this\n"


def test_a_file_keeps_its_tree_by_type():
    """The comparison that these tests rest on sees a difference where there is one."""
    assert tree("conv 8x3x3")[0] != tree("conv 8x3x1")[0]
    assert isinstance(parse(Source("", "relu"), Findings()), File)
