"""From a name to where it is defined, and to everywhere it stands, in this text and in those of its project."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

from ..checking import Configurations
from ..checking.search import search
from ..diagnostics import Source, Span
from ..lang.files import read_file
from ..lang.parse.tree import Import
from .document import Document
from .occurrences import Occurrence, at, place, same

MOST = 2000  # files of a project that are looked through


def definition(document: Document, offset: int) -> Span | None:
    """Where the name at an offset is defined, in this text or in another file."""
    here = at(document, offset)
    if here is not None:
        return here.definition
    for statement in document.file.statements:
        if isinstance(statement, Import) and statement.path.span.start <= offset <= statement.path.span.end:
            return imported(document, statement.path.text)
    return None


def imported(document: Document, path: str) -> Span | None:
    """The head of an imported file, if there is one."""
    if document.path is None:
        return None
    file = document.path.parent / path
    return Span(Source(str(file), ""), 0, 0) if file.is_file() else None


def references(document: Document, offset: int, others: Iterable[Document]) -> list[Occurrence]:
    """Everywhere the name at an offset stands, in a text and in others of its project."""
    here = at(document, offset)
    if here is None:
        return []
    name = document.text[here.span.start : here.span.end]
    found = {place(one.span): one for one in same(document, here.definition, name)}
    for other in others:
        if other.text.find(name) >= 0:
            found |= {place(one.span): one for one in same(other, here.definition, name)}
    return list(found.values())


def project(folders: Iterable[Path], open: Iterable[Document]) -> Iterator[Document]:
    """The texts of a project: those that are open as they stand in the editor, the others as they are stored."""
    seen = {}
    for document in open:
        if document.path is not None:
            seen[document.path.resolve()] = document.text
        yield document
    for folder in folders:
        for path in islice(specs(folder), MOST):
            if path.resolve() in seen:
                continue
            source = read_file(path)
            if isinstance(source, Source):
                yield Document(source.text, path, opened=seen)


def specs(folder: Path) -> Iterator[Path]:
    """The `.cnn` files under a folder that `cnnspec check` would look at."""
    for name in search([str(folder)], Configurations()).files:
        if name.endswith(".cnn"):
            yield Path(name)
