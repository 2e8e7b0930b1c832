"""Every request that the server answers, asked over the protocol."""

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
