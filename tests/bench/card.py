"""Training by `--engine jax` beside PyTorch, eager and compiled, on one card: `python tests/bench/card.py -o t.md`.

Every row is a network in float32 or in bfloat16: images a second, memory of the card, ratios of interleaved rounds.
First the gradients of all networks are held against PyTorch's in float64, all at once. The table is written after
each row, as Markdown and as JSON. With `--until SECONDS` no row begins later, and rows may be named. A row
that fails, or takes longer than `--limit SECONDS`, says so and costs no other. Without a card all of it runs on the
processor: try it with `--tiny`.

    python tests/bench/card.py -o card.md --until 430 --limit 150
    python tests/bench/card.py -o small.md --tiny n5 --rounds 1
    XLA_FLAGS=--xla_gpu_deterministic_ops=false python tests/bench/card.py -o any-order.md resnet50
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from cnnspec.bench.comparison import Process, agreement, need
from cnnspec.bench.subject import Subject
from cnnspec.bench.suite import Suite, SuiteRow, as_json, circumstances, markdown, measured, told
from cnnspec.diagnostics import SpecError

PRECISIONS = ("bfloat16", "float32")
SPECS = Path(__file__).parents[2] / "specs"


@dataclass(frozen=True)
class Net:
    """A row's network: its file, the images of a batch, and an input in place of the spec's; the same, tiny."""

    file: str
    batch: int
    input: str | None
    tiny: str | None

    @property
    def path(self) -> Path:
        return SPECS / self.file


NETS = {  # the most telling first: time may run out
    "resnet50": Net("resnet50.cnn", 128, "3x224x224", "3x32x32"),
    "n5": Net("bench/n5-resnet20.cnn", 1024, None, "3x8x8"),
    "n4": Net("bench/n4-cifar-vgg.cnn", 1024, None, "3x8x8"),
    "n3": Net("bench/n3-mnist-cnn.cnn", 1024, None, "1x8x8"),
    "resnet18": Net("resnet18.cnn", 128, "3x64x64", "3x32x32"),
}


def main(arguments: list[str]) -> int:
    """0, or 1 where the numbers of a network are not PyTorch's."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("nets", nargs="*", choices=[*NETS, []], default=list(NETS), help="the rows, in this order")
    parser.add_argument("-o", dest="out", type=Path, required=True, help="a .md file; the .json stands beside it")
    parser.add_argument(
        "--against", nargs="+", choices=["torch", "torch-compile"], default=["torch", "torch-compile"]
    )
    parser.add_argument("--precision", nargs="+", choices=PRECISIONS, default=list(PRECISIONS))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--workers", type=int, default=len(os.sched_getaffinity(0)), help="cores of each side")
    parser.add_argument("--until", type=float, default=float("inf"), help="seconds after which no row begins")
    parser.add_argument("--limit", type=float, default=180, help="seconds that a row may take, twice for comparing")
    parser.add_argument("--tiny", action="store_true", help="batches of 2 and small images: a trial")
    asked = parser.parse_args(arguments)
    began, against = time.monotonic(), available(asked.against)
    suites = {name: suite_of(NETS[name], asked.tiny, against, asked.workers, asked.rounds) for name in asked.nets}
    wrong = compared(suites, 2 * asked.limit)
    print(f"numbers compared after {time.monotonic() - began:.0f} s", flush=True)
    rows: list[SuiteRow] = []
    for name, suite in suites.items():
        for precision in asked.precision:
            title = f"{name} {suite.input or ''}".strip() + f" {precision}"
            if name in wrong:
                rows.append(SuiteRow(title, missing=wrong[name]))
            elif time.monotonic() - began > asked.until:
                rows.append(SuiteRow(title, missing=(f"not begun: {asked.until:.0f} s were over",)))
            else:
                rows.append(row(name, title, replace(suite, precision=precision), asked.limit))
            print(f"{title} after {time.monotonic() - began:.0f} s", *rows[-1].missing, flush=True)
            write(rows, suite, asked.out, " ".join(["python tests/bench/card.py", *arguments]))
    return int(bool(wrong))


class Late(RuntimeError):
    """Something took too long."""


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """Raise Late in what takes longer; one after the other, on the main thread."""

    def late(*_: object) -> None:
        raise Late(f"ended after {seconds:.0f} s")

    before = signal.signal(signal.SIGALRM, late)
    signal.setitimer(signal.ITIMER_REAL, max(seconds, 1e-3))
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def available(against: list[str]) -> tuple[str, ...]:
    """The rivals that can be run here; without any of the others there is still a table."""
    need(("jax",), ("train",))
    found = []
    for baseline in against:
        try:
            need((baseline,), ("train",))
            found.append(baseline)
        except SpecError as error:
            print(f"without {baseline}:", *told(error), flush=True)
    return tuple(found)


def row(name: str, title: str, suite: Suite, limit: float) -> SuiteRow:
    """A row, or why there is none: no failure of one ends the table."""
    try:
        with within(limit):
            return measured(NETS[name].path, title, suite, ("train",))
    except Exception as error:
        return SuiteRow(title, missing=(f"{type(error).__name__}: {error}",))


def suite_of(net: Net, tiny: bool, against: tuple[str, ...], workers: int, rounds: int) -> Suite:
    batch, input = (2, net.tiny) if tiny else (net.batch, net.input)
    return Suite(net.file, "train", ("train",), against, workers, rounds, batch, input, "jax")


def compared(suites: dict[str, Suite], limit: float) -> dict[str, tuple[str, ...]]:
    """Hold the gradients of all networks against every rival's at the same time: what is wrong, by network."""
    wrong: dict[str, tuple[str, ...]] = {}
    until = time.monotonic() + limit
    with ExitStack() as ends:
        running: list[tuple[str, Process]] = []
        for name, suite in suites.items():
            subject = Subject.read(NETS[name].path, suite.batch, suite.workers, suite.input, at_most=True)
            for baseline in suite.against:
                process = agreement(replace(subject, engine="jax"), ("train",), baseline)
                running.append((name, ends.enter_context(process)))
        for name, process in running:
            try:
                with within(until - time.monotonic()):
                    process.answer("worst")
            except SpecError as error:
                wrong[name] = (*wrong.get(name, ()), *told(error))
            except Exception as error:
                process.process.kill()
                wrong[name] = (*wrong.get(name, ()), f"{process.name}: {error}")
    return wrong


def write(rows: list[SuiteRow], suite: Suite, out: Path, command: str) -> None:
    made = circumstances(suite, rows)
    found = {**as_json(rows, suite, made), "options": {"command": command}}
    page = "\n".join([*markdown(rows, suite, made, command), ""])
    for suffix, text in {".json": json.dumps(found, indent=1) + "\n", ".md": page}.items():
        fresh = out.with_suffix(f"{suffix}.new")  # whole at every moment: a lent machine may be taken away
        fresh.write_text(text, encoding="utf-8")
        fresh.replace(out.with_suffix(suffix))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
