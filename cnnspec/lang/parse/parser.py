"""Parsing: from text to tree, with every syntax error of the file in one pass.

After an error the parser reads on (recovery.py). A text without a mistake is kept in parts (parts.py), for its next
version.
"""

from __future__ import annotations

from ...diagnostics import Source, Span
from ..findings import Findings
from .build import Build
from .layout import ENDS, lay_out
from .parts import change, cut, joined, placed, read_again, statements_of
from .recovery import MOST_TOKENS, Astray, Stretch, names_of, recovering_parse
from .tokens import Token, lex
from .tree import Cut, File, Statement

LARGEST_FILE = 256_000  # characters; a hundred times the longest spec that anyone has written


def parse(source: Source, findings: Findings, earlier: Cut | None = None) -> File:
    """The tree of a source; what could not be read is left out of it, and reported.

    `earlier` is another version of the text, of which the parts that are in both are not read again. The tree is
    the same with it and without.
    """
    if len(source.text) > LARGEST_FILE:
        span = Span(source, LARGEST_FILE, LARGEST_FILE + 1)
        findings.tell("CNN008", span, most=f"{LARGEST_FILE:,}".replace(",", " "))
        return File(source, (), (), whole=False)
    before = len(findings)
    known = read_again(source, earlier) if earlier else None
    if known is not None and known.cost <= MOST_TOKENS:
        findings.work.add(known.cost)
        return joined(source, known)
    own = Findings(findings.work)
    tokens, comments, statements, lost = _read(source, (), own, earlier)
    if own.errors:
        from ..hints.foreign.found import foreign

        told = Findings(findings.work)
        others = foreign(source, told)
        if others:
            own = told
            tokens, comments, statements, lost = _read(source, others, own)
    findings.merge(own)
    whole = len(findings) == before and not findings.full
    if not whole or not statements:
        return File(source, statements, tuple(comments), frozenset(lost), whole, earlier)
    return joined(source, Cut(source.text, cut(tokens, statements, comments, source.text)))


def _read(
    source: Source, without: tuple[Span, ...], findings: Findings, earlier: Cut | None = None
) -> tuple[list[Token], list[Span], tuple[Statement, ...], set[str]]:
    """The tokens of a source, its comments, its statements and the names in what could not be read.

    What stands `without` is written in another language, and left out.
    """
    left_out = [token for span in without for token in lex(span.text) if token.type == "NAME"]
    every = lex(source.text)
    if without:
        every = (
            token
            for token in every
            if token.type in ENDS or not any(span.start <= token.start_pos < span.end for span in without)
        )
    tokens, comments = lay_out(every, source, findings)
    findings.work.add(len(tokens))
    around = _around_mistakes(tokens, source, findings, earlier) if earlier else None
    if around is not None:
        return tokens, comments, *around
    tree, lost = recovering_parse(tokens, source, findings)
    return tokens, comments, Build(source, findings)(tree), lost | names_of(left_out)


def _around_mistakes(
    tokens: list[Token], source: Source, findings: Findings, earlier: Cut
) -> tuple[tuple[Statement, ...], set[str]] | None:
    """The statements of a text with mistakes, and the names in what could not be read.

    Those before and after what was changed since an earlier version are as they were, if the tokens there are.
    None where the whole has to be read.
    """
    parts = earlier.parts
    first, after, by = change(source.text, earlier)
    while parts[first].begins == "ARROW":
        first -= 1
    while after < len(parts) and parts[after].begins == "ARROW":
        after += 1
    start = parts[first].start
    end = parts[after].start + by if after < len(parts) else len(source.text) + 1
    before, behind = (sum(part.tokens for part in some) for some in (parts[:first], parts[after:]))
    last = len(tokens) - behind
    apart = (_begins(tokens, before, start) or not first) and (_begins(tokens, last, end) or not behind)
    if not apart or before >= last or len(tokens) > MOST_TOKENS:
        return None
    as_it_was = findings.state
    try:
        tree, lost = recovering_parse(tokens, source, findings, Stretch(start, end, before, behind))
    except Astray:
        findings.state = as_it_was
        return None
    between: tuple[Statement, ...] = Build(source, findings)(tree)
    head = statements_of(tuple(placed(parts[:first], source, 0)))
    return (*head, *between, *statements_of(tuple(placed(parts[after:], source, by)))), lost


def _begins(tokens: list[Token], index: int, offset: int) -> bool:
    """Whether a statement begins with a token, at an offset."""
    return 0 < index < len(tokens) and tokens[index].start_pos == offset and tokens[index - 1].type == "_SEP"
