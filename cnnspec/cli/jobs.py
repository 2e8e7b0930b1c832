"""One file of a check: read it, fix it with --fix, and report its findings.

This is what the worker processes do, so what goes in and comes out is small and can be pickled.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from ..checking import Configuration, examine, load, source_of
from ..checking.many import each
from ..diagnostics import Diagnostic, Source, SpecError
from ..diagnostics.formats import Checked
from ..lang.work import Work
from ..plain_files import open_regular, read_bytes
from ..record import record
from .outcome import describe, how_to_report, print_traceback, wants_traceback


@record
class Job:
    """A file to check, under a name and in a folder; `data` is its content where that came from standard input.

    `mend` is "" or "fix" or "diff": what to do with the fixes that findings offer, those that are not safe only
    with `unsafe`; or "ignore", which adds comments that silence warnings. `inputs` asks which inputs would do where
    the file leaves that open, which takes a while. In `data_folder` the files of the data must lie, if not where
    the spec says.
    """

    name: str
    configuration: Configuration
    folder: Path
    data: bytes | None = None
    mend: str = ""
    unsafe: bool = False
    inputs: bool = False
    data_folder: Path | None = None


@record
class Result:
    """What came of a job: how many findings were mended, the change as a diff, and the mended input.

    `note` is for people: which inputs would do.
    """

    checked: Checked
    note: str = ""
    mended: int = 0
    diff: str = ""
    output: bytes = b""


def look(job: Job) -> Result:
    """Do a job; a failure is a result, too."""
    try:
        return _look(job)
    except SpecError as error:
        # what came from standard input goes on, so an editor that pipes its buffer through never loses it
        output = job.data if job.data and job.mend == "fix" else b""
        return Result(Checked(job.name, error.diagnostics, job.configuration.strict), output=output)
    except Exception as fault:
        return crashed(job, fault)


def _look(job: Job) -> Result:
    source = load(job.name) if job.data is None else source_of(job.data, job.name)
    work = Work()
    report = examine(source, job.configuration, job.folder, data=job.data_folder, work=work)
    found = report.diagnostics
    if not job.mend:
        answer = report.reading.inputs() if job.inputs and report.ok and report.reading else None
        note = f"{job.name} takes {answer}" if answer else ""
        return Result(Checked(job.name, found, job.configuration.strict), note)

    from ..checking.fixes import difference, repair

    if job.mend == "ignore":
        from ..checking.comments import with_ignores

        silenced, count = with_ignores(source, found)
        errors = tuple(one for one in found if one.severity == "error")
        if count and job.data is None:
            _write_back(job.name, silenced.text)
        output = b"" if job.data is None else _with_mark(silenced.text, job.data)
        return Result(Checked(job.name, errors, job.configuration.strict), mended=count, output=output)

    def find(changed: Source, fixes: bool) -> tuple[Diagnostic, ...]:
        return examine(
            changed, job.configuration, job.folder, fixes=fixes, data=job.data_folder, work=work
        ).diagnostics

    fixed, mended, found = repair(source, found, find, work, job.unsafe)
    left = Checked(job.name, found, job.configuration.strict)
    if job.mend == "diff":
        return Result(left, mended=mended, diff=difference(source, fixed))
    if job.data is not None:
        return Result(left, mended=mended, output=_with_mark(fixed.text, job.data))
    if mended:
        _write_back(job.name, fixed.text)
    return Result(left, mended=mended)


def _write_back(name: str, text: str) -> None:
    from ..checking.fixes import write

    path = Path(name)
    try:
        with open_regular(path) as file:
            before = file.read(len(codecs.BOM_UTF8))
        write(path, _with_mark(text, before))
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        raise SpecError((Diagnostic.of("CNN903", case="write", path=name, reason=why),)) from error


def _with_mark(text: str, before: bytes) -> bytes:
    """A changed text as bytes, with the byte order mark that the file had."""
    mark = codecs.BOM_UTF8 if before.startswith(codecs.BOM_UTF8) else b""
    return mark + text.encode("utf-8")


def crashed(job: Job, fault: BaseException) -> Result:
    """CNN901 for a file over which cnnspec itself failed."""
    if wants_traceback():
        print_traceback(fault)
    problem = Diagnostic.of("CNN901", fault=describe(fault), how=how_to_report())
    output = job.data if job.data and job.mend == "fix" else b""
    return Result(Checked(job.name, (problem,), job.configuration.strict), output=output)


def died(job: Job) -> Result:
    """CNN901 for a file over which a worker process was lost: killed, out of memory, crashed."""
    problem = Diagnostic.of("CNN901", case="died", name=job.name, how=how_to_report())
    return Result(Checked(job.name, (problem,), job.configuration.strict))


def remembering(jobs: Sequence[Job]) -> Iterator[Result]:
    """Do the jobs whose files have changed since their last check."""
    from ..checking.remembered import MOST_OF_ONE, Remembered

    remembered = Remembered()
    contents: dict[str, bytes] = {}
    known: dict[str, Result] = {}
    for job in jobs:
        with suppress(OSError):
            data = read_bytes(job.name, MOST_OF_ONE)
            found = remembered.found(job.name, data, job.configuration)
            if found is None:
                contents[job.name] = data
            else:
                known[job.name] = Result(Checked(job.name, found, job.configuration.strict))
    done = each([job for job in jobs if job.name not in known], look, died)
    for job in jobs:
        result = known.get(job.name) or next(done)
        if job.name in contents:
            remembered.keep(job.name, contents.pop(job.name), job.configuration, result.checked.diagnostics)
        yield result
    remembered.save()
