"""Signs where none belong: braces and colons around chains, counts without `*`, names of numbers without braces."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ...diagnostics import Edit, Span
from ...ir.fields import size_field
from ...words import WORDS
from ..findings import Findings, Proposal, replace
from ..lowering.arithmetic import FUNCTIONS
from ..parse.context import ENDS, SIZED, ErrorContext
from .placed import BLOCK_NAMES
from .spelling import own_word

STARTS = frozenset(("ARROW", "EQUAL", "LPAR", "BAR", "_SEP", "OPEN"))  # what stands before a layer
FOLLOWING = {
    word: cls for word, cls in WORDS.items() if size_field(cls) is None and not cls.join
}  # conv + bn + relu
SIZE_IN_BRACKETS = re.compile(r"\[\s*\d+(?:\s*,\s*\d+)*\s*\]")
APPLIED = re.compile(r"\(\s*[\w.]*\s*\)")
MOST_LETTERS = 60  # of a size that is read for names of numbers
PYTHON = {
    **dict.fromkeys(("def", "class"), 'a chain with parameters is `block name(c) = ...`'),
    **dict.fromkeys(("for", "while"), "what is repeated stands in parentheses: `(conv 8x3x3 pad same -> relu)*3`"),
    **dict.fromkeys(("if", "elif", "else"), "a spec chooses nothing; a network is written as it is"),
    "return": "the end of a chain is its output",
    "from": 'blocks of another file are had by `import "blocks.cnn"`',
    "with": "a spec is layers with `->` between them, and blocks of settings",
}  # fmt: skip


def bare_number(place: ErrorContext, findings: Findings) -> bool:
    """(...)*n, conv wx3x3, dense w"""
    names = _numbers(place)
    if not names:
        return False
    if place.kind(-1) == "TIMES" and place.text() in names:
        return _in_braces(place.span(), f"{{{place.text()}}}", findings)
    word = place.number
    while word > place.begun and place.tokens[word - 1].type not in STARTS:
        word -= 1
    step = word - place.number + 1
    if place.kind(step - 1) != "NAME" or place.kind(step) in ENDS or step > 0:
        return False
    start = place.span(step).start
    written = re.compile(rf"[\w*+/-]{{1,{MOST_LETTERS}}}").match(place.source.text, start)
    meant = with_braces(written[0], names) if written else ""
    if not written or not meant:
        return False
    return _in_braces(Span(place.source, start, written.end()), meant, findings)


def with_braces(text: str, names: frozenset[str]) -> str:
    """A size with the names of numbers in it in braces; empty where it holds none.

    >>> with_braces("2*wx3xk", frozenset("wk")), with_braces("same", frozenset("w"))
    ('{2*w}x3x{k}', '')
    """
    if not names:
        return ""
    known = "|".join(sorted(map(re.escape, names), key=len, reverse=True))
    atom = rf"(?:{known}|\d+)"
    item = rf"{atom}(?:[*+/-]+{atom})*?"
    if not re.fullmatch(rf"{item}(?:x{item})*", text):
        return ""
    items = []
    at = 0
    while at < len(text):  # the shortest item after which the rest is still a size
        ends = re.compile(rf"({item})(?=x{item}|$)").match(text, at)
        if ends is None:
            return ""
        part = ends[1]
        if re.fullmatch(r"\d+(?:" + known + ")", part):
            part = re.sub(r"^(\d+)", r"\1*", part)
        items.append(part if part.isdigit() else f"{{{part}}}")
        at = ends.end() + 1
    return "x".join(items) if any("{" in part for part in items) else ""


def _numbers(place: ErrorContext) -> frozenset[str]:
    """The names of numbers: of every `let` before here, and the parameters of the block that this stands in."""
    tokens, found = place.tokens, set()
    for i in range(min(len(tokens), place.number)):
        if tokens[i].type == "LET" and i + 1 < len(tokens):
            found.add(str(tokens[i + 1]))
    if tokens[place.begun].type == "BLOCK":
        for i in range(place.begun + 3, place.number):
            if tokens[i].type == "RPAR":
                break
            if tokens[i].type == "NAME" and tokens[i - 1].type in ("LPAR", "COMMA"):
                found.add(str(tokens[i]))
    return frozenset(found)


def _in_braces(span: Span, meant: str, findings: Findings) -> bool:
    findings.tell("CNN030", span, replace(span, meant), meant=meant)
    return True


def count_without_sign(place: ErrorContext, findings: Findings) -> bool:
    """(relu) x 3, (relu) x3, (relu) 3, (relu)**3"""
    text, last = place.text(), 0
    if place.kind(-1) == "TIMES" and place.kind() == "TIMES" and place.kind(1) in SIZED:
        span = place.span(-1, 1)
        findings.tell("CNN001", span, replace(span, f"*{place.text(1)}"), case="one times")
        return True
    if place.kind(-1) != "RPAR" or place.braced:
        return False
    if place.kind() == "NAME" and text in ("x", "X", "times") and place.kind(1) in SIZED:
        count, last = place.text(1), 1
    elif place.kind() == "NAME" and re.fullmatch(r"[xX]\d+", text):
        count = text[1:]
    elif place.kind() == "NUMBER" and text.isdigit():
        count = text
    elif place.kind() == "STRAY" and text in "×✕✖" and place.kind(1) in SIZED:
        count, last = place.text(1), 1
    else:
        return False
    gap = Span(place.source, place.span(-1).end, place.span(last).end)
    fix = replace(gap, f"*{count}", help=f"write `(...)*{count}`")
    findings.tell("CNN001", place.span(0, last), fix, case="times")
    return True


def braces_around_chain(place: ErrorContext, findings: Findings) -> bool:
    """block a(c) { conv {c}x3x3 }, relu {"""
    if place.kind() != "STRAY" or place.text() != "{":
        return False
    head = place.tokens[place.begun].type
    text, here = place.source.text, place.span()
    if place.begins_statement(-1) and place.kind(-1) == "NAME":
        named = place.text(-1)
        near = BLOCK_NAMES.get(named.lower()) or findings.work.nearest(named, ("train", "data", "expect"))
        opening = Span(place.source, place.span(-1).start, here.end)
        fixes = [replace(opening, f"{near} {{", help=f"use `{near}`")] if near else []
        findings.tell("CNN001", place.span(-1), *fixes, case="block", name=place.text(-1))
        return True
    defines = head in ("BLOCK", "NET")
    equals = " = " if defines and place.kind(-1) != "EQUAL" else " "
    edits = [Edit(Span(place.source, place.span(-1).end, _next(place).start), equals)]
    closing = text.find("}", here.end)
    depth = 1
    for step in range(1, len(place.tokens) - place.number):
        depth += (place.text(step) == "{") - (place.kind(step) == "CLOSE")
        if not depth:
            closing = place.span(step).start
            before = place.span(step - 1).end
            edits.append(Edit(Span(place.source, before, closing + 1), ""))
            break
    how = "what follows `=` is the chain" if defines else "leave them out"
    fixes = [Proposal(how, tuple(edits))] if not depth else [replace(here, "", help="leave it out", sure=False)]
    findings.tell("CNN001", here, *fixes, case="braces", how=how)
    return True


def _next(place: ErrorContext) -> Span:
    """The span of what follows, ends of lines aside."""
    return place.span(next(step for step in (1, 2) if place.kind(step) != "_SEP" or step == 2))


def colon(place: ErrorContext, findings: Findings) -> bool:
    """block a(c): relu, train:"""
    if place.kind() != "STRAY" or place.text() != ":":
        return False
    head = place.tokens[place.begun]
    gap = Span(place.source, place.span(-1).end, _next(place).start)
    if head.type in ("BLOCK", "NET"):
        fix = replace(gap, " = ", help="write `=`")
        findings.tell("CNN001", place.span(), fix, case="colon", head=head)
    elif place.begins_statement(-1) and place.text(-1) in ("train", "data", "expect"):
        findings.tell("CNN003", place.span(-1, 0), case="colon", block=place.text(-1))
    else:
        return False
    return True


def input_as_layer(place: ErrorContext, findings: Findings) -> bool:
    """input -> conv 8x3x3, input (1, 28, 28), input shape=1x28x28"""
    if place.kind(-1) != "INPUT":
        return False
    span = place.span()
    if place.kind() == "ARROW":
        fix = replace(
            Span(place.source, place.span(-1).start, place.span(1).start), "", help="leave `input ->` out"
        )
        findings.tell("CNN001", place.span(-1, 0), fix, case="input")
        return True
    written = re.compile(
        r"(?:shape|size|input_shape)?\s*[=:]?\s*(?:[(\[]\s*(?P<sizes>\d+(?:\s*,\s*\d+)*)\s*,?\s*[)\]]|(?P<size>[\dx]+))"
    ).match(place.source.text, span.start)
    if not written:
        return False
    size = written["size"] or "x".join(re.findall(r"\d+", written["sizes"]))
    whole = Span(place.source, span.start, written.end())
    gap = "" if place.source.text[span.start - 1].isspace() else " "
    fix = replace(whole, gap + size, help=f"write `input {size}`")
    findings.tell("CNN012", whole, fix, case="input")
    return True


def sum_of_values(place: ErrorContext, findings: Findings) -> bool:
    """conv 8x3x3 pad same + a"""
    if place.kind() != "PLUS" or place.tokens[place.begun].type == "LET":
        return False
    signs = [step for step in _to_the_end(place) if place.kind(step) == "PLUS"]
    follow = all(own_word(place.text(step + 1), FOLLOWING) in FOLLOWING for step in signs)
    edits = tuple(Edit(place.span(step), "->") for step in signs)
    then = [Proposal("write `->` where one layer follows another", edits, sure=False)] if follow else []
    findings.tell("CNN001", place.span(), *then, case="sum")
    return True


def brackets(place: ErrorContext, findings: Findings) -> bool:
    """concat([a, b]), Sequential([...])"""
    if place.kind() != "STRAY" or place.text() not in "[]":
        return False
    sizes = SIZE_IN_BRACKETS.match(place.source.text, place.span().start)
    if sizes and place.kind(-1) == "NAME" and place.text(-1) in WORDS:  # conv[8, 3, 3]
        span = Span(place.source, sizes.start(), sizes.end())
        numbers = "x".join(re.findall(r"\d+", sizes[0]))
        findings.tell("CNN012", span, replace(span, f" {numbers}", help=f"write `{place.text(-1)} {numbers}`"))
        return True
    if place.text() == "[" and place.kind(-1) == "NAME" and place.span(-1).end == place.span().start:  # b[8]
        closing = next((step for step in range(1, 200) if place.text(step) in ("]", "")), 0)
        if place.text(closing) == "]":
            opening = Edit(place.span(-1).to(place.span()), f"{place.text(-1)}(")
            edits = (opening, Edit(place.span(closing), ")"))
            findings.tell("CNN001", place.span(), Proposal("write parentheses", edits), case="list")
            return True
    joined = place.kind(-2 if place.kind(-1) == "LPAR" else -1) == "JOIN" or place.text() == "]"
    fixes = [Proposal("leave it out", (Edit(place.span(), ""),))] if joined else []
    findings.tell("CNN001", place.span(), *fixes, case="list")
    return True


def bars(place: ErrorContext, findings: Findings) -> bool:
    """add(relu || id), add(relu |), add(| relu), conv 8x3x3 | relu"""
    here = place.span()
    if place.kind() == "BAR" and place.kind(-1) == "BAR":
        findings.tell("CNN001", here, replace(here, "", help="leave one out"), case="two bars")
    elif place.kind() in ("BAR", "RPAR") and place.kind(-1) in ("BAR", "LPAR"):
        if {place.kind(), place.kind(-1)} == {"LPAR", "RPAR"}:
            return False
        before = Span(place.source, here.start, here.start)
        fix = replace(
            before, "id " if place.kind() == "BAR" else " id", help="write `id`, which changes nothing", sure=False
        )
        findings.tell("CNN001", here, fix, case="no branch")
    elif place.kind() == "BAR" and place.kind(1) == "NAME" and place.text(1) in WORDS and _outside(place):
        edits = tuple(Edit(place.span(step), "->") for step in _to_the_end(place) if place.kind(step) == "BAR")
        findings.tell("CNN001", here, Proposal("use `->`", edits, sure=False), case="arrow", sign="|")
    else:
        return False
    return True


def _to_the_end(place: ErrorContext) -> Iterator[int]:
    """The steps to the end of the statement, or to the next parenthesis."""
    step = 0
    while place.kind(step) not in ("_SEP", "$END", "LPAR", "CLOSE"):
        yield step
        step += 1


def _outside(place: ErrorContext) -> bool:
    """Whether a place is outside of every parenthesis of its statement, and no join stands before it."""
    kinds = [token.type for token in place.tokens[place.begun : place.number]]
    words = {str(token) for token in place.tokens[place.begun : place.number]}
    return "LPAR" not in kinds and not any(cls.join and word in words for word, cls in WORDS.items())


def applied(place: ErrorContext, findings: Findings) -> bool:
    """Conv2D(8, 3)(x)"""
    closed = APPLIED.match(place.source.text, place.span().start)
    if place.kind() != "LPAR" or place.kind(-1) != "RPAR" or not closed:
        return False
    span = Span(place.source, closed.start(), closed.end())
    findings.tell("CNN001", span, replace(span, "", help=f"leave `{span.text}` out"), case="applied")
    return True


def python_keyword(place: ErrorContext, findings: Findings) -> bool:
    """for i in range(3): ..."""
    first = place.tokens[place.begun]
    if first.type != "NAME" or str(first) not in PYTHON or place.braced or place.source.name == "--set":
        return False
    span = Span(place.source, first.start_pos, first.end_pos)
    findings.tell("CNN001", span, case="Python", keyword=first, instead=PYTHON[str(first)])
    return True


def named_layer(place: ErrorContext, findings: Findings) -> bool:
    """model = conv 8x3x3 -> relu, self.conv1 = nn.Conv2d(1, 8, 3)"""
    if place.text() == "=" and place.kind(-1) == "PATH" and place.begins_statement(-1) and not place.braced:
        findings.tell("CNN001", place.span(-1, 0), case="assigned", name=place.text(-1))
        return True
    if (
        place.text() != "="
        or not place.begins_statement(-1)
        or place.braced
        or place.kind(1) not in ("NAME", "JOIN")
    ):
        return False
    name, word = place.text(-1), place.text(1)
    called = place.kind(2) == "LPAR" and word not in ("int", *FUNCTIONS)  # model = Sequential(...)
    known = own_word(word, WORDS) in WORDS and place.kind(2) != "_SEP"
    if place.kind(-1) != "NAME" or name in WORDS or not (known or called):
        return False
    before = Span(place.source, place.span(-1).start, place.span(-1).start)
    fix = replace(before, "net ", help=f"write `net {name} = ...`, or the chain alone")
    findings.tell("CNN001", place.span(-1, 0), fix, case="net", name=name)
    return True


def bar_without_join(place: ErrorContext, findings: Findings) -> bool:
    """( relu | id )"""
    if place.kind() != "BAR":
        return False
    findings.tell("CNN001", place.span(), case="bar")
    return True


def count_before(place: ErrorContext, findings: Findings) -> bool:
    """3*(relu)"""
    if place.kind() not in SIZED or place.kind(1) != "TIMES":
        return False
    findings.tell("CNN001", place.span(0, 1), case="count", count=place.text())
    return True


def closes_nothing(place: ErrorContext, findings: Findings) -> bool:
    """dense 10 )"""
    if place.kind() not in ("RPAR", "CLOSE") or (place.kind() == "CLOSE" and place.braced):
        return False
    text = place.text()
    opener, closer = ("(", ")") if text == ")" else ("{", "}")
    before = "".join(token for token in place.tokens[place.begun : place.number] if token.type != "STRING")
    if before.count(opener) > before.count(closer):
        return False
    findings.tell(
        "CNN001", place.span(), Proposal("leave it out", (Edit(place.span(), ""),)), case="closes", text=text
    )
    return True
