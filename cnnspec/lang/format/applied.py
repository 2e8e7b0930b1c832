"""A spec with settings written into its text, in place of its own: what `--set` asked for, to keep.

let w = 4                                 let w = 16
conv {w}x3x3 -> dense 10                  conv {w}x3x3 -> dense 10
train { epochs 2 }          becomes       train { epochs 2
                                            optimiser adam lr 0.01
                                          }
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from ...diagnostics import Edit, Source, Span
from ...ir.fields import settings
from ..findings import Findings
from ..hints.fixes import edited
from ..hints.spelling import own_setting
from ..overrides import NUMBER
from ..parse.parser import parse
from ..parse.tree import Let, Settings
from ..reading import Spec
from .formatter import format


def applied(source: Source, overrides: Sequence[str], spec: Spec) -> str:
    """The text with the settings of `spec`, which was read from it with the overrides. Comments stay."""
    file = parse(source, Findings())
    numbers = {m["name"]: m["value"].strip() for m in map(NUMBER.fullmatch, overrides) if m}
    edits, more = [], ""
    for statement in file.statements:
        if isinstance(statement, Let) and statement.name.text in numbers:
            end = statement.span.end
            edits.append(Edit(Span(source, statement.value.span.start, end), numbers[statement.name.text]))
    for block in (spec.data, spec.train):
        cls = type(block)
        known = settings(cls)
        named = [re.match(rf"\s*{cls.word}\.(\w+)", text) for text in overrides]
        names = dict.fromkeys(own_setting(match[1], known) for match in named if match)
        stated = [s for s in file.statements if isinstance(s, Settings) and s.word.text == cls.word]
        lines = ""
        for name in names:
            value, kind = getattr(block, name), known[name].metadata["kind"]
            several = value if known[name].metadata.get("repeat") else () if value is None else (value,)
            text = " ; ".join(f"{name} {kind.write(one)}" for one in several)
            old = [line for s in stated for line in s.settings if own_setting(line.name.text, known) == name]
            edits += [Edit(line.span, text if line is old[0] else "") for line in old]
            lines += f"\n  {text}" if text and not old else ""
        if lines and stated:
            close = stated[0].span.end - 1
            edits.append(Edit(Span(source, close, close), f"{lines}\n"))
        elif lines:
            more += f"\n\n{cls.word} {{{lines}\n}}"
    return format(edited(source.text, edits).rstrip() + more + "\n", source.name)
