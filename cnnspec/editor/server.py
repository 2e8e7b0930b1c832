"""The language server: the protocol on one side, the answers of this folder on the other.

Findings are sent a moment after the last change (or at once, when a file is opened or saved); everything
else is answered from the same reading of the text, which is made once for each version.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

from lsprotocol import types as lsp
from pygls import uris
from pygls.lsp.server import LanguageServer

from .._version import __version__
from ..diagnostics import Diagnostic, Edit, Span, SpecError
from ..lang.format.formatter import format
from ..quoting import visible
from .actions import Action, actions, fix_all
from .completion import complete
from .document import Document, position_in
from .hints import hints
from .hover import hover
from .navigation import definition

PAUSE = 0.15  # seconds without a change until findings are looked for
SEVERITIES = {"error": lsp.DiagnosticSeverity.Error, "warning": lsp.DiagnosticSeverity.Warning}
UNUSED = ("CNN237",)  # findings that editors show by fading the text
KINDS = {
    "word": lsp.CompletionItemKind.Function,
    "setting": lsp.CompletionItemKind.Property,
    "value": lsp.CompletionItemKind.EnumMember,
    "name": lsp.CompletionItemKind.Variable,
    "keyword": lsp.CompletionItemKind.Keyword,
    "block": lsp.CompletionItemKind.Module,
}


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
        document = self.document(uri)
        found = [_diagnostic(document, uri, diagnostic) for diagnostic in document.report.diagnostics]
        self.text_document_publish_diagnostics(lsp.PublishDiagnosticsParams(uri, found, version))


def serve() -> None:
    """Serve one editor on standard input and output, until it leaves."""
    make_server().start_io()


def make_server() -> Server:
    server = Server()

    @server.feature(lsp.TEXT_DOCUMENT_DID_OPEN)
    def did_open(server: Server, params: lsp.DidOpenTextDocumentParams) -> None:
        opened = params.text_document
        server.keep(opened.uri, opened.text)
        server.publish(opened.uri, opened.version)

    @server.feature(lsp.TEXT_DOCUMENT_DID_CHANGE)
    async def did_change(server: Server, params: lsp.DidChangeTextDocumentParams) -> None:
        uri = params.text_document.uri
        document = server.keep(uri, server.workspace.get_text_document(uri).source)
        await asyncio.sleep(PAUSE)
        if server.open.get(uri) is document:  # otherwise a later change looks for them
            server.publish(uri, params.text_document.version)

    @server.feature(lsp.TEXT_DOCUMENT_DID_SAVE)
    def did_save(server: Server, params: lsp.DidSaveTextDocumentParams) -> None:
        for uri in server.open:  # others may import what was saved, or be configured by it
            server.keep(uri, server.open[uri].text)
            server.publish(uri)

    @server.feature(lsp.TEXT_DOCUMENT_DID_CLOSE)
    def did_close(server: Server, params: lsp.DidCloseTextDocumentParams) -> None:
        uri = params.text_document.uri
        server.open.pop(uri, None)
        server.text_document_publish_diagnostics(lsp.PublishDiagnosticsParams(uri, []))

    @server.feature(lsp.TEXT_DOCUMENT_HOVER)
    def on_hover(server: Server, params: lsp.HoverParams) -> lsp.Hover | None:
        document = server.document(params.text_document.uri)
        told = hover(document, _offset(document, params.position))
        if told is None:
            return None
        text, span = told
        return lsp.Hover(lsp.MarkupContent(lsp.MarkupKind.Markdown, text), _range(document, span))

    @server.feature(
        lsp.TEXT_DOCUMENT_COMPLETION, lsp.CompletionOptions(trigger_characters=[" ", "@", "{", ">", "("])
    )
    def on_completion(server: Server, params: lsp.CompletionParams) -> list[lsp.CompletionItem]:
        document = server.document(params.text_document.uri)
        return [
            lsp.CompletionItem(item.text, kind=KINDS[item.kind], detail=item.detail or None)
            for item in complete(document, _offset(document, params.position))
        ]

    @server.feature(lsp.TEXT_DOCUMENT_DEFINITION)
    def on_definition(server: Server, params: lsp.DefinitionParams) -> lsp.Location | None:
        document = server.document(params.text_document.uri)
        span = definition(document, _offset(document, params.position))
        return _location(document, params.text_document.uri, span) if span else None

    @server.feature(lsp.TEXT_DOCUMENT_INLAY_HINT)
    def on_hints(server: Server, params: lsp.InlayHintParams) -> list[lsp.InlayHint]:
        document = server.document(params.text_document.uri)
        start, end = _offset(document, params.range.start), _offset(document, params.range.end)
        return [
            lsp.InlayHint(_position(document, hint.offset), hint.text, padding_left=True, tooltip=hint.about)
            for hint in hints(document, start, end)
        ]

    @server.feature(lsp.TEXT_DOCUMENT_FORMATTING)
    def on_formatting(server: Server, params: lsp.DocumentFormattingParams) -> list[lsp.TextEdit] | None:
        document = server.document(params.text_document.uri)
        try:
            text = format(document.text, document.source.name)
        except SpecError:  # the findings say why
            return None
        everything = Span(document.source, 0, len(document.text))
        return [] if text == document.text else [lsp.TextEdit(_range(document, everything), text)]

    @server.feature(
        lsp.TEXT_DOCUMENT_CODE_ACTION,
        lsp.CodeActionOptions(code_action_kinds=[lsp.CodeActionKind.QuickFix, lsp.CodeActionKind.SourceFixAll]),
    )
    @server.thread()  # tries each fix, which may take long
    def on_code_action(server: Server, params: lsp.CodeActionParams) -> list[lsp.CodeAction]:
        uri = params.text_document.uri
        document = server.document(uri)
        start, end = _offset(document, params.range.start), _offset(document, params.range.end)
        wanted = params.context.only
        offered = []
        if wanted is None or lsp.CodeActionKind.QuickFix in wanted:
            for action in actions(document, start, end):
                offered.append(_code_action(document, uri, action, lsp.CodeActionKind.QuickFix))
        if wanted and any(kind.startswith("source") for kind in wanted):
            everything = fix_all(document)
            if everything:
                offered.append(_code_action(document, uri, everything, lsp.CodeActionKind.SourceFixAll))
        return offered

    return server


# ---- from our terms to those of the protocol --------------------------------------------------------------


def _offset(document: Document, position: lsp.Position) -> int:
    return document.offset((position.line, position.character))


def _position(document: Document, offset: int) -> lsp.Position:
    return lsp.Position(*document.position(offset))


def _range(document: Document, span: Span) -> lsp.Range:
    start, end = (position_in(span.source, at, document.encoding) for at in (span.start, span.end))
    return lsp.Range(lsp.Position(*start), lsp.Position(*end))


def _location(document: Document, uri: str, span: Span) -> lsp.Location:
    """A place in this text, or in another file, whose name is a path."""
    elsewhere = Path(span.source.name).resolve().as_uri()  # of any bytes, which a name of a file may be
    return lsp.Location(uri if document.owns(span) else elsewhere, _range(document, span))


def _diagnostic(document: Document, uri: str, diagnostic: Diagnostic) -> lsp.Diagnostic:
    """A finding; one in an imported file is shown at the head of this one, with the place beside it."""
    span, related = diagnostic.span, [(label.span, label.text) for label in diagnostic.related]
    said = [diagnostic.message, *filter(None, (diagnostic.label,))]
    if span is not None and not document.owns(span):
        related.insert(0, (span, diagnostic.message))
        said[0], span = f"{span}: {said[0]}", None
    if diagnostic.help:
        said.append(f"help: {diagnostic.help}")
    return lsp.Diagnostic(
        range=_range(document, span or Span(document.source, 0, 0)),
        severity=SEVERITIES[diagnostic.severity],
        code=diagnostic.code,
        source="cnnspec",
        message="\n".join(map(visible, said)),
        tags=[lsp.DiagnosticTag.Unnecessary] if diagnostic.code in UNUSED else None,
        related_information=[
            lsp.DiagnosticRelatedInformation(_location(document, uri, place), visible(text))
            for place, text in related
        ],
    )


def _code_action(document: Document, uri: str, action: Action, kind: lsp.CodeActionKind) -> lsp.CodeAction:
    return lsp.CodeAction(
        title=action.title,
        kind=kind,
        diagnostics=[_diagnostic(document, uri, action.finding)] if action.finding else None,
        is_preferred=True
        if action.finding and action.finding.safe and action.edits == action.finding.fix
        else None,
        edit=lsp.WorkspaceEdit(changes={uri: [_text_edit(document, edit) for edit in action.edits]}),
    )


def _text_edit(document: Document, edit: Edit) -> lsp.TextEdit:
    return lsp.TextEdit(_range(document, edit.span), edit.text)
