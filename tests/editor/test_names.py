"""Names: everywhere they stand, what they may become, and how they are coloured."""

from collections import Counter
from itertools import pairwise
from pathlib import Path
from random import Random

import pytest

from cnnspec.diagnostics import Span
from cnnspec.editor.colours import KINDS, colours, packed
from cnnspec.editor.document import INNER, Document, parts_of
from cnnspec.editor.lenses import lenses
from cnnspec.editor.links import links
from cnnspec.editor.navigation import project, references
from cnnspec.editor.occurrences import at, calls, occurrences, refused, same
from cnnspec.editor.outline import folds, outline, selections
from cnnspec.editor.signature import signature
from cnnspec.lang.parse.tokens import lex
from cnnspec.lang.parse.tree import Block
from tests.support.edits import edited

ROOT = Path(__file__).parents[2]
SPECS = sorted((ROOT / "specs").rglob("*.cnn"))
TEXT = """\
# a network
# of two lines of comment
let w = 16
block basic(c, s = 1) = add( conv {c}x3x3 pad same bias off -> bn as inner | id ) -> relu
input 3x32x32 as rgb
net side = @rgb -> conv 4x3x3 as inner -> gap
@rgb -> conv {w}x3x3 pad 1 as stem -> relu -> basic(c = 16)*3 as tower -> gap
  -> dense 10 -> softmax as answer
train { optimiser adam lr 1e-3 ; epochs 5 ; freeze stem, tower until 3 ; rate 0.1 of stem }
expect { shape @stem == 16x32x32 }
"""


def alike(document, here):
    """Everywhere a text has what a name means."""
    return same(document, here.definition, document.text[here.span.start : here.span.end])


def where(document, offset):
    """The lines and columns at which the name at an offset stands."""
    return [document.position(one.span.start) for one in alike(document, at(document, offset))]


def renamed(document, offset, new):
    spans = [one.span for one in alike(document, at(document, offset))]
    text = document.text
    for span in sorted(spans, key=lambda span: -span.start):
        text = text[: span.start] + new + text[span.end :]
    return text


@pytest.mark.parametrize(
    ("place", "count"),
    [("stem", 4), ("rgb", 3), ("basic(c", 2), ("c, s", 3), ("w = 16", 2), ("tower", 2), ("side", 1)],
)
def test_a_name_is_found_everywhere_it_stands(place, count):
    assert len(where(Document(TEXT), TEXT.index(place))) == count


def test_a_block_has_values_of_its_own():
    document = Document(TEXT)
    inner, other = TEXT.index("inner |"), TEXT.index("inner ->")
    assert where(document, inner) != where(document, other)
    assert "inner" in renamed(document, inner, "x").replace("as x |", "")


@pytest.mark.parametrize("path", [None, *SPECS], ids=lambda path: path.stem if path else "text")
def test_of_some_statements_the_names_are_those_of_all(path):
    """After a key only the statements are looked through that can have what is asked for."""
    whole = path.read_text() if path else TEXT
    middle = len(whole) // 2
    for text in (whole, whole[:middle], whole[:middle] + " @ ( " + whole[middle:]):
        known, some = Document(text, path), Document(text, path)
        for here in occurrences(known):
            for offset in (here.span.start, here.span.end):
                assert at(some, offset) == at(known, offset)
            assert alike(some, here) == [one for one in occurrences(known) if one.definition == here.definition]
        assert at(some, 0) == at(known, 0)


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
def test_after_renaming_the_network_is_the_same(path):
    document = Document(path.read_text(), path)
    defined = [one for one in occurrences(document) if one.defines]
    before = [(str(node.type), node.op) for node in document.report.reading.graph]
    for one in defined[:: max(1, len(defined) // 3)]:
        text = renamed(document, one.span.start, "another_name")
        after = Document(text, path)
        assert [d.code for d in after.report.diagnostics] == [d.code for d in document.report.diagnostics], text
        assert [(str(node.type), node.op) for node in after.report.reading.graph] == before


@pytest.mark.parametrize(
    ("new", "reason"),
    [("conv", "word of the language"), ("2x", "begins? with a digit|does not begin"), ("rgb", "defined already"),
     ("a b", "is none"), ("", "is none"), ("fine", "^$")],
)  # fmt: skip
def test_a_name_that_cannot_be_is_refused(new, reason):
    import re

    document = Document(TEXT)
    assert re.search(reason, refused(document, at(document, TEXT.index("stem")), new))


def test_names_of_imported_files_are_found_on_both_sides(tmp_path):
    library = tmp_path / "blocks.cnn"
    library.write_text("block b(c) = conv {c}x3x3 -> relu\n")
    text = 'import "blocks.cnn" as lib\ninput 3x8x8\nlib.b(c = 4) -> gap -> dense 2 -> softmax\n'
    (tmp_path / "a.cnn").write_text(text)
    (tmp_path / "other.cnn").write_text('import "blocks.cnn"\ninput 3x8x8\nb(4) -> gap -> dense 2 -> softmax\n')
    (tmp_path / ".hidden").mkdir()
    (tmp_path / ".hidden" / "c.cnn").write_text(text)
    document = Document(text, tmp_path / "a.cnn")
    others = list(project([tmp_path], [document]))
    assert len(others) == 3
    found = references(document, text.index("b(c"), others)
    assert sorted(Path(one.span.source.name).name for one in found) == ["a.cnn", "blocks.cnn", "other.cnn"]
    start = [one for one in found if one.defines]
    assert [one.span.text for one in start] == ["b"]
    parameter = references(document, text.index("c = 4"), others)
    assert sorted(Path(one.span.source.name).name for one in parameter) == ["a.cnn", "blocks.cnn", "blocks.cnn"]


# ---- outline -----------------------------------------------------------------------------------------------


def test_the_outline_names_what_the_text_defines():
    found = {one.name: one for one in outline(Document(TEXT))}
    assert list(found) == ["w", "basic", "rgb", "side", "stem", "tower", "answer", "train", "expect"]
    assert (found["w"].detail, found["basic"].detail, found["side"].detail) == ("= 16", "(c, s)", "4")
    assert [child.name for child in found["basic"].children] == ["inner"]
    assert found["stem"].detail == "16x32x32"
    for one in found.values():
        assert one.span.start <= one.name_span.start <= one.name_span.end <= one.span.end


def test_statements_of_several_lines_and_comments_fold():
    assert [(fold.first, fold.last, fold.kind) for fold in folds(Document(TEXT))] == [
        (0, 1, "comment"),
        (6, 7, "region"),
    ]


@pytest.mark.parametrize("path", [None, *SPECS[:8]], ids=lambda path: path.stem if path else "text")
def test_selections_grow(path):
    document = Document(TEXT if path is None else path.read_text(), path)
    for offset in range(0, len(document.text), 7):
        spans = selections(document, offset)
        assert (spans[-1].start, spans[-1].end) == (0, len(document.text))
        for inner, outer in pairwise(spans):
            assert outer.start <= inner.start <= inner.end <= outer.end and inner != outer


def test_lenses_tell_the_figures_of_each_network():
    said = {lens.span.text.split()[1]: lens.text for lens in lenses(Document(TEXT))}
    document = Document(TEXT)
    assert said["basic(c,"] == "called in 1 place · 7,008 parameters in all"
    assert said["side"].startswith("4 · 112 parameters")
    rest = document.facts.parameters - 112
    assert said["->"].startswith(f"10 · {rest:,} parameters")


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
def test_lenses_share_out_all_parameters(path):
    document = Document(path.read_text(), path)
    told = [lens.text for lens in lenses(document) if "multiply-adds" in lens.text]
    total = sum(int(text.split(" · ")[1].split()[0].replace(",", "")) for text in told)
    assert total == document.facts.parameters


def test_links_lead_to_files(tmp_path):
    (tmp_path / "blocks.cnn").write_text("block b(c) = conv {c}x3x3\n")
    text = 'import "blocks.cnn"\nimport "none.cnn"\ninput 3x8x8\nb(4) -> gap\n'
    (link,) = links(Document(text, tmp_path / "a.cnn"))
    assert link.span.text == '"blocks.cnn"' and Path(link.target) == tmp_path / "blocks.cnn"


# ---- signatures --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "label", "active"),
    [
        ("conv ¦", "conv FxKxK", "FxKxK"),
        ("conv 8x3x3 stride ¦", "conv FxKxK", "stride"),
        ("conv 8x3x3 stride 2 pad ¦same", "conv FxKxK", "pad"),
        ("conv 8x3x3 stride 2 ¦", "conv FxKxK", None),
        ("relu -> dropout ¦", "dropout", "P"),
        ("block b(c, s = 1) = conv {c}x3x3\nb(¦", "b(c, s = 1)", "c"),
        ("block b(c, s = 1) = conv {c}x3x3\nb(4, ¦", "b(c, s = 1)", "s = 1"),
        ("block b(c, s = 1) = conv {c}x3x3\nb(s = ¦", "b(c, s = 1)", "s = 1"),
    ],
)
def test_a_signature_shows_the_part_at_hand(text, label, active):
    before, _, after = text.partition("¦")
    told = signature(Document(before + after), len(before))
    assert told.label.startswith(label)
    assert (None if told.active is None else told.parts[told.active][0]) == active
    assert all(part in told.label for part, _ in told.parts)


@pytest.mark.parametrize("text", ["¦", "con¦", "# conv ¦", "let w = ¦", "foo ¦"])
def test_no_signature_where_nothing_is_being_written(text):
    before, _, after = text.partition("¦")
    assert signature(Document(before + after), len(before)) is None


# ---- colours -----------------------------------------------------------------------------------------------

TOKENS = {"STRING": "string", "LET": "keyword", "BLOCK": "keyword", "NET": "keyword", "INPUT": "keyword",
          "AS": "keyword", "NUMBER": "number", "ARROW": "operator", "COMPARE": "operator"}  # fmt: skip


@pytest.mark.parametrize("path", [None, *SPECS], ids=lambda path: path.stem if path else "text")
def test_every_token_is_coloured_by_what_it_means(path):
    document = Document(TEXT if path is None else path.read_text(), path)
    found = {piece.start: piece for piece in colours(document)}
    last = 0
    for piece in found.values():
        assert piece.start >= last and piece.end > piece.start
        last = piece.end
    for token in lex(document.text):
        if token.type in ("NAME", "PATH"):
            assert token.start_pos in found, token
        elif token.type in TOKENS:
            assert found[token.start_pos].kind == TOKENS[token.type], token


def test_a_broken_text_is_coloured_as_far_as_it_goes():
    document = Document('input 3x8x8\nconv 8x3x3 -> -> (relu\nlet w = (\n"open\n')
    assert {"keyword", "number", "operator"} <= {piece.kind for piece in colours(document)}
    assert occurrences(document) is not None and outline(document) and folds(document) is not None


@pytest.mark.parametrize("seed", range(4))
def test_every_piece_of_a_tree_is_found_with_what_it_is_a_part_of(seed):
    def walked(piece, owner=()):
        mine = piece.__class__ in INNER
        found = [(piece, owner)] if mine else []
        for inner in piece if piece.__class__ is not Span else ():
            if isinstance(inner, tuple):
                found += walked(inner, piece if mine else owner)
        return found

    text = TEXT + "let q = max(2 * w, -(3 + w)) // 2\nbasic({w} | relu -> @stem)*{2*w}\n  -> mean(id | @rgb)\n"
    for version in edited(text, seed, 25):
        for statement in Document(version).file.statements:
            assert parts_of(statement) == walked(statement)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-32"])
def test_the_protocol_tells_the_colours_of_a_text_and_of_a_range(encoding):
    def told(document, pieces):
        places = [(document.position(piece.start), document.position(piece.end), piece) for piece in pieces]
        line = column = 0
        for first, last, piece in places:
            if first[0] == last[0]:  # the protocol has no piece of several lines
                right = first[1] - (column if first[0] == line else 0)
                flags = piece.defines + 2 * piece.readonly
                yield from (first[0] - line, right, last[1] - first[1], KINDS.index(piece.kind), flags)
                line, column = first

    text = f"# é😀 # a\rb\r\n{TEXT}expect\n\n{{ params <= 3 }}\nlet q = max\n(2, 3)  # 😀\r\n"
    for version in edited(text, 1, 40):
        document = Document(version, encoding=encoding)
        assert packed(document) == list(told(document, colours(document)))
        for start in range(0, len(version), 97):
            some = colours(document, start, start + 150)
            assert packed(document, start, start + 150) == list(told(document, some))


def test_a_word_is_coloured_though_its_brace_is_on_a_later_line():
    text = "expect\n\n{ params <= 3 }\n)\ntrain\n{ epochs {2} }"
    kinds = {text[piece.start : piece.end]: piece.kind for piece in colours(Document(text))}
    assert (kinds["expect"], kinds["3"], "2" in kinds) == ("keyword", "number", False)


def test_lenses_count_the_calls_that_references_find() -> None:
    text = "block a(c | f) = conv {c}x3x3 -> f\nblock b = relu -> a(8 | tanh)\ninput 3x16x16\nb -> a(4 | b)\n"
    pieces = (" ", "\n", " -> b", " -> a(3 | relu)", " -> f", "\nblock b = tanh\n", "\nnet a2 = b -> b\n", "x")
    document, called = Document(text), 0
    for seed in range(60):
        random = Random(seed)
        at = random.choice([i for i, character in enumerate(text) if character in " \n"])
        changed = text[:at] + random.choice(pieces) + text[at:]
        document = Document(changed, earlier=document.report)
        text = changed if seed % 4 and len(changed) < 400 else text
        found = Counter(one.definition.start for one in occurrences(document) if document.owns(one.definition))
        for statement in document.file.statements:
            if isinstance(statement, Block):
                start = statement.name.span.start
                assert calls(document)[start] == found[start] - 1, changed
                called += found[start] - 1
    assert called > 50
