"""The answers of the editor server, asked without the protocol."""

import gc
import weakref

import pytest

from cnnspec.editor.actions import actions, fix_all
from cnnspec.editor.completion import complete
from cnnspec.editor.document import Document
from cnnspec.editor.hints import hints
from cnnspec.editor.hover import hover
from cnnspec.editor.navigation import definition
from cnnspec.lang.hints.fixes import edited

TEXT = """\
let w = 16
block basic(c) = add( conv {c}x3x3 pad same bias off -> bn | id ) -> relu
input 3x32x32 as rgb
net side = @rgb -> conv 4x3x3 as inner -> gap
@rgb -> conv {w}x3x3 pad 1 as stem -> relu -> basic(16)*3 -> gap
  -> dense 10 -> softmax
train { optimiser adam lr 1e-3 ; epochs 5 }
"""


def at(text):
    """A text with the cursor at `¦`, as document and offset."""
    before, _, after = text.partition("¦")
    return Document(before + after), len(before)


# ---- places ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("encoding", "columns"), [("utf-8", [0, 1, 3, 7, 8]), ("utf-16", [0, 1, 2, 4, 5]), ("utf-32", [0, 1, 2, 3, 4])]
)
def test_columns_are_counted_as_the_editor_counts(encoding, columns):
    document = Document("\r\naé😀b\r\n", encoding=encoding)
    assert [document.position(offset) for offset in range(2, 7)] == [(1, column) for column in columns]
    assert [document.offset((1, column)) for column in columns] == list(range(2, 7))


def test_positions_outside_of_the_text_are_its_nearest():
    document = Document("ab\ncd")
    assert [document.offset(place) for place in ((0, 99), (1, 99), (9, 0))] == [2, 5, 5]


# ---- hover -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("place", "said"),
    [
        ("conv {w}", "`stem` 3x32x32 → **16x32x32**, 448 parameters, 442,368 multiply-adds, sees 3x3"),
        ("conv {c}", "`basic2.conv1` 16x32x32 → **16x32x32**, 2,304 parameters"),
        ("add(", "**`add( a | b | ... )`**"),
        ("pad 1", "`pad`: zeros around the input"),
        ("basic(16)", "block basic(c)"),
        ("rgb -> conv {w}", "**3x32x32**"),
        ("stem ->", "**16x32x32**"),
        ("adam", "Kingma and Ba"),
        ("lr 1e", "default `0.001`"),
        ("epochs", "how often every image is seen"),
        ("train {", "- `epochs`"),
    ],
)
def test_hover_says_what_stands_there(place, said):
    text, span = hover(Document(TEXT), TEXT.index(place) + 1)
    assert said in text
    assert span.start <= TEXT.index(place) + 1 <= span.end


@pytest.mark.parametrize("place", ["-> relu", "16\n", "1e-3", "train { opt"])
def test_hover_says_nothing_where_nothing_is_to_be_said(place):
    document = Document(TEXT.replace("train { opt", "train  { opt"))
    offset = document.text.index(place.replace("train { opt", "{ opt"))
    assert hover(document, offset) is None or "->" not in hover(document, offset)[1].text


# ---- completion ------------------------------------------------------------------------------------------


def offered(text):
    document, offset = at(text)
    return [item.text for item in complete(document, offset)]


@pytest.mark.parametrize(
    ("text", "there", "not_there"),
    [
        ("input 3x8x8\n¦", {"conv", "add", "id", "train", "input"}, {"stride", "epochs"}),
        ("input 3x8x8\nconv 8x3x3 -> ¦", {"relu", "maxpool", "id"}, {"train", "stride"}),
        ("input 3x8x8\nconv 8x3x3 ->\n  ¦", {"relu"}, {"train"}),
        ("input 3x8x8\nconv 8x3x3 -> max¦", {"maxpool"}, {"train"}),
        ("input 3x8x8\nadd( conv 8x3x3 | ¦", {"conv", "id"}, {"train"}),
        ("conv 8x3x3 ¦", {"stride", "pad", "as"}, {"relu", "train"}),
        ("conv 8x3x3 stride 2 ¦", {"pad"}, {"stride"}),
        ("conv 8x3x3 pad ¦", {"same", "valid"}, {"stride"}),
        ("conv 8x3x3 bias ¦", {"on", "off"}, {"stride"}),
        ("conv 8x3x3 bias off ¦", {"stride"}, {"on", "bias"}),
        ("block b(c) = conv 8x3x3\nblock d = ¦", {"conv", "b"}, {"train"}),
        ("block b(c, s = 1) = conv {c}x3x3\nb(¦", {"c = ", "s = "}, {"conv"}),
        ("let w = 4\nconv {¦", {"w", "min("}, {"relu"}),
        ("let w = 4\nlet v = ¦", {"w"}, {"conv"}),
        ("input 3x8x8 as rgb\nconv 8x3x3 as e -> relu\nadd( @¦", {"rgb", "e"}, {"conv"}),
        ("train { ¦", {"optimiser", "epochs", "cost"}, {"conv", "source"}),
        ("train { epochs 5\n  ¦", {"optimiser"}, {"conv"}),
        ("train { optimiser ¦", {"adam", "sgd"}, {"epochs"}),
        ("train { optimiser adam ¦", {"lr", "beta1"}, {"epochs"}),
        ("train { optimizer sgd ¦", {"momentum"}, set()),
        ("train { optimiser sgd nesterov ¦", {"on", "off"}, {"momentum"}),
        ("data { source ¦", {"digits", "npz"}, {"conv"}),
        ("expect { ¦", {"params", "accuracy"}, {"conv"}),
        ("train { epochs 5 }\n¦", {"conv", "data"}, {"epochs"}),
    ],
)
def test_completion_offers_what_may_follow(text, there, not_there):
    found = set(offered(text))
    assert there <= found
    assert not found & not_there


@pytest.mark.parametrize(
    "text", ["relu # com¦", 'import "blo¦', "conv 8x3x3 as ¦", "relu :: ¦", "train { epochs 5 ¦"]
)
def test_completion_is_silent_where_only_the_author_knows(text):
    document, offset = at(text)
    assert complete(document, offset) == []


# ---- definitions -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("use", "there"),
    [
        ("basic(16)", "basic(c)"),
        ("@rgb", "rgb\n"),
        ("{c}", "c) ="),
        ("{w}", "w = 16"),
        ("stem ->", "stem ->"),
    ],
)
def test_definitions_are_found(use, there):
    span = definition(Document(TEXT), TEXT.index(use) + 1)
    assert span.start == TEXT.index(there)


def test_definitions_in_imported_files(tmp_path):
    (tmp_path / "blocks.cnn").write_text("# blocks\nblock b(c) = conv {c}x3x3\n")
    text = 'import "blocks.cnn" as lib\ninput 3x8x8\nlib.b(4) -> gap -> dense 2 -> softmax\n'
    document = Document(text, tmp_path / "a.cnn")
    assert definition(document, text.index("lib.b(4)") + 1).start == text.index("lib\n")
    block = definition(document, text.index("lib.b(4)") + 5)
    assert block.source.name.endswith("blocks.cnn") and block.text == "b"
    file = definition(document, text.index("blocks"))
    assert file.source.name == str(tmp_path / "blocks.cnn") and file.start == 0
    assert definition(document, text.index("gap")) is None


# ---- hints and actions -----------------------------------------------------------------------------------


def test_hints_show_the_shape_after_each_layer():
    document = Document(TEXT)
    found = {TEXT[: hint.offset].split()[-1]: hint.text for hint in hints(document, 0, len(TEXT))}
    assert found["10"] == "10" and found["1"] == "16x32x32" and found["off"] == "16x32x32"
    first_line = TEXT.index("\nblock") + 1
    assert all(hint.offset >= first_line for hint in hints(document, first_line, len(TEXT)))


def test_a_block_of_several_sizes_has_several_shapes():
    text = "block b(c) = conv {c}x3x3\ninput 3x12x12\nb(4) -> b(8) -> b(6)\n"
    (hint,) = hints(Document(text), 0, text.index("\n"))
    assert hint.text == "4x10x10, 8x8x8, ..."
    assert "b1.conv1" in hint.about


def test_hints_say_for_which_input_they_are_where_none_is_stated():
    text = "conv 8x3x3 -> gap -> dense 2 -> softmax\n"
    assert "(for an input of 1x28x28)" in hints(Document(text), 0, len(text))[0].about


def test_fixes_are_actions_and_warnings_can_be_silenced():
    text = "input 3x8x8\nconv 4x3x3 -> bn -> rellu -> gap -> dense 2 -> softmaks\n"
    document = Document(text)
    found = actions(document, 0, len(text))
    fixes = [action.edits for action in found if action.finding and action.edits == action.finding.fix]
    fixed = [edited(text, edits) for edits in fixes]
    assert any("-> relu ->" in each for each in fixed)
    silence = next(action for action in found if "silence CNN231" in action.title)
    silenced = edited(text, silence.edits)
    assert "CNN231" in {d.code for d in document.report.diagnostics}
    assert "CNN231" not in {d.code for d in Document(silenced).report.diagnostics}
    assert actions(document, 0, 3) == []


def test_silencing_joins_the_comment_that_is_there():
    text = "input 3x8x8\nconv 4x3x3 -> bn -> relu -> gap -> dense 2 -> softmax  # cnnspec: ignore CNN230\n"
    (action,) = [a for a in actions(Document(text), 0, len(text)) if "silence" in a.title]
    after = Document(edited(text, action.edits))
    assert after.text.endswith("# cnnspec: ignore CNN230, CNN231\n")
    assert [diagnostic.code for diagnostic in after.report.diagnostics] == ["CNN250"]  # CNN230 is idle


def test_a_fix_that_is_not_safe_is_offered_by_itself():
    text = "input 3x8x8\ngap -> dense 2 -> softmax\ntrain { optimiser nadam }\n"
    titles = [action.title for action in actions(Document(text), 0, len(text))]
    assert titles == ["use `adam` (unsafe)"]
    assert fix_all(Document(text)) is None


def test_all_fixes_at_once():
    text = "input 3x8x8\nconv 4x3x3 -> rellu -> gap -> dense 2 -> softmaks\n"
    right = text.replace("rellu", "relu").replace("softmaks", "softmax")
    assert edited(text, fix_all(Document(text)).edits) == right
    assert fix_all(Document("input 3x8x8\ngap -> dense 2 -> softmax\n")) is None


@pytest.mark.parametrize("cut", range(0, len(TEXT), 7))
def test_every_half_written_text_has_answers(cut):
    document = Document(TEXT[:cut])
    for offset in (cut, cut // 2):
        hover(document, offset)
        complete(document, offset)
        definition(document, offset)
    hints(document, 0, cut)


def test_only_the_fixes_of_what_is_at_the_cursor_are_tried(monkeypatch):
    from cnnspec.lang import reading

    text = "input 3x8x8\nrelu\n" + "".join(f"  -> conv {i}x3x3 strid 1 pad same -> rellu\n" for i in range(4, 14))
    every = {each.span.start: each for each in Document(text).report_with_fixes.diagnostics}
    assert len(every) == 20 and all(each.fix for each in every.values())
    document = Document(text)
    assert len(document.report.diagnostics) == 20
    readings = []
    read = reading._read
    monkeypatch.setattr(reading, "_read", lambda *asked: readings.append(asked) or read(*asked))
    assert actions(document, 3, 3) == [] and readings == []
    for start, found in every.items():
        (action,) = actions(document, start, start)
        assert (action.edits, action.finding) == (found.fix, found)
    assert len(readings) == 20  # one for each: its first proposal mends it


@pytest.mark.parametrize(
    "text",
    [
        "input 1x8x8\nblock a(c) = conv {c}x3x3 -> relu\nblock b(c) = a(c) -> a(c)\nb(2) -> dense 2\n",
        "input 1x8x8\nblock a(c) = conv {c}x3x3 -> relu\na(2) -> cnv 3 -> dense 2\ntrain { lr 0 }\n",
        'import "b.cnn" as b\ninput 1x8x8\nb.a(2) -> dense 2\n',
    ],
    ids=["blocks", "mistakes", "imports"],
)
def test_a_text_that_is_left_is_gone_without_a_search_for_cycles(text, tmp_path):
    """Python's search would hold up a key for a third of a second, once in forty keys of a long text."""
    (tmp_path / "b.cnn").write_text("block a(c) = conv {c}x3x3 -> relu\n", encoding="utf-8")
    name = tmp_path / "n.cnn"
    first = Document(text, name)
    assert first.report
    gc.collect()
    gc.disable()
    try:
        second = Document(text + " ", name, earlier=first.known)
        assert second.report.reading is not None
        module = weakref.ref(second.report.reading.module)
        latest = second
        for key in range(2):  # the latest version knows the one before it, and no more
            latest = Document(text + "  " + " " * key, name, earlier=latest.known)
            assert latest.report
        del second
        assert module() is None
    finally:
        gc.enable()
