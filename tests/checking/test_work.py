"""Whatever a text says, checking it and trying its fixes takes bounded work; counted, so that no clock decides."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from pace import took_under

from cnnspec.checking import Configuration, examine
from cnnspec.checking.fixes import Repaired, repair
from cnnspec.diagnostics import Diagnostic, Source, SpecError
from cnnspec.editor.actions import fix_all
from cnnspec.editor.completion import complete
from cnnspec.editor.document import Document
from cnnspec.editor.hover import hover
from cnnspec.lang.format.formatter import format
from cnnspec.lang.lowering.lower import MOST_STEPS
from cnnspec.lang.parse.recovery import MOST_TOKENS
from cnnspec.lang.work import A_STEP, MOST, Work
from cnnspec.words import WORDS

LONG = 64 * 1024
ONE_READING = 2 * MOST_TOKENS + A_STEP * MOST_STEPS  # what a single reading may take, however it is spent
SECONDS = 4.0  # of processor time: one on an idle machine; machines that others use as well take longer
SPECS = [path.read_text(encoding="utf-8") for path in sorted((Path(__file__).parents[2] / "specs").glob("*.cnn"))]
PIECES = [
    *WORDS, "id", "->", "|", "(", ")", "{", "}", "as a", "::", "@a", "*3", "*1000", "=", ",", ";", "#", '"',
    "8x3x3", "3", "{w}", "{2*w}", "10%", "let w = 3", "block b(c, s = 1) =", "b(4)", "net n =", "n", "input 4",
    "input 3x12x12", "train {", "data {", "expect {", "optimiser adam lr 1e-3", "cost mse", "pad same", "stride=2",
    "params <= 62k", 'import "a.cnn"', "rellu", "sofmax", "upsampleput 3x12x12", "iensnput 3x12x12", "blocc", "d)",
    "maxpol 2", "conv 8x3", "optimiser nadam", "{wdth}", "@rleu1", "LeakyReLU(0.2)", "→", "“a”", "1O",
]  # fmt: skip


def checked(text: str) -> tuple[Repaired, Work]:
    """A text checked, every fix that helps applied, safe or not; and what all of it took."""
    source, work = Source("a.cnn", text), Work()

    def find(changed: Source, fixes: bool) -> tuple[Diagnostic, ...]:
        return examine(changed, Configuration(), None, fixes=fixes, work=work).diagnostics

    return repair(source, find(source, True), find, work, unsafe=True), work


SLOW = {  # what these took before, in seconds: 34, 18, more than anyone waited for
    "words and signs that are all wrong": "blocc = d) = sofmax\n" * 20,
    "an input that nothing suits": "iensnput 3x12x12\n" + "upsampleput 3x12x12\n" * 40,
    "the same on one line": "iensnput 3x12x12" + " upsampleput 3x12x12" * 40,
    "braces": "input 3x12x12\n" + "d) {\n" * 160,
    "names that are near": "".join(f"let abcdefghij{i:04d} = 1\n" for i in range(1200))
    + "input 4\n"
    + "".join(f"dense {{abcdefghiX{i:04d}}} -> " for i in range(900))
    + "dense 2",
    "taps that lead nowhere": "input 4\n"
    + "relu -> " * 3000
    + "relu\n"
    + "".join(f"@relu{i} -> relu\n" for i in range(90_000, 91_200)),
    "a tap that leads nowhere, again and again": "input 4\n(relu)*19000\n(@relux)*30000",
    "arithmetic of arguments": f"block b(a = {'1 + ' * 8000}1) = relu\ninput 4\n(b)*20000 -> dense 2",
    "arithmetic of holes": f"input 4\n(dense {{{'1 + ' * 8000}1}})*20000",
    "sizes with a hole": f"input 4\n(dense {{1}}{'x9' * 20_000})*50000",
    "settings with a hole": f"input 3x9x9\n(conv {{4}}x3x3 {'pad 1 ' * 8000})*20000",
    "long names": f"block {'b' * 30_000} = relu\ninput 4\n({'b' * 30_000})*5000 -> dense 2",
    "long names within long names": "".join(f"block {'b' * 1000}{i + 1} = {'b' * 1000}{i}\n" for i in range(28))
    + f"block {'b' * 1000}0 = relu\ninput 4\n({'b' * 1000}28)*5000",
    "budgets of no value": f"input 4\n{''.join(f'relu as a{i} -> ' for i in range(2000))}dense 2\n"
    + f"expect {{{' ; '.join(f'shape @b{i} == 4' for i in range(1500))}}}",
}


@pytest.mark.parametrize("text", SLOW.values(), ids=SLOW.keys())
def test_is_soon_checked_and_repaired(text: str) -> None:
    start = time.thread_time()
    repaired, work = checked(text)
    assert took_under(SECONDS, start)
    assert repaired.left or repaired.applied
    assert work.spent <= ONE_READING + MOST


def grown(rng: random.Random) -> str:
    """A hostile text: a fragment again and again, pieces in any order, lines again and again, or spoilt specs."""
    kind, size = rng.randrange(4), rng.choice((400, 800, 4000, LONG))
    if kind == 0:
        fragment = " ".join(rng.choices(PIECES, k=rng.randint(1, 5))) + rng.choice((" ", "\n", " -> "))
        head = rng.choice(("", "input 3x12x12\n", "iensnput 3x12x12\n"))
        return head + fragment * (size // len(fragment))
    if kind == 1:
        return "".join(rng.choice(PIECES) + rng.choice((" ", "\n", " -> ")) for _ in range(size // 8))
    if kind == 2:
        lines = [" ".join(rng.choices(PIECES, k=rng.randint(1, 6))) for _ in range(3)]
        return "\n".join(rng.choice(lines) for _ in range(size // 20))
    text = "\n".join(rng.sample(SPECS, 3))
    for _ in range(rng.choice((5, 50))):
        at = rng.randrange(len(text))
        text = text[:at] + rng.choice(PIECES) + text[at + rng.choice((0, 1, 20)) :]
    return text


@pytest.mark.parametrize("seed", range(8))
def test_the_work_for_hostile_texts_is_bounded(seed: int) -> None:
    rng = random.Random(seed)
    for _ in range(6):
        text = grown(rng)
        repaired, work = checked(text)
        assert work.spent <= ONE_READING + MOST, text
        assert repaired.applied == 0 or repaired.source.text != text


def test_work_is_counted() -> None:
    """The counter counts: a text twice as long takes twice as much, and a try costs a reading."""

    def spent(text: str, fixes: bool) -> int:
        work = Work()
        examine(Source("a.cnn", text), Configuration(), None, fixes=fixes, work=work)
        return work.spent

    once, twice = (spent("input 4\n" + "relu -> " * count + "dense 2\n", False) for count in (500, 1000))
    assert 1.9 < twice / once < 2.1
    wrong = "input 4\n" + "rellu -> " * 20 + "dense 2\n"
    assert 15 < spent(wrong, True) / spent(wrong, False) < 25


def test_nothing_is_tried_beyond_the_bound() -> None:
    wrong = "input 4\n" + "rellu -> " * 20 + "dense 2\n"
    found = examine(Source("a.cnn", wrong), Configuration(), None, work=Work(most=2000)).diagnostics
    assert len(found) == 20 and 0 < sum(bool(each.fix) for each in found) < 20


FINE = {
    "a long chain": "input 4\n" + "relu -> " * 8000 + "dense 2",
    "many branches": "input 4\nadd(" + "|".join(["id"] * 15_000) + ")",
    "many holes": "input 4\n" + "dense {1 + 1} -> " * 3500 + "relu",
    "a long word": "input 4\n" + "x" * 60_000,
    "words": "input 4\n" + "foo -> " * 9000 + "relu",
}


@pytest.mark.parametrize("text", FINE.values(), ids=FINE.keys())
def test_the_formatter_and_the_editor_are_quick(text: str) -> None:
    def asked() -> Iterator[object]:
        try:
            yield format(text, "a.cnn")
        except SpecError:
            yield None
        document = Document(text)
        for offset in (len(text) // 2, len(text)):
            yield complete(document, offset)
            yield hover(document, offset)
        yield fix_all(document)

    start = time.thread_time()
    for _ in asked():
        assert took_under(SECONDS, start)
        start = time.thread_time()


def test_which_inputs_would_do_is_not_asked_of_thousands_of_layers() -> None:
    reading = examine(Source("a.cnn", "(conv 4x3x3 pad same)*19000 -> dense 2"), Configuration(), None).reading
    assert reading is not None and reading.spec is not None and reading.inputs() is None
