"""A session with one editor: the texts that are open in it, and how a request about one of them is answered."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol, TypeVar

from lsprotocol import types as lsp
from pygls import uris
from pygls.exceptions import JsonRpcInvalidParams
from pygls.lsp.server import LanguageServer
from pygls.protocol import LanguageServerProtocol, lsp_method

from ..._version import __version__
from ...diagnostics import Source
from ...lang.files import read_file
from ...quoting import visible
from ..document import Document
from ..navigation import project
from .protocol import finding
from .reader import ReaderThread

WATCHED = ("**/*.cnn", "**/pyproject.toml")  # what a text may import, and what configures it


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


class OwnTexts(LanguageServerProtocol):
    """The protocol, where a change is told to us alone: pygls keeps the text as it was opened."""

    @lsp_method(lsp.TEXT_DOCUMENT_DID_CHANGE)
    def lsp_text_document__did_change(self, params: lsp.DidChangeTextDocumentParams) -> None:
        self.fm.features[lsp.TEXT_DOCUMENT_DID_CHANGE](params)


class Server(LanguageServer):
    """Keeps the texts that are open in the editor."""

    def __init__(self) -> None:
        incremental = lsp.TextDocumentSyncKind.Incremental
        super().__init__("cnnspec", __version__, incremental, protocol_cls=OwnTexts)
        self.open: dict[str, Document] = {}
        self.files: dict[str, Path] = {}  # of those that are files: the paths, links resolved
        self.tokens: dict[str, tuple[str, list[int]]] = {}  # the colours last told of a text, and their name
        self.told = 0  # how many times colours were told
        self.reader = ReaderThread()
        self.later: set[asyncio.Task[None]] = set()  # findings that are to be sent

    def document(self, uri: str) -> Document:
        """The text that is open under an address, or stored there. Raises JsonRpcInvalidParams."""
        if uri in self.open:
            return self.open[uri]
        path = path_of(uri)
        source = read_file(path) if path else None
        if not isinstance(source, Source):
            why = source.message if source else f"{visible(uri)} is not open"
            raise JsonRpcInvalidParams(why)
        return self.made(uri, source.text)

    def keep(self, uri: str, text: str) -> None:
        """Take a text as it is now."""
        self.open[uri] = self.made(uri, text)

    def made(self, uri: str, text: str) -> Document:
        encoding = lsp.PositionEncodingKind(self.workspace.position_encoding or "utf-16").value
        earlier = self.open[uri].known if uri in self.open else None
        opened = {self.files[other]: one.text for other, one in self.open.items() if other in self.files}
        return Document(text, path_of(uri), encoding, earlier, work=self.reader.work, opened=opened)

    def read_importers(self, uri: str, pause: float = 0) -> None:
        """Take the other texts again that may import one that was opened, changed or closed."""
        file = self.files.get(uri)
        for other, document in list(self.open.items()):
            if file and other != uri and document.may_import(file):
                self.keep(other, document.text)
                self.publish(other, pause=pause)

    def read_all(self) -> None:
        """Take every text that is open again, since a file changed; an editor that asks is told to ask."""
        for uri in self.open:
            self.keep(uri, self.open[uri].text)
            self.publish(uri)
        told = self.client_capabilities.workspace
        for able, refresh in (
            (told and told.diagnostics, self.workspace_diagnostic_refresh),
            (told and told.semantic_tokens, self.workspace_semantic_tokens_refresh),
            (told and told.inlay_hint, self.workspace_inlay_hint_refresh),
            (told and told.code_lens, self.workspace_code_lens_refresh),
        ):
            if able and able.refresh_support:
                refresh(None)

    def watch(self) -> None:
        """Have the editor tell, if it can, which files are made, moved, deleted or written by others."""
        told = self.client_capabilities.workspace
        able = told and told.did_change_watched_files
        if able and able.dynamic_registration:
            options = lsp.DidChangeWatchedFilesRegistrationOptions(list(map(lsp.FileSystemWatcher, WATCHED)))
            asked = lsp.Registration("files", lsp.WORKSPACE_DID_CHANGE_WATCHED_FILES, options)
            self.client_register_capability(lsp.RegistrationParams([asked]))

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


def path_of(uri: str) -> Path | None:
    """The file of an address, if it is that of a file."""
    path = uris.to_fs_path(uri) if uri.startswith("file:") else None
    return Path(path) if path else None


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
