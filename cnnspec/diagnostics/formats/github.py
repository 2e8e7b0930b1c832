"""Annotations of a GitHub workflow: findings that show beside the changed lines of a pull request.

GitHub shows the first ten errors and the first ten warnings of a step and drops the rest without a word;
so we write as many, list the others as plain lines of the log, and say how many they are.
"""

from __future__ import annotations

from collections.abc import Sequence

from ...quoting import sign
from ..core import Diagnostic
from . import concise
from .checked import Checked, CheckedSpan

SHOWN = 10  # of each severity and step


def render(files: Sequence[Checked]) -> str:
    lines, left_out = [], []
    shown = {"error": 0, "warning": 0}
    for file in files:
        for diagnostic, place in file.findings():
            if shown[diagnostic.severity] < SHOWN:
                shown[diagnostic.severity] += 1
                lines.append(annotation(diagnostic, place))
            else:
                left_out.append(f"without annotation: {concise.line(diagnostic, place)}")
    if left_out:
        many = "1 finding is" if len(left_out) == 1 else f"{len(left_out)} findings are"
        left_out.append(f"{many} without annotation: GitHub shows {SHOWN} errors and {SHOWN} warnings of a step")
    return "".join(line + "\n" for line in lines + left_out)


def annotation(diagnostic: Diagnostic, place: CheckedSpan) -> str:
    """`::error file=net.cnn,line=3,col=7,...::message`"""
    (row, column), (end_row, end_column) = place.start, place.end
    properties = {"file": place.filename, "line": row, "endLine": end_row}
    if row == end_row:  # GitHub wants columns only within one line
        properties |= {"col": column, "endColumn": end_column}
    properties["title"] = f"{diagnostic.code} {diagnostic.name}"
    written = ",".join(f"{name}={property_escaped(str(value))}" for name, value in properties.items())
    message = diagnostic.sentence + (f"\nhelp: {diagnostic.help}" if diagnostic.help else "")
    return f"::{diagnostic.severity} {written}::{escaped(message)}"


def escaped(text: str) -> str:
    """What GitHub's own toolkit escapes in a message; the other controls, which its log would obey, are shown."""
    text = "".join(character if character in "\r\n" else sign(character) for character in text)
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def property_escaped(text: str) -> str:
    """In the value of a property, also what separates properties.

    A semicolon stays: the runner does not read %3B back in this form, and would show it as it is.
    """
    return escaped(text).replace(":", "%3A").replace(",", "%2C")
