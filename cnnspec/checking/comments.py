"""Comments that silence codes: `# cnnspec: ignore CNN230, CNN231`.

relu -> softmax   # cnnspec: ignore CNN230        at the end of a line: on that line
# cnnspec: ignore CNN230                          alone on a line: in the whole file
"""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Iterable, Iterator
from dataclasses import dataclass, field, replace

from ..diagnostics import Diagnostic, Edit, Source, Span
from ..record import record
from .configuration import ALWAYS

# what stands before the comment may hold texts in quotes, and a `#` inside of those begins no comment;
# within a comment, `# cnnspec:` may follow other words
COMMENT = re.compile(r'(?P<before>(?:[^"#\r\n]|"[^"\r\n]*")*)#(?:[^\r\n]*#)?[ \t]*cnnspec:(?P<rest>[^\r\n]*)')
MOST_PROBLEMS = 200  # of one file; who has more of them wants to see the first ones
IGNORE = re.compile(r"[ \t]*ignore\b[ \t:]*(?P<codes>.*)")


@record
class Ignore:
    """A comment that silences codes: on a line, or everywhere where that is 0; what it is, from `#` to its end."""

    codes: frozenset[str]
    line: int
    span: Span


@dataclass
class Comments:
    """The codes that the comments of a file silence: by line, and everywhere; and which of them did."""

    ignores: list[Ignore] = field(default_factory=list)
    lines: dict[int, frozenset[str]] = field(default_factory=dict)
    everywhere: frozenset[str] = frozenset()
    problems: tuple[Diagnostic, ...] = ()
    used: set[tuple[int, str]] = field(default_factory=set)

    def silence(self, diagnostic: Diagnostic) -> bool:
        """Whether a finding in this file is silenced."""
        code = diagnostic.code
        if code.startswith(ALWAYS) and code != "CNN906":
            return False
        line = diagnostic.span.line if diagnostic.span else 0
        here = bool(self.lines) and code in self.lines.get(line, ())
        if here:
            self.used.add((line, code))
        if code in self.everywhere:
            self.used.add((0, code))
            return True
        return here

    def unused(self, judged: Callable[[str], bool], open_lines: Container[int]) -> Iterator[Diagnostic]:
        """A warning for each comment with codes that were `judged` and silenced nothing.

        In `open_lines` nothing is known of what a code finds there: blocks that nobody in this file calls.
        """
        for ignore in self.ignores:
            idle = sorted(code for code in ignore.codes if judged(code) and (ignore.line, code) not in self.used)
            if not idle or ignore.line in open_lines:
                continue
            left = [code for code in sorted(ignore.codes) if code not in idle]
            text = f"# cnnspec: ignore {', '.join(left)}" if left else ""
            span = ignore.span if left else _with_space(ignore.span)
            found = Diagnostic.of(
                "CNN250", ignore.span, codes=" and ".join(idle), do="does" if len(idle) == 1 else "do"
            )
            help = f"write `{text}`" if left else "leave the comment out"
            yield replace(found, help=help, fix=(Edit(span, text),), safe=True)


def read_comments(source: Source) -> Comments:
    """The comments of a source that speak to cnnspec."""
    comments = Comments()
    if "cnnspec:" not in source.text:
        return comments
    problems = []
    for number in range(1, len(source.line_starts) + 1):
        match = COMMENT.match(source.text, source.line_starts[number - 1])
        if match is None:
            continue
        codes, found = _codes(source, match)
        problems += found
        alone = not match["before"].strip()
        if alone:
            comments.everywhere |= codes
        else:
            comments.lines[number] = codes
        start = source.text.rindex("#", match.start(), match.start("rest"))
        span = Span(source, start, match.start("rest") + len(match["rest"].rstrip()))
        if not found:
            comments.ignores.append(Ignore(codes, 0 if alone else number, span))
    comments.problems = tuple(problems[:MOST_PROBLEMS])
    return comments


def can_silence(found: Diagnostic) -> bool:
    """Whether a comment is to silence a finding: a warning, but none of a comment that silences nothing."""
    return found.severity == "warning" and not found.code.startswith(ALWAYS) and found.code != "CNN250"


def with_ignores(source: Source, found: Iterable[Diagnostic]) -> Source:
    """A source with a comment in each line that warns, for those of its findings that one can silence."""
    wanted: dict[int, set[str]] = {}
    for one in found:
        if one.span and can_silence(one):
            wanted.setdefault(one.span.line, set()).add(one.code)
    known = {ignore.line: ignore for ignore in read_comments(source).ignores if ignore.line}
    text = source.text
    for line in sorted(wanted, reverse=True):
        ignore = known.get(line)
        codes = ", ".join(sorted(wanted[line] | (ignore.codes if ignore else set())))
        end = source.line_starts[line - 1] + len(source.line(line))
        start, gap = (ignore.span.start, "") if ignore else (end, "  ")
        text = f"{text[:start]}{gap}# cnnspec: ignore {codes}{text[ignore.span.end if ignore else end :]}"
    return replace(source, text=text)


def _with_space(span: Span) -> Span:
    """A comment with the space before it; alone on a line, the whole line."""
    text = span.source.text
    start = len(text[: span.start].rstrip(" \t"))
    alone = start == 0 or text[start - 1] == "\n"
    return Span(span.source, start, min(len(text), span.end + alone))


def _codes(source: Source, match: re.Match[str]) -> tuple[frozenset[str], list[Diagnostic]]:
    """The codes of one comment, and what is wrong with it."""
    start = match.start("rest")
    ignore = IGNORE.match(source.text, start, match.end())
    if ignore is None:
        span = Span(source, match.end("before"), match.end())
        return frozenset(), [_problem(span, "other")]
    words = list(re.finditer(r"[^\s,]+", ignore["codes"]))
    if not words:
        return frozenset(), [_problem(Span(source, match.end("before"), match.end()), "none")]
    from ..diagnostics.codes import CODES  # the words of every code, which few files ask for

    known, problems = set(), []
    for word in words:
        at = ignore.start("codes") + word.start()
        span = Span(source, at, at + len(word[0]))
        if word[0] not in CODES:
            problems.append(_problem(span, "unknown", name=word[0]))
        elif word[0].startswith(ALWAYS):
            problems.append(_problem(span, "kept", name=word[0]))
        else:
            known.add(word[0])
    return frozenset(known), problems


def _problem(span: Span, case: str, **fields: object) -> Diagnostic:
    return Diagnostic.of("CNN906", span, case, (), **fields)
