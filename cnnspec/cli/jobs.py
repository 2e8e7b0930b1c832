"""One file of a check: read it, fix it with --fix, and report its findings.

This is what the worker processes do, so what goes in and comes out is small and can be pickled.
"""

from __future__ import annotations

import codecs
import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from ..checking import Configuration, examine, load, source_of
from ..checking.many import each
from ..diagnostics import Diagnostic, Source, SpecError
from ..diagnostics.formats import Checked
from ..lang.work import Work
from ..plain_files import open_regular
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
        checked = Checked(job.name, found, job.configuration.strict)
        return Result(checked) if job.data is None else _silenced(checked, source, job.data)

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


def _silenced(checked: Checked, source: Source, data: bytes) -> Result:
    """A text from standard input with comments that silence its warnings."""
    from ..checking.comments import can_silence, with_ignores

    own = [
        one for one in checked.diagnostics if can_silence(one) and one.span and one.span.source.name == source.name
    ]
    left = tuple(one for one in checked.diagnostics if one not in own)
    output = _with_mark(with_ignores(source, own).text, data)
    return Result(replace(checked, diagnostics=left), mended=len(own), output=output)


def silence(results: Sequence[Result]) -> Iterator[Result]:
    """Add comments to the checked files that silence their warnings, each once.

    A block warns where it is called, so what is silenced in a file may have been found in another one. What lies in
    a file that was not checked itself is left.
    """
    from ..checking.comments import can_silence, with_ignores

    checked = {os.path.realpath(result.checked.name): result.checked.name for result in results}
    sources: dict[str, Source] = {}
    wanted: dict[str, list[Diagnostic]] = {}
    for found in (one for result in results for one in result.checked.diagnostics):
        path = os.path.realpath(found.span.source.name) if found.span else ""
        if found.span and path in checked and can_silence(found):
            sources[checked[path]] = found.span.source
            wanted.setdefault(checked[path], []).append(found)
    done: set[int] = set()
    refused: dict[str, tuple[Diagnostic, ...]] = {}
    for name, warnings in wanted.items():
        try:
            _write_back(name, with_ignores(sources[name], warnings).text)
            done.update(map(id, warnings))
        except SpecError as error:
            refused[name] = error.diagnostics
    for result in results:
        name = result.checked.name
        left = tuple(one for one in result.checked.diagnostics if id(one) not in done)
        places = {(one.code, one.span.start) for one in wanted.get(name, ()) if one.span and id(one) in done}
        yield Result(replace(result.checked, diagnostics=(*left, *refused.get(name, ()))), mended=len(places))


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
    from ..checking.remembered import Content, Remembered

    remembered = Remembered()
    contents: dict[str, Content] = {}
    known: dict[str, Result] = {}
    for job in jobs:
        with suppress(OSError):
            content = remembered.content(job.name, job.configuration)
            found = remembered.found(content) if content else None
            if found is not None:
                known[job.name] = Result(Checked(job.name, found, job.configuration.strict))
            elif content:
                contents[job.name] = content
    done = each([job for job in jobs if job.name not in known], look, died)
    for job in jobs:
        result = known.get(job.name) or next(done)
        if job.name in contents:
            remembered.keep(contents.pop(job.name), result.checked.diagnostics)
        yield result
    remembered.save()
