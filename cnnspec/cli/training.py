"""The display of `run` during training: a bar on a terminal, a line an epoch elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Callable

from ..terminal import OutputRefused, tell
from ..train.loop import EpochDone, Event, Started, StepDone


class EpochLines:
    """A line an epoch."""

    def __init__(self, epochs: int, say: Callable[[str], object] = tell) -> None:
        self.epochs, self.say = epochs, say

    def __enter__(self) -> EpochLines:
        return self

    def __exit__(self, *exception: object) -> None:
        """Nothing is left open."""

    def __call__(self, event: Event) -> None:
        if isinstance(event, EpochDone):
            self.say(event.row.told(self.epochs))


class Bar:
    """A bar with cost, accuracy, images a second and the time left, above which the epochs' lines stay."""

    def __init__(self, epochs: int) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

        self.epochs = epochs
        self.bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            TextColumn("{task.fields[told]}"),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            refresh_per_second=8,
            transient=True,
        )
        self.task = self.bar.add_task("starting", total=None, told="")
        self.images = 0
        self.cost = self.correct = self.seconds = 0.0
        self.classes = True

    def __enter__(self) -> Bar:
        self.bar.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self.bar.stop()

    def __call__(self, event: Event) -> None:
        if isinstance(event, Started):
            self.bar.update(self.task, total=event.total_steps, completed=event.step)
        elif isinstance(event, StepDone):
            self.images += event.images
            self.cost += event.cost * event.images
            self.seconds += event.seconds
            self.classes = event.correct is not None
            self.correct += event.correct or 0
            told = f"cost {self.cost / self.images:.4f}"
            if self.classes:
                told += f"  accuracy {self.correct / self.images:.2%}"
            if self.seconds:
                told += f"  {self.images / self.seconds:,.0f} images/s"
            self.bar.update(
                self.task, completed=event.step, description=f"epoch {event.epoch}/{self.epochs}", told=told
            )
        elif isinstance(event, EpochDone):
            self.images = 0
            self.cost = self.correct = self.seconds = 0.0
            self.bar.console.print(event.row.told(self.epochs), highlight=False, markup=False)


def reporter(epochs: int, quiet: bool) -> DetachableReporter:
    """The bar on a terminal, lines elsewhere; with `quiet` (for --json) on standard error."""
    if all(stream is not None and stream.isatty() for stream in (sys.stdout, sys.stderr)):
        return DetachableReporter(Bar(epochs))
    return DetachableReporter(EpochLines(epochs, (lambda text: tell(text, err=True)) if quiet else tell))


class DetachableReporter:
    """A reporter whose terminal may go: the training is worth more than its lines, and goes on without them.

    Where the reader of a pipe goes, nobody wants more of it: that goes on to the caller.
    """

    def __init__(self, reporter: Bar | EpochLines) -> None:
        self.reporter = reporter
        self.gone = False

    def __enter__(self) -> DetachableReporter:
        self._guarded(self.reporter.__enter__)
        return self

    def __exit__(self, *exception: object) -> None:
        self._guarded(self.reporter.__exit__, *exception)

    def __call__(self, event: Event) -> None:
        if not self.gone:
            self._guarded(self.reporter, event)

    def _guarded(self, work: Callable[..., object], *arguments: object) -> None:
        try:
            work(*arguments)
        except BrokenPipeError:
            raise
        except (OutputRefused, OSError):
            self.gone = True
