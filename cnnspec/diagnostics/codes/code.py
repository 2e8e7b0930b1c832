"""The entry of one code."""

from __future__ import annotations

from typing import NamedTuple

from ...record import record


class Says(NamedTuple):
    """What a code says where it is raised: templates whose `{fields}` the finder names (`Diagnostic.of`).

        Says("a {kernel} kernel does not fit", label="needs at least {need}")

    `case` tells apart what one code says of several cases; most have one, which has no name.
    """

    message: str
    label: str = ""
    help: str = ""
    case: str = ""


class Advice(NamedTuple):
    """A help for who knows more than the finder of a code (`Diagnostic.advised`), a template as those of `Says`."""

    name: str
    help: str


ADDED = (  # to the help of any code (`Diagnostic.added`)
    Advice("checkpoint", "the checkpoint of step {step} is whole: {file}"),
    Advice("resume", "go on from there with `{command}`"),
)


@record
class Code:
    """A code: what it says where it is raised, and its page (`cnnspec explain`).

    `wrong` is a whole spec that raises exactly this code, `right` its cure, which compiles. Where a
    spec alone cannot show it (a broken weights file, say) both are empty and `how` tells it in words.

    `fixed_by` are the functions that propose its fixes, by their names within the package: they look at the text
    around a finding, and stand on the floors above. `tests/diagnostics/test_fixed_by.py` holds them to be these.
    """

    code: str
    name: str
    explanation: str
    wrong: str = ""
    right: str = ""
    how: str = ""
    severity: str = "error"
    says: tuple[Says, ...] = ()
    advice: tuple[Advice, ...] = ()
    fixed_by: tuple[str, ...] = ()

    def case(self, name: str) -> Says:
        """What it says of a case."""
        return next(says for says in self.says if says.case == name)
