"""A text as it stands in an editor, with what a check found in it."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import field, replace
from operator import itemgetter
from pathlib import Path
from typing import Protocol, TypeVar, cast

from ..checking import Configurations, Report, examine
from ..diagnostics import Diagnostic, Imported, Source, Span, SpecError
from ..ir import Node
from ..ir.facts import Facts, facts
from ..lang.parse.tree import (
    Arg,
    Attr,
    Block,
    Call,
    Chain,
    Check,
    Expect,
    File,
    Function,
    Group,
    Hole,
    Import,
    Input,
    Join,
    Layer,
    Let,
    Listed,
    Negative,
    Net,
    Operation,
    Param,
    Setting,
    Settings,
    Sizes,
    Stage,
    Statement,
    Tap,
    Variable,
)
from ..lang.reading import mended
from ..lang.work import Work
from ..lazy import lazy
from ..record import record
from . import positions
from .positions import Position, Range

Piece = tuple[object, ...]  # of the tree, whether it has a place or not
Made = TypeVar("Made")


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
    `work` makes what counts the work of a reading; `opened` are other files as they stand in the editor, by
    their paths with links resolved.
    """

    text: str
    path: Path | None = None
    encoding: str = "utf-16"
    earlier: Report | None = field(default=None, compare=False, repr=False)
    imports: tuple[Imported, ...] | None = None
    work: Callable[[], Work] = field(default=Work, compare=False, repr=False)
    opened: Mapping[Path, str] = field(default_factory=dict, compare=False, repr=False)

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
        return replace(self.report, diagnostics=tuple(self.mended(self.report.diagnostics)))

    def mended(self, found: Collection[Diagnostic]) -> list[Diagnostic]:
        """Some of the findings, with their fixes: a reading of the text for each of these."""
        reading = self.report.reading
        if reading is None or reading.trial is None:
            return list(found)
        work = self.work()
        work.add(reading.trial.cost)  # as if it were read, and then mended
        return mended(reading, found, work)

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
        return examine(
            self.source,
            configuration,
            folder,
            fixes=fixes,
            files=False,
            work=work,
            earlier=earlier,
            opened=self.opened,
        )

    def may_import(self, path: Path) -> bool:
        """Whether a change of a file, its links resolved, may change what is found here."""
        report = self.__dict__.get("report")
        if report is None or report.reading is None:  # what it imports is not known yet
            return True
        missing = any(found.code == "CNN013" for found in report.diagnostics)
        return missing or path in report.reading.imported

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
        return positions.offset(self.source, position, self.encoding)

    def position(self, offset: int) -> Position:
        return positions.position(self.source, offset, self.encoding)

    def range(self, span: Span) -> Range:
        """Where a span of any source begins and ends."""
        start, end = (positions.position(span.source, at, self.encoding) for at in (span.start, span.end))
        return start, end

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


INNER: dict[type, tuple[int, ...]] = {
    Import: (), Let: (1,), Param: (1,), Block: (1, 2), Net: (1,), Input: (0,), Settings: (1,), Expect: (0,),
    Setting: (1, 2, 3), Check: (1, 2, 4), Chain: (0,), Stage: (0, 1, 3), Layer: (1, 2), Attr: (1,), Call: (1, 3),
    Arg: (1,), Join: (1,), Group: (0,), Tap: (), Hole: (0,), Sizes: (0,), Listed: (0,), Variable: (),
    Operation: (0, 1), Negative: (1,), Function: (1,),
}  # fmt: skip
"""The fields of each piece of a tree that may hold others of these; what is not here is a leaf, as a name is."""


def parts_of(part: Piece) -> list[tuple[Piece, Piece]]:
    """A piece of tree and every piece within it but leaves, each with the piece that it is a part of."""
    found: list[tuple[Piece, Piece]] = [(part, ())]
    _parts(part, found)
    return found


def _parts(part: Piece, found: list[tuple[Piece, Piece]]) -> None:
    for number in INNER[part.__class__]:
        inner = part[number]
        if inner.__class__ is tuple:
            _some(cast(Piece, inner), part, found)
        elif inner.__class__ in INNER:
            found.append((cast(Piece, inner), part))
            _parts(cast(Piece, inner), found)


def _some(pieces: Piece, owner: Piece, found: list[tuple[Piece, Piece]]) -> None:
    for piece in pieces:
        if piece.__class__ in INNER:
            found.append((cast(Piece, piece), owner))
            _parts(cast(Piece, piece), found)
        elif piece.__class__ is tuple:  # an operator with its operand
            _some(cast(Piece, piece), owner, found)


def around(span: Span, offset: int) -> bool:
    """Whether a place is within a span, or right behind it, where a cursor after a word stands."""
    return span.start <= offset <= span.end
