"""A text of which another version was read is read as it would be alone: the same tree, the same findings."""

from pathlib import Path

import pytest

from cnnspec.diagnostics import Source
from cnnspec.lang.findings import Findings
from cnnspec.lang.parse.machine import Machine
from cnnspec.lang.parse.parser import parse
from cnnspec.lang.parse.parts import read_again
from tests.support.edits import edited

ROOT = Path(__file__).parents[2]
LONG = "\n".join(f"  -> conv {i}x3x3 pad same -> bn -> relu as v{i}  # {i}" for i in range(1, 25))
ELEVENTH = "  -> conv 11x3x3 pad same -> bn -> relu as v11  # 11\n"
TEXT = f"""\
# a comment before everything
import "blocks.cnn" as blocks
let w = 2 * 8; let v = 3  # two on a line
input 3x16x16

block unit(c, s = 1 | f) =
  conv {{c}}x3x3 stride {{s}} pad same  # first
  -> add( bn -> relu
     | id )
  -> f
conv 8x3x3 pad same as stem
{LONG}
  -> add(relu | id) -> unit(8 | relu)
  -> gap -> dense 2 -> softmax
net side = @stem -> blocks.basic(w) ; net other = @v3 -> conv 3x3x3
train {{ epochs 2
  freeze stem, v1 }}
data {{ source digits }}
expect {{ params <= 1M }}
# behind everything
"""
SPECS = [path for path in sorted((ROOT / "specs").rglob("*.cnn")) if path.stat().st_size < 6000]
CORPUS = sorted((ROOT / "tests/diagnostics/corpus").glob("*.cnn"))


def read(text, earlier=None):
    findings = Findings()
    file = parse(Source("net.cnn", text), findings, earlier)
    return file, (file._replace(cut=None), findings.with_proposals, findings.work.spent)


def compared(text, seed, count):
    """How many of a text's versions were read in parts; each of them is the same as alone."""
    cut, quick = read(text)[0].cut, 0
    for version in edited(text, seed, count):
        quick += cut is not None and read_again(Source("net.cnn", version), cut) is not None
        file, found = read(version, cut)
        assert found == read(version)[1], (seed, version)
        cut = file.cut
    return quick


@pytest.mark.parametrize("seed", range(4))
def test_every_edit_of_a_text_with_everything_in_it(seed):
    assert compared(TEXT, seed, 60) > 10  # no comparison of whole readings with whole readings


def test_edits_of_specs():
    assert sum(compared(path.read_text(), i, 4) for i, path in enumerate(SPECS)) > len(SPECS)


def test_edits_of_texts_with_mistakes():
    for i, path in enumerate(CORPUS[::3]):
        compared(path.read_bytes().decode("utf-8", "replace"), i, 3)


@pytest.mark.slow
@pytest.mark.parametrize("path", [*SPECS, *CORPUS], ids=lambda path: path.stem)
def test_many_edits(path):
    compared(path.read_bytes().decode("utf-8", "replace"), 7, 40)
    compared(f"{path.read_bytes().decode('utf-8', 'replace')}\n{LONG}\n", 8, 40)


def parts_read(before, after):
    """The statements that a reading of a changed text made anew, by their first words."""
    cut = read(before)[0].cut
    again = read_again(Source("net.cnn", after), cut)
    assert again is not None
    known = {before[a.start : b.start] for a, b in zip(cut.parts, cut.parts[1:], strict=False)}
    return [
        after[a.start : b.start]
        for a, b in zip(again.parts, again.parts[1:], strict=False)
        if after[a.start : b.start] not in known
    ]


@pytest.mark.parametrize(
    ("old", "new"),
    [("2 * 8", "2 * 18"), ("pad same  # first", "pad 1  # first"), ("relu as v9", "relu6 as v9"), ("1M", "2M")],
)
def test_a_key_in_a_part_leaves_the_others(old, new):
    made = parts_read(TEXT, TEXT.replace(old, new))
    assert len(made) <= 1 and all(new in part for part in made)
    assert len("".join(made)) < 200


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("conv 8\nrelu 3\n", "conv 8\n-> relu 3\n"),  # the end of a part moves with the token after it
        ("input 3\nadd\n", "input 3\nadd\n(relu | id)\n"),  # `add` is another token before a parenthesis
        ("let a = 1\nconv 2\n", "let a = 1\n-> conv 2\n"),
        ("train { epochs 2 }\nrelu\n", "train { epochs 2 \nrelu\n"),
        ("conv 2 as a\ntrain\n", "conv 2 as a\ntrain\n{ epochs 2 }\n"),
        (f"conv 2\n{LONG}\n", f"let w = 2\n{LONG}\n"),  # a chain has lost its head
        (f"conv 2\n{LONG}\n", f"{LONG}\n"),
        (f"conv 2\n{LONG}\n", f"conv 2 (\n{LONG}\n"),
        (f"conv 2\n{LONG}\n", f"conv 2 /*\n{LONG}\n"),
        (f"conv 2\n{LONG}\n", f"conv 2\n{LONG.replace('  -> conv 12', 'net q = conv 12')}\n"),
        (f"conv 2\n{LONG}\n", f"conv 2\n{LONG.replace('  -> conv 12', '  -> let q = 12')}\n"),
        (f"conv 2\n{LONG}\n", f"conv 2\n{LONG}\n".replace(ELEVENTH, "\ntrain { epochs 2 } ")),
        ("conv 2\n", ""),
        ("conv 2\n", "# nothing\n"),
        ("a -> b\n", "\ufeffa -> b\r\n"),
    ],
)
def test_what_is_read_anew_where_a_part_ends_elsewhere(before, after):
    assert read(after, read(before)[0].cut)[1] == read(after)[1]
    assert read(before, read(after)[0].cut)[1] == read(before)[1]


def test_a_mistake_leaves_the_last_good_version_for_the_next():
    good, bad = TEXT, TEXT.replace("source digits", "source")
    cut = read(good)[0].cut
    assert read(bad, cut)[0].cut is cut
    assert read(good, cut)[1] == read(good)[1]


LINES = (
    "  -> conv 8x3x3 stride 1 pad same as fresh -> relu\n",
    "let extra = 2 * v + {1}\n",
    "train {\n  epochs 3, 4\n}\n",
    "net fresh = @stem -> add(id | Conv2d(8, 3)) -> relu\n",
    "block b(c = 1) = conv {c}x3x3, relu\n",
    "input 3 x 4\n",
)


@pytest.mark.parametrize("line", LINES)
def test_every_key_of_a_line_that_is_typed(line):
    """A line has mistakes while it is typed: what stands around it is read as it would be alone."""
    at, cut = TEXT.index("net side"), read(TEXT)[0].cut
    for end in range(1, len(line) + 1, 2):
        version = f"{TEXT[:at]}{line[:end]}{TEXT[at:]}"
        file, found = read(version, cut)
        assert found == read(version)[1], line[:end]
        cut = file.cut


def test_a_mistake_leaves_the_statements_around_it(monkeypatch):
    fed = []
    monkeypatch.setattr(
        Machine, "feed", lambda self, token, feed=Machine.feed: (fed.append(token), feed(self, token))
    )
    cut = read(TEXT)[0].cut
    whole = len(fed)
    fed.clear()
    file, _ = read(TEXT.replace("net side = @stem", "net side = = @stem"), cut)
    assert not file.whole and len(fed) < whole / 4
