"""Slips within a word: letters for digits, quotes left open, characters that only look right."""

from __future__ import annotations

import re
from collections.abc import Callable
from unicodedata import name as unicode_name
from unicodedata import normalize

from ...diagnostics import Span
from ..findings import Findings, replace
from ..parse.context import ENDS, ErrorContext

NUMBER = re.compile(r"(\d+|\?)(x(\d+|\?))*|(\d+(\.\d*)?|\.\d+)([eE][-+]?\d+)?(%|[kKMG]i?B|[kMGB])?")
SIZE_OF_PARTS = re.compile(r"\d+x[(\[]\s*\d+\s*[,x]\s*\d+\s*[)\]]")  # 8x(3,3)
SIZE_AT = re.compile(r"\d+@\d+(?:x\d+)*")  # 8@3x3, as LeNet's picture has it
ALIKE = str.maketrans({"O": "0", "o": "0", "l": "1", "I": "1", "X": "x", "*": "x", ",": ".", "K": "k", "m": "M"})
LOOKALIKES = {
    **dict.fromkeys("×✕✖хΧХ", "x"),
    **dict.fromkeys("–—−‐‑", "-"),
    **dict.fromkeys("“”„«»'‘’`", '"'),
    **dict.fromkeys("\u00a0\u2007\u202f\u3000\u2003\u2002\u2009", " "),
    "，": " ",
    "；": ";",
    "（": "(",
    "）": ")",
    "｛": "{",
    "｝": "}",
    "＝": "=",
    "｜": "|",
    "≤": "<=",
    "≥": ">=",
    **dict(zip("асеорухіАВСЕНКМОРТХ", "aceopyxiABCEHKMOPTX", strict=True)),  # letters of Cyrillic
}
WITHOUT_WIDTH = "\u200b\u200c\u200d\u2060\u00ad"
WHOLES: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], str]], ...] = (
    (re.compile(r"\d+(?:[×✕✖хΧХx]\d+)+"), lambda match: re.sub(r"\D", "x", match[0])),
    (re.compile("[“”„«»'‘’`\"]([^“”„«»'‘’`\"]*)[“”„«»'‘’`\"]"), lambda match: f'"{match[1]}"'),
    (re.compile("[–—−‐‑]+>"), lambda match: "->"),
)


def letter_for_digit(place: ErrorContext, findings: Findings) -> bool:
    """dense 1O"""
    if place.kind() != "MISNUMBER":
        return False
    text = place.text()
    if sizes := SIZE_OF_PARTS.match(place.source.text, place.span().start):
        span = Span(place.source, sizes.start(), sizes.end())
        findings.tell("CNN012", span, replace(span, "x".join(re.findall(r"\d+", sizes[0]))))
        return True
    meant = text.translate(ALIKE)
    proposals = [replace(place.span(), meant)] if NUMBER.fullmatch(meant) else []
    ends = re.fullmatch(r"(\d+)([A-Za-z]+)", text)
    if ends and not proposals:
        findings.tell("CNN005", place.span(), case="unit", text=text, unit=ends[2])
    else:
        findings.tell("CNN005", place.span(), *proposals, text=text)
    return True


def letters_for_number(place: ErrorContext, findings: Findings) -> bool:
    """dense l0"""
    if place.kind() not in ENDS or place.kind(-1) != "NAME" or place.kind(-2) != "NAME":
        return False
    name = place.text(-1)
    meant = name.translate(ALIKE)
    if not (NUMBER.fullmatch(meant) and re.search(r"\d", name)):
        return False
    findings.tell("CNN005", place.span(-1), replace(place.span(-1), meant), text=name)
    return True


def open_string(place: ErrorContext, findings: Findings) -> bool:
    """source npz "a.npz"""
    if place.kind() != "OPEN_STRING":
        return False
    span = place.span()
    inside = span.text.rstrip(" \t\r})")
    # what stands behind a space may be a setting, and not a part of the path
    closed = replace(span, f'{inside}"{span.text[len(inside) :]}', help='end it with `"`', sure=" " not in inside)
    opening = Span(span.source, span.start, span.start + 1)
    findings.tell("CNN004", opening, closed, case="quotes")
    return True


def strange_character(place: ErrorContext, findings: Findings) -> bool:
    """conv 8x3x3 → relu"""
    if place.kind() != "STRAY":
        return False
    character, span = place.text(), place.span()
    sizes = SIZE_AT.match(place.source.text, place.span(-1).start) if character == "@" else None
    if sizes:
        span = Span(place.source, sizes.start(), sizes.end())
        findings.tell("CNN012", span, replace(span, span.text.replace("@", "x")))
        return True
    if character == "@":
        findings.tell("CNN001", span, case="tap")
        return True
    if character == "$" and place.source.text[span.end : span.end + 1] == "{":
        findings.tell("CNN011", span, replace(span, "", help="leave it out"), character="`$`")
        return True
    known = unicode_name(character, "")
    towards = "RIGHTWARDS" in known or "DOWNWARDS" in known
    meant = "->" if towards and "ARROW" in known else LOOKALIKES.get(character, "")
    if not character.isascii() and (not meant or meant.isalpha()) and character not in "×✕✖":
        span, meant = _folded(span)
    for pattern, change in WHOLES:  # what the character is a part of: a size, a text in quotes, an arrow
        for match in pattern.finditer(place.source.line(span.line)):
            start = place.source.line_starts[span.line - 1]
            if meant and match.start() + start <= span.start < match.end() + start:
                span, meant = Span(place.source, match.start() + start, match.end() + start), change(match)
                break
    shown = f"`{character}`" if character.isprintable() and not character.isspace() else f"U+{ord(character):04X}"
    if not character.isascii() and known:
        shown += f" ({known.lower()})"
    how = f"use `{meant}`" if meant.strip() else "use a plain space"
    sure = not (meant == "->" and place.begins_statement(0))  # where an arrow alone in its line points down
    proposals = [replace(span, meant, how, sure)] if meant else []
    if character in WITHOUT_WIDTH:
        proposals = [replace(span, "", help="leave it out: it has no width, and nobody sees it")]
    findings.tell("CNN011", span, *proposals, character=shown)
    return True


def _folded(at: Span) -> tuple[Span, str]:
    """The word around a character, and the same in plain letters and digits; as it was where there is none.

    Letters of full width and of other scripts look like plain ones: `８ｘ３ｘ３`, `droрout`.
    """
    text = at.source.text
    start, end = at.start, at.end
    while start and not (text[start - 1].isascii() and not text[start - 1].isalnum()):
        start -= 1
    while end < len(text) and not (text[end].isascii() and not text[end].isalnum()):
        end += 1
    word = text[start:end]
    plain = "".join(LOOKALIKES.get(letter, letter) for letter in normalize("NFKC", word))
    return (Span(at.source, start, end), plain) if plain.isascii() and plain.strip() else (at, "")
