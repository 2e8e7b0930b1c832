"""A text as it stands in an editor, with what a check found in it."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator
from dataclasses import field
from operator import itemgetter
from pathlib import Path
from typing import Protocol, TypeVar, cast

from ..checking import Configurations, Report, examine
from ..diagnostics import Imported, Source, Span, SpecError
from ..ir import Node
from ..ir.facts import Facts, facts
from ..lang.parse.tree import File, Statement
from ..lang.work import Work
from ..lazy import lazy
from ..record import record

Piece = tuple[object, ...]  # of the tree, whether it has a place or not
Position = tuple[int, int]  # line and column from 0, as the protocol counts: in units of its encoding
Made = TypeVar("Made")
WIDTHS = {"utf-8": lambda c: len(c.encode("utf-8", "replace")), "utf-16": lambda c: 1 + (c > "\uffff")}


class SyntaxNode(Protocol):
    """A piece of the tree that has a place, and its own pieces."""

    @property
    def span(self) -> Span: ...

    def __iter__(self) -> Iterator[object]: ...


@record
class Document:
    """One version of a text. Everything is found out when it is first asked for, and kept.

    `path` is where it would be saved, if anywhere; `encoding` is how the editor counts columns; `earlier` is
    what was found in the version before. `imports` are the only texts that it may import, where they are given;
    `work` makes what counts the work of a reading.
    """

    text: str
    path: Path | None = None
    encoding: str = "utf-16"
    earlier: Report | None = field(default=None, compare=False, repr=False)
    imports: tuple[Imported, ...] | None = None
    work: Callable[[], Work] = field(default=Work, compare=False, repr=False)

    @lazy
    def source(self) -> Source:
        return Source(str(self.path) if self.path else "<text>", self.text, self.imports)

    @lazy
    def report(self) -> Report:
        """The findings, without fixes."""
        return self.examined(fixes=False)

    @lazy
    def report_with_fixes(self) -> Report:
        """The findings with their fixes, which takes a reading of the text for each of them."""
        return self.examined(fixes=True)

    @property
    def known(self) -> Report | None:
        """The findings of this version if they are there, else those of the one before."""
        return self.__dict__.get("report") or self.earlier

    @property
    def latest(self) -> Report:
        """The same, looked for where there are none: for completion, which cannot wait for a reading at each
        letter."""
        return self.known or self.report

    def examined(self, fixes: bool, work: Work | None = None) -> Report:
        """The findings, looked for anew; `work` counts what is done for several versions of a text."""
        folder = self.path.parent if self.path else None
        try:
            configuration = Configurations().nearest(folder or Path.cwd())
        except SpecError as error:
            return Report(self.source.name, error.diagnostics)
        earlier = self.known.reading if self.known else None
        work = work or self.work()
        return examine(self.source, configuration, folder, fixes=fixes, files=False, work=work, earlier=earlier)

    @property
    def file(self) -> File:
        """The tree, as far as the text could be read."""
        reading = self.report.reading
        return reading.file if reading else File(self.source, (), ())

    @lazy
    def facts(self) -> Facts:
        """What is known of each value."""
        reading = self.report.reading
        return facts(reading.graph) if reading else Facts((), ())

    @lazy
    def nodes(self) -> tuple[Node, ...]:
        """The values that come from this text, in the order of the graph."""
        reading = self.report.reading
        return tuple(n for n in reading.graph if self.owns(n.span)) if reading else ()

    @lazy
    def parts(self) -> tuple[tuple[Statement, list[tuple[Piece, Piece]]], ...]:
        """Each statement with its parts; see `parts_of`."""
        return tuple([(statement, parts_of(statement)) for statement in self.file.statements])

    @lazy
    def starts(self) -> tuple[list[int], list[tuple[int, Node]]]:
        """The nodes of this text by where they stand, with their numbers in the graph; and their starts."""
        placed = [(node.span.start, i, node) for i, node in enumerate(self.nodes) if node.span]
        placed.sort(key=itemgetter(0, 1))
        return [start for start, _, _ in placed], [(i, node) for _, i, node in placed]

    def within(self, span: Span) -> list[Node]:
        """The nodes whose text lies in a span of this text, in the order of the graph."""
        starts, nodes = self.starts
        among = nodes[bisect_left(starts, span.start) : bisect_right(starts, span.end)]
        return [node for _, node in sorted(among, key=itemgetter(0)) if node.span and node.span.end <= span.end]

    def once(self, make: Callable[[Document], Made]) -> Made:
        """What a function makes of this version; it is called once."""
        if make not in self._made:
            self._made[make] = make(self)
        return cast(Made, self._made[make])

    @lazy
    def _made(self) -> dict[Callable[[Document], object], object]:
        return {}

    def owns(self, span: Span | None) -> bool:
        """Whether a span is of this text, and not of an imported one."""
        return span is not None and span.source.name == self.source.name

    # ---- places ----------------------------------------------------------------------------------------

    def offset(self, position: Position) -> int:
        """The offset of a position; the nearest one where the text has none there."""
        line, column = position
        if line >= len(self.source.line_starts):
            return len(self.text)
        start, width = self.source.line_starts[line], WIDTHS.get(self.encoding)
        text = self.source.line(line + 1)
        if width is None:
            return start + min(column, len(text))
        for i, character in enumerate(text):
            if column <= 0:
                return start + i
            column -= width(character)
        return start + len(text)

    def position(self, offset: int) -> Position:
        return position_in(self.source, offset, self.encoding)

    def range(self, span: Span) -> tuple[Position, Position]:
        """Where a span of any source begins and ends."""
        return (
            position_in(span.source, span.start, self.encoding),
            position_in(span.source, span.end, self.encoding),
        )

    def path_to(self, offset: int) -> list[SyntaxNode]:
        """The parts of the tree around an offset, from the statement to the innermost."""
        found: list[SyntaxNode] = []
        parts: Iterable[object] = self.file.statements
        while True:
            inner = next((part for part in spanned(parts) if around(part.span, offset)), None)
            if inner is None:
                return found
            found.append(inner)
            parts = inner


def position_in(source: Source, offset: int, encoding: str) -> Position:
    line, column = source.position(offset)
    width = WIDTHS.get(encoding)
    start = source.line_starts[line - 1]
    before = source.text[start : start + column - 1]
    if width is None or before.isascii():  # every encoding counts these as one
        return line - 1, column - 1
    return line - 1, sum(map(width, before))


def spanned(parts: Iterable[object]) -> Iterator[SyntaxNode]:
    """The parts of a piece of tree that have a place, looking into tuples and parts that have none."""
    for part in parts:
        if isinstance(part, Span):
            continue
        if isinstance(part, tuple):
            if hasattr(part, "span"):
                yield cast(SyntaxNode, part)
            else:
                yield from spanned(part)


def parts_of(part: Piece) -> list[tuple[Piece, Piece]]:
    """A piece of tree and every piece within it, each with the named piece that it is a part of."""
    found: list[tuple[Piece, Piece]] = []
    _parts(part, (), found)
    return found


def _parts(part: Piece, owner: Piece, found: list[tuple[Piece, Piece]]) -> None:
    if part.__class__ is not tuple:
        found.append((part, owner))
        owner = part
    for inner in part:
        if isinstance(inner, tuple) and inner.__class__ is not Span:
            _parts(inner, owner, found)


def around(span: Span, offset: int) -> bool:
    """Whether a place is within a span, or right behind it, where a cursor after a word stands."""
    return span.start <= offset <= span.end
