"""The ready-made tables of the parser are those of the grammar."""

from cnnspec.lang.parse import syntax, tables

TEXT = """\
import "blocks.cnn" as b
let w = 2 * (3 + 4) // 2
block basic(c, s = 1) = add( conv {c}x3x3 stride {s} pad same -> bn | id ) -> relu
input 3x32x32 as x
conv {w}x3x3 as a :: ?x30x30 -> basic(16)*3 -> concat( @a | @x -> relu ) -> dense 10 -> softmax
train { optimiser adam lr 1e-3 ; epochs 5 }   # how
expect { params <= 62k ; shape @a == 8x?x? }
"""


def test_the_tables_are_those_of_the_grammar():
    here = "run: python -c 'from cnnspec.lang.parse import syntax; syntax.write_tables()'"
    assert syntax.key(syntax.grammar_text()) == tables.KEY, here


def test_a_parser_from_the_tables_reads_as_one_from_the_grammar():
    ready, built = syntax.parser(), syntax.build(syntax.grammar_text())
    read = [[(token.type, str(token), token.start_pos) for token in parser.lex(TEXT)] for parser in (ready, built)]
    assert read[0] == read[1] and len(read[0]) > 90
    line = "conv 8x3x3 stride 2 -> add( relu | id )*2 as a :: 8x?x?"
    assert ready.parse(line, start="file") == built.parse(line, start="file")


def test_tables_of_another_grammar_are_not_used(monkeypatch):
    monkeypatch.setattr(tables, "KEY", ("0.0", 0))
    syntax.parser.cache_clear()
    try:
        assert syntax.parser().grammar is not None  # as only a parser that was built from a grammar has
    finally:
        syntax.parser.cache_clear()
