"""The pages of the codes: what each says, a spec that raises it, and one that does not."""

from __future__ import annotations

from ..diagnostics.codes import CODES, Code

HEAD = """\
# What may be wrong

A page for each code, as `cnnspec explain CODE` prints it. Written by `python -m cnnspec.reference.tables`.
"""


def parts(entry: Code) -> list[str]:
    """The paragraphs of a code's page; specs are indented."""
    found = [entry.explanation.strip()]
    if entry.how:
        found.append(f"How it comes about: {entry.how.strip()}")
    if entry.wrong:
        found += ["This raises it:", indented(entry.wrong)]
    if entry.right:
        found += ["This does not:", indented(entry.right)]
    return found


def title(entry: Code) -> str:
    return f"{entry.name.replace('-', ' ')} ({entry.severity})"


def page() -> str:
    """All of them as one page of Markdown; the anchor of a code is its number."""
    each = ["\n\n".join([f"## {entry.code}", f"**{title(entry)}**", *parts(entry)]) for entry in CODES.values()]
    return "\n\n".join([HEAD.rstrip("\n"), *each]) + "\n"


def indented(text: str) -> str:
    return "\n".join(f"    {line}".rstrip() for line in text.strip("\n").splitlines())
