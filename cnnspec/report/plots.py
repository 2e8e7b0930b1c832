"""The pictures of a run, in its folder: curves, confusion, mistakes, filters, and how its numbers moved.

By matplotlib (extra `plot`). They come after the summary, and their errors are reported and
stops nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from ..data.dataset import Dataset
from ..diagnostics import SpecError
from ..draw.png import MISSING
from ..experiment.statistics import NAME, Statistics, read
from ..explain.mistakes import worst
from ..quoting import plotted
from ..train.documents import columns
from ..train.folder import RunFolder
from ..train.measures import Measured
from .page.outcome import filters as kernels

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from ..model import Model

Canvas: TypeAlias = "Callable[[float, float], Figure]"  # a figure, so many inches wide and high

FOLDER = "pictures"
DPI = 90
LAYERS = 6  # whose distributions have room
COLORS = ("#2563eb", "#d97706", "#059669", "#9333ea", "#db2777", "#0891b2", "#64748b")


@dataclass(frozen=True)
class Pictures:
    """What was drawn, and what could not be."""

    paths: tuple[Path, ...]
    problem: str = ""


def draw_run(folder: Path, model: Model | None = None, data: Dataset | None = None) -> Pictures:
    """Draw the pictures of a run into `folder/pictures`; never raises.

    Model and data are those of the run where they are at hand; else the weights that it was tested with are read.
    """
    paths: list[Path] = []
    try:
        if model is None or data is None:
            from ..experiment.session import reopen

            session, model = reopen(folder)
            data = session.data
        for name, figure in drawings(folder, model, data):
            target = folder / FOLDER / f"{name}.png"
            target.parent.mkdir(exist_ok=True)
            figure.savefig(target)
            paths.append(target)
    except SpecError as error:
        return Pictures(tuple(paths), "; ".join(f"{d.message}; {d.help}" for d in error.diagnostics))
    except Exception as problem:  # the run has finished, and its pictures must not undo that
        return Pictures(tuple(paths), f"{type(problem).__name__}: {problem}".splitlines()[0])
    return Pictures(tuple(paths))


def drawings(folder: Path, model: Model, data: Dataset) -> Iterator[tuple[str, Figure]]:
    """Every picture by name, as a figure of matplotlib."""
    figure = canvas()
    rows = results(folder / "results.csv")
    if rows and len(rows["epoch"]):
        yield "curves", curves(figure, rows)
    yield from answers(figure, model, data, RunFolder(folder).ended().get("test") or {})
    yield from filters(figure, model)
    entries = read(folder / NAME)
    if entries:
        yield "distributions", distributions(figure, entries)
        if "activations" in entries[-1]:
            yield "activations", activations(figure, entries)
        yield "updates", updates(figure, entries)


def canvas() -> Canvas:
    """A function that makes figures; without pyplot, which would keep them and start slowly."""
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ModuleNotFoundError:
        raise SpecError((MISSING,)) from None

    def figure(width: float, height: float) -> Figure:
        made = Figure(figsize=(width, height), dpi=DPI)
        FigureCanvasAgg(made)
        return made

    return figure


def results(path: Path) -> dict[str, np.ndarray]:
    """The columns of results.csv; an empty field is not a number."""
    found = columns(path) if path.exists() else {}
    return {name: np.array(values, np.float64) for name, values in found.items()}


def curves(figure: Canvas, rows: dict[str, np.ndarray]) -> Figure:
    """Cost and accuracy over the epochs."""
    made = figure(9, 3.6)
    epochs = rows["epoch"]
    marker = "." if len(epochs) < 30 else None  # a single epoch has no line
    known = [name for name in ("cost", "accuracy") if not np.isnan(rows[name]).all()]
    for number, name in enumerate(known, 1):
        axes = made.add_subplot(1, len(known), number, title=f"{name} over the epochs", xlabel="epoch")
        axes.plot(epochs, rows[name], color=COLORS[0], marker=marker, label="training")
        held_out = rows[f"validation_{name}"]
        if not np.isnan(held_out).all():
            axes.plot(epochs, held_out, "--", color=COLORS[1], marker=marker, label="validation")
        axes.locator_params(axis="x", integer=True)
        axes.grid(alpha=0.3)
        axes.legend()
    made.subplots_adjust(left=0.08, right=0.98, bottom=0.15, top=0.9)
    return made


def answers(figure: Canvas, model: Model, data: Dataset, told: Measured) -> Iterator[tuple[str, Figure]]:
    """The confusion matrix of the test, as the summary has it, and the worst mistakes."""
    classes = [plotted(one["name"]) for one in told.get("classes", ())]
    if "confusion" in told:
        yield "confusion", confusion(figure, np.array(told["confusion"]), classes)
    found = [one for one in worst(model, data) if one.image.ndim == 3 and len(one.image) in (1, 3)]
    if found:
        yield "mistakes", mistakes(figure, np.stack([one.image for one in found]), [one.said for one in found])


def confusion(figure: Canvas, matrix: np.ndarray, names: list[str]) -> Figure:
    """How often each class was taken for each; the diagonal is right."""
    made = figure(6.4, 6)
    right = matrix.trace() / matrix.sum()
    axes = made.add_subplot(title=f"{right:.2%} of {matrix.sum():,} right", xlabel="answered", ylabel="is")
    fraction = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    axes.imshow(fraction, cmap="Blues", vmin=0, vmax=1)
    if len(names) <= 20:
        ticks = range(len(names))
        turned = max(map(len, names)) > 3
        axes.set_xticks(ticks, names, rotation=90 if turned else 0)
        axes.set_yticks(ticks, names)
        for (i, j), number in np.ndenumerate(matrix):
            if number:
                color = "white" if fraction[i, j] > 0.5 else "black"
                axes.text(j, i, str(number), ha="center", va="center", color=color, fontsize=8)
    made.subplots_adjust(left=0.16, right=0.97, bottom=0.16, top=0.93)
    return made


def mistakes(figure: Canvas, x: np.ndarray, said: list[str]) -> Figure:
    """The images of which the network was surest and wrong, as one picture with what it took them for."""
    columns = min(8, len(x))
    rows = -(-len(x) // columns)
    height, width = x.shape[2:]
    label = 0.22 * height  # room for the words above each image
    made = figure(1.15 * columns, 1.15 * rows * (height + label) / width)
    axes = made.add_axes((0, 0, 1, 1), xlim=(0, columns * width), ylim=(rows * (height + label), 0))
    axes.axis("off")
    low, high = float(x.min()), float(x.max())
    for k, image in enumerate(x.astype(np.float64)):
        left, top = k % columns * width, k // columns * (height + label) + label
        shown = ((image - low) / (high - low or 1)).transpose(1, 2, 0)
        pixels = shown[..., 0] if shown.shape[2] == 1 else shown
        extent = (left + 0.5, left + width - 0.5, top + height - 0.5, top + 0.5)
        axes.imshow(pixels, cmap="gray", vmin=0, vmax=1, extent=extent, aspect="auto")
        words = plotted(said[k].replace(" taken for ", " as "))
        axes.text(left + width / 2, top - 0.06 * height, words[:20], ha="center", fontsize=7)
    axes.set(xlim=(0, columns * width), ylim=(rows * (height + label), 0))
    return made


def filters(figure: Canvas, model: Model) -> Iterator[tuple[str, Figure]]:
    """The kernels of every convolution, a row a filter and a column an input channel."""
    shown = kernels(model)
    if not shown:
        return
    columns = min(4, len(shown))
    rows = -(-len(shown) // columns)
    made = figure(3 * columns, 3.2 * rows)
    for number, (name, tiles) in enumerate(shown, 1):
        axes = made.add_subplot(rows, columns, number)
        largest = float(np.nanmax(np.abs(tiles))) or 1.0
        axes.imshow(tiles, cmap="RdBu_r", vmin=-largest, vmax=largest, interpolation="nearest")
        axes.set_title(f"{name}, up to {largest:.2g}", fontsize=9)
        axes.axis("off")
    made.subplots_adjust(left=0.02, right=0.98, bottom=0.02, top=0.93, wspace=0.08, hspace=0.15)
    yield "filters", made


def distributions(figure: Canvas, entries: list[Statistics]) -> Figure:
    """Weights and gradients, layer by layer: the median, the middle half, and nine tenths, over the epochs."""
    names = [name for name in entries[-1]["weights"] if name.endswith(".weight")] or list(entries[-1]["weights"])
    names = [
        names[k] for k in np.unique(np.linspace(0, len(names) - 1, min(LAYERS, len(names))).round().astype(int))
    ]
    kinds = [kind for kind in ("weights", "gradients") if kind in entries[-1]]
    made = figure(2.3 * len(names) + 0.5, 2.2 * len(kinds) + 0.4)
    epochs = [entry["epoch"] for entry in entries]
    for row, kind in enumerate(kinds):
        for column, name in enumerate(names):
            axes = made.add_subplot(len(kinds), len(names), row * len(names) + column + 1)
            told = [entry.get(kind, {}).get(name) for entry in entries]
            bands = np.array([part["quantiles"] if part else [np.nan] * 7 for part in told]).T
            axes.fill_between(epochs, bands[1], bands[5], color=COLORS[row], alpha=0.2, linewidth=0)
            axes.fill_between(epochs, bands[2], bands[4], color=COLORS[row], alpha=0.4, linewidth=0)
            axes.plot(epochs, bands[3], color=COLORS[row], marker="." if len(epochs) < 3 else None)
            axes.set_title(f"{kind} of {name.removesuffix('.weight')}"[:26], fontsize=8)
            axes.locator_params(axis="x", integer=True)
            axes.tick_params(labelsize=7)
    made.subplots_adjust(left=0.6 / made.get_figwidth(), right=0.99, bottom=0.1, top=0.92, wspace=0.4, hspace=0.35)
    return made


def activations(figure: Canvas, entries: list[Statistics]) -> Figure:
    """The mean and the spread of every value, in the first, a middle and the last epoch."""
    names = list(entries[-1]["activations"])
    chosen = sorted({0, len(entries) // 2, len(entries) - 1})
    made = figure(max(6.0, min(14.0, 0.5 * len(names) + 2)), 3.8)
    axes = made.add_subplot(title="mean and spread of the activations")
    for number, k in enumerate(chosen):
        told = entries[k].get("activations", {})
        means = np.array([told[name]["mean"] if name in told else np.nan for name in names])
        spreads = np.array([told[name]["std"] if name in told else np.nan for name in names])
        shift = 0.18 * (number - (len(chosen) - 1) / 2)
        label = f"epoch {entries[k]['epoch']}"
        axes.errorbar(np.arange(len(names)) + shift, means, spreads, fmt="o", ms=3, lw=1.2,
                      color=COLORS[number], label=label)  # fmt: skip
    few = len(names) <= 40
    axes.set_xticks(range(len(names)) if few else [], names if few else [], rotation=60, ha="right", fontsize=7)
    axes.axhline(0, color="black", lw=0.5)
    axes.grid(alpha=0.3, axis="y")
    axes.legend()
    made.subplots_adjust(left=0.08, right=0.98, bottom=0.28, top=0.9)
    return made


def updates(figure: Canvas, entries: list[Statistics]) -> Figure:
    """The size of each epoch's last step beside that of the weights; about 1e-3 is usual."""
    made = figure(8, 3.8)
    axes = made.add_subplot(title="size of a step beside its weights", xlabel="epoch", yscale="log")
    epochs = [entry["epoch"] for entry in entries]
    names = [name for name in entries[-1]["updates"] if name.endswith(".weight")]
    for number, name in enumerate(names[:20]):
        ratios = [entry["updates"].get(name) or np.nan for entry in entries]
        style = ("-", "--", ":")[number // len(COLORS) % 3]
        axes.plot(epochs, ratios, style, color=COLORS[number % len(COLORS)], marker=".", label=name)
    axes.axhline(1e-3, color="black", lw=0.7, ls=":")
    axes.locator_params(axis="x", integer=True)
    axes.yaxis.set_major_formatter("{x:g}")
    axes.yaxis.set_minor_formatter("")
    axes.grid(alpha=0.3)
    if names:
        axes.legend(fontsize=7, ncol=2)
    made.subplots_adjust(left=0.1, right=0.98, bottom=0.14, top=0.9)
    return made
