"""Many networks, one after the other, and what was measured as tables: Markdown for people, JSON for others.

Of each rival a table has a line for each network: ratios, memory of training, and what more workers gain. Behind
them stands what each side took.
"""

from __future__ import annotations

import platform
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from tempfile import TemporaryDirectory

from .._version import __version__
from ..diagnostics import Diagnostic, SpecError
from ..runtime.remember import processor
from .comparison import ALONE, BASELINES, Result, agree, comparison, need, ours, sides
from .subject import Subject
from .table import TITLES

PACKAGES = ("numpy", "torch", "onnxruntime", "jax", "tensorflow")
DISAGREE = "CNN319"  # a fault of one of the programs, where others say what cannot be compared
HEADS = ("network", "", "batch", "side", "images/s", "ms", "MiB", "times as fast as (median, range of the rounds)")


@dataclass(frozen=True)
class Suite:
    """The options of a suite, for every network; `folder` and `mode` are as they were asked for."""

    folder: str
    mode: str
    modes: tuple[str, ...]
    against: tuple[str, ...]
    workers: int
    rounds: int
    batch: int | None = None
    input: str | None = None
    engine: str = "numpy"
    precision: str = "float32"

    @property
    def command(self) -> str:
        """What measures the same."""
        against = [f"--against {baseline}" for baseline in self.against]
        sizes = [f"--{name} {value}" for name, value in (("batch", self.batch), ("input", self.input)) if value]
        if self.engine != "numpy":
            sizes += [f"--engine {self.engine}", f"--precision {self.precision}"]
        options = [f"--mode {self.mode}", f"--workers {self.workers}", f"--rounds {self.rounds}", *sizes, *against]
        return " ".join(["cnnspec bench --suite", self.folder, *options])


@dataclass(frozen=True)
class SuiteRow:
    """A network with its results, or why some of them are missing; `faults`: a rival computes something else."""

    name: str
    results: tuple[Result, ...] = ()
    missing: tuple[str, ...] = ()
    faults: tuple[Diagnostic, ...] = ()

    def as_json(self) -> dict[str, object]:
        found: dict[str, object] = {"spec": self.name, "comparisons": [each.as_json() for each in self.results]}
        return found | ({"missing": list(self.missing)} if self.missing else {})


def specs_of(path: Path) -> list[Path]:
    """All specs below a folder, in the order of their names; a file is one."""
    return sorted(path.rglob("*.cnn")) if path.is_dir() else [path]


def measured(path: Path, name: str, suite: Suite, compared: tuple[str, ...] = ()) -> SuiteRow:
    """A network in every mode; a row says why one cannot be compared, and the others are still timed.

    The numbers of the sides are held against one another first, but in modes that are `compared` already.
    """
    results: list[Result] = []
    missing: list[str] = []
    faults: list[Diagnostic] = []
    agreed = set(compared)
    try:
        whole = Subject.read(path, suite.batch, suite.workers, suite.input, at_most=True)
        whole = replace(whole, engine=suite.engine, precision=suite.precision)
    except SpecError as error:
        return SuiteRow(name, missing=tuple(told(error)))
    for mode in suite.modes:
        against = tuple(baseline for baseline in suite.against if baseline != "onnxruntime" or mode != "train")
        held = "train" if mode == "train" else "infer"
        try:
            subject = replace(whole, batch=1) if mode == "latency" else whole
            if mode == "train":
                subject.need_learning()
            need(against, (mode,))
            with TemporaryDirectory() as folder:
                jobs = sides(subject, mode, against, Path(folder), scaling=True)
                if held not in agreed:
                    agree(subject, (held,), against)
                    agreed.add(held)
                results.append(comparison(jobs, suite.rounds))
        except SpecError as error:
            missing += [f"{TITLES[mode]}: {each}" for each in told(error)]
            faults += [
                replace(each, message=f"{name}: {each.message}")
                for each in error.diagnostics
                if each.code == DISAGREE
            ]
        except (ArithmeticError, RuntimeError) as error:
            missing.append(f"{TITLES[mode]}: {error}")
    return SuiteRow(name, tuple(results), tuple(missing), tuple(dict.fromkeys(faults)))


def told(error: SpecError) -> list[str]:
    return [f"{each.code} {each.message}" for each in error.diagnostics]


def circumstances(suite: Suite, rows: Sequence[SuiteRow] = ()) -> dict[str, str]:
    """Machine, versions and day, which figures are of."""
    found = {"processor": processor(), "system": platform.platform(), "python": platform.python_version()}
    cards = dict.fromkeys(result.device for row in rows for result in row.results if result.device)
    found |= {"card": ", ".join(cards)} if cards else {}
    found["cnnspec"] = __version__
    for package in PACKAGES:
        if package in ("numpy", suite.engine) or any(baseline.startswith(package) for baseline in suite.against):
            try:
                found[package] = version(package)
            except PackageNotFoundError:
                continue
    found |= {"workers": str(suite.workers), "rounds": str(suite.rounds), "day": date.today().isoformat()}
    return found


def as_json(rows: Sequence[SuiteRow], suite: Suite, made: Mapping[str, str]) -> dict[str, object]:
    return {"options": asdict(suite), "circumstances": dict(made), "networks": [row.as_json() for row in rows]}


def markdown(rows: Sequence[SuiteRow], suite: Suite, made: Mapping[str, str], command: str = "") -> Iterator[str]:
    """A page: how it was `made`, a table for each rival, a line for each of our sides and each rival's quicker."""
    yield from ("# Speed, measured", "", f"Made by `{command or suite.command}`.", "")
    yield "; ".join(f"{name} {value}" for name, value in made.items()) + "."
    for baseline, sides_of in BASELINES.items():
        if baseline in suite.against:
            yield from ("", f"Beside {baseline}: how many times as fast, median and range of the rounds.", "")
            yield from beside(rows, sides_of)
    yield ""
    yield from heading(HEADS)
    for row in rows:
        for result in row.results:
            for side in result.seconds:
                if ours(side) or side in result.baselines:
                    yield f"| {escaped(row.name)} | {' | '.join(cells(result, side))} |"
        for what in row.missing:
            yield f"| {escaped(row.name)} | {escaped(what)} |{' |' * (len(HEADS) - 2)}"


def heading(names: Sequence[str]) -> Iterator[str]:
    yield f"| {' | '.join(names)} |"
    yield "| " + " | ".join(["---"] * len(names)) + " |"


def beside(rows: Sequence[SuiteRow], baselines: tuple[str, ...]) -> Iterator[str]:
    """A line for each network: our ratios to the quicker of these sides, MiB in training of both, and scaling."""
    columns = list(
        dict.fromkeys(
            (result.mode, side) for row in rows for result in row.results for side in result.seconds if ours(side)
        )
    )
    names = [f"{TITLES[mode]}, {side}" for mode, side in columns]
    yield from heading(("network", "batch", *names, "MiB in training", "the other's", "to one worker"))
    for row in rows:
        found = {result.mode: result for result in row.results}
        if not found:
            continue
        line = [escaped(row.name), str(next(iter(found.values())).batch)]
        for mode, side in columns:
            line.append(beaten(found.get(mode), side, baselines))
        line += training(found.get("train"), baselines)
        yield f"| {' | '.join(line)} |"


def beaten(result: Result | None, side: str, baselines: tuple[str, ...]) -> str:
    """The ratio of a side of ours to the quicker of a rival's."""
    baseline = next((each for each in result.baselines if each in baselines), None) if result else None
    if result is None or baseline is None or side not in result.seconds:
        return ""
    return interval(result.ratio(side, baseline))


def training(result: Result | None, baselines: tuple[str, ...]) -> list[str]:
    """Memory of our first side and of the rival's quicker one, and what all workers gain beside one alone."""
    if result is None:
        return ["", "", ""]
    first = next(iter(result.seconds))
    baseline = next((each for each in result.baselines if each in baselines), None)
    memory = [mebibytes(result, side) if side else "" for side in (first, baseline)]
    alone = ALONE in result.seconds and first != ALONE
    return [*memory, interval(result.ratio(first, ALONE)) if alone else ""]


def mebibytes(result: Result, side: str) -> str:
    return f"{result.mebibytes(side):,.0f}"


def interval(ratio: tuple[float, float, float]) -> str:
    return "{:.2f} ({:.2f} to {:.2f})".format(*ratio)


def cells(result: Result, side: str) -> list[str]:
    ratios = []
    for baseline in result.baselines if ours(side) else ():
        ratios.append(f"{baseline}: {interval(result.ratio(side, baseline))}")
    return [
        TITLES[result.mode],
        str(result.batch),
        side,
        f"{result.rate(side):,.0f}",
        f"{result.time(side) * 1e3:.4g}",
        mebibytes(result, side),
        "; ".join(ratios),
    ]


def escaped(text: str) -> str:
    """Text in a cell of Markdown's tables."""
    return " ".join(text.replace("|", "\\|").split())
