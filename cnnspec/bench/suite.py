"""Many networks, one after the other, and what was measured as one table: Markdown for people, JSON for others."""

from __future__ import annotations

import platform
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from tempfile import TemporaryDirectory

from .._version import __version__
from ..diagnostics import SpecError
from ..runtime.remember import processor
from .comparison import Result, agree, comparison, need, ours, sides
from .subject import Subject
from .table import TITLES

PACKAGES = ("numpy", "torch", "onnxruntime", "jax")
HEADS = ("network", "", "batch", "side", "images/s", "ms", "MiB", "times as fast as (median, range of the rounds)")


@dataclass(frozen=True)
class Suite:
    """What is measured of every network."""

    modes: tuple[str, ...]
    against: tuple[str, ...]
    workers: int
    rounds: int
    batch: int | None = None
    input: str | None = None


@dataclass(frozen=True)
class Row:
    """A network with its results, or why some of them are missing."""

    name: str
    results: tuple[Result, ...] = ()
    missing: tuple[str, ...] = ()

    def as_json(self) -> dict[str, object]:
        found: dict[str, object] = {"spec": self.name, "comparisons": [each.as_json() for each in self.results]}
        return found | ({"missing": list(self.missing)} if self.missing else {})


def specs_of(path: Path) -> list[Path]:
    """All specs below a folder, in the order of their names; a file is one."""
    return sorted(path.rglob("*.cnn")) if path.is_dir() else [path]


def measured(path: Path, name: str, suite: Suite) -> Row:
    """A network in every mode; what cannot be compared is told in its place, and the others are still timed."""
    results: list[Result] = []
    missing: list[str] = []
    try:
        whole = Subject.read(path, suite.batch, suite.workers, suite.input)
    except SpecError as error:
        return Row(name, missing=tuple(told(error)))
    for mode in suite.modes:
        against = tuple(rival for rival in suite.against if rival != "onnxruntime" or mode != "train")
        try:
            subject = replace(whole, batch=1) if mode == "latency" else whole
            if mode == "train":
                subject.need_learning()
            need(against, (mode,))
            with TemporaryDirectory() as folder:
                jobs = sides(subject, mode, against, Path(folder))
                agree(subject, ("train" if mode == "train" else "infer",), against)
                results.append(comparison(jobs, suite.rounds))
        except SpecError as error:
            missing += [f"{TITLES[mode]}: {each}" for each in told(error)]
        except (ArithmeticError, RuntimeError) as error:
            missing.append(f"{TITLES[mode]}: {error}")
    return Row(name, tuple(results), tuple(missing))


def told(error: SpecError) -> list[str]:
    return [f"{each.code} {each.message}" for each in error.diagnostics]


def circumstances(suite: Suite) -> dict[str, str]:
    """Machine, versions and day, which figures are of."""
    found = {"processor": processor(), "system": platform.platform(), "python": platform.python_version()}
    found["cnnspec"] = __version__
    for package in PACKAGES:
        if package == "numpy" or any(rival.startswith(package) for rival in suite.against):
            try:
                found[package] = version(package)
            except PackageNotFoundError:
                continue
    found |= {"workers": str(suite.workers), "rounds": str(suite.rounds), "day": date.today().isoformat()}
    return found


def as_json(rows: Sequence[Row], suite: Suite) -> dict[str, object]:
    return {"circumstances": circumstances(suite), "networks": [row.as_json() for row in rows]}


def markdown(rows: Sequence[Row], suite: Suite) -> Iterator[str]:
    """The table: a line for each side of ours, and of each rival its quicker side."""
    yield "; ".join(f"{name} {value}" for name, value in circumstances(suite).items())
    yield ""
    yield f"| {' | '.join(HEADS)} |"
    yield "| " + " | ".join(["---"] * len(HEADS)) + " |"
    for row in rows:
        for result in row.results:
            for side in result.seconds:
                if ours(side) or side in result.baselines:
                    yield f"| {escaped(row.name)} | {' | '.join(cells(result, side))} |"
        for what in row.missing:
            yield f"| {escaped(row.name)} | {escaped(what)} |{' |' * (len(HEADS) - 2)}"


def cells(result: Result, side: str) -> list[str]:
    ratios = []
    for rival in result.baselines if ours(side) else ():
        median, low, high = result.ratio(side, rival)
        ratios.append(f"{rival}: {median:.2f} ({low:.2f} to {high:.2f})")
    return [
        TITLES[result.mode],
        str(result.batch),
        side,
        f"{result.rate(side):,.0f}",
        f"{result.time(side) * 1e3:.4g}",
        f"{result.memory[side] / 2**20:,.0f}",
        "; ".join(ratios),
    ]


def escaped(text: str) -> str:
    """Text in a cell of Markdown's tables."""
    return " ".join(text.replace("|", "\\|").split())
