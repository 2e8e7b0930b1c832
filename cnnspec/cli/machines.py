"""The options that say what a run runs on: the engine, its devices, the processes."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from functools import wraps
from typing import TypeVar

import click

from ..record import record

T = TypeVar("T")

OPTIONS = (
    click.option("--engine", type=click.Choice(["numpy", "jax"]), help="Engine [default: numpy]."),
    click.option("--devices", type=click.IntRange(1), help="JAX devices per process (default: all)."),
    click.option("--coordinator", metavar="HOST:PORT", help="JAX on several machines: address of process 0."),
    click.option("--processes", type=click.IntRange(1), help="Number of processes of the run."),
    click.option("--process", type=click.IntRange(0), help="Index of this process, from 0."),
)


@record
class Machines:
    """What a run runs on; nothing given is this machine's processor, through NumPy."""

    engine: str | None = None
    devices: int | None = None
    coordinator: str | None = None
    processes: int | None = None
    process: int | None = None

    def checked(self) -> Machines:
        """Refuse what does not go together."""
        meeting = (self.coordinator, self.processes, self.process)
        if None in meeting and meeting != (None, None, None):
            raise click.UsageError("--coordinator, --processes and --process belong together")
        if self.engine != "jax" and (self.devices is not None or meeting != (None, None, None)):
            raise click.UsageError("--devices and --coordinator are for --engine jax")
        if self.coordinator is not None and not re.fullmatch(r".+:\d+", self.coordinator):
            raise click.UsageError(f"--coordinator is HOST:PORT, such as node001:12345; got {self.coordinator}")
        if self.process is not None and self.processes is not None and self.process >= self.processes:
            raise click.UsageError(f"--process counts from 0: of {self.processes} the last is {self.processes - 1}")
        return self

    def or_as(self, engine: str) -> Machines:
        """With the engine of the run by default."""
        return self if self.engine else replace(self, engine=engine)

    def join(self) -> tuple[bool, bool]:
        """Meet the other processes: whether there are several, and whether this is the one that writes."""
        if self.checked().engine != "jax":
            return False, True
        from ..model.engines import need_jax

        need_jax()
        from ..jax import processes

        several = processes.join(self.coordinator, self.processes, self.process, self.devices)
        return several, not several or processes.leads()


def options(command: Callable[..., T]) -> Callable[..., T]:
    """Give a command these options, as one argument `machines`."""

    @wraps(command)
    def gathered(
        *given: object,
        engine: str | None,
        devices: int | None,
        coordinator: str | None,
        processes: int | None,
        process: int | None,
        **others: object,
    ) -> T:
        return command(*given, machines=Machines(engine, devices, coordinator, processes, process), **others)

    for option in reversed(OPTIONS):
        gathered = option(gathered)
    return gathered
