"""`cnnspec diff A B`: two networks compared by what they mean."""

from __future__ import annotations

from pathlib import Path

import click

from ..terminal import show, tell_json
from .outcome import CLEAN, FINDINGS

SPEC = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@click.argument("before", metavar="A", type=SPEC)
@click.argument("after", metavar="B", type=SPEC)
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@click.option("--input", "given", help="The input's shape where a spec states none, such as 1x28x28.")
def command(before: Path, after: Path, as_json: bool, given: str | None) -> int:
    """Compare the specs A and B by layers, shapes, settings and figures, not by their texts.

    Names do not count, nor blocks, comments and line breaks. Exits 0 where they mean the same, else 1.
    """
    from ..api import read_spec
    from ..lang.diff import compare, page

    found = compare(read_spec(before, input=given), read_spec(after, input=given))
    if as_json:
        tell_json(found.as_json())
    else:
        show(page(found).rstrip("\n") + "\n")
    return FINDINGS if found else CLEAN
