"""Numbers as people write them, with units: `60k`, `4M`, `8MiB`, `10%`, `5e-4`."""

from __future__ import annotations

import re

UNITS: dict[str, int] = {
    "k": 1000,
    "M": 1000**2,
    "G": 1000**3,
    "B": 1,
    "kB": 1000,
    "KB": 1000,
    "MB": 1000**2,
    "GB": 1000**3,
    "kiB": 1024,
    "KiB": 1024,
    "MiB": 1024**2,
    "GiB": 1024**3,
}
LARGEST = 10**15  # of numbers that are written or computed; far above any size that could be trained
LONGEST = 40  # characters of a number; also keeps int() below the digits that it refuses

_PARTS = re.compile(r"([\d.]+(?:[eE][-+]?\d+)?)(\D*)")


def read_number(text: str) -> int | float | None:
    """The value of a number with its unit; None where it is too large or too long.

    >>> read_number("60k"), read_number("1.5G"), read_number("10%"), read_number("5e-4")
    (60000, 1500000000, 0.1, 0.0005)
    """
    if len(text) > LONGEST:
        return None
    match = _PARTS.fullmatch(text)
    assert match, text
    digits, unit = match.groups()
    value: int | float
    try:
        value = int(digits) if digits.isdigit() else float(digits)
    except ValueError:  # `1.5.2` never gets here: the lexer refuses it
        return None
    if unit == "%":
        value = round(value / 100, 15)
    elif unit:
        scaled = value * UNITS[unit]
        value = int(scaled) if scaled == int(min(scaled, LARGEST)) else scaled
    return value if abs(value) <= LARGEST else None
