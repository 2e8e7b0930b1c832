"""`cnnspec run --watch`: a page that shows a run while it trains.

    with watched(experiment) as watcher:
        experiment.run(watcher)

The watcher hears the events of the training and keeps what the page asks for every moment. It reads and copies,
so the training's numbers are the same with it and without.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from ..experiment.experiment import Experiment
from ..quoting import visible
from ..report.page.outcome import filters
from ..train.loop import EpochDone, Event, Started, StepDone
from .assets import policy, watch_assets
from .server import LabServer, open_browser

JsonObject = dict[str, Any]  # as JSON has it
EVERY = 0.5  # seconds between two looks at the filters
POINTS = 400  # of a curve of steps; of more, neighbours are averaged
SHOWN = 3  # layers whose filters are shown
GRACE = 1.5  # seconds that the page has to ask for the last time
CLASSES = 30  # up to which the confusion is shown


class Watcher:
    """Hears a training, and answers the page."""

    def __init__(self, experiment: Experiment) -> None:
        self.experiment = experiment
        self.costs: list[float] = []
        self.rows: list[JsonObject] = []
        self.now: JsonObject = {"state": "starting"}
        self.filters: list[JsonObject] = []
        self.confusion: JsonObject | None = None
        self.images, self.since = 0, time.perf_counter()

    def __call__(self, event: Event) -> None:
        if isinstance(event, Started):
            self.now = {"state": "training", "steps": event.total_steps}
        elif isinstance(event, StepDone):
            self.step(event)
        elif isinstance(event, EpochDone):
            self.rows = [*self.rows, {k: v for k, v in vars(event.row).items() if v is not None}]
            measures = event.held_out.measures
            if measures is not None and measures.confusion is not None and len(measures.confusion) <= CLASSES:
                names = self.experiment.session.data.classes or range(len(measures.confusion))
                self.confusion = {
                    "counts": [list(row) for row in measures.confusion],
                    "classes": [*map(visible, names)],
                }

    def step(self, event: StepDone) -> None:
        self.costs.append(event.cost)
        self.images += event.images
        passed = time.perf_counter() - self.since
        if passed < EVERY:
            return
        self.now = {
            **self.now,
            "step": event.step,
            "epoch": event.epoch,
            "rate": event.rate,
            "per_second": self.images / passed,
            "memory": memory(),
        }
        self.filters = [picture(name, tiles) for name, tiles in filters(self.experiment.model)[:SHOWN]]
        self.images, self.since = 0, time.perf_counter()

    def ended(self, state: str) -> None:
        self.now = {**self.now, "state": state}

    def answer(self, question: JsonObject) -> JsonObject:
        """What there is by now; of nothing else does this page ask."""
        if question["ask"] != "run":
            return {}
        folder = self.experiment.folder
        return {
            "name": visible(folder.path.name) if folder else "",
            "epochs": self.experiment.session.spec.train.epochs,
            "now": finite(self.now),
            "costs": thinned(self.costs[:]),
            "rows": [finite(row) for row in self.rows],
            "filters": self.filters,
            "confusion": self.confusion,
        }


@contextmanager
def watched(experiment: Experiment, browser: bool = True) -> Iterator[tuple[Watcher, str]]:
    """A watcher of an experiment and the address of its page, opened in the browser, until the run is over."""
    watcher = Watcher(experiment)
    with LabServer(watch_assets(), policy(), watcher.answer) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        if browser:
            open_browser(server.address)
        try:
            yield watcher, server.address
            watcher.ended("finished")
            time.sleep(GRACE if browser else 0)  # so that the page hears of it
        finally:
            server.shutdown()


def thinned(costs: list[float]) -> list[float | None]:
    """Costs of steps as a curve of at most POINTS points; what is no number leaves a gap."""
    every = -(-len(costs) // POINTS) or 1
    means = [float(np.mean(costs[k : k + every])) for k in range(0, len(costs), every)]
    return [mean if np.isfinite(mean) else None for mean in means]


def finite(told: JsonObject) -> JsonObject:
    return {k: v for k, v in told.items() if not isinstance(v, float) or np.isfinite(v)}


def picture(name: str, tiles: np.ndarray) -> JsonObject:
    """Kernels as whole numbers from -127 to 127; None is the gap between two."""
    largest = float(np.nanmax(np.abs(tiles))) or 1.0
    whole = [[None if np.isnan(v) else round(v / largest * 127) for v in row] for row in tiles.tolist()]
    return {"name": visible(name), "largest": largest, "rows": whole}


def memory() -> float | None:
    """The most bytes that this process has taken so far; None where the system does not say."""
    try:
        import resource
        import sys
    except ImportError:  # Windows
        return None
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
