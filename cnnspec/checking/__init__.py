"""Checking specs: the same findings for the command line, the editor server and programs.

    report = cnnspec.check("net.cnn")        # or cnnspec.check(text="conv 8x3x3 -> relu")
    report.ok, report.diagnostics, report.summary

Nothing here prints, exits, or changes anything outside of what it returns.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from ..diagnostics import Diagnostic, Source, SpecError
from ..quoting import line
from ..record import record
from .comments import Comments, read_comments
from .configuration import Configuration, Configurations

if TYPE_CHECKING:
    from ..ir.facts import Facts
    from ..lang import Reading
    from ..lang.work import Work

SHOWN = 3  # findings that its repr names


@record
class Report:
    """What a check found. `reading` has the tree and the graph, and is None where no text could be had."""

    name: str
    diagnostics: tuple[Diagnostic, ...]
    reading: Reading | None = None

    @property
    def ok(self) -> bool:
        """Whether there is no error; warnings do not count."""
        return not self.errors

    @property
    def errors(self) -> tuple[Diagnostic, ...]:
        return tuple(d for d in self.diagnostics if d.severity == "error")

    @property
    def warnings(self) -> tuple[Diagnostic, ...]:
        return tuple(d for d in self.diagnostics if d.severity == "warning")

    @property
    def summary(self) -> Facts | None:
        """Layers, shapes, parameters, work: what is known of the network, or None where there are errors."""
        from ..ir.facts import facts

        return facts(self.reading.spec.graph) if self.reading and self.reading.spec and self.ok else None

    def _repr_html_(self) -> str:
        """The findings and the network, in a notebook."""
        from ..display import shown

        return shown("report_html", self)

    def __repr__(self) -> str:
        said = [f"{found.code} {found.message}" for found in self.diagnostics[:SHOWN]]
        more = ["..."] if len(self.diagnostics) > SHOWN else []
        kinds = (("error", len(self.errors)), ("warning", len(self.warnings)))
        counts = ", ".join(f"{number} {kind}{'s' * (number != 1)}" for kind, number in kinds)
        return "\n  ".join(map(line, (f"Report {self.name}: {counts}", *said, *more)))

    def __str__(self) -> str:
        from ..diagnostics.text import render

        return render(self.diagnostics) if self.diagnostics else f"{self.name}: no findings\n"


def check(
    path: str | os.PathLike[str] | None = None,
    *,
    text: str | None = None,
    configuration: Configuration | None = None,
) -> Report:
    """Check a file, or a text; with both, the text as if it stood in the file (an editor's buffer).

    The findings are those of `cnnspec check`: `[tool.cnnspec]` of the nearest pyproject.toml holds unless
    a `configuration` is given, and so do `# cnnspec: ignore` comments. A configuration that cannot be
    used is a finding of the report, as is a file that cannot be read.
    """
    if path is None and text is None:
        raise TypeError("check() needs a path or a text")
    name = "<text>" if path is None else os.fspath(path)
    folder = Path(os.path.abspath(name)).parent if path is not None else None
    try:
        if configuration is None:
            configuration = Configurations().nearest(folder) if folder else Configuration()
        source = load(name) if text is None else Source(name, text)
    except SpecError as error:
        return Report(name, error.diagnostics)
    return examine(source, configuration, folder)


def load(name: str) -> Source:
    """The source of a file. Raises SpecError where it cannot be read, or is not a text in UTF-8."""
    from ..lang.files import read_file

    return _source(read_file(Path(name), name))


def source_of(data: bytes, name: str) -> Source:
    """The source that some bytes are. Raises SpecError where they are not a text in UTF-8."""
    from ..lang.files import decoded

    return _source(decoded(data, name))


def _source(found: Source | Diagnostic) -> Source:
    if isinstance(found, Diagnostic):
        raise SpecError((found,))
    return found


def examine(
    source: Source,
    configuration: Configuration,
    folder: Path | None,
    *,
    fixes: bool = True,
    data: Path | None = None,
    files: bool = True,
    work: Work | None = None,
    earlier: Reading | None = None,
    opened: Mapping[Path, str] = MappingProxyType({}),
) -> Report:
    """Check a source in an absolute folder (None: the working directory) under a configuration.

    Without `fixes` none is looked for, which is quicker. `data` is a folder in which the files of its data must
    lie; without `files` these are not looked at (see `data_findings`). `work` counts what is done for several
    versions of a text; an `earlier` reading of one makes this one quicker. `opened` are imported files as they
    stand in an editor.
    """
    from ..lang import read
    from ..lang.findings import in_order
    from .data import data_findings

    reading = read(source, folder=folder, library=True, fixes=fixes, work=work, earlier=earlier, opened=opened)
    silenced = Silence(configuration, source)
    of_data = data_findings(reading, folder, data, files)
    if any(d.code == "CNN410" for d in of_data):
        silenced.said.add("CNN233")  # the warning, which knows less
    found = [d for d in (*reading.diagnostics, *of_data) if not silenced(d)]
    found += [d for d in silenced.comments(source).problems if not silenced(d)]
    found += [d for d in silenced.unused(reading) if not silenced(d)]
    return Report(source.name, in_order(found, source), reading)


class Silence:
    """Whether a finding is not to be reported: by configuration, or by a comment of the file it is in."""

    def __init__(self, configuration: Configuration, source: Source) -> None:
        self.configuration = configuration
        self.source = source
        self.read: dict[str, Comments] = {}
        self.said: set[str] = set()  # codes of what is said by others

    def comments(self, source: Source) -> Comments:
        if source.name not in self.read:
            self.read[source.name] = read_comments(source)
        return self.read[source.name]

    def unused(self, reading: Reading) -> Iterator[Diagnostic]:
        """Comments of the source that silence nothing: of codes that a spec alone raises, where it has no error."""
        from ..lang.parse.tree import Block

        comments = self.comments(self.source)
        if not comments.ignores or reading.errors:
            return
        module = reading.module
        uncalled = [
            statement.span
            for statement in module.file.statements
            if isinstance(statement, Block) and statement.name.text not in module.called
        ]
        open_lines = {line for span in uncalled for line in range(span.line, span.end_position[0] + 1)}
        if uncalled:
            open_lines.add(0)

        from ..diagnostics.codes import CODES

        def judged(code: str) -> bool:
            shown = code.startswith(("CNN1", "CNN2")) and bool(CODES[code].wrong)
            return shown and code not in self.said and self.configuration.wants(code)

        yield from comments.unused(judged, open_lines)

    def __call__(self, diagnostic: Diagnostic) -> bool:
        if diagnostic.code in self.said or not self.configuration.wants(diagnostic.code):
            return True
        source = diagnostic.span.source if diagnostic.span else self.source
        return self.comments(source).silence(diagnostic)


__all__ = ["Configuration", "Configurations", "Report", "check", "examine"]
