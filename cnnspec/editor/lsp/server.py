"""The language server: which answer of this folder belongs to which request of the protocol.

Findings are sent a moment after the last change (or at once, when a file is opened or saved), or given when
they are asked for; everything else is answered from the same reading of the text, made once for each version. It is
read in a thread of its own (reader.py): what a key needs at once, completion and signatures, never waits for
it, and what an editor cancels is not read on.
"""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import Protocol

from lsprotocol import types as lsp
from pygls.exceptions import JsonRpcInvalidParams

from ...quoting import visible
from ..actions import actions, fix_all
from ..colours import packed
from ..completion import complete
from ..document import Document
from ..drawing import drawing
from ..hints import hints
from ..hover import hover
from ..layout import tidied
from ..lenses import lenses
from ..links import links
from ..navigation import definition, references
from ..occurrences import Occurrence, at, refused, same
from ..outline import folds, outline, selections
from ..positions import changed
from ..signature import signature
from .protocol import (
    FOLDS,
    ITEMS,
    LEGEND,
    SYMBOLS,
    address,
    change,
    code_action,
    location,
    offset_at,
    position_at,
    range_of,
    symbol,
    text_edits,
    token_edits,
)
from .reader import let_keys_through
from .session import AddressedText, Server, findings, path_of, reading

PAUSE = 0.15  # seconds without a change until findings are looked for
DRAWING = "cnnspec/drawing"
MOST = 200  # symbols of a project that one question is answered with


class HasTextDocument(Protocol):
    """Parameters of our own requests, named as the protocol names its own."""

    @property
    def textDocument(self) -> AddressedText: ...


def serve() -> None:
    """Serve one editor on standard input and output, until it leaves."""
    let_keys_through()
    server = make_server()
    try:
        server.start_io()
    finally:
        server.reader.close()


def make_server() -> Server:
    server = Server()
    keep_in_step(server)
    tell_findings(server)
    tell_about_places(server)
    tell_about_texts(server)
    change_texts(server)
    return server


def keep_in_step(server: Server) -> None:
    """The texts as they are opened, changed, saved and closed."""

    @server.feature(lsp.TEXT_DOCUMENT_DID_OPEN)
    def did_open(server: Server, params: lsp.DidOpenTextDocumentParams) -> None:
        opened = params.text_document
        path = path_of(opened.uri)
        if path is not None:
            server.files[opened.uri] = path.resolve()
        server.keep(opened.uri, opened.text)
        server.publish(opened.uri, opened.version)
        server.read_importers(opened.uri)

    @server.feature(lsp.TEXT_DOCUMENT_DID_CHANGE)
    def did_change(server: Server, params: lsp.DidChangeTextDocumentParams) -> None:
        uri = params.text_document.uri
        before = server.document(uri)
        server.keep(uri, changed(before.text, map(change, params.content_changes), before.encoding))
        server.publish(uri, params.text_document.version, PAUSE)
        server.read_importers(uri, PAUSE)

    @server.feature(lsp.TEXT_DOCUMENT_DID_SAVE)
    def did_save(server: Server, params: lsp.DidSaveTextDocumentParams) -> None:
        server.read_all()  # others may import what was saved, or be configured by it

    @server.feature(lsp.INITIALIZED)
    def initialized(server: Server, params: lsp.InitializedParams) -> None:
        server.watch()

    @server.feature(lsp.WORKSPACE_DID_CHANGE_WATCHED_FILES)
    def did_change_files(server: Server, params: lsp.DidChangeWatchedFilesParams) -> None:
        if any(change.uri not in server.open for change in params.changes):  # what is open is saved as such
            server.read_all()

    @server.feature(lsp.TEXT_DOCUMENT_DID_CLOSE)
    def did_close(server: Server, params: lsp.DidCloseTextDocumentParams) -> None:
        uri = params.text_document.uri
        server.open.pop(uri, None)
        server.tokens.pop(uri, None)
        server.read_importers(uri)
        server.files.pop(uri, None)
        if not server.asks:
            server.text_document_publish_diagnostics(lsp.PublishDiagnosticsParams(uri, []))


def tell_findings(server: Server) -> None:
    """Findings where they are asked for, and the changes that mend them."""

    @reading(
        server,
        lsp.TEXT_DOCUMENT_DIAGNOSTIC,
        lsp.DiagnosticOptions(inter_file_dependencies=True, workspace_diagnostics=False, identifier="cnnspec"),
    )
    def on_diagnostic(document: Document, params: lsp.DocumentDiagnosticParams) -> lsp.DocumentDiagnosticReport:
        found = findings(document, params.text_document.uri)
        told = sha256(repr(found).encode()).hexdigest()
        if params.previous_result_id == told:
            return lsp.RelatedUnchangedDocumentDiagnosticReport(told)
        return lsp.RelatedFullDocumentDiagnosticReport(found, result_id=told)

    @reading(
        server,
        lsp.TEXT_DOCUMENT_CODE_ACTION,
        lsp.CodeActionOptions(code_action_kinds=[lsp.CodeActionKind.QuickFix, lsp.CodeActionKind.SourceFixAll]),
    )
    def on_code_action(document: Document, params: lsp.CodeActionParams) -> list[lsp.CodeAction]:
        uri = params.text_document.uri
        start, end = offset_at(document, params.range.start), offset_at(document, params.range.end)
        wanted = params.context.only
        offered = []
        if wanted is None or lsp.CodeActionKind.QuickFix in wanted:
            for action in actions(document, start, end):
                offered.append(code_action(document, uri, action, lsp.CodeActionKind.QuickFix))
        if wanted and any(kind.startswith("source") for kind in wanted):
            everything = fix_all(document)
            if everything:
                offered.append(code_action(document, uri, everything, lsp.CodeActionKind.SourceFixAll))
        return offered


def tell_about_places(server: Server) -> None:
    """What stands at a place, what may stand there, and where else it stands."""

    @reading(server, lsp.TEXT_DOCUMENT_HOVER)
    def on_hover(document: Document, params: lsp.HoverParams) -> lsp.Hover | None:
        told = hover(document, offset_at(document, params.position))
        if told is None:
            return None
        text, span = told
        return lsp.Hover(lsp.MarkupContent(lsp.MarkupKind.Markdown, text), range_of(document, span))

    @reading(
        server,
        lsp.TEXT_DOCUMENT_COMPLETION,
        lsp.CompletionOptions(trigger_characters=[" ", "@", "{", ">", "("]),
        at_once=True,
    )
    def on_completion(document: Document, params: lsp.CompletionParams) -> list[lsp.CompletionItem]:
        return [
            lsp.CompletionItem(item.text, kind=ITEMS[item.kind], detail=item.detail or None)
            for item in complete(document, offset_at(document, params.position))
        ]

    @reading(
        server,
        lsp.TEXT_DOCUMENT_SIGNATURE_HELP,
        lsp.SignatureHelpOptions(trigger_characters=[" ", "(", ","]),
        at_once=True,
    )
    def on_signature(document: Document, params: lsp.SignatureHelpParams) -> lsp.SignatureHelp | None:
        told = signature(document, offset_at(document, params.position))
        if told is None:
            return None
        parts = [lsp.ParameterInformation(label, about or None) for label, about in told.parts]
        shown = lsp.SignatureInformation(told.label, told.about, parts, told.active)
        return lsp.SignatureHelp([shown], 0, told.active)

    @reading(server, lsp.TEXT_DOCUMENT_DEFINITION)
    def on_definition(document: Document, params: lsp.DefinitionParams) -> lsp.Location | None:
        span = definition(document, offset_at(document, params.position))
        return location(document, params.text_document.uri, span) if span else None

    @reading(server, lsp.TEXT_DOCUMENT_REFERENCES)
    def on_references(document: Document, params: lsp.ReferenceParams) -> list[lsp.Location]:
        uri = params.text_document.uri
        others = [other for _, other in server.project()]
        found = references(document, offset_at(document, params.position), others)
        wanted = [one for one in found if params.context.include_declaration or not one.defines]
        return [location(document, uri, one.span) for one in wanted]

    @reading(server, lsp.TEXT_DOCUMENT_DOCUMENT_HIGHLIGHT)
    def on_highlight(document: Document, params: lsp.DocumentHighlightParams) -> list[lsp.DocumentHighlight]:
        here = at(document, offset_at(document, params.position))
        kinds = {True: lsp.DocumentHighlightKind.Write, False: lsp.DocumentHighlightKind.Read}
        name = document.text[here.span.start : here.span.end] if here else ""
        found = same(document, here.definition, name) if here else []
        return [lsp.DocumentHighlight(range_of(document, one.span), kinds[one.defines]) for one in found]

    @reading(server, lsp.TEXT_DOCUMENT_SELECTION_RANGE)
    def on_selection(document: Document, params: lsp.SelectionRangeParams) -> list[lsp.SelectionRange]:
        found = []
        for position in params.positions:
            grown: lsp.SelectionRange | None = None
            for span in reversed(selections(document, offset_at(document, position))):
                grown = lsp.SelectionRange(range_of(document, span), grown)
            assert grown is not None
            found.append(grown)
        return found


def tell_about_texts(server: Server) -> None:
    """What a whole text shows: its symbols, colours, folds, shapes, figures and links."""

    @reading(server, lsp.TEXT_DOCUMENT_DOCUMENT_SYMBOL)
    def on_symbols(document: Document, params: lsp.DocumentSymbolParams) -> list[lsp.DocumentSymbol]:
        return [symbol(document, one) for one in outline(document)]

    @server.feature(lsp.WORKSPACE_SYMBOL)
    async def on_workspace_symbols(params: lsp.WorkspaceSymbolParams) -> list[lsp.WorkspaceSymbol]:
        return await server.reader.read(lambda: list(islice(symbols(params.query.lower()), MOST)))

    def symbols(wanted: str) -> Iterator[lsp.WorkspaceSymbol]:
        for uri, document in server.project():
            for one in outline(document):
                for each, within in ((one, None), *((child, one.name) for child in one.children)):
                    if each.kind != "settings" and wanted in each.name.lower():
                        place = lsp.Location(uri, range_of(document, each.name_span))
                        yield lsp.WorkspaceSymbol(place, each.name, SYMBOLS[each.kind], None, None, within)

    @reading(server, lsp.TEXT_DOCUMENT_SEMANTIC_TOKENS_FULL, LEGEND)
    def on_tokens(document: Document, params: lsp.SemanticTokensParams) -> lsp.SemanticTokens:
        return told(params.text_document.uri, packed(document))

    @reading(server, lsp.TEXT_DOCUMENT_SEMANTIC_TOKENS_FULL_DELTA, LEGEND)
    def on_changed_tokens(
        document: Document, params: lsp.SemanticTokensDeltaParams
    ) -> lsp.SemanticTokens | lsp.SemanticTokensDelta:
        uri, data = params.text_document.uri, packed(document)
        identifier, before = server.tokens.get(uri, ("", []))
        new = told(uri, data)
        if params.previous_result_id != identifier:
            return new
        return lsp.SemanticTokensDelta(token_edits(before, data), new.result_id)

    def told(uri: str, data: list[int]) -> lsp.SemanticTokens:
        """The colours of a text, kept under a name for what changes in them."""
        server.told += 1
        server.tokens[uri] = str(server.told), data
        return lsp.SemanticTokens(data, str(server.told))

    @reading(server, lsp.TEXT_DOCUMENT_SEMANTIC_TOKENS_RANGE, LEGEND)
    def on_some_tokens(document: Document, params: lsp.SemanticTokensRangeParams) -> lsp.SemanticTokens:
        start, end = offset_at(document, params.range.start), offset_at(document, params.range.end)
        return lsp.SemanticTokens(packed(document, start, end))

    @reading(server, lsp.TEXT_DOCUMENT_FOLDING_RANGE)
    def on_folds(document: Document, params: lsp.FoldingRangeParams) -> list[lsp.FoldingRange]:
        return [lsp.FoldingRange(fold.first, fold.last, kind=FOLDS[fold.kind]) for fold in folds(document)]

    @reading(server, lsp.TEXT_DOCUMENT_INLAY_HINT)
    def on_hints(document: Document, params: lsp.InlayHintParams) -> list[lsp.InlayHint]:
        start, end = offset_at(document, params.range.start), offset_at(document, params.range.end)
        return [
            lsp.InlayHint(position_at(document, hint.offset), hint.text, padding_left=True, tooltip=hint.about)
            for hint in hints(document, start, end)
        ]

    @reading(server, lsp.TEXT_DOCUMENT_CODE_LENS)
    def on_lenses(document: Document, params: lsp.CodeLensParams) -> list[lsp.CodeLens]:
        return [
            lsp.CodeLens(range_of(document, lens.span), lsp.Command(lens.text, "")) for lens in lenses(document)
        ]

    @server.feature(DRAWING)
    async def on_drawing(params: HasTextDocument) -> dict[str, str | None]:
        """A request of our own: the drawing of a text, as SVG; none of one that has errors."""
        document = server.document(params.textDocument.uri)
        return {"svg": await server.reader.read(lambda: drawing(document))}

    @reading(server, lsp.TEXT_DOCUMENT_DOCUMENT_LINK)
    def on_links(document: Document, params: lsp.DocumentLinkParams) -> list[lsp.DocumentLink]:
        return [
            lsp.DocumentLink(
                range_of(document, link.span),
                link.target if "://" in link.target else Path(link.target).resolve().as_uri(),
                visible(link.about),
            )
            for link in links(document)
        ]


def change_texts(server: Server) -> None:
    """Formatting and renaming."""

    @reading(server, lsp.TEXT_DOCUMENT_FORMATTING)
    def on_formatting(document: Document, params: lsp.DocumentFormattingParams) -> list[lsp.TextEdit]:
        return text_edits(document, tidied(document))

    @reading(server, lsp.TEXT_DOCUMENT_RANGE_FORMATTING)
    def on_some_formatting(document: Document, params: lsp.DocumentRangeFormattingParams) -> list[lsp.TextEdit]:
        last = params.range.end.line - (params.range.end.character == 0 and params.range.end != params.range.start)
        return text_edits(document, tidied(document, params.range.start.line, last))

    @reading(
        server,
        lsp.TEXT_DOCUMENT_ON_TYPE_FORMATTING,
        lsp.DocumentOnTypeFormattingOptions("\n", more_trigger_character=["}"]),
    )
    def on_typed(document: Document, params: lsp.DocumentOnTypeFormattingParams) -> list[lsp.TextEdit]:
        line = params.position.line - (params.ch == "\n")
        return text_edits(document, tidied(document, max(line, 0), line))

    @reading(server, lsp.TEXT_DOCUMENT_PREPARE_RENAME)
    def on_prepare_rename(document: Document, params: lsp.PrepareRenameParams) -> lsp.Range | None:
        here = at(document, offset_at(document, params.position))
        return range_of(document, here.span) if here else None

    @reading(server, lsp.TEXT_DOCUMENT_RENAME, lsp.RenameOptions(prepare_provider=True))
    def on_rename(document: Document, params: lsp.RenameParams) -> lsp.WorkspaceEdit | None:
        uri = params.text_document.uri
        offset = offset_at(document, params.position)
        here = at(document, offset)
        if here is None:
            return None
        reason = refused(document, here, params.new_name)
        if reason:
            raise JsonRpcInvalidParams(reason)
        found = references(document, offset, [other for _, other in server.project()])
        return lsp.WorkspaceEdit(changes=_changes(document, uri, found, params.new_name))


def _changes(document: Document, uri: str, found: list[Occurrence], name: str) -> dict[str, list[lsp.TextEdit]]:
    changes: dict[str, list[lsp.TextEdit]] = {}
    for one in found:
        edit = lsp.TextEdit(range_of(document, one.span), name)
        changes.setdefault(address(document, uri, one.span), []).append(edit)
    return changes
