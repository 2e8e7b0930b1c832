"""Many runs of one spec over settings and numbers: planned, run, gone on with, and compared.

    sweeps/lenet-001/
      sweep.json          what is tried, written before the first trial
      trials/001/         a trial: the folder of its run, or failed.json
      results.csv         a line a trial, the best first
      results.svg         the trials as lines through their settings (drawn by the command)
      best.cnn            the spec with the settings of the best trial

The settings of a trial are a function of sweep.json and of the trials that were done before its round began, so a
sweep that was killed goes on to the bits of one that was not.
"""

from __future__ import annotations

import csv
import io
import multiprocessing
import os
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import wait
from multiprocessing.context import SpawnProcess
from pathlib import Path
from typing import NotRequired, TypedDict

from ..api import read_spec
from ..diagnostics import Diagnostic, SpecError
from ..interrupts import listen
from ..lang.format.applied import applied
from ..quoting import argument
from ..train import documents, files
from ..train.checkpoints import Stamp
from ..train.folder import RunFolder
from ..train.lock import held
from . import space, trial
from .catalogue import RunEntry, entry
from .loggers.logger import loggers_of
from .studies import SAMPLERS, Past, Pruning, ensure_installed, proposed

NAME = "sweep.json"
Work = tuple[Path, Path, tuple[str, ...], Path | None, int, str, Pruning | None, tuple[str, ...]]
LOOKED_AT = 12  # trials of which one is to be a network


@dataclass(frozen=True)
class Outcome:
    """A trial that is done: its settings, and its run, or why it failed; `pruned` is one that was stopped early."""

    number: int
    overrides: tuple[str, ...]
    run: RunEntry | None
    failed: str = ""
    pruned: bool = False


class Plan(TypedDict):
    """What sweep.json says (grammar/sweep.schema.json)."""

    spec: str
    spec_sha256: str
    data_folder: str | None
    set: list[str]
    sampler: str
    points: int
    trials: int
    seed: int
    jobs: int
    workers: int
    by: str
    pruner: NotRequired[str]  # what stops trials early, if anything does
    log: NotRequired[list[str]]


@dataclass(frozen=True)
class Sweep:
    """A sweep in its folder, as sweep.json has it."""

    folder: Path
    plan: Plan
    proposed: dict[int, tuple[str, ...]] = field(default_factory=dict, repr=False)
    known: dict[int, Past] = field(default_factory=dict, repr=False)

    @classmethod
    def begin(
        cls,
        spec: Path,
        sets: tuple[str, ...],
        out: Path,
        data: Path | None = None,
        *,
        sampler: str,
        points: int,
        trials: int,
        seed: int,
        jobs: int,
        workers: int,
        by: str,
        pruner: str = "",
        log: Sequence[str] = (),
    ) -> Sweep:
        """Plan a sweep and write it down; SpecError where the spec, or what is to be tried, is wrong."""
        axes = [space.axis(text) for text in sets]
        loggers_of(log)
        ensure_installed(sampler, pruner)
        if sampler == "grid":
            trials = len(space.grid(axes, points))
        _ensure_one_is_right(spec, axes)
        name = (
            re.sub(r"[^\w.+-]+", "-", spec.name.removesuffix(".json").removesuffix(".cnn")).strip("-.") or "sweep"
        )
        with files.reported(out):
            out.mkdir(parents=True, exist_ok=True)
            taken = [int(m[1]) for one in os.listdir(out) if (m := re.fullmatch(re.escape(name) + r"-(\d+)", one))]
        number = max(taken, default=0) + 1
        while not files.make_folder(out / f"{name}-{number:03}"):
            number += 1
        folder = out / f"{name}-{number:03}"
        files.make_folder(folder / "trials")
        plan = Plan(
            spec=_towards(folder, spec),
            spec_sha256=Stamp.of(read_spec(spec).source).sha256,
            data_folder=_towards(folder, data) if data else None,
            set=list(sets),
            sampler=sampler,
            points=points,
            trials=trials,
            seed=seed,
            jobs=jobs,
            workers=workers,
            by=by,
        )
        if pruner:
            plan["pruner"] = pruner
        if log:
            plan["log"] = list(log)
        RunFolder(folder).write_json(NAME, plan)
        return cls(folder, plan)

    @classmethod
    def reopened(cls, folder: Path) -> Sweep:
        """A sweep that is to go on; refused where its spec was edited since."""
        sweep = cls(folder, documents.document(folder / NAME, "sweep", Plan))
        if Stamp.of(read_spec(sweep.spec).source).sha256 != sweep.plan["spec_sha256"]:
            raise SpecError((Diagnostic.of("CNN332", spec=sweep.spec),))
        return sweep

    @property
    def spec(self) -> Path:
        return Path(os.path.normpath(self.folder / self.plan["spec"]))

    @property
    def data(self) -> Path | None:
        found = self.plan.get("data_folder")
        return Path(os.path.normpath(self.folder / found)) if found else None

    def trial(self, number: int) -> Path:
        """The folder of a trial, counted from 0."""
        return self.folder / "trials" / f"{number + 1:03}"

    def overrides(self, number: int) -> tuple[str, ...]:
        """The settings of a trial; those of Optuna's samplers want all trials of the rounds before."""
        axes = [space.axis(text) for text in self.plan["set"]]
        if self.plan["sampler"] == "grid":
            return space.grid(axes, self.plan["points"])[number]
        if self.plan["sampler"] == "random":
            return space.drawn(axes, self.plan["seed"], number)
        if number not in self.proposed:
            size, sampler = self.plan["jobs"], self.plan["sampler"]
            rounds = [range(first, first + size) for first in range(0, number + 1, size)]
            told = proposed(axes, sampler, self.plan["seed"], rounds, self.best_is, self.past)
            self.proposed.update(enumerate(told))
        return self.proposed[number]

    def past(self, number: int) -> Past:
        """What came of a trial that is done, as samplers and pruners hear of it."""
        if number not in self.known:
            run, _ = self.result(number)
            values = trial.values(run.columns, self.plan["by"]) if run else ()
            self.known[number] = Past(values, self.score(run), trial.pruned(self.trial(number)))
        return self.known[number]

    def pruning(self, number: int) -> Pruning | None:
        """What may stop a trial early: a pruner that knows the trials of the rounds before."""
        if not (pruner := self.plan.get("pruner")):
            return None
        before = range(number - number % self.plan["jobs"])
        return Pruning(pruner, self.best_is, self.plan["seed"], tuple(map(self.past, before)), number)

    @property
    def best_is(self) -> str:
        return "maximize" if self.plan["by"] == "accuracy" else "minimize"

    def run(self, jobs: int, on_done: Callable[[Outcome], object] = lambda done: None) -> list[Outcome]:
        """Bring every trial to its end, as many at a time as `jobs`, and write down what came of them.

        Raises KeyboardInterrupt where one was interrupted, after all that were under way were saved, and SpecError
        where the machine refused one; `Sweep.reopened` goes on from there.
        """
        with held(self.folder):
            for number in self._done(jobs):
                on_done(self.outcome(number))
            outcomes = self.ranked()
            self._write(outcomes)
        return outcomes

    def _done(self, jobs: int) -> Iterator[int]:
        """The numbers of the trials as they come to their ends."""
        rounds = self.plan["sampler"] in SAMPLERS or self.plan.get("pruner")
        step = self.plan["jobs"] if rounds else self.plan["trials"]
        for first in range(0, self.plan["trials"], step):
            numbers = range(first, min(first + step, self.plan["trials"]))
            work = {number: self._work(number) for number in numbers}
            left = [number for number in numbers if not trial.done(self.trial(number))]
            yield from (number for number in numbers if number not in left)
            if jobs == 1:
                for number in left:
                    trial.train(*work[number])
                    yield number
            else:
                yield from self._together(left, work, jobs)

    def _work(self, number: int) -> Work:
        """What `trial.train` is given."""
        plan = self.plan
        where = self.trial(number), self.spec, self.overrides(number), self.data
        return *where, plan["workers"], plan["by"], self.pruning(number), tuple(plan.get("log", ()))

    def _together(self, left: list[int], work: dict[int, Work], jobs: int) -> Iterator[int]:
        """Trials in processes of their own."""
        context = multiprocessing.get_context("spawn")
        under_way: dict[int, tuple[int, SpawnProcess]] = {}
        waiting = list(left)
        try:
            while waiting or under_way:
                while waiting and len(under_way) < jobs:
                    number = waiting.pop(0)
                    process = context.Process(target=_alone, args=work[number])
                    process.start()
                    under_way[process.sentinel] = number, process
                ended = wait(list(under_way))
                for sentinel in [one for one in under_way if one in ended]:
                    number, process = under_way.pop(sentinel)
                    process.join()
                    if not trial.done(self.trial(number)):
                        told = Diagnostic.of(
                            "CNN333", trial=number + 1, ended=process.exitcode, folder=argument(self.folder)
                        )
                        raise SpecError((told,))
                    yield number
        finally:
            for _, process in under_way.values():
                process.terminate()  # which saves its step
            for _, process in under_way.values():
                process.join()

    def result(self, number: int) -> tuple[RunEntry | None, str]:
        """The run of a trial that is done, or why it failed."""
        folder = self.trial(number)
        failed = trial.failure(folder)
        run = None if failed else trial.run_of(folder)
        return entry(run) if run else None, failed

    def outcome(self, number: int) -> Outcome:
        """What came of a trial that is done."""
        return Outcome(number + 1, self.overrides(number), *self.result(number), trial.pruned(self.trial(number)))

    def score(self, run: RunEntry | None) -> float | None:
        """By what trials are compared: of the best epoch, on the validation images where there are any."""
        if run is None:
            return None
        value = run.figures[self.plan["by"]]
        if value is None and self.plan["by"] == "accuracy" and run.figures["cost"] is not None:
            return -float(run.figures["cost"])  # of numbers there is no accuracy
        return value

    def ranked(self) -> list[Outcome]:
        """All trials, the best first, the first of equals first; stopped ones after them, failed ones last."""
        outcomes = [self.outcome(number) for number in range(self.plan["trials"])]
        sign = -1 if self.best_is == "maximize" else 1

        def key(one: Outcome) -> tuple[bool, bool, float]:
            score = self.score(one.run)
            return score is None, one.pruned, 0.0 if score is None else sign * score

        return sorted(outcomes, key=key)

    def _write(self, outcomes: list[Outcome]) -> None:
        keys = [space.axis(text).key for text in self.plan["set"]]
        names = ("accuracy", "cost", "test_accuracy", "test_cost", "parameters", "seconds", "epochs")
        table = io.StringIO()
        writer = csv.writer(table, lineterminator="\n")
        writer.writerow(["trial", *keys, *names, "pruned", "failed"])
        for one in outcomes:
            values = [text.partition("=")[2] for text in one.overrides]
            figures = [one.run.figures[name] if one.run else None for name in names]
            writer.writerow([one.number, *values, *figures, "yes" if one.pruned else "", one.failed])
        files.write(self.folder / "results.csv", [table.getvalue().encode("utf-8", "replace")])
        best = outcomes[0]
        if best.run is not None:
            spec = read_spec(self.spec, overrides=best.overrides)
            files.write(self.folder / "best.cnn", [applied(spec.source, best.overrides, spec).encode()])


def _ensure_one_is_right(spec: Path, axes: list[space.SearchAxis]) -> None:
    """Refuse, before anything is written, what no trial can be made of: a key that is none, a word that is none.

    A trial that does not fit its network is an outcome like others.
    """
    first: SpecError | None = None
    for number in range(LOOKED_AT):
        try:
            read_spec(spec, overrides=space.drawn(axes, 0, number))
            return
        except SpecError as error:
            first = first or error
    assert first is not None
    raise first


def _towards(folder: Path, path: Path) -> str:
    """The way from a sweep's folder to a file or a folder."""
    try:
        return Path(os.path.relpath(os.path.realpath(path), os.path.realpath(folder))).as_posix()
    except ValueError:  # on another drive
        return Path(os.path.realpath(path)).as_posix()


def _alone(*work: *Work) -> None:
    """A trial in a process of its own; how it ended is in its folder."""
    listen()
    try:
        trial.train(*work)
    except KeyboardInterrupt:
        raise SystemExit(130) from None
    except SpecError as error:
        raise SystemExit("; ".join(map(str, error.diagnostics))) from None
