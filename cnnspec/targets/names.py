"""Names for generated code: every value of a graph as a variable of its own."""

from __future__ import annotations

import keyword
import re
from collections.abc import Collection, Iterable


def variables(values: Iterable[str], taken: Collection[str] = ()) -> dict[str, str]:
    """A Python variable for each name, as like it as can be; none that is `taken`, no two the same.

    `conv1` stays, `basic3.conv1` is `basic3_conv1`, and `lambda` is `lambda_`.
    """
    found: dict[str, str] = {}
    used = set(taken)
    for value in values:
        name = wish = plain(value)
        count = 1
        while name in used:
            count += 1
            name = f"{wish}_{count}"
        used.add(name)
        found[value] = name
    return found


def plain(name: str) -> str:
    """A name in ASCII letters, digits and underscores that Python takes for a variable."""
    name = re.sub(r"[^A-Za-z0-9_]", "_", name)
    if name[:1].isdigit():
        name = f"_{name}"
    return f"{name}_" if keyword.iskeyword(name) else name
