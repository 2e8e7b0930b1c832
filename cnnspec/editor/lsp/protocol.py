"""Between our terms and those of the Language Server Protocol."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from lsprotocol import types as lsp

from ...diagnostics import Diagnostic, Edit, Span
from ...diagnostics.formats.checked import url
from ...quoting import visible
from ..actions import Action
from ..colours import FLAGS, KINDS
from ..document import Document
from ..outline import Symbol
from ..positions import Change

SEVERITIES = {"error": lsp.DiagnosticSeverity.Error, "warning": lsp.DiagnosticSeverity.Warning}
UNUSED = ("CNN237",)  # findings that editors show by fading the text
ITEMS = {
    "word": lsp.CompletionItemKind.Function,
    "setting": lsp.CompletionItemKind.Property,
    "value": lsp.CompletionItemKind.EnumMember,
    "name": lsp.CompletionItemKind.Variable,
    "keyword": lsp.CompletionItemKind.Keyword,
    "block": lsp.CompletionItemKind.Module,
}
SYMBOLS = {
    "number": lsp.SymbolKind.Constant,
    "parameter": lsp.SymbolKind.Constant,
    "block": lsp.SymbolKind.Class,
    "net": lsp.SymbolKind.Class,
    "value": lsp.SymbolKind.Variable,
    "input": lsp.SymbolKind.Interface,
    "file": lsp.SymbolKind.Module,
    "settings": lsp.SymbolKind.Namespace,
}
FOLDS = {
    "region": lsp.FoldingRangeKind.Region,
    "comment": lsp.FoldingRangeKind.Comment,
    "imports": lsp.FoldingRangeKind.Imports,
}
PER_TOKEN = 5  # numbers of a piece, as the protocol tells colours
LEGEND = lsp.SemanticTokensLegend(list(KINDS), list(FLAGS))


def offset_at(document: Document, position: lsp.Position) -> int:
    return document.offset((position.line, position.character))


def change(one: lsp.TextDocumentContentChangeEvent) -> Change:
    """A change that an editor tells."""
    if isinstance(one, lsp.TextDocumentContentChangeWholeDocument):
        return None, one.text
    start, end = one.range.start, one.range.end
    return ((start.line, start.character), (end.line, end.character)), one.text


def position_at(document: Document, offset: int) -> lsp.Position:
    return lsp.Position(*document.position(offset))


def range_of(document: Document, span: Span) -> lsp.Range:
    """A span of this text or of another one."""
    start, end = document.range(span)
    return lsp.Range(lsp.Position(*start), lsp.Position(*end))


def address(document: Document, uri: str, span: Span) -> str:
    """The address of the text that a span is of; another file's name is a path."""
    return uri if document.owns(span) else Path(span.source.name).resolve().as_uri()  # a name may be of any bytes


def location(document: Document, uri: str, span: Span) -> lsp.Location:
    return lsp.Location(address(document, uri, span), range_of(document, span))


def finding(document: Document, uri: str, diagnostic: Diagnostic) -> lsp.Diagnostic:
    """A finding; one in an imported file is shown at the head of this one, with the place beside it."""
    span, related = diagnostic.span, [(label.span, label.text) for label in diagnostic.related]
    said = [diagnostic.message, *filter(None, (diagnostic.label,))]
    if span is not None and not document.owns(span):
        related.insert(0, (span, diagnostic.message))
        said[0], span = f"{span}: {said[0]}", None
    if diagnostic.help:
        said.append(f"help: {diagnostic.help}")
    page = url(diagnostic.code)
    return lsp.Diagnostic(
        range=range_of(document, span or Span(document.source, 0, 0)),
        severity=SEVERITIES[diagnostic.severity],
        code=diagnostic.code,
        code_description=lsp.CodeDescription(page) if "://" in page else None,
        source="cnnspec",
        message="\n".join(map(visible, said)),
        tags=[lsp.DiagnosticTag.Unnecessary] if diagnostic.code in UNUSED else None,
        related_information=[
            lsp.DiagnosticRelatedInformation(location(document, uri, place), visible(text))
            for place, text in related
        ],
    )


def code_action(document: Document, uri: str, action: Action, kind: lsp.CodeActionKind) -> lsp.CodeAction:
    fixes = action.finding and action.finding.safe and action.edits == action.finding.fix
    return lsp.CodeAction(
        title=action.title,
        kind=kind,
        diagnostics=[finding(document, uri, action.finding)] if action.finding else None,
        is_preferred=True if fixes else None,
        edit=lsp.WorkspaceEdit(changes={uri: text_edits(document, action.edits)}),
    )


def text_edits(document: Document, edits: Iterable[Edit]) -> list[lsp.TextEdit]:
    return [lsp.TextEdit(range_of(document, edit.span), edit.text) for edit in edits]


def symbol(document: Document, one: Symbol) -> lsp.DocumentSymbol:
    return lsp.DocumentSymbol(
        name=one.name,
        kind=SYMBOLS[one.kind],
        range=range_of(document, one.span),
        selection_range=range_of(document, one.name_span),
        detail=one.detail or None,
        children=[symbol(document, child) for child in one.children],
    )


def token_edits(before: list[int], after: list[int]) -> list[lsp.SemanticTokensEdit]:
    """What makes the numbers of one version those of another: what is between those alike at both ends."""
    if before == after:
        return []
    shorter = min(len(before), len(after)) // PER_TOKEN * PER_TOKEN
    head = _alike(before, after, shorter)
    tail = _alike(before[::-1], after[::-1], shorter - head)
    deleted = before[head : len(before) - tail]
    return [lsp.SemanticTokensEdit(head, len(deleted), after[head : len(after) - tail])]


def _alike(one: list[int], other: list[int], most: int) -> int:
    """How many numbers, of whole pieces, two lists have alike from their beginnings."""
    low, high = 0, most // PER_TOKEN
    while low < high:
        middle = (low + high + 1) // 2
        part = slice(low * PER_TOKEN, middle * PER_TOKEN)
        if one[part] == other[part]:
            low = middle
        else:
            high = middle - 1
    return low * PER_TOKEN
