"""A text that is edited is answered as if it were opened afresh: every answer of the server, after random edits."""

from pathlib import Path

import pytest

from cnnspec.editor.actions import actions
from cnnspec.editor.colours import colours
from cnnspec.editor.completion import complete
from cnnspec.editor.document import Document
from cnnspec.editor.hints import hints
from cnnspec.editor.hover import hover
from cnnspec.editor.layout import tidied
from cnnspec.editor.lenses import lenses
from cnnspec.editor.links import links
from cnnspec.editor.navigation import definition, references
from cnnspec.editor.occurrences import occurrences
from cnnspec.editor.outline import folds, outline, selections
from cnnspec.editor.signature import signature
from tests.support.edits import edited

ROOT = Path(__file__).parents[2]
BLOCKS = "block wide(c) =\n  conv {c}x3x3 pad same -> bn -> relu\nblock narrow(c) = conv {c}x1x1\n"
TEXT = f"""\
# two heads
import "blocks.cnn" as blocks
let w = 2 * 4
input 3x16x16 as rgb

block unit(c, s = 1) =
  conv {{c}}x3x3 stride {{s}} pad same  # the first
  -> bn -> relu  # cnnspec: ignore CNN231
conv {{w}}x3x3 pad same as stem
{"".join(f"  -> conv {i}x3x3 pad same -> bn -> relu as v{i}{chr(10)}" for i in range(3, 9))}\
  -> unit(w, s = 2) -> blocks.wide(4) as trunk
net left = @trunk -> gap -> dense 2 -> softmax
net right = @v4 -> add(relu | id) -> gap -> dense 3 -> softmax
train {{ optimiser adam lr 1e-3
  freeze stem }}
expect {{ params <= 1M }}
"""
SPECS = [path for path in sorted((ROOT / "specs").rglob("*.cnn")) if path.stat().st_size < 4000]
WHOLE = (colours, outline, folds, lenses, occurrences, links, tidied)
PLACES = (hover, definition, selections, complete, signature)


def answers(document):
    """Everything that is told of a text: findings first, since completion asks for the last reading there was."""
    found = [document.report.diagnostics, document.report_with_fixes.diagnostics]
    found += [answer(document) for answer in WHOLE]
    found.append(hints(document, 0, len(document.text)))
    for offset in range(0, len(document.text), len(document.text) // 12 + 1):
        found += [answer(document, offset) for answer in PLACES]
        found += [actions(document, offset, offset), references(document, offset, ())]
    return found


def compared(text, path, seed, count):
    document = Document(text, path)
    for version in edited(text, seed, count):
        _ = document.report
        document = Document(version, path, earlier=document.known)
        assert answers(document) == answers(Document(version, path)), (seed, version)


@pytest.mark.parametrize("seed", range(3))
def test_every_answer_after_edits_of_a_text_with_everything_in_it(tmp_path, seed):
    (tmp_path / "blocks.cnn").write_text(BLOCKS)
    compared(TEXT, tmp_path / "net.cnn", seed, 8)


@pytest.mark.slow
@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
def test_every_answer_after_edits_of_specs(path):
    compared(path.read_text(), path, 1, 25)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3, 30))
def test_every_answer_after_many_edits(tmp_path, seed):
    (tmp_path / "blocks.cnn").write_text(BLOCKS)
    compared(TEXT, tmp_path / "net.cnn", seed, 25)


def test_an_import_that_changes_is_read_again(tmp_path):
    (tmp_path / "blocks.cnn").write_text(BLOCKS)
    first = Document(TEXT, tmp_path / "net.cnn")
    assert first.report.ok
    (tmp_path / "blocks.cnn").write_text(BLOCKS.replace("wide", "broad"))
    later = Document(TEXT, tmp_path / "net.cnn", earlier=first.known)
    assert answers(later) == answers(Document(TEXT, tmp_path / "net.cnn"))
    assert not later.report.ok
    (tmp_path / "blocks.cnn").write_text(BLOCKS)
    assert Document(TEXT, tmp_path / "net.cnn", earlier=later.known).report.ok
