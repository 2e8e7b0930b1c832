"""Whether a fix is safe: it keeps every number and every name that the author wrote.

Safe is a change of signs (an arrow, `;`, a quote), of a word that says what follows (`let`, `train`), and of a
word that nobody knows where it is a slip of the pen or says the same in another system. What changes a number,
adds or drops a layer or a setting, or puts a word of another meaning in the place of one, is unsafe: likely,
and for the author to decide.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cache

from ...diagnostics import Edit, Source
from ...ir.fields import Choice, Declared, settings
from ...ir.nested import Nested
from ...settings.data import Data
from ...settings.expect import QUANTITIES
from ...settings.train import Train
from ...words import WORDS
from .spelling import AMERICAN, ELSEWHERE, LOOKALIKE, SWITCHES, first_setting, own_word
from .suggest import distance

STATEMENTS = ("input", "let", "block", "net", "import")
BLOCKS = ("train", "data", "expect")
SAYING = frozenset(("let", *BLOCKS))  # words that only say what follows them
# between the numbers of a size, or between numbers that should be one
JOINT = re.compile(r"(?<=[\d?})])\s*[xX×✕✖хΧХ*,]\s*(?=[\d?{(])")
ATOM = re.compile(r"(?P<name>[^\W\d]\w*)|(?P<number>-?\.?[\d?][\w.%?]*)")


def keeps(source: Source, edits: tuple[Edit, ...]) -> bool:
    """Whether edits leave what the author said: the same numbers, and words of the same meaning."""
    first = source.position(min(edit.span.start for edit in edits))[0]
    last = source.position(max(edit.span.end for edit in edits))[0]
    start, end = source.line_starts[first - 1], source.line_starts[last - 1] + len(source.line(last))
    before = after = source.text[start:end]
    for edit in sorted(edits, key=lambda edit: edit.span.start, reverse=True):
        after = after[: edit.span.start - start] + edit.text + after[edit.span.end - start :]
    return _atoms("number", before) == _atoms("number", after) and _same_names(
        _atoms("name", before), _atoms("name", after)
    )


def same_word(written: str, meant: str) -> bool:
    """Whether `meant` is what the author wrote, spelt another way.

    >>> same_word("MaxPool2d", "maxpool"), same_word("sofmax", "softmax"), same_word("nadam", "adam")
    (True, True, False)
    """
    if written == meant:
        return True
    plain = _plain(written)
    if meant not in _vocabulary() or plain in LOOKALIKE:
        return False
    return plain == _plain(meant) or (plain, meant) in _elsewhere() or _slip(written.lower(), meant)


def _atoms(kind: str, text: str) -> list[str]:
    """The numbers, or the names, of a piece of text, in their order."""
    return [match[kind] for match in ATOM.finditer(JOINT.sub(" ", text)) if match[kind]]


def _same_names(before: list[str], after: list[str]) -> bool:
    """Whether names are the same, but for words that only say what the rest is."""
    waiting = iter(before)
    expected = next(waiting, "")
    earlier = ""
    for name in after:
        if expected and same_word(expected, name):
            expected = next(waiting, "")
        elif name not in SAYING and not _takes_first(own_word(earlier, WORDS), name):
            return False
        earlier = name
    return not expected


def _takes_first(word: str, setting: str) -> bool:
    """Whether it is the setting that other systems give a word without a name."""
    return word in WORDS and first_setting(WORDS[word]) == setting


def _slip(written: str, meant: str) -> bool:
    """Whether a word is a slip of the pen of another one: a letter or two of a longer word.

    Digits, the first letter, and in shorter words the last one make variants: `cifar100`, `nadam`.
    """
    longer = max(len(written), len(meant))
    allowed = 0 if longer < 5 else 1 if longer < 7 else 2
    found = distance(written, meant, allowed + 1)
    if found > allowed or _digits(written) != _digits(meant) or written[0] != meant[0]:
        return False
    if longer < 7 and written[-1] != meant[-1] and written + meant[-1] != meant:
        return False
    others = (word for word in _vocabulary() if word != meant and abs(len(word) - len(written)) <= found)
    return all(distance(written, other, found + 1) > found for other in others)


def _plain(word: str) -> str:
    return word.lower().replace("_", "")


def _digits(word: str) -> str:
    return re.sub(r"\D", "", word)


@cache
def _vocabulary() -> frozenset[str]:
    """Every word of the language: layers, settings, what they may say, statements."""
    found = {*STATEMENTS, *BLOCKS, *(quantity.name for quantity in QUANTITIES), *AMERICAN.values(), "on", "off"}
    for cls in _classes():
        found |= {cls.word, *settings(cls)}
        for field in settings(cls).values():
            kind = field.metadata["kind"]
            found |= set(kind.names) if isinstance(kind, Choice) else set()
    return frozenset(found)


@cache
def _elsewhere() -> frozenset[tuple[str, str]]:
    """Words of other systems, plainly written, each with the one of ours that says the same."""
    pairs = [*AMERICAN.items(), *ELSEWHERE.items(), *SWITCHES.items()]
    pairs += [(alias, cls.word) for cls in _classes() for alias in getattr(cls, "aliases", ())]
    return frozenset((_plain(theirs), ours) for theirs, ours in pairs)


def _classes() -> Iterator[type[Declared]]:
    """All that is declared as a word: layers, the blocks, and the words that their settings take."""
    waiting: list[type[Declared]] = [*WORDS.values(), Train, Data]
    while waiting:
        cls = waiting.pop()
        yield cls
        waiting += _nested(cls)


def _nested(cls: type[Declared]) -> Iterable[type[Declared]]:
    for field in settings(cls).values():
        kind = field.metadata["kind"]
        if isinstance(kind, Nested):
            yield from kind.classes
