"""Syntax errors in words: what was probably meant.

Each slip that people make has a function, which reports it if it recognises the place. The tuple `HINTS`
at the end is their order; what none of them knows is told by what could have stood there.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from ...diagnostics import Edit, Span
from ...ir.fields import settings, size_field
from ...words import WORDS
from ..findings import Findings, Proposal, replace
from ..parse.context import ENDS, SIZED, ErrorContext
from ..parse.layout import DEEPEST
from ..parse.tokens import Token
from .characters import letter_for_digit, letters_for_number, open_string, strange_character
from .foreign.definitions import budget, head_of_definition, keyword_of_others, named_otherwise
from .foreign.lines import both_betas, python_call, python_model, python_value
from .foreign.numbers import number_of_others
from .foreign.papers import as_in_papers
from .placed import block_of, of_a_nested_word, report_outside, said_elsewhere, setting_of, sized_settings
from .signs import (
    applied,
    bar_without_join,
    bare_number,
    bars,
    braces_around_chain,
    brackets,
    closes_nothing,
    colon,
    count_before,
    count_without_sign,
    input_as_layer,
    named_layer,
    python_keyword,
    sum_of_values,
)

ARROW = re.compile(r"[-=~]{2,4}>|=>{1,2}|~>|\|>|>{1,3}")  # of other languages


def explain(place: ErrorContext, findings: Findings) -> Proposal | None:
    """Report a syntax error; the change that would cure it, where one is known."""
    token, before = place.at(0), len(findings)
    if not token:  # put there by the layout, which has told why
        return None
    if not any(hint(place, findings) for hint in HINTS):
        case, missing = "line" if token.type == "_SEP" else "", wanted(place.expected)
        findings.tell("CNN001", place.span(), case=case, token=token, wanted=missing)
    return findings.newest if len(findings) > before else None


def wanted(expected: set[str]) -> str:
    """What could have stood there, where that is easily said."""
    if {"NAME", "LPAR", "TAP"} <= expected:
        return "expected a layer"
    if {"NUMBER", "NAME", "STRING"} <= expected:
        return "expected a value"
    if {"NUMBER", "HOLE"} <= expected and "ARROW" not in expected:
        return "expected a size" if "SIZES" in expected else "expected a number"
    one = {
        "NAME": "a name",
        "STRING": 'a path in quotes, such as "blocks.cnn"',
        "EQUAL": "`=`",
        "COMPARE": "<= or >=",
    }
    return next((f"expected {text}" for kind, text in one.items() if expected == {kind}), "")


# ---- the hints -------------------------------------------------------------------------------------------


def other_arrow(place: ErrorContext, findings: Findings) -> bool:
    """conv 8x3x3 => relu"""
    for first, last in ((0, 4), (0, 3), (0, 2), (0, 1), (-1, 0), (0, 0)):
        text = "".join(place.text(step) for step in range(first, last + 1))
        if ARROW.fullmatch(text) or text in ("->>", "-", "<-", "%>%", "&", "&&"):
            span = place.span(first, last or None)
            if text in (">", "-") and not (place.kind(-1) in SIZED | {"NAME", "RPAR"} and place.kind(1) == "NAME"):
                continue
            findings.tell("CNN001", span, replace(span, "->"), case="arrow", sign=span.text)
            return True
    return False


def pair_with_sign(place: ErrorContext, findings: Findings) -> bool:
    """stride=2"""
    if place.text() not in ("=", ":") or place.kind(-1) != "NAME":
        return False
    name = place.text(-1)
    if place.begins_statement(-1) and not place.braced and name not in WORDS:
        if place.text() != "=":
            return False
        before = Span(place.source, place.span(-1).start, place.span(-1).start)
        let = replace(before, "let ", help=f"write `let {name} = ...`")
        findings.tell("CNN001", place.span(-1, 0), let, case="let", name=name)
        return True
    gap = Span(place.source, place.span(-1).end, place.span(1).start)
    fix = replace(gap, " ", help=f"write `{name} {place.text(1)}`")
    findings.tell("CNN003", place.span(), fix, sign=place.text())
    return True


def comma(place: ErrorContext, findings: Findings) -> bool:
    """conv 8, 3, 3"""
    if place.kind() != "COMMA":
        return False
    if place.kind(-1) == "NUMBER" and place.kind(1) == "NUMBER":
        return _joined(place, -1, {"NUMBER", "COMMA"}, findings)
    if _in_join(place):
        bar = replace(Span(place.source, place.span(-1).end, place.span().end), " |", help="write `|`")
        findings.tell("CNN003", place.span(), bar, case="branches")
        return True
    # `pad` is a layer and a setting of others: after a comma it is taken for the setting
    setting = any(place.text(1) in settings(op) for op in WORDS.values())
    inner = place.braced and of_a_nested_word(place.text(1))  # `optimiser adam, lr 0.01`
    layer = place.kind(1) == "NAME" and place.text(1) in WORDS and not setting
    sign, said = (
        (" ;", "`;` or a new line")
        if place.braced and not inner
        else (" ->", "an arrow")
        if layer
        else (" ", "a space")
    )
    between = Span(place.source, place.span(-1).end, place.span().end)
    if sign == " ":
        between = place.span()
    what = "layers" if layer and not place.braced else "settings"
    fix = replace(between, sign.rstrip() if sign == " " else sign, help=f"write {said}")
    findings.tell("CNN003", place.span(), fix, case="comma", what=what)
    return True


def _in_join(place: ErrorContext) -> bool:
    """Whether the innermost parenthesis around here is that of a join."""
    depth = 0
    for i in range(place.number - 1, place.begun, -1):
        kind = place.tokens[i].type
        depth += (kind == "RPAR") - (kind == "LPAR")
        if depth < 0:
            return place.tokens[i - 1].type == "JOIN"
    return False


def numbers_apart(place: ErrorContext, findings: Findings) -> bool:
    """conv 8 3 3, conv 8*3*3, stride 2 2"""
    of_a_layer = place.kind(-2) == "NAME" and place.text(-2) in WORDS and not place.braced
    of_a_layer = (
        of_a_layer or place.kind(-2) == "INPUT" or (place.kind(-2) == "NAME" and place.text(-2) in sized_settings())
    )
    if place.kind() in SIZED and place.kind(-1) in SIZED and of_a_layer:
        return _joined(place, -1, SIZED, findings)
    if place.kind() == "TIMES" and place.kind(-1) in SIZED and place.kind(-2) == "INPUT":
        return _joined(place, -1, SIZED | {"TIMES"}, findings)
    if place.kind() == "TIMES" and place.kind(-1) in SIZED and place.kind(-2) == "TIMES":
        return _joined(place, -3, SIZED | {"TIMES"}, findings)
    return False


def _joined(place: ErrorContext, first: int, kinds: set[str] | frozenset[str], findings: Findings) -> bool:
    """Report numbers that should be one size, from a token on."""
    last = first
    while place.kind(last + 1) in kinds:
        last += 1
    span = Span(place.source, place.span(first).start, place.span(last).end)
    size = "x".join(place.text(step) for step in range(first, last + 1) if place.kind(step) in SIZED)
    # `2*3` may be a product, and `0,5` a fraction
    sure = "TIMES" not in kinds and not re.fullmatch(r"\d+,\d+", span.text)
    fixes = [replace(span, size, sure=sure)]
    word = place.text(first - 1)
    if size.count("x") == 1 and word in WORDS and "pad" in settings(WORDS[word]):
        sized = size_field(WORDS[word])
        if sized is not None and sized.metadata["pattern"].startswith("F"):  # filters, and one number for a square
            fixes.insert(0, replace(span, f"{size}x{size.partition('x')[2]}", sure=False))
    findings.tell("CNN012", span, *fixes)
    return True


def outside_of_its_block(place: ErrorContext, findings: Findings) -> bool:
    """optimiser adam lr 1e-3, without train { }"""
    first = place.tokens[place.begun]
    block = block_of(str(first)) if first.type == "NAME" and not place.braced else ""
    if not block:
        return False
    start, end = first.start_pos or 0, place.source.line_starts[place.source.position(first.start_pos or 0)[0] - 1]
    end += len(place.source.line(place.source.position(start)[0]).partition("#")[0].rstrip())
    report_outside(block, Span(place.source, start, start + len(first)), Span(place.source, start, end), findings)
    return True


def missing_arrow(place: ErrorContext, findings: Findings) -> bool:
    """bn relu"""
    if place.braced:
        return False
    for step in (-1, -2) if place.kind() in ENDS | SIZED else ():
        if step == -1 and place.kind() not in ENDS:
            continue
        if place.kind(step) != "NAME" or place.kind(step - 1) not in SIZED | {"NAME", "STRING"}:
            continue
        name = place.text(step)
        if place.kind() == "BAR" and place.text(step - 1) in WORDS and WORDS[place.text(step - 1)].join:
            findings.tell("CNN207", place.span(step - 1), word=place.text(step - 1))
            return True
        if name in WORDS or name == "id":
            span = place.span(step)
            before = Span(span.source, span.start, span.start)
            arrow = replace(before, "-> ", help=f"write `-> {name}`")
            findings.tell("CNN002", span, arrow, name=name)
            return True
    return False


def name_without_value(place: ErrorContext, findings: Findings) -> bool:
    """conv 8x3x3 same"""
    if place.kind() not in ENDS or place.kind(-1) != "NAME":
        return False
    if place.kind(-2) not in SIZED | {"NAME", "STRING"} and not place.braced:
        return False
    name, span = place.text(-1), place.span(-1)
    join = WORDS.get(place.text(-2)) if place.kind(-2) == "NAME" else None
    if join is not None and join.join:  # add skip
        both = Span(place.source, place.span(-2).start, span.end)
        findings.tell("CNN207", both, replace(both, f"{join.word}(id | @{name})", sure=False), word=join.word)
        return True
    taken = setting_of(name) if place.braced and place.begins_statement(-1) else ""
    if taken:  # { sgd }
        before = Span(place.source, span.start, span.start)
        fix = replace(before, f"{taken} ", help=f"write `{taken} {name}`")
        findings.tell("CNN003", span, fix, case="value", name=name)
        return True
    pad = name in ("same", "valid", "include")
    whole = f"pad {name}" if pad else f"{name} on"  # what is a flag elsewhere is a switch here
    findings.tell("CNN003", span, replace(span, whole, sure=False), case="value", name=name)
    return True


def name_after_shape(place: ErrorContext, findings: Findings) -> bool:
    """relu :: 8x26x26 as a"""
    if place.kind() != "AS" or place.kind(-2) != "COLONS" or place.kind(1) != "NAME":
        return False
    span = Span(place.source, place.span(-2).start, place.span(1).end)
    fix = replace(span, f"as {place.text(1)} :: {place.text(-1)}")
    findings.tell("CNN001", span, fix, case="shape")
    return True


def arrow_alone(place: ErrorContext, findings: Findings) -> bool:
    """conv 8x3x3 -> -> relu"""
    if place.kind(-1) == "ARROW" and place.kind() in ("ARROW", "BAR", "RPAR", "_SEP", "$END"):
        after = Span(place.source, place.span(-1).start, place.span(-1).end)
        fix = Proposal("leave the arrow out", (Edit(after, ""),))
        findings.tell("CNN001", after, fix, case="after an arrow")
        return True
    if place.kind() != "ARROW":
        return False
    begins = place.begins_statement(0)
    if begins or any(place.kind(step) == "INPUT" for step in (-2, -4)):
        start = place.span().start if begins else place.span(-1).end
        gap = Span(place.source, start, place.span(1).start)
        fix = replace(
            gap, "" if begins else "\n", help="leave the arrow out" if begins else "begin a line without it"
        )
        findings.tell("CNN001", place.span(), fix, case="before an arrow")
        return True
    return False


def braces_in_arithmetic(place: ErrorContext, findings: Findings) -> bool:
    """let w = {3 * 4}"""
    if place.kind() != "HOLE" or "LPAR" not in place.expected or "ARROW" in place.expected:
        return False
    bare = replace(place.span(), place.text()[1:-1].strip())
    findings.tell("CNN001", place.span(), bare, case="arithmetic")
    return True


def chain_in_call(place: ErrorContext, findings: Findings) -> bool:
    """gated(conv 8x3x3 -> relu)"""
    if place.kind() not in SIZED | {"NAME", "ARROW"}:
        return False
    step, depth = -1, 0
    start: int | None = None  # of the argument
    while depth or place.kind(step) != "LPAR":
        depth += {"RPAR": 1, "LPAR": -1}.get(place.kind(step), 0)
        if place.kind(step) in ("$END", "_SEP") or (not depth and place.kind(step) == "BAR"):
            return False
        if not depth and place.kind(step) == "COMMA" and start is None:
            start = step + 1
        step -= 1
    first = step + 1 if start is None else start
    if (
        place.kind(step - 1) not in ("NAME", "PATH")
        or place.kind(step - 2) == "BLOCK"
        or place.text(first) not in WORDS
    ):
        return False
    at = place.span(first).start
    fix = replace(Span(place.source, at, at), "| ", help="put `|` before it")
    if first != step + 1:
        fix = replace(Span(place.source, place.span(first - 1).start, at), " | ", help="put `|` before it")
    findings.tell("CNN001", place.span(first), fix, case="call")
    return True


def other_equals(place: ErrorContext, findings: Findings) -> bool:
    """net head == dense 10, let w := 8"""
    text = place.text() if place.text() == "==" else place.text() + place.text(1)
    if place.kind(-2) == "LET" and place.kind() in SIZED and "EQUAL" in place.expected:  # let w 8
        gap = Span(place.source, place.span(-1).end, place.span().start)
        whole = f"let {place.text(-1)} = {place.text()}"
        findings.tell("CNN001", place.span(), replace(gap, " = ", help=f"write `{whole}`"), case="no equals")
        return True
    if "EQUAL" not in place.expected or text not in ("==", ":="):
        return False
    span = place.span(0, None if place.text() == "==" else 1)
    findings.tell("CNN001", span, replace(span, "="), case="equals", sign=text)
    return True


def bare_path(place: ErrorContext, findings: Findings) -> bool:
    """source images photos/train"""
    if not place.braced or place.text() not in ("/", ".", "~"):
        return False
    text, at = place.source.text, place.span().start
    start = re.search(r"[\w.~-]*$", text[max(0, at - 100) : at])
    end = re.compile(r"[\w./~-]*").match(text, at)
    assert start and end
    span = Span(place.source, at - len(start[0]), end.end())
    findings.tell("CNN003", span, replace(span, f'"{span.text}"'), case="path")
    return True


Hint = Callable[[ErrorContext, Findings], bool]
HINTS: tuple[Hint, ...] = (
    said_elsewhere,
    python_keyword,
    keyword_of_others,
    head_of_definition,
    named_otherwise,
    budget,
    as_in_papers,
    bars,
    other_arrow,
    bare_number,
    number_of_others,
    letter_for_digit,
    letters_for_number,
    open_string,
    input_as_layer,
    other_equals,
    colon,
    braces_around_chain,
    both_betas,
    python_model,
    applied,
    python_call,
    python_value,
    named_layer,
    pair_with_sign,
    brackets,
    bare_path,
    strange_character,
    chain_in_call,
    outside_of_its_block,
    count_without_sign,
    numbers_apart,
    comma,
    missing_arrow,
    name_without_value,
    name_after_shape,
    arrow_alone,
    count_before,
    sum_of_values,
    braces_in_arithmetic,
    bar_without_join,
    closes_nothing,
)


def explain_hole(token: Token, span: Span, findings: Findings) -> None:
    """Report an error in the arithmetic of a hole."""
    if token.type == "$END":
        findings.tell("CNN001", span, case="end of a hole")
        return
    start = span.start + 1
    at = Span(span.source, start + token.start_pos, start + token.end_pos)
    before = span.text[1 : token.end_pos + 1]
    if before.count("(") - before.count(")") > DEEPEST:
        findings.tell("CNN007", at, most=DEEPEST)
        return
    findings.tell("CNN001", at, case="in a hole", token=token)
