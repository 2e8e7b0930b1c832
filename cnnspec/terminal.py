"""The one place where commands print: what they quote of others is made harmless on the way (`quoting`)."""

from __future__ import annotations

import os
import sys

import click

from .quoting import json_text, line, page


def tell(*lines: object, err: bool = False) -> None:
    """Lines for people. Each is one line, whatever is in the names that it quotes."""
    show("\n".join(map(line, lines)) + "\n", err=err)


def show(text: str, err: bool = False) -> None:
    """A page whose line ends are ours: a table, a plan, JSON. Names in it are without line ends already."""
    put(page(text), err)


def put(text: str, err: bool = False, color: bool | None = None) -> None:
    """Print what is harmless already; symbols that the terminal's encoding lacks are replaced."""
    stream = sys.stderr if err else sys.stdout
    encoding = getattr(stream, "encoding", None) or "utf-8"
    click.echo(text.encode(encoding, "replace").decode(encoding), err=err, color=color, nl=False)


def tell_json(document: object) -> None:
    put(json_text(document))


def show_change(difference: str) -> None:
    """A patch, as it is; in the log of a workflow, where one of its lines might be an order, as a page."""
    if os.environ.get("GITHUB_ACTIONS") == "true" or os.environ.get("TF_BUILD"):
        show(difference)
    else:
        hand_over(difference.encode("utf-8", "backslashreplace"))


def hand_over(content: bytes) -> None:
    """A document, byte by byte; to a terminal as a page, since nobody there asked for its escape sequences."""
    if sys.stdout.isatty():
        show(content.decode("utf-8", "replace"))
        return
    sys.stdout.flush()
    sys.stdout.buffer.write(content)
    sys.stdout.buffer.flush()


def refuse(error: click.ClickException) -> None:
    """What is wrong with a call, as click says it."""
    import io

    whole, said = io.StringIO(), error.format_message()
    error.show(whole)
    head = whole.getvalue().removesuffix(f"{said}\n")
    choices = isinstance(error, click.MissingParameter)  # listed one below the other, and ours
    show(f"{head}{page(said) if choices else line(said)}\n", err=True)
