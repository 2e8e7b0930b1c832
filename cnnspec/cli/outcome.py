"""The end of a command: exit codes and messages on standard error.

    0  clean         1  findings: the spec, its data or its weights are at fault
    2  usage: an option, a missing file, nothing that matches
    3  our own fault, with how to report it
    130 interrupted (Ctrl-C), 143 ended by SIGTERM, 129 by SIGHUP

A command returns one of these (None is 0) and may raise `SpecError` or click's exceptions; `finish` is
the one place that turns what it raised into words and a code.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, TextIO

import click

from ..interrupts import number_of
from ..terminal import OutputRefused, put, reason_of, refuse, show, silence, tell

if TYPE_CHECKING:
    from ..diagnostics import Diagnostic, SpecError

CLEAN, FINDINGS, USAGE, OUR_FAULT = 0, 1, 2, 3


def finish(work: Callable[[], int | None]) -> int:
    """Run `work` and return the exit code; an exception is reported on standard error."""
    from ..capacity import out_of_memory
    from ..diagnostics import SpecError

    try:
        return work() or CLEAN
    except SpecError as error:
        say(error.diagnostics)
        return FINDINGS
    except click.NoSuchOption as error:
        from .options import told_better

        refuse(told_better(error))
        return USAGE
    except click.ClickException as error:
        refuse(error)
        return USAGE
    except (KeyboardInterrupt, click.Abort) as interrupt:
        cause = interrupt.__cause__ or interrupt  # click wraps it
        tell(" by ".join(("interrupted", *(told for told in cause.args if isinstance(told, str)))), err=True)
        return interrupted(cause)
    except SystemExit as end:  # click leaves this way where the reader of a pipe is gone
        return end.code if isinstance(end.code, int) else FINDINGS
    except Exception as fault:
        known = refused_output(fault)
        if known is not None:
            silence(sys.stdout)
        known = known or out_of_memory(fault)
        if known is not None:
            say(known.diagnostics)
            return FINDINGS
        report_internal_error(fault)
        return OUR_FAULT


def refused_output(fault: Exception) -> SpecError | None:
    """That standard output takes nothing any more, as our own writing says, or click's, of help and version."""
    from ..diagnostics import Diagnostic, SpecError

    if isinstance(fault, OSError) and written_by_click(fault):
        reason = reason_of(fault)
    elif isinstance(fault, OutputRefused):
        reason = str(fault)
    else:
        return None
    return SpecError((Diagnostic.of("CNN907", reason=reason),))


def written_by_click(fault: OSError) -> bool:
    trace = fault.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return trace is not None and trace.tb_frame.f_globals.get("__name__") == "click.utils"


def interrupted(interrupt: BaseException) -> int:
    """The exit code of an interrupt: 128 and the number of its signal, as shells have it."""
    return 128 + number_of(interrupt)


def report_internal_error(fault: BaseException) -> None:
    """Say that cnnspec itself failed, and how to report it."""
    if wants_traceback():
        print_traceback(fault)
    tell(f"error[CNN901]: cnnspec itself failed: {describe(fault)}", f"  = help: {how_to_report()}", err=True)


def print_traceback(fault: BaseException) -> None:
    import traceback

    show("".join(traceback.format_exception(fault)), err=True)


def describe(fault: BaseException) -> str:
    """A fault in one line, without its traceback."""
    return f"{type(fault).__name__}: {fault}".splitlines()[0] if str(fault) else type(fault).__name__


def how_to_report() -> str:
    if wants_traceback():
        return "report it with the traceback above and the spec"
    return "report it with the spec and the output of the same command under CNNSPEC_TRACEBACK=1"


def wants_traceback() -> bool:
    return os.environ.get("CNNSPEC_TRACEBACK", "") not in ("", "0")


def say(diagnostics: tuple[Diagnostic, ...]) -> None:
    """Diagnostics for people, on standard error."""
    from ..diagnostics.text import render

    put(render(diagnostics, color=coloured(sys.stderr)), err=True, color=True)


def coloured(stream: TextIO | None, wished: bool = True) -> bool:
    """Whether to write colours: on a terminal that has some, unless `CLICOLOR` is 0; elsewhere by `FORCE_COLOR`,
    and by a `CLICOLOR_FORCE` other than 0; never under `NO_COLOR`."""
    told = os.environ.get
    if not wished or stream is None or told("NO_COLOR"):
        return False
    if told("FORCE_COLOR") or told("CLICOLOR_FORCE", "0") not in ("", "0"):
        return True
    return stream.isatty() and told("TERM") != "dumb" and told("CLICOLOR") != "0"
