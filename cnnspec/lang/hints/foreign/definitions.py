"""Definitions, names and budgets as other languages have them: `function res(c) = ...`, `var w = 8`, `conv = a`."""

from __future__ import annotations

import re

from ....diagnostics import Edit, Span
from ...findings import Findings, Proposal, insert, replace
from ...parse.context import SIZED, ErrorContext
from ...parse.layout import STARTERS

KEYWORDS = {  # of other languages, and what defines the same here
    **dict.fromkeys(("var", "const", "int", "float", "val", "auto", "set", "local", "number"), "let"),
    **dict.fromkeys(("function", "fn", "func", "fun", "define", "module", "macro", "sub", "layer"), "block"),
    **dict.fromkeys(("network", "model", "head", "branch"), "net"),
    **dict.fromkeys(("include", "require", "using", "load", "use"), "import"),
    **dict.fromkeys(("call", "apply", "insert"), ""),
}
AT_LEAST = frozenset(  # quantities that are to be large
    ("accuracy", "acc", "precision", "recall", "f1", "auc", "iou", "r2", "top5", "receptive_field")
)
FOLLOWS = {"let": ("NAME",), "block": ("NAME",), "net": ("NAME",), "import": ("STRING",), "": ("NAME",)}


def keyword_of_others(place: ErrorContext, findings: Findings) -> bool:
    """var w = 8, function res(c) = ..., include "blocks.cnn", call res(8)"""
    first = place.tokens[place.begun]
    meant = KEYWORDS.get(str(first)) if first.type == "NAME" and not place.braced else None
    after = place.tokens[place.begun + 1].type if place.begun + 1 < len(place.tokens) else ""
    if meant is None or after not in FOLLOWS[meant]:
        return False
    equals = any(token == "=" for token in place.tokens[place.begun + 2 : place.number + 1])
    calls = place.kind(0) == "LPAR"
    if (meant in ("let", "net") and not equals) or (meant in ("block", "") and not (equals or calls)):
        return False
    start, end = first.start_pos, first.end_pos
    gap = Span(place.source, start, end if meant else place.tokens[place.begun + 1].start_pos)
    help = f"write `{meant}`" if meant else "leave it out: a block is called by its name"
    fix = replace(gap, meant, help=help)
    findings.tell("CNN001", Span(place.source, start, end), fix, case="keyword", keyword=first)
    return True


def head_of_definition(place: ErrorContext, findings: Findings) -> bool:
    """block res c = ..., block res(int c) = ..., block res(c: 8) = ..., net a(c) = ..., net conv 8x3x3"""
    first = place.tokens[place.begun]
    within = place.tokens[place.begun : place.number]
    if first.type not in ("BLOCK", "NET") or (not _in(within) and any(token.type == "EQUAL" for token in within)):
        return False
    text, here = place.source.text, place.span()
    line = place.source.line(here.line)
    start = place.source.line_starts[here.line - 1]
    whole = Span(place.source, first.start_pos, start + len(line.partition("#")[0].rstrip()))
    keyword, name = str(first), str(within[1]) if len(within) > 1 else ""
    called = re.compile(rf"{keyword}\s+{re.escape(name)}\(\s*[\d{{]").match(text, first.start_pos) if name else None
    if first.type == "NET" and place.kind() == "LPAR":
        of_keyword = Span(place.source, first.start_pos, first.end_pos)
        fix = replace(of_keyword, "block", help="write `block`: a net has no parameters")
        findings.tell("CNN001", here, fix, case="definition", why="a net has no parameters, and a block has")
    elif called:
        gap = Span(place.source, first.start_pos, within[1].start_pos)
        fix = replace(gap, "", help=f"leave `{keyword}` out: a block is called by its name")
        findings.tell(
            "CNN001", whole, fix, case="definition", why=f"`{keyword}` defines, and a call has the name alone"
        )
    elif place.kind() == "ARROW" and len(within) > 1:
        findings.tell("CNN001", here, replace(here, "=", help="write `=`"), case="colon", head=keyword)
    elif _in(within):
        return _parameter(place, findings)
    elif (
        place.kind() == "NAME"
        and first.type == "BLOCK"
        and len(within) == 2
        and "=" in text[here.start : whole.end]
    ):
        until = text.index("=", here.start)
        names = re.findall(r"[A-Za-z_]\w*", text[here.start : until])
        gap = Span(place.source, within[1].end_pos, until)
        fix = replace(gap, f"({', '.join(names)}) ", help="parameters stand in parentheses")
        findings.tell("CNN001", here, fix, case="definition", why="the parameters of a block stand in parentheses")
    elif place.kind() in ("NAME", "JOIN") and "EQUAL" in place.expected:
        before = Span(place.source, here.start, here.start)
        findings.tell("CNN001", here, replace(before, "= ", help="write `=` before it"), case="colon", head=keyword)
    elif place.kind() == "EQUAL" or place.kind() in SIZED:
        help = f"write `{keyword} name{'(c)' if keyword == 'block' else ''} = ...`"
        findings.tell("CNN001", here, case="no name", head=keyword, how=help)
    else:
        return False
    return True


def _in(tokens: list) -> bool:
    """Whether a parenthesis is open at the end."""
    return [token.type for token in tokens].count("LPAR") > [token.type for token in tokens].count("RPAR")


def _parameter(place: ErrorContext, findings: Findings) -> bool:
    """int c, c: int, c: 8, c 8"""
    here, text = place.span(), place.source.text
    name = place.text(-1)
    if place.kind(-1) != "NAME":
        return False
    typed = re.compile(r":\s*(?P<type>[A-Za-z_]\w*)").match(text, here.start)
    if place.kind() == "NAME":  # int c
        gap = Span(place.source, place.span(-1).start, here.start)
        fix = Proposal(f"leave `{name}` out", (Edit(gap, ""),))
    elif typed:
        fix = Proposal(f"leave `{typed[0]}` out", (Edit(Span(place.source, place.span(-1).end, typed.end()), ""),))
    elif text[here.start] == ":" and place.kind(1) in SIZED:
        fix = replace(
            Span(place.source, place.span(-1).end, place.span(1).start), " = ", help=f"write `{name} = ...`"
        )
    elif place.kind() in SIZED:
        fix = insert(
            Span(place.source, place.span(-1).start, place.span(-1).end),
            " =",
            help=f"write `{name} = {place.text()}`",
        )
    else:
        return False
    findings.tell(
        "CNN001", here, fix, case="definition", why="a parameter is a name, or a name and `=` and a number"
    )
    return True


def named_otherwise(place: ErrorContext, findings: Findings) -> bool:
    """conv 8x3x3 = a, conv 8x3x3 as "a", import blocks.cnn, data { ... } train { ... }"""
    if place.text() == "=" and place.kind(-1) in SIZED and place.kind(1) == "NAME" and not place.braced:
        findings.tell("CNN001", place.span(), replace(place.span(), "as"), case="as")
    elif place.kind(-1) == "AS" and place.kind() == "STRING" and place.text()[1:-1].isidentifier():
        findings.tell("CNN001", place.span(), replace(place.span(), place.text()[1:-1]), case="as")
    elif place.kind(-1) == "IMPORT" and place.kind() == "PATH" and place.text().endswith(".cnn"):
        quoted = replace(place.span(), f'"{place.text()}"', sure=False)
        findings.tell("CNN001", place.span(), quoted, case="quoted", path=place.text())
    elif place.kind(-1) == "CLOSE" and (place.kind() in STARTERS or place.kind() in ("NAME", "TAP")):
        before = Span(place.source, place.span(-1).end, place.span().start)
        findings.tell("CNN001", place.span(), replace(before, "\n", help="begin a new line"), case="new line")
    else:
        return False
    return True


def budget(place: ErrorContext, findings: Findings) -> bool:
    """expect { accuracy 98% }, expect { accuracy = 98% }, expect { params =< 10k }"""
    if "COMPARE" not in place.expected or not place.braced or place.kind(-1) != "NAME":
        return False
    written = re.compile(r"(?P<sign>=<|=>|=|:|)\s*(?=[\d.])").match(place.source.text, place.span().start)
    if not written:
        return False
    least = place.text(-1) in AT_LEAST
    sign = {"=<": "<=", "=>": ">="}.get(written["sign"], ">=" if least else "<=")
    gap = Span(place.source, place.span(-1).end, written.end())
    fix = replace(gap, f" {sign} ", help=f"write `{place.text(-1)} {sign} ...`", sure=bool(written["sign"][1:]))
    findings.tell("CNN001", place.span(), fix, case="compare")
    return True
