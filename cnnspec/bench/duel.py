"""Sides against one another: interleaved rounds, ratios as median and range."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from dataclasses import dataclass
from typing import Any

ROUND = 0.5  # seconds that a side runs before the next one does


@dataclass(frozen=True)
class Result:
    """Seconds a step of each side, round by round; rates in images a second."""

    mode: str
    batch: int
    seconds: dict[str, list[float]]

    def rate(self, side: str) -> float:
        return self.batch / statistics.median(self.seconds[side])

    @property
    def rival(self) -> str | None:
        """The quicker of PyTorch's sides."""
        rivals = [side for side in self.seconds if side.startswith("torch")]
        return max(rivals, key=self.rate) if rivals else None

    def ratio(self, side: str) -> tuple[float, float, float]:
        """How many times as fast as the rival: median, lowest and highest of the rounds."""
        assert self.rival is not None
        ratios = [b / a for a, b in zip(self.seconds[side], self.seconds[self.rival], strict=True)]
        return statistics.median(ratios), min(ratios), max(ratios)

    def as_json(self) -> dict[str, Any]:
        sides: dict[str, Any] = {}
        for side, seconds in self.seconds.items():
            sides[side] = {"images_per_second": round(self.rate(side), 1), "seconds": seconds}
            if self.rival and not side.startswith("torch"):
                median, low, high = self.ratio(side)
                sides[side]["ratio"] = {"to": self.rival, "median": median, "min": low, "max": high}
        return {"mode": self.mode, "batch": self.batch, "sides": sides}


class Side:
    """A process that waits to be told how many steps to run."""

    def __init__(self, job: dict[str, Any]) -> None:
        command = [sys.executable, "-m", "cnnspec.bench.side", json.dumps(job)]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._answer("ready")

    def _answer(self, wanted: str = "") -> str:
        assert self.process.stdout is not None
        line = self.process.stdout.readline().strip()
        if not line or (wanted and line != wanted):
            raise RuntimeError(f"a side of the comparison ended with code {self.process.wait()}")
        return line

    def run(self, steps: int) -> float:
        """Seconds a step."""
        assert self.process.stdin is not None
        self.process.stdin.write(f"{steps}\n")
        self.process.stdin.flush()
        return float(self._answer()) / steps

    def close(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait()


def duel(jobs: dict[str, dict[str, Any]], rounds: int) -> Result:
    """Run the sides in turn, `rounds` times each, as many steps as fill half a second."""
    sides: dict[str, Side] = {}
    try:
        for name, job in jobs.items():
            sides[name] = Side(job)
        counts = {name: max(1, round(ROUND / min(side.run(1), side.run(2)))) for name, side in sides.items()}
        seconds: dict[str, list[float]] = {name: [] for name in sides}
        for _ in range(rounds):
            for name, side in sides.items():
                seconds[name].append(side.run(counts[name]))
    finally:
        for side in sides.values():
            side.close()
    first = next(iter(jobs.values()))
    return Result(first["mode"], first["batch"], seconds)
