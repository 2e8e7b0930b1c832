"""Sides against one another: interleaved rounds, ratios as median and range; the first step of each."""

from __future__ import annotations

import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Self

from ..diagnostics import Diagnostic, SpecError
from ..model.engines import need_jax
from ..targets.onnx.export import need_onnx
from . import tensorflow_program, torch_program
from .subject import MeasureJob, Subject

ROUND = 0.5  # seconds that a side runs before the next one does
BASELINES = {  # what may be asked for, and the sides that it has
    "torch": ("torch", "torch channels_last"),
    "torch-compile": ("torch compiled",),
    "onnxruntime": ("onnxruntime",),
    "jax": ("jax",),
    "tensorflow": ("tensorflow",),
}
PACKAGES = {"torch": "torch", "torch-compile": "torch", "onnxruntime": "onnxruntime", "tensorflow": "tensorflow"}
ALONE = "one worker"
ENGINE = "engine jax"
COMPILERS = ("c++", "g++", "clang++", "cl")
Jobs = dict[str, MeasureJob]


@dataclass(frozen=True)
class Result:
    """Seconds a step of each side, round by round, and the bytes that its process, or its card, held."""

    mode: str
    batch: int
    seconds: dict[str, list[float]]
    memory: dict[str, int]
    device: str = ""  # that all sides ran on, where it was not the processor

    def time(self, side: str) -> float:
        return statistics.median(self.seconds[side])

    def rate(self, side: str) -> float:
        return self.batch / self.time(side)

    def mebibytes(self, side: str) -> float:
        return round(self.memory[side] / 2**20, 1)

    @property
    def baselines(self) -> list[str]:
        """The quicker side of each rival."""
        sides = [[side for side in of if side in self.seconds] for of in BASELINES.values()]
        return [max(group, key=self.rate) for group in sides if group]

    def ratio(self, side: str, baseline: str) -> tuple[float, float, float]:
        """How many times as fast as the rival: median, lowest and highest of the rounds."""
        ratios = [b / a for a, b in zip(self.seconds[side], self.seconds[baseline], strict=True)]
        return statistics.median(ratios), min(ratios), max(ratios)

    def as_json(self) -> dict[str, object]:
        sides: dict[str, object] = {}
        for side, seconds in self.seconds.items():
            ratios = []
            for baseline in self.baselines if ours(side) else ():
                median, low, high = self.ratio(side, baseline)
                ratios.append({"to": baseline, "median": median, "min": low, "max": high})
            sides[side] = {
                "images_per_second": round(self.rate(side), 1),
                "milliseconds": self.time(side) * 1e3,
                "peak_mib": self.mebibytes(side),
                "seconds": seconds,
                "ratios": ratios,
            }
        device = {"device": self.device} if self.device else {}
        return {"mode": self.mode, "batch": self.batch, **device, "sides": sides}


def ours(side: str) -> bool:
    return not any(side in of for of in BASELINES.values())


class Process:
    """A process of this package that answers in lines of JSON; its errors become ours."""

    def __init__(self, name: str, module: str, job: MeasureJob) -> None:
        self.name = name
        paths = [path or os.getcwd() for path in sys.path]
        self.said = tempfile.TemporaryFile()  # noqa: SIM115  closed with the process
        self.process = subprocess.Popen(
            # -P: what lies in the current folder is no module
            [sys.executable, "-P", "-m", f"cnnspec.bench.{module}", json.dumps(job)],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.said,
            encoding="utf-8",
        )

    def answer(self, wanted: str) -> float:
        """The number that the next line says."""
        found = self.told(wanted)
        assert isinstance(found, int | float)
        return found

    def told(self, wanted: str) -> object:
        """What the next line says; other lines than ours (libraries print what they like) are passed over."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if line.startswith("{"):
                found = json.loads(line)
                if "diagnostics" in found:
                    raise SpecError(tuple(Diagnostic(c, m, help=h) for c, m, h in found["diagnostics"]))
                return found[wanted]
        raise self._end()

    def _end(self) -> Exception:
        """Why it is gone."""
        code = self.process.wait()
        self.said.seek(0)
        lines = self.said.read().decode("utf-8", "replace").strip().splitlines()
        if code < 0:
            name = signal.Signals(-code).name
            case = "killed" if code == -signal.SIGKILL else ""
            return SpecError((Diagnostic.of("CNN315", case=case, name=self.name, signal=name),))
        return RuntimeError(f"{self.name}: {lines[-1] if lines else f'its process ended with code {code}'}")

    def tell(self, line: str) -> None:
        assert self.process.stdin is not None
        try:
            self.process.stdin.write(line + "\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            raise self._end() from None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        assert self.process.stdin is not None and self.process.stdout is not None
        with suppress(BrokenPipeError):
            self.process.stdin.close()
        if exception[0] is not None:
            self.process.terminate()
        self.process.wait()
        self.process.stdout.close()
        self.said.close()


class Side(Process):
    """A process that waits to be told how many steps to run."""

    def __init__(self, name: str, job: MeasureJob) -> None:
        super().__init__(name, "runner", job)

    def run(self, steps: int) -> float:
        """Seconds a step."""
        self.tell(str(steps))
        return self.answer("seconds") / steps

    def memory(self) -> int:
        """The most bytes it has held."""
        self.tell("")
        return int(self.answer("memory"))


def comparison(jobs: Jobs, rounds: int) -> Result:
    """Run the sides in turn, `rounds` times each, as many steps as fill half a second."""
    with ExitStack() as ends:
        sides = {name: ends.enter_context(Side(name, job)) for name, job in jobs.items()}  # they start together
        for side in sides.values():
            side.answer("first")
        devices = {name: str(side.told("card")) for name, side in sides.items()}
        device = one_device(devices)
        counts = {name: max(1, round(ROUND / min(side.run(1), side.run(2)))) for name, side in sides.items()}
        seconds: dict[str, list[float]] = {name: [] for name in sides}
        for _ in range(rounds):
            for name, side in sides.items():
                seconds[name].append(side.run(counts[name]))
        memory = {name: side.memory() for name, side in sides.items()}
    first = next(iter(jobs.values()))
    return Result(first["mode"], first["batch"], seconds, memory, device)


def one_device(devices: dict[str, str]) -> str:
    """What all sides run on, "" for the processor; refused where one has a card and another has not."""
    (first, where), *others = devices.items()
    for name, device in others:
        if bool(device) != bool(where):
            one, two = where or "the processor", device or "the processor"
            fault = Diagnostic.of("CNN314", case="device", one=first, other=name, device=one, another=two)
            raise SpecError((fault,))
    return where


def first_steps(jobs: Jobs, repeats: int) -> dict[str, list[float]]:
    """Seconds from the start of each side's process to its first step done; nothing else runs meanwhile."""
    seconds: dict[str, list[float]] = {name: [] for name in jobs}
    for _ in range(repeats):
        for name, job in jobs.items():
            start = time.perf_counter()
            with Side(name, job) as side:
                side.answer("first")
                seconds[name].append(time.perf_counter() - start)
    return seconds


def sides(subject: Subject, mode: str, against: tuple[str, ...], folder: Path, scaling: bool = False) -> Jobs:
    """The processes of a comparison; the rivals' programs and ONNX's model are written into `folder`.

    For `scaling` one worker trains the shards of all as well, in the place of threads.

    Our engine on JAX is one side, on a card if there is one, where PyTorch's then are too.

    ONNX Runtime has no part in training. Of one image, processes share the rows of every layer; threads leave it
    to one worker, and so does training.
    """
    job: MeasureJob = {**subject.job, "mode": mode}
    alone = subject.workers == 1 or (subject.batch == 1 and mode == "train")
    kinds = [] if alone else ["processes"] if scaling or subject.batch == 1 else ["processes", "threads"]
    found: Jobs = {kind: {**job, "engine": "numpy", "workers": subject.workers, "parallel": kind} for kind in kinds}
    if subject.engine == "jax":
        found = {ENGINE: job}
    elif alone or subject.batch == 1:
        found[ALONE] = {**job, "engine": "numpy", "workers": 1, "parallel": "threads"}
    elif scaling and mode == "train":
        alone_too: MeasureJob = {
            **job,
            "engine": "numpy",
            "workers": 1,
            "parallel": "threads",
            "shards": subject.workers,
        }
        found[ALONE] = alone_too
    if "torch" in against or "torch-compile" in against:
        file = folder / f"{mode}.py"
        file.write_text(torch_program.source(subject.spec, mode == "train", subject.precision), encoding="utf-8")
        named = BASELINES["torch"][: 1 + subject.images] if "torch" in against else ()
        for name in (*named, *(BASELINES["torch-compile"] if "torch-compile" in against else ())):
            way: MeasureJob = {**job, "engine": "torch", "source": str(file)}
            found[name] = {**way, "channels_last": "channels" in name, "compiled": "compiled" in name}
    if "onnxruntime" in against and mode != "train":
        from ..model import Model
        from ..targets.onnx.export import onnx_model

        model = Model(subject.spec, batch=1)
        file = folder / f"{mode}.onnx"
        file.write_bytes(onnx_model(subject.graph, model.parameters).SerializeToString())
        found["onnxruntime"] = {**job, "engine": "onnxruntime", "source": str(file)}
    if "tensorflow" in against:
        file = folder / f"{mode}_tensorflow.py"
        file.write_text(tensorflow_program.source(subject.spec, mode == "train"), encoding="utf-8")
        found["tensorflow"] = {**job, "engine": "tensorflow", "source": str(file)}
    if "jax" in against:
        found["jax"] = {**job, "engine": "jax"}
    return found


def agree(subject: Subject, modes: tuple[str, ...], against: tuple[str, ...]) -> None:
    """Hold every rival's outputs and gradients against ours, all at once; raises where they differ."""
    with ExitStack() as ends:
        for process in [ends.enter_context(agreement(subject, modes, baseline)) for baseline in against]:
            process.answer("worst")


def agreement(subject: Subject, modes: tuple[str, ...], baseline: str) -> Process:
    compared = [mode for mode in modes if baseline != "onnxruntime" or mode != "train"]
    return Process(
        f"comparing with {baseline}", "agreement", {**subject.job, "against": baseline, "modes": compared}
    )


def need(against: tuple[str, ...], modes: tuple[str, ...]) -> None:
    """Refuse with words where a rival is not installed, or has no part in what is timed."""
    for baseline, package in PACKAGES.items():
        if baseline in against and find_spec(package) is None:
            raise SpecError((Diagnostic.of("CNN501", case="bench", baseline=baseline, package=package),))
    if "torch-compile" in against and not any(map(shutil.which, COMPILERS)):
        raise SpecError((Diagnostic.of("CNN501", case="compiler"),))
    if "onnxruntime" in against:
        need_onnx()
        if modes == ("train",):
            raise SpecError((Diagnostic.of("CNN314", case="ONNX Runtime"),))
    if "jax" in against:
        need_jax()
