"""Cells of a notebook that hold a spec: `%load_ext cnnspec`, then a cell that begins with `%%cnn`.

    %%cnn lenet --batch 32
    input 1x28x28
    conv 6x5x5 pad 2 -> relu -> maxpool 2 -> dense 10 -> softmax

The cell is checked, drawn, and compiled to the variable that its first line names. What is wrong is shown with its
place, and the cell fails, so that no later one goes on with an old model.
"""

from __future__ import annotations

import shlex
from keyword import iskeyword
from typing import TYPE_CHECKING, NamedTuple

from .api import compile
from .checking import Report, check
from .diagnostics import SpecError
from .display import shown

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from .model import Model

MAGIC = "cnn"
OPTIONS = ("--batch", "--seed")  # of its first line, each with a number
IDENTIFIER = "cnnspec.cells"  # of the matcher, by which it is found again
KINDS = {"word": "function", "setting": "param", "value": "instance", "name": "variable", "keyword": "keyword",
         "block": "module"}  # fmt: skip


class CellArguments(NamedTuple):
    """What the first line of a cell says: the variable, the images of a batch, the seed."""

    name: str = ""
    batch: int | None = None
    seed: int | None = None


def asked(line: str) -> CellArguments:
    """The first line of a cell, without `%%cnn`; raises ValueError for what it cannot say."""
    found: dict[str, str] = {}
    words = shlex.split(line)
    while words:
        word = words.pop(0)
        option = word.removeprefix("--")
        if word in OPTIONS and words and words[0].isdecimal():
            found[option] = words.pop(0)
        elif word.isidentifier() and not iskeyword(word) and "name" not in found:
            found["name"] = word
        else:
            raise ValueError(f"%%cnn takes the name of a variable, --batch N and --seed N; got {word!r:.40}")
    numbers = {name: int(found[name]) for name in ("batch", "seed") if name in found}
    return CellArguments(found.get("name", ""), numbers.get("batch"), numbers.get("seed"))


def read(line: str, text: str) -> tuple[CellArguments, Report, Report | Model]:
    """What a cell gives: its report, and what it shows, which is the report where no variable is named, else the
    model. Raises SpecError where the text is wrong, ValueError where its first line is."""
    told = asked(line)
    report = check(text=text)
    if any(diagnostic.severity == "error" for diagnostic in report.diagnostics):
        raise SpecError(tuple(report.diagnostics))
    if not told.name:
        return told, report, report
    return told, report, compile(text=text, batch=told.batch, seed=told.seed)


def load_ipython_extension(shell: InteractiveShell) -> None:
    """What `%load_ext cnnspec` does."""
    from IPython.core.completer import CompletionContext, SimpleCompletion, SimpleMatcherResult, context_matcher
    from IPython.core.error import UsageError

    def cell(line: str, text: str) -> Report | Model:
        try:
            told, report, made = read(line, text)
        except ValueError as error:
            raise UsageError(str(error)) from None
        if told.name:
            if report.diagnostics:
                marked = shown("diagnostics_html", report.diagnostics)
                shell.display_pub.publish({"text/plain": str(report), "text/html": marked})
            shell.push({told.name: made})
        return made

    @context_matcher(identifier=IDENTIFIER)
    def matcher(context: CompletionContext) -> SimpleMatcherResult:
        """What may be written in the cell; elsewhere nothing, which leaves it to the others."""
        first, _, rest = context.full_text.partition("\n")
        if first.split(maxsplit=1)[:1] != [f"%%{MAGIC}"]:
            return SimpleMatcherResult(completions=[], suppress=False)
        if context.cursor_line:
            fragment, found = completions(rest, context.cursor_line - 1, context.cursor_position)
        else:
            fragment = first[: context.cursor_position].rpartition(" ")[2]
            found = [(option, "param") for option in OPTIONS if fragment and option.startswith(fragment)]
        offered = [SimpleCompletion(text, type=kind) for text, kind in found]
        return SimpleMatcherResult(completions=offered, matched_fragment=fragment, suppress=True, ordered=True)

    shell.magics_manager.register_function(cell, "cell", MAGIC)
    unload_ipython_extension(shell)  # the matcher of before, where it is loaded again
    if shell.Completer is not None:
        shell.Completer.custom_matchers.append(matcher)


def unload_ipython_extension(shell: InteractiveShell) -> None:
    """What `%unload_ext cnnspec` does: cells are completed as they were."""
    if shell.Completer is not None:
        kept = [one for one in shell.Completer.custom_matchers if _identified(one) != IDENTIFIER]
        shell.Completer.custom_matchers[:] = kept


def _identified(matcher: object) -> object:
    return getattr(matcher, "matcher_identifier", None)


def completions(text: str, line: int, column: int) -> tuple[str, list[tuple[str, str]]]:
    """What may be written at a place, counted from 0: what of it is there, and the whole of each with its kind."""
    from .editor.completion import complete
    from .editor.document import Document

    document = Document(text, encoding="utf-32")
    offset = document.offset((line, column))
    start = offset
    while start and (text[start - 1].isalnum() or text[start - 1] in "_@"):
        start -= 1
    fragment = text[start:offset]
    found = [(item.text, KINDS[item.kind]) for item in complete(document, offset)]
    return fragment, [(whole, kind) for whole, kind in found if whole.startswith(fragment)]
