"""The input of renderers: a file and its findings, each with a place."""

from __future__ import annotations

from collections.abc import Iterator

from ..._version import PAGES
from ...record import record
from ..core import Diagnostic, Span

IN_THE_REPOSITORY = "grammar/codes.md"


@record
class CheckedSpan:
    """A piece of a file by its name: rows and columns from 1, the end exclusive."""

    filename: str
    start: tuple[int, int] = (1, 1)
    end: tuple[int, int] = (1, 1)

    @classmethod
    def of(cls, span: Span | None, filename: str) -> CheckedSpan:
        """The place of a span; the head of the file where there is none."""
        if span is None:
            return cls(filename)
        source = span.source
        return cls(source.name, source.position(span.start), source.position(span.end))


@record
class Checked:
    """A file that was checked, under the name its author used, and what was found.

    `strict` where its warnings count as failures too.
    """

    name: str
    diagnostics: tuple[Diagnostic, ...] = ()
    strict: bool = False

    def findings(self) -> Iterator[tuple[Diagnostic, CheckedSpan]]:
        for diagnostic in self.diagnostics:
            yield diagnostic, CheckedSpan.of(diagnostic.span, self.name)

    @property
    def failed(self) -> bool:
        return any(self.fails(diagnostic) for diagnostic in self.diagnostics)

    def fails(self, diagnostic: Diagnostic) -> bool:
        return self.strict or diagnostic.severity == "error"

    def count(self, severity: str) -> int:
        return sum(diagnostic.severity == severity for diagnostic in self.diagnostics)


def url(code: str) -> str:
    """Where the page of a code can be read, beside `cnnspec explain`: where a release publishes it, or its path in
    the repository."""
    home = f"{PAGES.rstrip('/')}/codes.html" if PAGES else IN_THE_REPOSITORY
    return f"{home}#{code.lower()}"


def one_line(text: str) -> str:
    """A text without line ends or control characters, for formats in which a line is a finding.

    one_line("a\\nb") == "a\\\\nb"
    """
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode() for character in text
    )
