"""Cells of a notebook that hold a spec: `%load_ext cnnspec`, then a cell that begins with `%%cnn`.

    %%cnn lenet --batch 32
    input 1x28x28
    conv 6x5x5 pad 2 -> relu -> maxpool 2 -> dense 10 -> softmax

The cell is checked, drawn, and compiled to the variable that its first line names. What is wrong is shown with its
place, and the cell fails, so that no later one goes on with an old model.
"""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, NamedTuple

from .api import compile
from .checking import Report, check
from .diagnostics import SpecError

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from .model import Model

MAGIC = "cnn"
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
        if word in ("--batch", "--seed") and words and words[0].isdecimal():
            found[option] = words.pop(0)
        elif word.isidentifier() and "name" not in found:
            found["name"] = word
        else:
            raise ValueError(f"%%cnn takes the name of a variable, --batch N and --seed N; got {word!r:.40}")
    numbers = {name: int(found[name]) for name in ("batch", "seed") if name in found}
    return CellArguments(found.get("name", ""), numbers.get("batch"), numbers.get("seed"))


def read(line: str, text: str) -> tuple[CellArguments, Report | Model]:
    """What a cell gives: its report where no variable is named, else the model; SpecError where it is wrong."""
    told = asked(line)
    report = check(text=text)
    if any(diagnostic.severity == "error" for diagnostic in report.diagnostics):
        raise SpecError(tuple(report.diagnostics))
    if not told.name:
        return told, report
    return told, compile(text=text, batch=told.batch, seed=told.seed)


def load_ipython_extension(shell: InteractiveShell) -> None:
    """What `%load_ext cnnspec` does."""
    from IPython.core.completer import CompletionContext, SimpleCompletion, SimpleMatcherResult, context_matcher
    from IPython.core.error import UsageError

    def cell(line: str, text: str) -> Report | Model:
        try:
            told, made = read(line, text)
        except ValueError as error:
            raise UsageError(str(error)) from None
        if told.name:
            shell.push({told.name: made})
        return made

    @context_matcher()
    def matcher(context: CompletionContext) -> SimpleMatcherResult:
        """What may be written in the cell; elsewhere nothing, which leaves it to the others."""
        first, _, rest = context.full_text.partition("\n")
        if first.split(maxsplit=1)[:1] != [f"%%{MAGIC}"] or not context.cursor_line:
            return SimpleMatcherResult(completions=[], suppress=False)
        fragment, found = completions(rest, context.cursor_line - 1, context.cursor_position)
        offered = [SimpleCompletion(text, type=kind) for text, kind in found]
        return SimpleMatcherResult(completions=offered, matched_fragment=fragment, suppress=True, ordered=True)

    shell.magics_manager.register_function(cell, "cell", MAGIC)
    if shell.Completer is not None:
        shell.Completer.custom_matchers.append(matcher)


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
