"""One file of a check: read it, mend it where that is asked for, and say what is wrong with it.

This is what the worker processes do, so what goes in and comes out is small and can be pickled.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ..checking import Configuration, examine
from ..checking.fixes import difference, repair, write
from ..checking.load import MOST, decode, encode, read_bytes, reason
from ..diagnostics import Diagnostic, Source, SpecError
from ..diagnostics.formats import Checked
from .outcome import describe, how_to_report, print_traceback, wants_traceback


@dataclass(frozen=True)
class Job:
    """A file to check, under a name; `data` is its content where that came from standard input.

    `mend` is "" or "fix" or "diff": what to do with the fixes that findings offer.
    """

    name: str
    configuration: Configuration
    root: Path
    data: bytes | None = None
    mend: str = ""


@dataclass(frozen=True)
class Result:
    """What came of a job: how many findings were mended, the change as a diff, and the mended input."""

    checked: Checked
    mended: int = 0
    diff: str = ""
    output: bytes = b""


def look(job: Job) -> Result:
    """Do a job; whatever happens is a result."""
    try:
        return _look(job)
    except SpecError as error:
        return Result(Checked(job.name, error.diagnostics, job.configuration.strict))
    except Exception as fault:
        return crashed(job, fault)


def _look(job: Job) -> Result:
    configuration, strict = job.configuration, job.configuration.strict
    data = read_bytes(Path(job.name), job.name) if job.data is None else job.data
    try:
        source = decode(data, job.name)
    except SpecError as error:
        return Result(Checked(job.name, error.diagnostics, strict), output=data if job.mend == "fix" else b"")
    report = examine(source, configuration, job.root)
    if not job.mend:
        return Result(Checked(job.name, report.diagnostics, strict))

    def find(text: Source) -> tuple[Diagnostic, ...]:
        return examine(text, configuration, job.root).diagnostics

    fixed, mended = repair(source, report.diagnostics, find) if len(data) <= MOST else (source, 0)
    if job.mend == "diff":
        return Result(Checked(job.name, find(fixed), strict), mended, difference(source, fixed))
    output = encode(fixed.text, data) if mended else data
    if mended and job.data is None:
        try:
            write(Path(job.name), output)
        except OSError as error:
            problem = Diagnostic("CNN903", f"cannot write {job.name}: {reason(error)}")
            raise SpecError((problem,)) from error
    return Result(Checked(job.name, find(fixed), strict), mended, output=b"" if job.data is None else output)


def crashed(job: Job, fault: BaseException) -> Result:
    """CNN901 for a file over which cnnspec itself failed."""
    if wants_traceback():
        print_traceback(fault)
    problem = Diagnostic("CNN901", f"cnnspec itself failed: {describe(fault)}", help=how_to_report())
    return Result(Checked(job.name, (problem,), job.configuration.strict), output=job.data or b"")


def died(job: Job) -> Result:
    """CNN901 for a file over which a worker process was lost: killed, out of memory, crashed."""
    problem = Diagnostic("CNN901", f"the process that checked {job.name} died", help=how_to_report())
    return Result(Checked(job.name, (problem,), job.configuration.strict))
