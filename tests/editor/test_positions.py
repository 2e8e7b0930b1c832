"""Places as the protocol counts them, and the changes that an editor tells by them."""

import random

import pytest

from cnnspec.diagnostics import Source
from cnnspec.editor.positions import changed, line_starts, offset, position

PIECES = (
    "\n",
    "\r\n",
    "\r",
    "\n\r",
    "a",
    "bc",
    "é",
    "😀",
    "\u2028",
    "\x0b",
    "\x85",
    "\ufeff",
    "",
    "conv 8",
    "\ud83d",
)
UNITS = {"utf-8": ("utf-8", 1), "utf-16": ("utf-16-le", 2), "utf-32": ("utf-32-le", 4)}


def walked(text, place, encoding):
    """The offset of a place, found character by character."""
    line, column = place
    codec, size = UNITS[encoding]
    at = 0
    while line and at < len(text):
        if text[at] == "\n" or (text[at] == "\r" and text[at + 1 : at + 2] != "\n"):
            line -= 1
        at += 1
    if line:
        return len(text)
    while column > 0 and at < len(text) and text[at] not in "\r\n":
        column -= len(text[at].encode(codec, "surrogatepass")) // size
        at += 1
    return at


def any_text(chance, most=12):
    return "".join(chance.choices(PIECES, k=chance.randrange(most)))


@pytest.mark.parametrize("encoding", UNITS)
def test_every_place_of_random_texts(encoding):
    chance = random.Random(1)
    for _ in range(60):
        text = any_text(chance)
        source = Source("a", text)
        for line in range(len(line_starts(source)) + 2):
            for column in (0, 1, 2, 3, 5, 99):
                assert offset(source, (line, column), encoding) == walked(text, (line, column), encoding), text
        for at in range(len(text) + 1):
            if text[at - 1 : at + 1] != "\r\n":  # there no place is
                assert offset(source, position(source, at, encoding), encoding) == at, text


@pytest.mark.parametrize("encoding", UNITS)
@pytest.mark.parametrize("seed", range(3))
def test_random_changes_are_made_as_one_after_the_other_would_be(encoding, seed):
    chance = random.Random(seed)
    for _ in range(300):
        text = any_text(chance)
        expected, changes = text, []
        for _ in range(chance.randrange(1, 5)):
            new = any_text(chance, 4)
            place = tuple(sorted((chance.randrange(8), chance.randrange(6)) for _ in range(2)))
            if chance.random() < 0.1:
                place, expected = None, new
            else:
                start, end = (walked(expected, each, encoding) for each in place)
                expected = expected[:start] + new + expected[end:]
            changes.append((place, new))
        assert changed(text, changes, encoding) == expected, (text, changes)


def test_thousands_of_changes_in_one_message_cost_no_more_than_what_they_touch():
    text = "conv 8x3x3 pad same -> relu\n" * 4000
    every = [(((line, 4), (line, 4)), " ") for line in reversed(range(4000))]
    assert changed(text, every, "utf-16") == text.replace("conv ", "conv  ")


def test_what_an_editor_tells_of_a_text_is_what_the_server_has(tmp_path):
    pytest.importorskip("pygls", reason="the extra [lsp] is not installed")
    import asyncio

    from lsprotocol import types as lsp

    from cnnspec.editor.colours import packed
    from cnnspec.editor.document import Document
    from tests.editor.test_server import converse
    from tests.support.edits import PIECES

    chance = random.Random(5)
    pieces = (*PIECES, "# 😀é", "\r", "\r\n")

    async def talk(editor, uri):
        text = "input 3x8x8  # 😀\r\nconv 4x3x3 as a  # é\n  -> gap -> dense 2\n"
        await editor.open(uri, text)
        identifier = lsp.TextDocumentIdentifier(uri)
        told = await editor.text_document_semantic_tokens_full_async(lsp.SemanticTokensParams(identifier))
        data = list(told.data)
        for version in range(2, 40):
            partial, sent = [], text
            for _ in range(chance.randrange(1, 4)):
                document = Document(sent)
                start = chance.randrange(len(sent) + 1)
                end = min(start + chance.choice((0, 0, 1, 3)), len(sent))
                places = document.position(start), document.position(end)
                start, end = map(document.offset, places)  # of CRLF it is not the middle
                new = chance.choice(pieces)
                span = lsp.Range(*(lsp.Position(*place) for place in places))
                partial.append(lsp.TextDocumentContentChangePartial(range=span, text=new))
                sent = sent[:start] + new + sent[end:]
            text = sent
            identifier = lsp.VersionedTextDocumentIdentifier(uri=uri, version=version)
            editor.news.clear()
            editor.text_document_did_change(lsp.DidChangeTextDocumentParams(identifier, partial))
            found = await editor.text_document_semantic_tokens_full_delta_async(
                lsp.SemanticTokensDeltaParams(identifier, told.result_id)
            )
            for edit in found.edits:
                data[edit.start : edit.start + edit.delete_count] = edit.data
            told, document = found, Document(text, tmp_path / "a.cnn")
            assert data == packed(document), text
        found = await editor.text_document_semantic_tokens_full_delta_async(
            lsp.SemanticTokensDeltaParams(identifier, "another")
        )
        assert list(found.data) == data
        await asyncio.wait_for(editor.news.wait(), 300)
        codes = [each.code for each in document.report.diagnostics]
        assert [each.code for each in editor.findings[uri]] == codes

    assert converse(talk, tmp_path).capabilities.text_document_sync.change == lsp.TextDocumentSyncKind.Incremental
