"""`cnnspec explain CODE`: the page of a code."""

from __future__ import annotations

import click

from ..diagnostics.codes import CODES, Code
from ..reference.codes import parts, title
from ..terminal import show, tell


def complete(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    return [code for code in CODES if code.startswith(incomplete.upper())]


@click.command()
@click.argument("codes", nargs=-1, shell_complete=complete, metavar="[CODE]...")
def command(codes: tuple[str, ...]) -> None:
    """Explain codes, by number (CNN103, 103) or by name (kernel-too-large).

    Without one, list them all.

    \b
    cnnspec explain CNN103
    cnnspec explain kernel-too-large
    """
    if not codes:
        for entry in CODES.values():
            tell(f"{entry.code}  {entry.severity:7}  {entry.name.replace('-', ' ')}")
        return
    show("\n\n".join(page(find(code)) for code in codes) + "\n")


def find(wanted: str) -> Code:
    """The code of a number or name."""
    upper = wanted.upper()
    for entry in CODES.values():
        if upper in (entry.code, entry.code.removeprefix("CNN"), entry.name.upper()):
            return entry
    from difflib import get_close_matches

    names = {word: entry.code for entry in CODES.values() for word in (entry.code, entry.name)}
    near = get_close_matches(wanted.lower(), names, 1) or get_close_matches(upper, names, 1)
    hint = f"did you mean {names[near[0]]}?" if near else "`cnnspec explain` lists them"
    raise click.UsageError(f"there is no code {wanted}; {hint}")


def page(entry: Code) -> str:
    """A code's page as plain text."""
    return "\n\n".join([f"{entry.code}: {title(entry)}", *parts(entry)])
