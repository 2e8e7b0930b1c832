"""Numbers as other people write them: `0,5`, `100 000`, `25 %`, `10^-3`, `1/255`, `8px`."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

from ....diagnostics import Span
from ....ir.fields import Shape, Sizes, size_field
from ....words import WORDS
from ...findings import Findings, replace
from ...parse.context import ErrorContext
from ..placed import sized_settings

UNITS = {unit.lower(): unit for unit in ("k", "M", "G", "kB", "MB", "GB", "KiB", "MiB", "GiB")}


class Form(NamedTuple):
    """A number as it is not written here: what it looks like, what it says, and what is wrong with it.

    `braced` where it is a number only in a block: after a layer it may be a size.
    """

    pattern: re.Pattern[str]
    meant: Callable[[re.Match[str]], str]
    why: str
    braced: bool = False


def _form(pattern: str, meant: Callable[[re.Match[str]], str], why: str, braced: bool = False) -> Form:
    return Form(re.compile(rf"(?<![\w.]){pattern}(?!\w)"), meant, why, braced)


def digits(match: re.Match[str]) -> str:
    """The digits of a number, without what groups them."""
    return re.sub(r"\D", "", match[0])


GROUPED = "its digits are not grouped"
NUMBER = r"(?P<number>\d+(?:\.\d+)?|\.\d+)"
FORMS = (
    _form(
        rf"{NUMBER}\s*(?:%|percent|per\s+cent|pct)",
        lambda m: f"{m['number']}%",
        "a share ends in `%`, without a space",
    ),
    _form(
        rf"{NUMBER}\s*(?P<unit>(?i:[kMG]i?B|[kMG]))",
        lambda m: m["number"] + UNITS[m["unit"].lower()],
        "a unit stands right after its number: k, M, G, kB, MB, GB, KiB, MiB, GiB",
    ),
    _form(rf"{NUMBER}\s*(?:px|pixels?|deg|degrees?|epochs?|°)", lambda m: m["number"], "it needs no unit"),
    _form(r"[1-9]\d{0,2}(?:(?P<sign>[ ,_'])\d{3})(?:(?P=sign)\d{3})*", digits, GROUPED, True),
    _form(r"\d+(?:_\d+)+", digits, GROUPED),
    _form(r"\d+,\d+(?:[eE][-+]?\d+)?", lambda m: m[0].replace(",", "."), "decimals follow a point"),
    _form(
        r"(?P<base>\d+(?:\.\d+)?)?\s*[x*×]?\s*10\s*(?:\^|\*\*)\s*(?P<power>-?\d+)",
        lambda m: f"{m['base'] or 1}e{m['power']}",
        "a power of ten is written 1e-3",
    ),
    _form(r"\d+(?:\.\d+)?\s*/\s*\d+(?:\.\d+)?", lambda m: f"{{{m[0]}}}", "arithmetic stands in braces", True),
    _form(r"(?P<number>\d+(?:\.\d+)?[eE][-+]?\d+)[fFdDlL]", lambda m: m["number"], "it needs no type"),
    _form(r"(?P<number>\d+\.\d+)[fFdDlL]", lambda m: m["number"], "it needs no type"),
)  # fmt: skip


def number_of_others(place: ErrorContext, findings: Findings) -> bool:
    """dropout 0,5, params <= 100 000, validation 10 %, lr 10^-3"""
    if place.kind() in ("_SEP", "$END") and place.kind(-1) not in ("MISNUMBER", "NAME"):
        return False
    at = place.span()
    start = place.source.line_starts[at.line - 1]
    line = place.source.line(at.line).partition("#")[0]
    before = place.span(-1)
    for form in FORMS:
        for match in form.pattern.finditer(line):
            first, last = start + match.start(), start + match.end()
            if not first <= at.start <= last or (before.start < first and at.start == last):
                continue
            if (form.braced and not place.braced) or ("," in match[0] and _takes_several(place, line, match)):
                continue
            span = Span(place.source, first, last)
            meant = form.meant(match)
            findings.tell("CNN005", span, replace(span, meant), case="form", text=span.text, why=form.why)
            return True
    return False


def _takes_several(place: ErrorContext, line: str, match: re.Match[str]) -> bool:
    """Whether numbers with a comma between them are a size: what stands before them takes several."""
    before = line[: match.start()].rstrip()
    named = re.search(r"[A-Za-z_]\w*$", before)
    name = named[0] if named else ""
    if match[0].startswith("0"):
        return False
    if before.endswith((",", "(", "[")) or line[match.end() :].lstrip().startswith(","):
        return True
    sized = size_field(WORDS[name]) if name in WORDS else None
    several = sized is not None and isinstance(sized.metadata["kind"], Shape | Sizes)
    return several or name in sized_settings() or name == "input"
