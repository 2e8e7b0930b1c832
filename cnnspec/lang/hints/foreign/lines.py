"""What people write who think in Python, within a line: `padding='same'`, `stride (2, 2)`, `Conv2D(32, (3, 3))`."""

from __future__ import annotations

import re
from contextlib import suppress

from ....diagnostics import Span
from ....ir.fields import Text, settings, size_field
from ....settings.data import Data
from ....settings.train import Train
from ....words import WORDS
from ...findings import Findings, replace
from ...parse.context import ErrorContext
from ..spelling import APART, bare
from ..stated import pattern
from .calls import LONGEST, called, layer, layer_word, nested, why_not

LONGEST_MODEL = 4000  # characters of a whole `Sequential`
PAIR = re.compile(r"""(?P<sign>\s*[=:]\s*|[^\S\n]+)(?P<value>'[^'\n]*'|"[^"\n]*"|\([\d \t,.]+\)|\[[\d \t,.]+\])""")
BETAS = re.compile(r"betas\s*[=:]?\s*[(\[]?\s*(?P<first>[\d.]+)[\s,]+(?P<second>[\d.]+)\s*,?\s*[)\]]?")


def python_value(place: ErrorContext, findings: Findings) -> bool:
    """padding='same', strides=(2, 2), optimizer 'adam'"""
    if place.kind(-1) != "NAME" or place.text()[:1] not in tuple("=:'([\"`"):
        return False
    name = place.span(-1)
    found = PAIR.match(place.source.text, name.end)
    if not found:
        return False
    value = found["value"]
    inside = value[1:-1].strip().rstrip(",")
    if value[0] in "([":
        sizes = [part for part in re.split(r"[\s,]+", inside) if part]
        meant, kind = "x".join(sizes), "parentheses" if value[0] == "(" else "brackets"
    else:
        bare = re.fullmatch(r"[A-Za-z_]\w*", inside) and place.text(-1) not in _named_by_texts()
        meant, kind = inside if bare else f'"{inside}"', "quotes"
    sign = found["sign"].strip()
    without = " and ".join(filter(None, (f"`{sign}`" if sign else "", kind if not meant.startswith('"') else "")))
    if not without:
        return False  # single quotes alone, of a text
    span = Span(place.source, found.start("sign") + len(found["sign"]) - len(found["sign"].lstrip()), found.end())
    whole = Span(place.source, name.end, found.end())
    fix = replace(whole, f" {meant}", help=f"write `{place.text(-1)} {meant}`")
    findings.tell("CNN003", span, fix, case="Python", without=without)
    return True


def _named_by_texts() -> frozenset[str]:
    """The words and settings that a text in quotes follows."""
    found = {"import"}
    for block in (Train, Data):
        for name, field in settings(block).items():
            for cls in getattr(field.metadata["kind"], "classes", ()):
                sized = size_field(cls)
                if sized is not None and isinstance(sized.metadata["kind"], Text):
                    found |= {cls.word, name} if cls.word == name else {cls.word}
                found |= {own for own, f in settings(cls).items() if isinstance(f.metadata["kind"], Text)}
    return frozenset(found)


def both_betas(place: ErrorContext, findings: Findings) -> bool:
    """betas (0.9, 0.999)"""
    step = next((step for step in (-1, -2, -3) if place.text(step) == "betas" and place.kind(step) == "NAME"), 0)
    start = place.span(step).start
    found = BETAS.match(place.source.text, start) if step else None
    if not found:
        return False
    span = Span(place.source, start, found.end())
    meant = f"beta1 {found['first']} beta2 {found['second']}"
    findings.tell("CNN202", span, replace(span, meant), case="betas")
    return True


def python_model(place: ErrorContext, findings: Findings) -> bool:
    """model = nn.Sequential(nn.Conv2d(1, 8, 3), nn.ReLU())"""
    first = place.begun - place.number
    named = place.kind(first) == "NAME" and place.text(first + 1) == "="
    step = first + 2 * named
    if place.kind(step) not in ("NAME", "PATH") or place.kind(step + 1) != "LPAR" or place.braced:
        return False
    name = place.text(step)
    if bare(name) != "sequential":
        return False
    span = place.span(step)
    end = _closing(place.source.text, place.span(step + 1).start, LONGEST_MODEL)
    chain = _chain(place.source.text[span.start : end])
    fixes = [replace(Span(place.source, place.span(first).start, end), chain)] if chain else []
    findings.tell("CNN201", span, *fixes, case="apart", what="layer", word=name, why=APART["sequential"])
    return True


def _chain(text: str) -> str:
    """The layers of a `Sequential`, as the language writes them; empty where one of them is not known."""
    import ast

    with suppress(SyntaxError, ValueError, RecursionError, MemoryError):
        tree = ast.parse(text, mode="eval").body
        given = tree.args if isinstance(tree, ast.Call) else []
        parts = given[0].elts if len(given) == 1 and isinstance(given[0], ast.List | ast.Tuple) else given
        texts = [ast.unparse(part) for part in parts]
        layers = [text if text in WORDS else layer(call) if (call := called(text)) else "" for text in texts]
        return " -> ".join(layers) if all(layers) else ""
    return ""


def python_call(place: ErrorContext, findings: Findings) -> bool:
    """Conv2D(32, (3, 3), activation='relu'); optimizer Adam(lr=0.01)"""
    depth, step = 0, 0
    while place.number + step >= place.begun:
        depth += (place.kind(step) == "RPAR" and step < 0) - (place.kind(step) == "LPAR")
        if depth < 0 and place.kind(step - 1) in ("NAME", "PATH"):
            break
        depth = max(depth, 0)
        step -= 1
    else:
        return False
    start = place.span(step - 1).start
    end = _closing(place.source.text, place.span(step).start)
    call = called(place.source.text[start:end]) if end else None
    if call is None:
        return False
    span = Span(place.source, start, end)
    if place.braced:
        meant = nested(call, place.text(step - 2))
        case = "settings"
    else:
        meant = layer(call)
        case = "" if call.name in WORDS else "elsewhere"
    if not meant and not place.braced and bare(call.name) in APART:
        name = Span(place.source, start, start + len(place.text(step - 1)))
        findings.tell("CNN201", name, case="apart", what="layer", word=name.text, why=APART[bare(call.name)])
        return True
    word = "" if meant or place.braced else layer_word(call.name)
    if word:
        why = why_not(call, word)
        findings.tell("CNN208", span, case=case, name=call.name, word=word, pattern=pattern(WORDS[word]), why=why)
        return True
    if not meant and not place.braced:
        return False
    if not meant:
        findings.tell("CNN208", span, case=case, name=call.name)
        return True
    word = meant.split()[0]
    shown = pattern(WORDS[word]) if word in WORDS else word
    findings.tell("CNN208", span, replace(span, meant), case=case, name=call.name, word=word, pattern=shown, why="")
    return True


def _closing(text: str, start: int, longest: int = LONGEST) -> int:
    """The end of a parenthesis that opens at `start`; 0 where it is not near."""
    depth, quote = 0, ""
    for at in range(start, min(len(text), start + longest)):
        character = text[at]
        if quote:
            quote = "" if character == quote else quote
        elif character in "'\"":
            quote = character
        else:
            depth += (character in "([") - (character in ")]")
            if not depth:
                return at + 1
    return 0
