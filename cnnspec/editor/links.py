"""What a text leads to: the files that it imports, and the pages of the codes that it silences."""

from __future__ import annotations

import re
from typing import NamedTuple

from ..diagnostics import Span
from ..diagnostics.formats.checked import url
from ..lang.parse.tree import Import
from .document import Document
from .navigation import imported

CODE = re.compile(r"CNN\d{3}")


class Link(NamedTuple):
    """A piece of text, and what it leads to: a file, or an address."""

    span: Span
    target: str
    about: str = ""


def links(document: Document) -> list[Link]:
    """The links of a text, in its order."""
    found = []
    for statement in document.file.statements:
        if isinstance(statement, Import):
            file = imported(document, statement.path.text)
            if file is not None:
                found.append(Link(statement.path.span, file.source.name, "open the file"))
    for comment in document.file.comments:
        for code in CODE.finditer(comment.text):
            page = url(code[0])
            if "://" in page:
                start = comment.start + code.start()
                found.append(Link(Span(document.source, start, start + len(code[0])), page, f"what {code[0]} is"))
    return sorted(found, key=lambda link: link.span.start)
