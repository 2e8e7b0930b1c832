"""The language server: which answer of this folder belongs to which request of the protocol.

Findings are sent a moment after the last change (or at once, when a file is opened or saved), or given when
they are asked for; everything else is answered from the same reading of the text, made once for each version.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Protocol

from lsprotocol import types as lsp
from pygls import uris
from pygls.exceptions import JsonRpcInvalidParams
from pygls.lsp.server import LanguageServer

from .._version import __version__
from ..quoting import visible
from .actions import actions, fix_all
from .colours import colours
from .completion import complete
from .document import Document
from .drawing import drawing
from .hints import hints
from .hover import hover
from .layout import tidied
from .lenses import lenses
from .links import links
from .navigation import definition, project, references
from .occurrences import Occurrence, at, refused, same
from .outline import folds, outline, selections
from .protocol import (
    FOLDS,
    ITEMS,
    LEGEND,
    SYMBOLS,
    address,
    code_action,
    finding,
    location,
    offset_at,
    position_at,
    range_of,
    symbol,
    text_edits,
    tokens,
)
from .signature import signature

PAUSE = 0.15  # seconds without a change until findings are looked for
DRAWING = "cnnspec/drawing"
MOST = 200  # symbols of a project that one question is answered with


class Named(Protocol):
    """What has the address of a text."""

    uri: str


class HasTextDocument(Protocol):
    """Parameters of our own requests, named as the protocol names its own."""

    textDocument: Named


class Server(LanguageServer):
    """Keeps the texts that are open in the editor."""

    def __init__(self) -> None:
        # whole texts: specs are small, and a lost or misread change cannot make us see another text
        super().__init__("cnnspec", __version__, text_document_sync_kind=lsp.TextDocumentSyncKind.Full)
        self.open: dict[str, Document] = {}

    def document(self, uri: str) -> Document:
        if uri not in self.open:
            self.keep(uri, self.workspace.get_text_document(uri).source)
        return self.open[uri]

    def keep(self, uri: str, text: str) -> Document:
        path = uris.to_fs_path(uri) if uri.startswith("file:") else None
        encoding = lsp.PositionEncodingKind(self.workspace.position_encoding or "utf-16")
        earlier = self.open[uri].latest if uri in self.open else None
        self.open[uri] = Document(text, Path(path) if path else None, encoding.value, earlier)
        return self.open[uri]

    def publish(self, uri: str, version: int | None = None) -> None:
        found = self.findings(uri)
        self.text_document_publish_diagnostics(lsp.PublishDiagnosticsParams(uri, found, version))

    def findings(self, uri: str) -> list[lsp.Diagnostic]:
        document = self.document(uri)
        return [finding(document, uri, diagnostic) for diagnostic in document.report.diagnostics]

    @property
    def asks(self) -> bool:
        """Whether the editor asks for findings; then it is not sent them."""
        told = self.client_capabilities.text_document
        return told is not None and told.diagnostic is not None

    def project(self) -> Iterator[tuple[str, Document]]:
        """The texts of the folders that are open, and those that are open themselves, by their addresses."""
        folders = [uris.to_fs_path(folder.uri) for folder in self.workspace.folders.values()]
        folders = folders or [self.workspace.root_path]  # of an editor that knows but one
        by_text = {id(document): uri for uri, document in self.open.items()}
        paths = [Path(folder) for folder in folders if folder]
        for document in project(paths, list(self.open.values())):
            uri = by_text.get(id(document)) or (document.path.resolve().as_uri() if document.path else "")
            yield uri, document


def serve() -> None:
    """Serve one editor on standard input and output, until it leaves."""
    make_server().start_io()


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
        server.keep(opened.uri, opened.text)
        if not server.asks:
            server.publish(opened.uri, opened.version)

    @server.feature(lsp.TEXT_DOCUMENT_DID_CHANGE)
    async def did_change(server: Server, params: lsp.DidChangeTextDocumentParams) -> None:
        uri = params.text_document.uri
        document = server.keep(uri, server.workspace.get_text_document(uri).source)
        await asyncio.sleep(PAUSE)
        if server.open.get(uri) is document and not server.asks:  # otherwise a later change looks for them
            server.publish(uri, params.text_document.version)

    @server.feature(lsp.TEXT_DOCUMENT_DID_SAVE)
    def did_save(server: Server, params: lsp.DidSaveTextDocumentParams) -> None:
        for uri in server.open:  # others may import what was saved, or be configured by it
            server.keep(uri, server.open[uri].text)
            if not server.asks:
                server.publish(uri)

    @server.feature(lsp.TEXT_DOCUMENT_DID_CLOSE)
    def did_close(server: Server, params: lsp.DidCloseTextDocumentParams) -> None:
        uri = params.text_document.uri
        server.open.pop(uri, None)
        if not server.asks:
            server.text_document_publish_diagnostics(lsp.PublishDiagnosticsParams(uri, []))


def tell_findings(server: Server) -> None:
    """Findings where they are asked for, and the changes that mend them."""

    @server.feature(
        lsp.TEXT_DOCUMENT_DIAGNOSTIC,
        lsp.DiagnosticOptions(inter_file_dependencies=True, workspace_diagnostics=False, identifier="cnnspec"),
    )
    @server.thread()
    def on_diagnostic(server: Server, params: lsp.DocumentDiagnosticParams) -> lsp.DocumentDiagnosticReport:
        found = server.findings(params.text_document.uri)
        told = sha256(repr(found).encode()).hexdigest()
        if params.previous_result_id == told:
            return lsp.RelatedUnchangedDocumentDiagnosticReport(told)
        return lsp.RelatedFullDocumentDiagnosticReport(found, result_id=told)

    @server.feature(
        lsp.TEXT_DOCUMENT_CODE_ACTION,
        lsp.CodeActionOptions(code_action_kinds=[lsp.CodeActionKind.QuickFix, lsp.CodeActionKind.SourceFixAll]),
    )
    @server.thread()  # tries each fix, which may take long
    def on_code_action(server: Server, params: lsp.CodeActionParams) -> list[lsp.CodeAction]:
        uri = params.text_document.uri
        document = server.document(uri)
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

    @server.feature(lsp.TEXT_DOCUMENT_HOVER)
    def on_hover(server: Server, params: lsp.HoverParams) -> lsp.Hover | None:
        document = server.document(params.text_document.uri)
        told = hover(document, offset_at(document, params.position))
        if told is None:
            return None
        text, span = told
        return lsp.Hover(lsp.MarkupContent(lsp.MarkupKind.Markdown, text), range_of(document, span))

    @server.feature(
        lsp.TEXT_DOCUMENT_COMPLETION, lsp.CompletionOptions(trigger_characters=[" ", "@", "{", ">", "("])
    )
    def on_completion(server: Server, params: lsp.CompletionParams) -> list[lsp.CompletionItem]:
        document = server.document(params.text_document.uri)
        return [
            lsp.CompletionItem(item.text, kind=ITEMS[item.kind], detail=item.detail or None)
            for item in complete(document, offset_at(document, params.position))
        ]

    @server.feature(lsp.TEXT_DOCUMENT_SIGNATURE_HELP, lsp.SignatureHelpOptions(trigger_characters=[" ", "(", ","]))
    def on_signature(server: Server, params: lsp.SignatureHelpParams) -> lsp.SignatureHelp | None:
        document = server.document(params.text_document.uri)
        told = signature(document, offset_at(document, params.position))
        if told is None:
            return None
        parts = [lsp.ParameterInformation(label, about or None) for label, about in told.parts]
        shown = lsp.SignatureInformation(told.label, told.about, parts, told.active)
        return lsp.SignatureHelp([shown], 0, told.active)

    @server.feature(lsp.TEXT_DOCUMENT_DEFINITION)
    def on_definition(server: Server, params: lsp.DefinitionParams) -> lsp.Location | None:
        document = server.document(params.text_document.uri)
        span = definition(document, offset_at(document, params.position))
        return location(document, params.text_document.uri, span) if span else None

    @server.feature(lsp.TEXT_DOCUMENT_REFERENCES)
    @server.thread()  # reads the files of the project
    def on_references(server: Server, params: lsp.ReferenceParams) -> list[lsp.Location]:
        uri = params.text_document.uri
        document = server.document(uri)
        others = [other for _, other in server.project()]
        found = references(document, offset_at(document, params.position), others)
        wanted = [one for one in found if params.context.include_declaration or not one.defines]
        return [location(document, uri, one.span) for one in wanted]

    @server.feature(lsp.TEXT_DOCUMENT_DOCUMENT_HIGHLIGHT)
    def on_highlight(server: Server, params: lsp.DocumentHighlightParams) -> list[lsp.DocumentHighlight]:
        document = server.document(params.text_document.uri)
        here = at(document, offset_at(document, params.position))
        kinds = {True: lsp.DocumentHighlightKind.Write, False: lsp.DocumentHighlightKind.Read}
        found = same(document, here.definition) if here else []
        return [lsp.DocumentHighlight(range_of(document, one.span), kinds[one.defines]) for one in found]

    @server.feature(lsp.TEXT_DOCUMENT_SELECTION_RANGE)
    def on_selection(server: Server, params: lsp.SelectionRangeParams) -> list[lsp.SelectionRange]:
        document = server.document(params.text_document.uri)
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

    @server.feature(lsp.TEXT_DOCUMENT_DOCUMENT_SYMBOL)
    def on_symbols(server: Server, params: lsp.DocumentSymbolParams) -> list[lsp.DocumentSymbol]:
        document = server.document(params.text_document.uri)
        return [symbol(document, one) for one in outline(document)]

    @server.feature(lsp.WORKSPACE_SYMBOL)
    @server.thread()
    def on_workspace_symbols(server: Server, params: lsp.WorkspaceSymbolParams) -> list[lsp.WorkspaceSymbol]:
        found: list[lsp.WorkspaceSymbol] = []
        wanted = params.query.lower()
        for uri, document in server.project():
            for one in outline(document):
                for each, within in ((one, None), *((child, one.name) for child in one.children)):
                    if each.kind != "settings" and wanted in each.name.lower() and len(found) < MOST:
                        place = lsp.Location(uri, range_of(document, each.name_span))
                        found.append(lsp.WorkspaceSymbol(place, each.name, SYMBOLS[each.kind], None, None, within))
        return found

    @server.feature(lsp.TEXT_DOCUMENT_SEMANTIC_TOKENS_FULL, LEGEND)
    def on_tokens(server: Server, params: lsp.SemanticTokensParams) -> lsp.SemanticTokens:
        document = server.document(params.text_document.uri)
        return tokens(document, colours(document))

    @server.feature(lsp.TEXT_DOCUMENT_SEMANTIC_TOKENS_RANGE, LEGEND)
    def on_some_tokens(server: Server, params: lsp.SemanticTokensRangeParams) -> lsp.SemanticTokens:
        document = server.document(params.text_document.uri)
        start, end = offset_at(document, params.range.start), offset_at(document, params.range.end)
        return tokens(document, colours(document, start, end))

    @server.feature(lsp.TEXT_DOCUMENT_FOLDING_RANGE)
    def on_folds(server: Server, params: lsp.FoldingRangeParams) -> list[lsp.FoldingRange]:
        document = server.document(params.text_document.uri)
        return [lsp.FoldingRange(fold.first, fold.last, kind=FOLDS[fold.kind]) for fold in folds(document)]

    @server.feature(lsp.TEXT_DOCUMENT_INLAY_HINT)
    def on_hints(server: Server, params: lsp.InlayHintParams) -> list[lsp.InlayHint]:
        document = server.document(params.text_document.uri)
        start, end = offset_at(document, params.range.start), offset_at(document, params.range.end)
        return [
            lsp.InlayHint(position_at(document, hint.offset), hint.text, padding_left=True, tooltip=hint.about)
            for hint in hints(document, start, end)
        ]

    @server.feature(lsp.TEXT_DOCUMENT_CODE_LENS)
    def on_lenses(server: Server, params: lsp.CodeLensParams) -> list[lsp.CodeLens]:
        document = server.document(params.text_document.uri)
        return [
            lsp.CodeLens(range_of(document, lens.span), lsp.Command(lens.text, "")) for lens in lenses(document)
        ]

    @server.feature(DRAWING)
    def on_drawing(server: Server, params: HasTextDocument) -> dict[str, str | None]:
        """A request of our own: the drawing of a text, as SVG; none of one that has errors."""
        return {"svg": drawing(server.document(params.textDocument.uri))}

    @server.feature(lsp.TEXT_DOCUMENT_DOCUMENT_LINK)
    def on_links(server: Server, params: lsp.DocumentLinkParams) -> list[lsp.DocumentLink]:
        document = server.document(params.text_document.uri)
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

    @server.feature(lsp.TEXT_DOCUMENT_FORMATTING)
    def on_formatting(server: Server, params: lsp.DocumentFormattingParams) -> list[lsp.TextEdit]:
        document = server.document(params.text_document.uri)
        return text_edits(document, tidied(document))

    @server.feature(lsp.TEXT_DOCUMENT_RANGE_FORMATTING)
    def on_some_formatting(server: Server, params: lsp.DocumentRangeFormattingParams) -> list[lsp.TextEdit]:
        document = server.document(params.text_document.uri)
        last = params.range.end.line - (params.range.end.character == 0 and params.range.end != params.range.start)
        return text_edits(document, tidied(document, params.range.start.line, last))

    @server.feature(
        lsp.TEXT_DOCUMENT_ON_TYPE_FORMATTING,
        lsp.DocumentOnTypeFormattingOptions("\n", more_trigger_character=["}"]),
    )
    def on_typed(server: Server, params: lsp.DocumentOnTypeFormattingParams) -> list[lsp.TextEdit]:
        document = server.document(params.text_document.uri)
        line = params.position.line - (params.ch == "\n")
        return text_edits(document, tidied(document, max(line, 0), line))

    @server.feature(lsp.TEXT_DOCUMENT_PREPARE_RENAME)
    def on_prepare_rename(server: Server, params: lsp.PrepareRenameParams) -> lsp.Range | None:
        document = server.document(params.text_document.uri)
        here = at(document, offset_at(document, params.position))
        return range_of(document, here.span) if here else None

    @server.feature(lsp.TEXT_DOCUMENT_RENAME, lsp.RenameOptions(prepare_provider=True))
    @server.thread()  # reads the files of the project
    def on_rename(server: Server, params: lsp.RenameParams) -> lsp.WorkspaceEdit | None:
        uri = params.text_document.uri
        document = server.document(uri)
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
