"""What a page tells of a run beside its documents: the worst mistakes on the test images, and the filters."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np

from ...explain.mistakes import Mistake
from ...model.model import Model
from ..tiles import filter_tiles
from .numbers import NumberStore

if TYPE_CHECKING:
    from ...validation import Json

CONVOLUTIONS = 12  # whose filters have room
SIDE = 96  # pixels along a side of a picture; larger ones are shown by every so many-th


def outcome(model: Model, mistakes: tuple[Mistake, ...], numbers: NumberStore) -> dict[str, Json]:
    """Both, their pictures among the numbers of the page."""
    return {"mistakes": [_mistake(one, numbers) for one in mistakes], "filters": list(_filters(model, numbers))}


def _mistake(one: Mistake, numbers: NumberStore) -> dict[str, Json]:
    told: dict[str, Json] = {"title": one.title, "said": one.said}
    if one.image.ndim == 3 and len(one.image) in (1, 3):
        steps = [-(-size // SIDE) for size in one.image.shape[1:]]
        shown = one.image[:, :: steps[0], :: steps[1]].astype(np.float64)
        low, high = float(shown.min()), float(shown.max())
        pixels = np.round((shown - low) / (high - low or 1.0) * 255).astype(np.uint8)
        told["picture"] = {"at": numbers.add(pixels), "shape": list(pixels.shape)}
        masks = [mask[:: steps[0], :: steps[1]].astype(np.uint8) for mask in one.masks]
        if masks:
            told["masks"] = [{"at": numbers.add(mask), "shape": list(mask.shape)} for mask in masks]
    return told


def filters(model: Model) -> list[tuple[str, np.ndarray]]:
    """The kernels of the first convolutions with windows, as pictures by the name of their layer."""
    return list(islice(_tiles(model, model.graph.nodes), CONVOLUTIONS))


def _tiles(model: Model, names: Collection[str]) -> Iterator[tuple[str, np.ndarray]]:
    for node in model.graph:
        name = f"{node.owner}.weight"
        if (
            node.name in names
            and node.op.family == "convolution"
            and name in model.parameters
            and node.op.window(*model.graph.types(node))
        ):
            yield node.name, filter_tiles(model.parameters[name])


def _filters(model: Model, numbers: NumberStore) -> Iterator[Json]:
    for name, told in kernels_told(model, numbers, [name for name, _ in filters(model)]):
        yield {"name": name, **told}


def kernels_told(
    model: Model, numbers: NumberStore, names: Collection[str]
) -> Iterator[tuple[str, dict[str, Json]]]:
    """Of some layers' kernels the largest number, and bytes from 1 to 255 around 128; 0 is the gap between two."""
    for name, tiles in _tiles(model, names):
        largest = float(np.nanmax(np.abs(tiles)))
        if not np.isfinite(largest):
            continue
        whole = np.where(np.isnan(tiles), -128, np.round(tiles / (largest or 1.0) * 127)) + 128
        at = numbers.add(whole.astype(np.uint8))
        yield name, {"largest": largest, "at": at, "shape": list(tiles.shape)}
