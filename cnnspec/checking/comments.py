"""Comments that silence codes: `# cnnspec: ignore CNN230, CNN231`.

relu -> softmax   # cnnspec: ignore CNN230        at the end of a line: on that line
# cnnspec: ignore CNN230                          alone on a line: in the whole file
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from ..diagnostics import Diagnostic, Source, Span
from ..diagnostics.codes import CODES
from .configuration import ALWAYS

# what stands before the comment may hold texts in quotes, and a `#` inside of those begins no comment;
# within a comment, `# cnnspec:` may follow other words
COMMENT = re.compile(r'(?P<before>(?:[^"#\r\n]|"[^"\r\n]*")*)#(?:[^\r\n]*#)?[ \t]*cnnspec:(?P<rest>[^\r\n]*)')
MOST_PROBLEMS = 200  # of one file; who has more of them wants to see the first ones
IGNORE = re.compile(r"[ \t]*ignore\b[ \t:]*(?P<codes>.*)")


@dataclass
class Comments:
    """The codes that the comments of a file silence: by line, and everywhere."""

    lines: dict[int, frozenset[str]] = field(default_factory=dict)
    everywhere: frozenset[str] = frozenset()
    problems: tuple[Diagnostic, ...] = ()

    def silence(self, diagnostic: Diagnostic) -> bool:
        """Whether a finding in this file is silenced."""
        code = diagnostic.code
        if code.startswith(ALWAYS) and code != "CNN906":
            return False
        if code in self.everywhere:
            return True
        return bool(self.lines and diagnostic.span and code in self.lines.get(diagnostic.span.line, ()))


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
        if match["before"].strip():
            comments.lines[number] = codes
        else:
            comments.everywhere |= codes
    comments.problems = tuple(problems[:MOST_PROBLEMS])
    return comments


def _codes(source: Source, match: re.Match[str]) -> tuple[frozenset[str], list[Diagnostic]]:
    """The codes of one comment, and what is wrong with it."""
    start = match.start("rest")
    ignore = IGNORE.match(source.text, start, match.end())
    if ignore is None:
        span = Span(source, match.end("before"), match.end())
        return frozenset(), [_problem(span, "a comment for cnnspec that says nothing it knows")]
    words = list(re.finditer(r"[^\s,]+", ignore["codes"]))
    if not words:
        return frozenset(), [_problem(Span(source, match.end("before"), match.end()), "names no code")]
    known, problems = set(), []
    for word in words:
        at = ignore.start("codes") + word.start()
        span = Span(source, at, at + len(word[0]))
        if word[0] not in CODES:
            problems.append(_problem(span, f"there is no code {word[0]}"))
        elif word[0].startswith(ALWAYS):
            problems.append(_problem(span, f"{word[0]} cannot be silenced"))
        else:
            known.add(word[0])
    return frozenset(known), problems


def _problem(span: Span, message: str) -> Diagnostic:
    return Diagnostic("CNN906", message, span, help="write `# cnnspec: ignore CNN231`")
