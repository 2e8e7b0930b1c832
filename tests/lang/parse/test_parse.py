"""The grammar: every form that the language has, and what is left when one of them is broken."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnnspec.diagnostics import Source, Span
from cnnspec.lang.findings import Findings
from cnnspec.lang.parse import syntax
from cnnspec.lang.parse.parser import parse
from cnnspec.lang.parse.tree import File
from cnnspec.words import WORDS

ROOT = Path(__file__).parents[3]


def tree(text: str) -> tuple[File, Findings]:
    findings = Findings()
    return parse(Source("a.cnn", text), findings), findings


def bare(part: Any) -> Any:
    """A tree as nested tuples, without the places of things."""
    if isinstance(part, tuple):
        kept = tuple(bare(item) for item in part if not isinstance(item, Span))
        return (type(part).__name__, *kept) if hasattr(part, "_fields") else kept
    return part


FORMS = {
    "shortest": "conv 8x3x3 stride 1 -> relu -> maxpool 2 -> dense 10 -> softmax",
    "lines end with an arrow": "relu ->\n  relu",
    "lines begin with an arrow": "relu\n  -> relu # why\n\n  # between\n  -> relu",
    "joins": "add( relu | id ) -> concat(relu|id|@a) -> mul(id | gap) -> max( id | relu ) -> mean( id | id )",
    "joins over lines": "add( relu\n   -> relu\n\n | id\n) -> relu",
    "repetition": "(conv 8x3x3 -> relu)*3 -> (relu)*{n} -> block1(2)*3 -> relu*2",
    "names and taps": "relu as e1 -> add(id | @e1) -> relu as e2 :: 16x14x14",
    "assertions": "relu :: ?x14x? -> relu :: {w}x14x14 -> dense 4 :: 4",
    "nets": "net head = @trunk -> dense 10 -> softmax",
    "blocks": "block name(c, s = 1) = conv {c}x3x3 stride {s}\nblock plain = relu\nblock none() = relu",
    "calls": "name(64, s = 2) -> name(2 * w + 1) -> lenet.name(3) -> lenet.stem -> plain()",
    "lets": "let w = 64\nlet v = -w // 2 + (3 - 1) * round(2.5) % 3\nlet u = max(w, 2, min(1, 2))",
    "holes": "conv {w}x3x3 stride {s + 1} -> dense {2*w} -> (relu)*{n // 2}",
    "imports": 'import "blocks.cnn"\nimport "lenet.cnn" as lenet',
    "inputs": "input 3x32x32\ninput 3x128 as sound\ninput 4 as facts\ninput {c}x?x?",
    "train": "train { cost cross_entropy of kind weight 0.3 ; optimiser adam lr 1e-3\n batch 64\n\n epochs 5 }",
    "data": 'data { source npz "file.npz" axes nhwc ; validation 10% ; augment crop 4 }',
    "expect": "expect { params <= 62k ; memory <= 40MiB; accuracy >= 98.5%\n shape @conv1 == 8x26x26 }",
    "empty blocks": "train { }\ndata {}\nexpect {\n}",
    "units": "train { a 60k ; b 4M ; c 8MiB ; d 10% ; e 5e-4 ; f 1.5G ; g .5 ; h -0.1 }",
    "semicolons": "let a = 1; let b = 2 ;; relu;",
    "windows": "relu\r\n -> relu\r\nlet a = 1\r\n",
    "byte order mark": "\ufeffrelu -> relu",
    "nothing": "",
    "comments": "# only\n   # comments",
    "words as names": "let data = 1\nblock train(expect) = relu\nrelu as test",
}


@pytest.mark.parametrize("text", FORMS.values(), ids=FORMS.keys())
def test_forms_are_read(text: str) -> None:
    file, findings = tree(text)
    assert findings.diagnostics == []
    statements = [line for line in text.replace("\ufeff", "").splitlines() if line.strip()]
    assert file.statements or not statements or statements[0].lstrip().startswith("#")


@pytest.mark.parametrize("path", sorted(ROOT.glob("specs/**/*.cnn")), ids=lambda path: path.stem)
def test_shipped_specs_are_read(path: Path) -> None:
    file, findings = tree(path.read_text(encoding="utf-8"))
    assert findings.diagnostics == [] and file.statements


def test_tree_of_a_stage() -> None:
    file, _ = tree("conv {w}x3x3 stride 2 as a :: ?x14x14")
    assert bare(file.statements) == (
        (
            "Chain",
            (
                (
                    "Stage",
                    (
                        "Layer",
                        ("Name", "conv"),
                        ("Sizes", (("Hole", ("Variable", "w")), ("Number", 3), ("Number", 3))),
                        (("Attr", ("Name", "stride"), ("Number", 2)),),
                    ),
                    None,
                    ("Name", "a"),
                    ("Sizes", (None, ("Number", 14), ("Number", 14))),
                ),
            ),
        ),
    )


def spans(part: Any) -> list[tuple[str, Span]]:
    """Every part of a tree that has a place."""
    found = [(type(part).__name__, part.span)] if hasattr(part, "span") else []
    if isinstance(part, tuple):
        found += [span for item in part if not isinstance(item, Span) for span in spans(item)]
    return found


@pytest.mark.parametrize("text", FORMS.values(), ids=FORMS.keys())
def test_spans_hold_what_they_name(text: str) -> None:
    """What a span holds, read alone, is the part that it is the span of."""
    file, _ = tree(text)
    for statement in file.statements:
        alone, findings = tree(statement.span.text)
        assert findings.diagnostics == []
        assert bare(alone.statements) == bare((statement,))
    for kind, span in spans(file.statements):
        assert span.text == span.text.strip() and span.text, kind


CHAIN = ["conv 8x3x3", "->", "relu", "->", "add(", "relu", "|", "id", ")", "->", "dense 10"]


@given(st.lists(st.sampled_from([" ", "\n", "\n\n  ", " # note\n", "\r\n\t"]), min_size=10, max_size=10))
def test_lines_break_where_nothing_can_end(gaps: list[str]) -> None:
    """Around arrows and bars and within parentheses a line may end; the tree stays the same."""
    text = CHAIN[0] + "".join(gap + part for gap, part in zip(gaps, CHAIN[1:], strict=True))
    file, findings = tree(text)
    assert findings.diagnostics == []
    assert bare(file.statements) == bare(tree(" ".join(CHAIN))[0].statements)


GOOD = ["let a = 1", "conv 8x3x3 -> relu", "input 3x8x8", "train { epochs 5 }", "block b(c) = relu", "net n = relu"]
BROKEN = [
    "conv ->",
    "let = 3",
    "block (c) = relu",
    "input",
    "net n =",
    "-> -> ->",
    "relu (",
    "@",
    "}",
    "as a",
    "* 3",
]


@given(st.lists(st.tuples(st.sampled_from(GOOD), st.sampled_from(BROKEN)), min_size=1, max_size=6))
def test_a_broken_statement_leaves_the_others(pairs: list[tuple[str, str]]) -> None:
    file, findings = tree("".join(f"{good}\n{broken}\nlet b = 2\n" for good, broken in pairs))
    alone = [bare(tree(good)[0].statements[0]) for good, _ in pairs]
    read = [bare(statement) for statement in file.statements]
    assert [statement for statement in read if statement in alone] == alone
    assert read.count(bare(tree("let b = 2")[0].statements[0])) == len(pairs)
    assert len(findings) >= 1


def test_every_line_of_a_block_is_looked_at() -> None:
    file, findings = tree("train {\n epochs\n batch 64\n seed 1 2 3\n shards 2\n}\nrelu")
    assert [found.span.line for found in findings.diagnostics if found.span] == [2, 4]
    assert [bare(line)[1] for line in file.statements[0].settings] == [("Name", "batch"), ("Name", "shards")]  # type: ignore[union-attr]
    assert len(file.statements) == 2


def test_names_in_what_could_not_be_read_are_remembered() -> None:
    assert "w" in tree("let w at 64\nrelu")[0].lost


def test_grammar_is_without_conflicts(caplog: pytest.LogCaptureFixture) -> None:
    logger = logging.getLogger("lark")
    with caplog.at_level(logging.DEBUG, logger="lark"):
        before, logger.propagate = logger.propagate, True
        syntax.build(syntax.grammar_text())
        logger.propagate = before
    assert "conflict" not in caplog.text


def test_joins_of_the_grammar_are_those_of_the_ops() -> None:
    line = next(line for line in syntax.grammar_text().splitlines() if line.startswith("JOIN"))
    words = line[line.index("(") + 1 : line.index(")")].split("|")
    assert sorted(words) == sorted(word for word, op in WORDS.items() if op.join)
