"""Comments as other languages write them: `//`, `/* */`, `--`, `%`, three quotes.

They are found before anything is parsed, since what a comment says is no statement: it may hold a bracket
that never closes, or half a text in quotes.
"""

from __future__ import annotations

import re

from ...diagnostics import Source, Span
from ..findings import Findings, replace
from ..parse.tokens import Token

PAIRS = {"/*": "*/", '"""': '"""', "'''": "'''"}
AT_A_LINE = ("--", "%", '"""', "'''")  # signs that mean something else within a line
SIGNS = ("//", "/*", *AT_A_LINE)
LOOKED_AT = 200  # characters after a `//` that tell whether it divides
PROSE = re.compile(r"\w[^\S\n]+\w|[^\w\s.+*/%(),-]")  # what no arithmetic holds


def end_of_comment(token: Token, first: bool, arithmetic: bool, source: Source, findings: Findings) -> int:
    """Where the comment that a token begins ends, having reported it; 0 where none begins.

    `first` where the token is the first of its line, `arithmetic` where `//` may be a division.
    """
    text, start = source.text, token.start_pos
    sign = next((sign for sign in SIGNS if text.startswith(sign, start)), "")
    if not sign or (sign in AT_A_LINE and not first) or findings.full:
        return 0
    if (
        sign == "//"
        and arithmetic
        and not PROSE.search(re.split("[#;)\n]", text[start + 2 : start + LOOKED_AT])[0])
    ):
        return 0
    line_end = text.find("\n", start)
    line_end = len(text) if line_end < 0 else line_end
    closer = PAIRS.get(sign, "")
    end = text.find(closer, start + len(sign)) + len(closer) if closer else line_end
    at = Span(source, start, start + len(sign))
    if end < start + len(sign):
        findings.tell("CNN029", at, case="open", sign=sign)
        return len(text)
    lines = text[start + len(sign) : end - len(closer)].strip().splitlines() or [""]
    instead = "\n".join(f"# {line.strip().lstrip('*').strip()}".rstrip() for line in lines)
    if text[end : text.find("\n", end) % (len(text) + 1)].strip():
        instead += "\n"  # and what follows goes on in a line of its own
    whole = replace(Span(source, start, end), instead, help="begin it with `#`")
    findings.tell("CNN029", at, whole, sign=sign)
    return end
