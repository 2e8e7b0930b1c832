"""`cnnspec fmt`: one way of writing specs."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import click

from ..checking import Configurations, load, source_of
from ..checking.fixes import difference, write
from ..checking.search import search
from ..diagnostics import Diagnostic, Source, SpecError
from ..terminal import hand_over, show_change, tell
from .outcome import CLEAN, FINDINGS, say

STDIN = "-"


@click.command()
@click.argument("paths", nargs=-1, metavar="[PATH...|-]", type=click.Path())
@click.option("--check", is_flag=True, help="Change nothing; name the files that would change, and exit with 1.")
@click.option("--diff", is_flag=True, help="Change nothing; show what would change, and exit with 1.")
@click.option("--own-words", is_flag=True, help="Write our own words for those of other systems: conv for Conv2d.")
@click.option("--explicit", is_flag=True, help="Print with every default and automatic step; change nothing.")
def command(paths: tuple[str, ...], check: bool, diff: bool, own_words: bool, explicit: bool) -> int:
    """Format specs: files, every .cnn in a folder (default: this one), or `-` for standard input.

    Comments and line breaks stay, and a file never means anything else afterwards. A file that cannot be
    read is left as it is; what is wrong with it is said, and the exit code is 1.

    \b
    cnnspec fmt net.cnn
    cnnspec fmt --check specs/
    """
    if STDIN in paths and len(paths) > 1:
        raise click.UsageError("`-` stands alone: it is one spec, from standard input")
    code = CLEAN
    for name in named(paths):
        try:
            source = source_of(sys.stdin.buffer.read(), "<stdin>") if name == STDIN else load(name)
        except SpecError as error:
            say(error.diagnostics)
            code = FINDINGS
            continue
        try:
            written = in_full(source) if explicit else formatted(source, own_words)
        except SpecError as error:
            say(error.diagnostics)
            code = FINDINGS
            if name == STDIN and not (check or diff):  # an editor that pipes its text through must not lose it
                hand_over(source.text.encode())
            continue
        changed = written != source.text
        if diff:
            show_change(difference(source, Source(source.name, written)))
        elif check and changed:
            tell(f"{source.name} would change")
        if check or diff:
            code = FINDINGS if changed else code
        elif explicit or name == STDIN:
            hand_over(written.encode())
        elif changed:
            put(name, written)
            tell(f"{source.name} formatted")
    return code


def named(paths: tuple[str, ...]) -> Iterator[str]:
    """The files that arguments name; graphs in JSON are not ours to write."""
    if paths == (STDIN,):
        yield STDIN
        return
    found = search(paths or (".",), Configurations())
    if found.problems:
        raise click.UsageError("; ".join(problem.message for _, problem in found.problems))
    for name in found.files:
        if name.endswith(".json") and name in paths:
            raise click.UsageError(f"{name} is JSON; fmt writes .cnn files")
        if not name.endswith(".json"):
            yield name


def formatted(source: Source, own_words: bool) -> str:
    from ..lang.format.formatter import format

    if own_words:
        from ..lang import read
        from ..lang.format.own_words import in_own_words

        reading = read(source)
        if reading.errors:
            raise SpecError(reading.errors)
        return in_own_words(reading)
    return format(source.text, source.name)


def in_full(source: Source) -> str:
    from ..lang import read
    from ..lang.format.explicit import explicit

    reading = read(source)
    if reading.spec is None:
        raise SpecError(reading.errors)
    return explicit(reading)


def put(name: str, text: str) -> None:
    """Replace a file's text; a byte order mark goes, because no reader of ours needs one."""
    try:
        write(Path(name), text.encode("utf-8"))
    except OSError as error:
        problem = Diagnostic.of("CNN903", case="write", path=name, reason=(error.strerror or str(error)).lower())
        raise SpecError((problem,)) from error
