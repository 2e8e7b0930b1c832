"""A session with one editor: the texts that are open in it, and how a request about one of them is answered."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol, TypeVar

from lsprotocol import types as lsp
from pygls import uris
from pygls.lsp.server import LanguageServer

from ..._version import __version__
from ..document import Document
from ..navigation import project
from .protocol import finding
from .reader import ReaderThread


class AddressedText(Protocol):
    """What has the address of a text."""

    @property
    def uri(self) -> str: ...


class OfText(Protocol):
    """Parameters of a request about a text."""

    @property
    def text_document(self) -> AddressedText: ...


Asked = TypeVar("Asked", bound=OfText)
Answer = TypeVar("Answer")


class Server(LanguageServer):
    """Keeps the texts that are open in the editor."""

    def __init__(self) -> None:
        # whole texts: specs are small, and a lost or misread change cannot make us see another text
        super().__init__("cnnspec", __version__, text_document_sync_kind=lsp.TextDocumentSyncKind.Full)
        self.open: dict[str, Document] = {}
        self.reader = ReaderThread()
        self.later: set[asyncio.Task[None]] = set()  # findings that are to be sent

    def document(self, uri: str) -> Document:
        if uri not in self.open:
            self.keep(uri, self.workspace.get_text_document(uri).source)
        return self.open[uri]

    def keep(self, uri: str, text: str) -> Document:
        path = uris.to_fs_path(uri) if uri.startswith("file:") else None
        encoding = lsp.PositionEncodingKind(self.workspace.position_encoding or "utf-16")
        earlier = self.open[uri].known if uri in self.open else None
        place = Path(path) if path else None
        self.open[uri] = Document(text, place, encoding.value, earlier, work=self.reader.work)
        return self.open[uri]

    def publish(self, uri: str, version: int | None = None, pause: float = 0) -> None:
        """Send the findings of a text after a pause, unless it is another text by then, or the editor asks."""
        if not self.asks:
            task = asyncio.ensure_future(self._publish(uri, self.document(uri), version, pause))
            self.later.add(task)
            task.add_done_callback(self.later.discard)

    async def _publish(self, uri: str, document: Document, version: int | None, pause: float) -> None:
        await asyncio.sleep(pause)
        if self.open.get(uri) is document:
            found = await self.reader.read(lambda: findings(document, uri))
            if self.open.get(uri) is document:
                self.text_document_publish_diagnostics(lsp.PublishDiagnosticsParams(uri, found, version))

    @property
    def asks(self) -> bool:
        """Whether the editor asks for findings; then it is not sent them."""
        told = self.client_capabilities.text_document
        return told is not None and told.diagnostic is not None

    def project(self) -> Iterator[tuple[str, Document]]:
        """The texts of the folders that are open, and those that are open themselves, by their addresses."""
        folders = [uris.to_fs_path(folder.uri) for folder in self.workspace.folders.values()]
        folders = folders or [self.workspace.root_path]  # of an editor that knows but one
        open = dict(self.open)
        by_text = {id(document): uri for uri, document in open.items()}
        paths = [Path(folder) for folder in folders if folder]
        for document in project(paths, open.values()):
            self.reader.go_on()
            uri = by_text.get(id(document)) or (document.path.resolve().as_uri() if document.path else "")
            yield uri, document


def findings(document: Document, uri: str) -> list[lsp.Diagnostic]:
    return [finding(document, uri, diagnostic) for diagnostic in document.report.diagnostics]


def reading(
    server: Server, method: str, options: object = None, at_once: bool = False
) -> Callable[[Callable[[Document, Asked], Answer]], Callable[[Document, Asked], Answer]]:
    """Answer a request about a text as it stands, in the thread of readings.

    `at_once` where a reading of the text before the last key does as well: then it waits for none if there was
    one.
    """

    def register(answer: Callable[[Document, Asked], Answer]) -> Callable[[Document, Asked], Answer]:
        async def on_request(params: Asked) -> Answer:
            document = server.document(params.text_document.uri)
            if at_once and document.known:
                return answer(document, params)
            return await server.reader.read(lambda: answer(document, params))

        server.feature(method, options)(on_request)
        return answer

    return register
