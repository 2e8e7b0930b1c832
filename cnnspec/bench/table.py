"""Measurements as text."""

from __future__ import annotations

from collections.abc import Iterator
from statistics import median

from .comparison import Result, ours
from .layers import LayerTimes

TITLES = {"train": "training", "infer": "inference", "latency": "one image"}


def comparison(result: Result) -> Iterator[str]:
    """A line for each side: images a second, milliseconds a step, memory, and its rate beside its baselines'."""
    batch = f", batch {result.batch}" if result.batch > 1 else ""
    yield f"{TITLES[result.mode]}{batch}"
    for side in result.seconds:
        line = f"  {side:<20}{result.rate(side):>11,.0f} images/s{result.time(side) * 1e3:>11,.4g} ms"
        line += f"{result.memory[side] / 2**20:>9,.0f} MiB"
        for rival in result.baselines if ours(side) else ():
            middle, low, high = result.ratio(side, rival)
            line += f"   {middle:.2f} times {rival} ({low:.2f} to {high:.2f})"
        yield line


def starts(seconds: dict[str, list[float]]) -> Iterator[str]:
    """Seconds of the first step, process start included."""
    yield "first step, from the start of the process (median and range)"
    for side, found in seconds.items():
        yield f"  {side:<20}{median(found):>11.2f} s  ({min(found):.2f} to {max(found):.2f})"


def layers(table: LayerTimes) -> Iterator[str]:
    """The layers of a step, in the order of the text."""
    training = table.mode == "train"
    yield (
        f"{TITLES[table.mode]} layer by layer: {table.batch} images on one core, where a product of matrices "
        f"runs at {table.sgemm / 1e9:.0f} GFLOP/s"
    )
    names = max(len(layer.name) for layer in table.layers)
    words = min(44, max(len(layer.written) for layer in table.layers))
    heads = ["forward ms", "backward ms"] if training else ["ms"]
    numbers = [*heads, "of all", "GFLOP/s", "of sgemm", "MiB"]
    yield f"  {'':<{names}}  {'':<{words}}" + "".join(f"{head:>13}" for head in numbers)
    for layer in table.layers:
        cells = [f"{seconds * 1e3:.3f}" for seconds in layer.seconds[: len(heads)]]
        cells.append(f"{sum(layer.seconds) / table.seconds:.1%}")
        work = any(layer.flops)
        cells += [f"{layer.rate / 1e9:.1f}", f"{layer.rate / table.sgemm:.0%}"] if work else ["", ""]
        cells.append(f"{layer.bytes / 2**20:.2f}" if layer.bytes else "")
        written = layer.written if len(layer.written) <= words else layer.written[: words - 1] + "…"
        written = "" if written == layer.name else written
        line = f"  {layer.name:<{names}}  {written:<{words}}" + "".join(f"{cell:>13}" for cell in cells)
        yield line.rstrip()
    yield f"  {'total':<{names}}  {'':<{words}}{table.seconds * 1e3:>13.3f}"
