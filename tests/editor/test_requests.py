"""Every request that the server answers, asked over the protocol."""

import asyncio
from pathlib import Path

import pytest

pytest.importorskip("pygls", reason="the extra [lsp] is not installed")

from lsprotocol import types as lsp
from pygls.exceptions import JsonRpcException

from .test_server import WRONG, at, converse

LIBRARY = "block b(c) = conv {c}x3x3 pad same -> relu\n"
TEXT = """\
import "blocks.cnn" as lib
let w = 8
input 3x8x8 as rgb
lib.b(4) -> conv {w}x3x3 as e
  -> gap -> dense 2 -> softmax
expect { shape @e == 8x6x6 }
"""


def asked(kind, uri, position, **named):
    return kind(text_document=lsp.TextDocumentIdentifier(uri), position=position, **named)


def spot(text, place, plus=1):
    return at(text, place, plus)


def test_every_request_is_answered(tmp_path):
    (tmp_path / "blocks.cnn").write_text(LIBRARY)
    (tmp_path / "a.cnn").write_text(TEXT)
    other = tmp_path / "other.cnn"
    other.write_text('import "blocks.cnn"\ninput 3x8x8\nb(4) -> gap -> dense 2 -> softmax\n')

    async def talk(editor, uri):
        await editor.open(uri, TEXT)
        assert editor.findings[uri] == []
        identifier = lsp.TextDocumentIdentifier(uri)
        whole = lsp.Range(lsp.Position(0, 0), lsp.Position(6, 0))

        symbols = await editor.text_document_document_symbol_async(lsp.DocumentSymbolParams(identifier))
        assert [one.name for one in symbols] == ["lib", "w", "rgb", "e", "expect"]

        found = await editor.workspace_symbol_async(lsp.WorkspaceSymbolParams("b"))
        assert {"b", "lib", "rgb"} <= {one.name for one in found}

        context = lsp.ReferenceContext(include_declaration=True)
        places = await editor.text_document_references_async(
            asked(lsp.ReferenceParams, uri, spot(TEXT, ".b(4)"), context=context)
        )
        files = sorted(Path(place.uri.removeprefix("file://")).name for place in places)
        assert files == ["a.cnn", "blocks.cnn", "other.cnn"]

        marks = await editor.text_document_document_highlight_async(
            asked(lsp.DocumentHighlightParams, uri, spot(TEXT, "e\n  ->", 0))
        )
        assert [mark.kind for mark in marks] == [lsp.DocumentHighlightKind.Write, lsp.DocumentHighlightKind.Read]

        here = await editor.text_document_prepare_rename_async(
            asked(lsp.PrepareRenameParams, uri, spot(TEXT, "w = 8", 0))
        )
        assert here == lsp.Range(lsp.Position(1, 4), lsp.Position(1, 5))
        nothing = await editor.text_document_prepare_rename_async(
            asked(lsp.PrepareRenameParams, uri, spot(TEXT, "softmax"))
        )
        assert nothing is None
        edit = await editor.text_document_rename_async(
            asked(lsp.RenameParams, uri, spot(TEXT, ".b(4)"), new_name="basic")
        )
        assert sum(len(edits) for edits in edit.changes.values()) == 3 and len(edit.changes) == 3
        with pytest.raises(JsonRpcException, match="word of the language"):
            await editor.text_document_rename_async(
                asked(lsp.RenameParams, uri, spot(TEXT, ".b(4)"), new_name="conv")
            )

        tokens = await editor.text_document_semantic_tokens_full_async(lsp.SemanticTokensParams(identifier))
        some = await editor.text_document_semantic_tokens_range_async(
            lsp.SemanticTokensRangeParams(identifier, lsp.Range(lsp.Position(0, 0), lsp.Position(1, 0)))
        )
        assert len(tokens.data) % 5 == 0 and list(tokens.data)[: len(some.data)] == list(some.data)
        line = column = 0
        for k in range(0, len(tokens.data), 5):
            down, right, length, _, _ = list(tokens.data)[k : k + 5]
            line, column = line + down, right if down else column + right
            assert length > 0 and column + length <= len(TEXT.splitlines()[line])

        folds = await editor.text_document_folding_range_async(lsp.FoldingRangeParams(identifier))
        assert [(fold.start_line, fold.end_line) for fold in folds] == [(3, 4)]

        (grown,) = await editor.text_document_selection_range_async(
            lsp.SelectionRangeParams(identifier, [spot(TEXT, "{w}x3x3", 1)])
        )
        sizes = []
        while grown:
            sizes.append((grown.range.end.line - grown.range.start.line, grown.range))
            grown = grown.parent
        assert len(sizes) >= 3 and sizes[-1][0] == 6

        help = await editor.text_document_signature_help_async(
            asked(lsp.SignatureHelpParams, uri, spot(TEXT, "dense 2", len("dense ")))
        )
        assert help.signatures[0].label.startswith("dense ")

        links = await editor.text_document_document_link_async(lsp.DocumentLinkParams(identifier))
        assert [Path(link.target.removeprefix("file://")).name for link in links] == ["blocks.cnn"]

        lenses = await editor.text_document_code_lens_async(lsp.CodeLensParams(identifier))
        assert ["parameters" in lens.command.title for lens in lenses] == [True]

        report = await editor.text_document_diagnostic_async(lsp.DocumentDiagnosticParams(identifier))
        assert report.items == () or report.items == []
        again = await editor.text_document_diagnostic_async(
            lsp.DocumentDiagnosticParams(identifier, previous_result_id=report.result_id)
        )
        assert again.kind == "unchanged"

        options = lsp.FormattingOptions(tab_size=2, insert_spaces=True)
        untidy = TEXT.replace("let w = 8", "let   w=8").replace("gap -> dense", "gap   -> dense")
        await editor.changed(uri, 2, untidy)
        line = lsp.Range(lsp.Position(1, 0), lsp.Position(1, 3))
        (edit,) = await editor.text_document_range_formatting_async(
            lsp.DocumentRangeFormattingParams(identifier, line, options)
        )
        assert edit.new_text == "let w = 8\n"
        (edit,) = await editor.text_document_on_type_formatting_async(
            lsp.DocumentOnTypeFormattingParams(identifier, lsp.Position(5, 0), "\n", options)
        )
        assert edit.new_text == "  -> gap -> dense 2 -> softmax\n"

        await editor.changed(uri, 3, WRONG)
        report = await editor.text_document_diagnostic_async(lsp.DocumentDiagnosticParams(identifier))
        assert [item.code for item in report.items] == ["CNN201"]
        for ask in (
            editor.text_document_document_symbol_async(lsp.DocumentSymbolParams(identifier)),
            editor.text_document_code_lens_async(lsp.CodeLensParams(identifier)),
            editor.text_document_semantic_tokens_full_async(lsp.SemanticTokensParams(identifier)),
        ):
            assert await ask is not None
        assert await editor.text_document_inlay_hint_async(lsp.InlayHintParams(identifier, whole)) is not None

    offered = converse(talk, tmp_path).capabilities
    assert offered.rename_provider and offered.semantic_tokens_provider.full


def test_an_import_counts_as_it_stands_in_its_buffer(tmp_path):
    (tmp_path / "blocks.cnn").write_text(LIBRARY)
    (tmp_path / "other.cnn").write_text('import "blocks.cnn"\ninput 3x8x8\nb(4) -> gap -> dense 2 -> softmax\n')
    longer = f"# a line that is not saved\n{LIBRARY.replace('block b(', 'block basic(')}"

    async def until(editor, uri, codes):
        while [finding.code for finding in editor.findings.get(uri, ())] != codes:
            editor.news.clear()
            await asyncio.wait_for(editor.news.wait(), 300)

    async def talk(editor, uri):
        blocks = (tmp_path / "blocks.cnn").as_uri()
        await editor.open(uri, TEXT)
        await editor.open(blocks, LIBRARY)
        editor.change(blocks, 2, longer)
        await until(editor, uri, ["CNN201"])  # there is no `lib.b` any more, though on the disk there is
        editor.change(uri, 2, TEXT.replace("lib.b(", "lib.basic("))
        await until(editor, uri, [])
        await until(editor, blocks, [])
        editor.change(blocks, 3, longer.replace("basic(", "b("))
        editor.change(uri, 3, TEXT)
        edit = await editor.text_document_rename_async(
            asked(lsp.RenameParams, uri, spot(TEXT, ".b(4)"), new_name="basic")
        )
        places = {Path(file).name: [each.range.start for each in edits] for file, edits in edit.changes.items()}
        assert places == {
            "a.cnn": [lsp.Position(3, 4)],
            "blocks.cnn": [lsp.Position(1, 6)],
            "other.cnn": [lsp.Position(2, 0)],
        }
        editor.text_document_did_close(lsp.DidCloseTextDocumentParams(lsp.TextDocumentIdentifier(blocks)))
        (tmp_path / "blocks.cnn").unlink()
        editor.change(uri, 4, TEXT + "\n")
        await until(editor, uri, ["CNN013"])
        await editor.open(blocks, LIBRARY)  # not saved: the buffer alone has it
        await until(editor, uri, [])

    converse(talk, tmp_path)


def test_a_text_that_is_not_open_is_read_from_its_file_or_refused(tmp_path):
    stored = tmp_path / "stored.cnn"

    async def talk(editor, uri):
        await editor.open(uri, TEXT)
        identifier = lsp.TextDocumentIdentifier(stored.as_uri())
        for text, count in ((b"let a = 1\n", 1), (b"\xef\xbb\xbflet a = 1\nlet b = 2\n", 2)):
            stored.write_bytes(text)
            found = await editor.text_document_document_symbol_async(lsp.DocumentSymbolParams(identifier))
            assert len(found) == count
        stored.write_bytes(b"# caf\xe9\n")
        with pytest.raises(JsonRpcException, match="not a text in UTF-8"):
            await editor.text_document_document_symbol_async(lsp.DocumentSymbolParams(identifier))
        stored.unlink()
        for lost in (stored.as_uri(), "untitled:Untitled-3"):
            with pytest.raises(JsonRpcException, match="no such file|is not open"):
                await editor.text_document_hover_async(
                    lsp.HoverParams(lsp.TextDocumentIdentifier(lost), lsp.Position(0, 0))
                )
        found = await editor.text_document_document_symbol_async(
            lsp.DocumentSymbolParams(lsp.TextDocumentIdentifier(uri))
        )
        assert found is not None

    converse(talk, tmp_path)


def test_files_that_change_on_the_disk_are_watched_where_an_editor_can(tmp_path):
    library = tmp_path / "blocks.cnn"
    library.write_text(LIBRARY)

    async def talk(editor, uri):
        async def told(path, kind):
            editor.news.clear()
            event = lsp.FileEvent(path.as_uri(), kind)
            editor.workspace_did_change_watched_files(lsp.DidChangeWatchedFilesParams([event]))
            await asyncio.wait_for(editor.news.wait(), 300)
            return [finding.code for finding in editor.findings[uri]]

        await editor.open(uri, TEXT)
        assert editor.findings[uri] == [] and editor.watched == ["**/*.cnn", "**/pyproject.toml"]
        library.rename(tmp_path / "parts.cnn")
        assert await told(library, lsp.FileChangeType.Deleted) == ["CNN013"]
        library.write_text(LIBRARY)
        assert await told(library, lsp.FileChangeType.Created) == []
        (tmp_path / "pyproject.toml").write_text("[tool.cnnspec]\nbogus = 1\n")
        assert await told(tmp_path / "pyproject.toml", lsp.FileChangeType.Created) == ["CNN905"]
        assert editor.refreshed == 3

    able = lsp.DidChangeWatchedFilesClientCapabilities(dynamic_registration=True)
    lenses = lsp.CodeLensWorkspaceClientCapabilities(refresh_support=True)
    converse(
        talk,
        tmp_path,
        workspace=lsp.WorkspaceClientCapabilities(did_change_watched_files=able, code_lens=lenses),
    )
