"""What cnnspec says about a file: sources, spans and diagnostics.

A `Source` is a text with a name, a `Span` a piece of it, a `Diagnostic` one finding.
Nothing here prints; each output format has a renderer of its own beside this file.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import replace
from typing import NamedTuple

from ..lazy import lazy
from ..quoting import visible
from ..record import record


@record
class Imported:
    """A text that another one imports, and the paths that lead to it from the other's folder."""

    paths: tuple[str, ...]
    text: str


@record
class Source:
    """A text and the name under which messages speak of it (a path, or `<text>`).

    `imports` are the texts that it imports, itself or through others, where they are at hand; None where
    they are still to be looked for, in the files beside it.
    """

    name: str
    text: str
    imports: tuple[Imported, ...] | None = None

    @lazy
    def line_starts(self) -> tuple[int, ...]:
        """Offset of the first character of every line."""
        return (0, *(match.end() for match in re.finditer("\n", self.text)))

    def position(self, offset: int) -> tuple[int, int]:
        """Line and column of an offset, both counted from 1."""
        line = bisect_right(self.line_starts, offset)
        return line, offset - self.line_starts[line - 1] + 1

    def line(self, number: int) -> str:
        """The text of a line (counted from 1), without its end."""
        start = self.line_starts[number - 1]
        end = self.line_starts[number] - 1 if number < len(self.line_starts) else len(self.text)
        return self.text[start:end].rstrip("\r")


class Span(NamedTuple):
    """Characters `start` to `end` (exclusive) of a source. A tuple, since a reading makes thousands of them."""

    source: Source
    start: int
    end: int

    @property
    def line(self) -> int:
        return self.source.position(self.start)[0]

    @property
    def column(self) -> int:
        return self.source.position(self.start)[1]

    @property
    def end_position(self) -> tuple[int, int]:
        return self.source.position(self.end)

    @property
    def text(self) -> str:
        return self.source.text[self.start : self.end]

    def to(self, other: Span) -> Span:
        """The span from the start of this one to the end of another."""
        return Span(self.source, self.start, other.end)

    def __str__(self) -> str:
        return f"{visible(self.source.name)}:{self.line}:{self.column}"


@record
class Label:
    """A further place that a finding speaks of, and what it says there."""

    span: Span
    text: str


@record
class Edit:
    """Replace a span by a text: one part of a fix."""

    span: Span
    text: str


@record
class Diagnostic:
    """One finding: a code, a sentence, a place, and what might help.

    `label` stands beside the carets under `span`; `related` are the earlier places that made it so;
    `fix` is a set of edits whose result has itself been checked, or empty; it is `safe` where it keeps every
    number and every name that the author wrote.
    """

    code: str
    message: str
    span: Span | None = None
    label: str = ""
    related: tuple[Label, ...] = ()
    help: str = ""
    fix: tuple[Edit, ...] = ()
    safe: bool = False

    @staticmethod
    def of(
        code: str, span: Span | None = None, case: str = "", related: tuple[Label, ...] = (), **fields: object
    ) -> Diagnostic:
        """What a code says of a case at a place, the fields of its templates filled in.

            Diagnostic.of("CNN235", span, stride=3, kernel=2)

        Raises KeyError where a field is missing.
        """
        message, label, help = filled(code, case, fields)
        return Diagnostic(code, message, span, label, related, help)

    def advised(self, name: str, **fields: object) -> Diagnostic:
        """With a help that its code's entry has for who knows more than the finder did.

        finding.advised("network", size="28x28")
        """
        from .codes import CODES

        return replace(self, help=dict(CODES[self.code].advice)[name].format(**fields))

    def added(self, name: str, **fields: object) -> Diagnostic:
        """With an advice behind its help that is added to findings of any code (`codes.ADDED`)."""
        from .codes import ADDED

        told = dict(ADDED)[name].format(**fields)
        return replace(self, help=f"{self.help}; {told}" if self.help else told)

    @property
    def sentence(self) -> str:
        """The message with its label, for where the label cannot stand beside its place."""
        return f"{self.message} ({self.label})" if self.label else self.message

    @property
    def applicability(self) -> str:
        """`safe` or `unsafe`, of the fix; empty where there is none."""
        return ("safe" if self.safe else "unsafe") if self.fix else ""

    @lazy
    def severity(self) -> str:
        """`error` or `warning`, as the code's entry says."""
        from .codes import CODES

        return CODES[self.code].severity

    @property
    def name(self) -> str:
        """The code's name in words, such as `kernel-too-large`."""
        from .codes import CODES

        return CODES[self.code].name

    def _repr_html_(self) -> str:
        """The marked source, in a notebook."""
        from ..display import shown

        return shown("diagnostics_html", (self,))

    def __str__(self) -> str:
        where = f"{self.span}: " if self.span else ""
        return f"{where}{self.severity}[{self.code}]: {visible(self.message)}"


def filled(code: str, case: str, fields: Mapping[str, object]) -> tuple[str, str, str]:
    """Message, label and help of a code's case."""
    from .codes import CODES

    says = CODES[code].case(case)
    return says.message.format(**fields), says.label.format(**fields), says.help.format(**fields)


class Fault(Exception):
    """A mistake found by code that knows no positions (an op, a data source).

    Whoever knows them turns it into a `Diagnostic`: `at` names the field of the op that is to blame
    (`size`, `stride`, ...; empty for the whole layer) and `because` the earlier values that made it so,
    each with what to say there.
    """

    def __init__(
        self,
        code: str,
        message: str,
        *,
        at: str = "",
        label: str = "",
        because: tuple[tuple[str, str], ...] = (),
        help: str = "",
    ) -> None:
        super().__init__(message)
        self.code, self.message, self.at, self.label = code, message, at, label
        self.because, self.help = because, help

    @staticmethod
    def of(
        code: str, at: str = "", case: str = "", because: tuple[tuple[str, str], ...] = (), **fields: object
    ) -> Fault:
        """What a code says of a case, the fields of its templates filled in; see `Diagnostic.of`."""
        message, label, help = filled(code, case, fields)
        return Fault(code, message, at=at, label=label, because=because, help=help)

    def diagnostic(self, span: Span | None = None, **changes: object) -> Diagnostic:
        """The diagnostic that this fault is, at a place."""
        parts: dict = {"label": self.label, "help": self.help, **changes}
        return Diagnostic(self.code, self.message, span, **parts)
