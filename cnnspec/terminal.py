"""The one place where commands print: what they quote of others is made harmless on the way (`quoting`)."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TextIO

import click

from .quoting import json_text, line, page


class OutputRefused(Exception):
    """Standard output takes nothing any more; the reason is the system's. Not raised where a pipe has lost its
    reader, which is no fault, nor for standard error, where it could not be told.
    """


@contextmanager
def output() -> Iterator[TextIO]:
    """Standard output, to write to; a closed one, or one that refuses, is reported."""
    try:
        if sys.stdout is None:
            raise OSError(errno.EBADF, "it is closed")
        yield sys.stdout
    except BrokenPipeError:
        raise
    except OSError as error:
        raise OutputRefused(reason_of(error)) from error


@contextmanager
def errors() -> Iterator[TextIO | None]:
    """Standard error, to write to; where it refuses, there is nobody to tell."""
    with suppress(OSError):
        yield sys.stderr


def reason_of(error: OSError) -> str:
    """What the system says, as part of a sentence."""
    return (error.strerror or str(error)).lower()


def silence(stream: TextIO | None) -> None:
    """Lead a stream that refuses nowhere, so that what it still holds is not refused again at the end."""
    if stream is None:
        return
    with suppress(OSError, ValueError, AttributeError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)


def tell(*lines: object, err: bool = False) -> None:
    """Lines for people. Each is one line, for any name that it quotes."""
    show("\n".join(map(line, lines)) + "\n", err=err)


def show(text: str, err: bool = False) -> None:
    """A page whose line ends are ours: a table, a plan, JSON. Names in it are without line ends already."""
    put(page(text), err)


def put(text: str, err: bool = False, color: bool | None = None) -> None:
    """Print what is harmless already; symbols that the terminal's encoding lacks are replaced."""
    with errors() if err else output() as stream:
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
    if sys.stdout is not None and sys.stdout.isatty():
        show(content.decode("utf-8", "replace"))
    else:
        write(content)


def write(content: bytes, err: bool = False) -> None:
    """Bytes as they are, after what was said before."""
    with errors() if err else output() as stream:
        if stream is not None:
            stream.flush()
            stream.buffer.write(content)
            stream.buffer.flush()


def refuse(error: click.ClickException) -> None:
    """What is wrong with a call, as click says it."""
    import io

    whole, said = io.StringIO(), error.format_message()
    error.show(whole)
    head = whole.getvalue().removesuffix(f"{said}\n")
    choices = isinstance(error, click.MissingParameter)  # listed one below the other, and ours
    show(f"{head}{page(said) if choices else line(said)}\n", err=True)
