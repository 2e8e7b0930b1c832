"""Random edits of a text, such as keys, fingers and pastes make."""

from __future__ import annotations

import random
from collections.abc import Iterator

PIECES = (
    " ", "\n", "\n\n", "  ", "->", "\n-> relu", "\n  -> conv 4x3x3", "(", ")", "{", "}", "|", "=", ";", "#",
    "# a\n", "//", "/*", "*/", '"', "@", ":", "::", ",", "x", "3", "-", "%", "*2", "\r\n", "\r", "\t",
    "\ufeff", "é", "conv", "relu", "add", "add\n(", "train", "train\n{", "train { epochs 2 }", "data",
    "expect", "expect {", "let", "let w = 3", "\nlet w = 4\n", "net", "net q = ", "\nnet q = @a -> relu\n",
    "block", "\nblock b(c) = conv {c}x3x3\n", "input", "input 3x8x8\n", "import", 'import "b.cnn" as b\n',
    " as a", "@a", "{w}", "b(4)",
)  # fmt: skip


def edited(text: str, seed: int, count: int) -> Iterator[str]:
    """So many versions of a text, each made from the one before or, half of the time, from the text itself."""
    chance = random.Random(seed)
    version = text
    for _ in range(count):
        version = _changed(text if chance.random() < 0.5 else version, chance)
        yield version


def _changed(text: str, chance: random.Random) -> str:
    kind, at = chance.random(), chance.randrange(len(text) + 1)
    if chance.random() < 0.5:  # at an end of a line, where most edits leave a text that can be read
        at = text.find("\n", at) if "\n" in text[at:] else len(text)
    if kind < 0.55:
        return text[:at] + chance.choice(PIECES) + text[at:]
    if kind < 0.75:
        return text[:at] + text[at + chance.choice((1, 1, 2, 5, 30)) :]
    lines = text.splitlines(keepends=True) or [""]
    one, other = chance.randrange(len(lines)), chance.randrange(len(lines))
    if kind < 0.85:
        lines[one], lines[other] = lines[other], lines[one]
    elif kind < 0.95:
        lines[one:one] = lines[other : other + chance.randrange(1, 4)]
    else:
        del lines[one : one + chance.randrange(1, 4)]
    return "".join(lines)
