"""A text in parts, so that a key in it leaves most of it as it was read before.

    input 3x32x32                     a part
    block unit(c) = conv {c}x3x3      a part
      -> bn -> relu
    unit(8) -> unit(16)               a part, and every few lines of a chain that goes on
      -> unit(32)

What a part says depends on nothing before it, since no bracket is open where it starts, and of what comes after it
on the next token alone. Of a new version, the parts before and after what was changed are moved to their places,
and what is between them is read. Where there is a mistake, the parser reads the statements around it (parser.py);
wherever anything else is unusual, the whole text: so the tree and the findings are always those of a whole reading.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from itertools import pairwise, zip_longest
from typing import Any, NamedTuple, TypeVar, cast

from ...diagnostics import Source, Span
from ..findings import Findings
from .build import Build
from .layout import OPENERS, STARTERS, lay_out
from .machine import Machine, Unexpected
from .tokens import Token, lex
from .tree import Block, Chain, Cut, File, Name, Net, Number, Part, Stage, Statement

SECTION = 20  # tokens of a chain after which the next line that begins with `->` begins a part

PLAIN = frozenset((str, int, float, type(None)))
Piece = TypeVar("Piece", bound=tuple[object, ...])
make = tuple.__new__  # of a class and its parts, as a named tuple's own does behind a function


class Start(NamedTuple):
    """Where a part starts: at which offset, and with which token of those given."""

    offset: int
    token: int


def cut(
    tokens: Sequence[Token],
    statements: Sequence[Statement],
    comments: Sequence[Span],
    text: str,
    start: int = 0,
    end: int | None = None,
) -> tuple[Part, ...]:
    """The parts between two offsets, of what was read there without a mistake."""
    starts = list(_starts(tokens, text, start))
    begins = [tokens[each.token].type for each in starts]
    pieces = _pieces(
        statements, [(each.offset, kind == "ARROW") for each, kind in zip(starts, begins, strict=True)]
    )
    counts = [each.token for each in starts[1:]] + [len(tokens)]
    places = [span.start for span in comments]
    ends = [bisect_left(places, each.offset) for each in starts[1:]] + [len(comments)]
    parts, noted = [], 0
    for each, kind, piece, count, last in zip(starts, begins, pieces, counts, ends, strict=True):
        parts.append(Part(each.offset, kind, piece, tuple(comments[noted:last]), count - each.token))
        noted = last
    return tuple(parts)


def _starts(tokens: Sequence[Token], text: str, start: int) -> Iterator[Start]:
    """Statements, and lines that go on with a chain where no bracket is open."""
    yield Start(start, 0)
    depth, began = 0, 0
    for i, token in enumerate(tokens):
        kind = token.type
        if kind == "LPAR" or kind in OPENERS:
            depth += 1
        elif kind in ("RPAR", "CLOSE"):
            depth -= 1
        elif depth or i == began:
            continue
        elif kind == "_SEP":
            if i + 1 < len(tokens):
                began = i + 1
                yield Start(tokens[began].start_pos, began)
        elif kind == "ARROW" and i - began > SECTION and "\n" in text[tokens[i - 1].end_pos : token.start_pos]:
            began = i
            yield Start(token.start_pos, began)


def _pieces(statements: Sequence[Statement], starts: Sequence[tuple[int, bool]]) -> Iterator[Statement]:
    """What stands in each part, of those that start at these offsets and may go on with a chain."""
    heads = [i for i, (_, goes_on) in enumerate(starts) if not (goes_on and i)]
    for statement, first, after in zip(statements, heads, [*heads[1:], len(starts)], strict=True):
        if after == first + 1:
            yield statement
            continue
        stages = chain_of(statement).stages
        places = [stage.span.start for stage in stages]
        bounds = [0, *(bisect_left(places, offset) for offset, _ in starts[first + 1 : after]), len(stages)]
        chains = [Chain(stages[a:b]) for a, b in pairwise(bounds)]
        yield with_stages(statement, chains[0].stages)
        yield from chains[1:]


def chain_of(statement: Statement) -> Chain:
    """The chain of a statement that has one."""
    return statement.chain if isinstance(statement, Block | Net) else cast(Chain, statement)


def with_stages(statement: Statement, stages: tuple[Stage, ...]) -> Statement:
    """A statement with other stages in its chain."""
    chain = Chain(stages)
    if isinstance(statement, Block | Net):
        return statement._replace(chain=chain, span=statement.span.to(stages[-1].span))
    return chain


def joined(source: Source, cut: Cut) -> File:
    """The file that a source in parts is."""
    comments = tuple([comment for part in cut.parts for comment in part.comments])
    return File(source, statements_of(cut.parts), comments, cut=cut)


def statements_of(parts: tuple[Part, ...]) -> tuple[Statement, ...]:
    """The statements that some parts are, the first of which begins one."""
    statements: list[Statement] = []
    going: list[Stage] = []  # of the last statement, where it goes on
    for part, after in zip_longest(parts, parts[1:]):
        if part.begins == "ARROW":
            going.extend(chain_of(part.statement).stages)
        else:
            statements.append(part.statement)
        if after is not None and after.begins == "ARROW":
            going = going or list(chain_of(part.statement).stages)
        elif going:
            statements[-1] = with_stages(statements[-1], tuple(going))
            going = []
    return tuple(statements)


class Change(NamedTuple):
    """What a text and an earlier one have alike: the parts before `first`, and those from `after` on, which are
    `by` characters further now."""

    first: int
    after: int
    by: int


def change(text: str, earlier: Cut) -> Change:
    """Which parts of a text are to be read for another version of it."""
    before = _alike(text, earlier.text)
    behind = _alike(text[before:][::-1], earlier.text[before:][::-1])
    starts = [part.start for part in earlier.parts]
    # of a change at the start of a part, the part before is read again: its end depends on the token after it
    first = bisect_left(starts, before, lo=1) - 1
    after = bisect_left(starts, len(earlier.text) - behind, lo=first + 1)
    return Change(first, after, len(text) - len(earlier.text))


def read_again(source: Source, earlier: Cut) -> Cut | None:
    """A source in parts, another version of which was read; None where the whole is to be read, as it is
    wherever there is a mistake."""
    text, parts = source.text, earlier.parts
    first, after, by = change(text, earlier)
    end = parts[after].start + by if after < len(parts) else len(text)
    between = _between(source, parts[first], end, parts[after] if after < len(parts) else None)
    if between is None:
        return None
    return Cut(text, (*placed(parts[:first], source, 0), *between, *placed(parts[after:], source, by)))


def _between(source: Source, first: Part, end: int, after: Part | None) -> tuple[Part, ...] | None:
    """The parts from the start of one to an offset, behind which stands another one or nothing; None where what
    stands there has a mistake, or does not end there."""
    tokens: list[Token] = []
    for token in lex(source.text, first.start):
        if token.start_pos >= end:
            break
        tokens.append(token)
    if tokens and tokens[-1].end_pos > end:
        return None
    findings = Findings()
    if after is not None:  # a token stands for what follows: one that opens nothing
        kind = after.begins if after.begins == "ARROW" else "LET" if after.begins in STARTERS else "NAME"
        tokens.append(Token(kind, "", end, end))
    laid, comments = lay_out(tokens, source, findings)
    if after is not None:
        goes_on = after.begins == "ARROW"
        if len(laid) < 3 or laid[-2] is not tokens[-1] or (laid[-3].type == "_SEP") == goes_on:
            return None
        del laid[-2:]
    within = first.begins == "ARROW"
    if not laid or (laid[0].type == "ARROW") != within:
        return None
    statements = _read(laid[within:], source, findings)
    if findings or not statements or (within and not isinstance(statements[0], Chain)):
        return None
    if after is not None and after.begins == "ARROW" and not isinstance(statements[-1], Block | Net | Chain):
        return None
    return cut(laid, statements, comments, source.text, first.start)


def _read(tokens: Sequence[Token], source: Source, findings: Findings) -> tuple[Statement, ...]:
    """The statements of some tokens; none where they have a mistake."""
    machine = Machine("file")
    try:
        for token in tokens:
            machine.feed(token)
        tree = machine.end(list(tokens))
    except Unexpected:
        return ()
    statements: tuple[Statement, ...] = Build(source, findings)(tree)
    return statements


def placed(parts: Sequence[Part], source: Source, by: int) -> Iterator[Part]:
    """Parts so many characters further, in another source."""
    for start, begins, statement, comments, tokens in parts:
        yield Part(start + by, begins, moved(statement, source, by), moved(comments, source, by), tokens)


def _alike(one: str, other: str) -> int:
    """How many characters two texts have alike from their beginnings."""
    if one == other:
        return len(one)
    low, high = 0, min(len(one), len(other))
    while low < high:  # the slices are compared at once, where a loop would look at each character
        middle = (low + high + 1) // 2
        if one[low:middle] == other[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def moved(piece: Piece, source: Source, by: int) -> Piece:
    """A piece of a tree so many characters further, in another source."""
    found: list[object] = []
    part: Any
    for part in piece:
        kind = part.__class__
        if kind is Span:
            _, start, end = part
            found.append(make(Span, (source, start + by, end + by)))
        elif kind is Name or kind is Number:  # half of all pieces, and none is worth a call
            said, (_, start, end) = part
            found.append(make(kind, (said, make(Span, (source, start + by, end + by)))))
        elif kind in PLAIN or not part:
            found.append(part)
        else:
            found.append(moved(part, source, by))
    return make(piece.__class__, found)
