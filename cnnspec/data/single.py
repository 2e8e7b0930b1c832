"""Files to ask a trained network about: arrays, rows of a table, pictures, prepared as its training data were."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ..diagnostics import Fault, SpecError
from .files import need
from .formats.idx import read_idx
from .formats.npz import read_asked as read_archive
from .formats.npz import read_npy
from .formats.table import read_asked as read_table
from .preparation import Preparation, as_floats
from .sources.images import read_image


def read_inputs(path: Path, kept: Preparation, *, prepared: bool = False) -> tuple[np.ndarray, str]:
    """The images of a file as the network sees them, (n, c, h, w) float32, and a word where their type was changed.

    `prepared` floats are taken as they are. Raises SpecError for what cannot be prepared.
    """
    try:
        x = _read(path, kept)
        need(8 * x.size, f"{path} as floats")
        if prepared:
            return as_seen(x, str(path)), ""
        return kept.apply(x, str(path))
    except Fault as fault:
        raise SpecError((fault.diagnostic(),)) from None


def _read(path: Path, kept: Preparation) -> np.ndarray:
    """What a file holds, by its ending, as [n, c, ...]; one without an ending of arrays is what training's were."""
    ending = path.suffix.lower()
    if ending == ".npy":
        return arranged(read_npy(path), kept, str(path))
    if ending == ".npz":
        return arranged(read_archive(path), kept, str(path))
    if kept.table:
        return read_table(kept.table, path, kept.input[0])
    if "idx" in path.name.lower():
        return arranged(read_idx(path), kept, str(path))
    return picture(path, kept)


def picture(path: Path, kept: Preparation) -> np.ndarray:
    """A picture as bytes [1, c, h, w], in colour or grey and brought to a size as the training pictures were."""
    kind = kept.input_type
    if kind.kind != "image" or kind["c"] not in (1, 3):
        raise Fault(
            "CNN408", f"{path} is taken for a picture, and the network takes {kind}", help="give an npy file"
        )
    colour = kind["c"] == 3 if kept.colour is None else kept.colour
    image = read_image(path, colour, kept.resize)
    if image.shape != kept.input:
        height, width = kind.spatial
        found = "x".join(map(str, image.shape))
        raise Fault(
            "CNN408", f"{path} is {found}, and the network takes {kind}",
            help=f"bring it to {height}x{width} pixels; pictures are brought to the network's size where its data "
            f"block said `resize {height}x{width}`",
        )  # fmt: skip
    return image[None]


def arranged(x: np.ndarray, kept: Preparation, where: str) -> np.ndarray:
    """An array of one image or several, with its axes in the order of training's data, as (n, c, h, w).

    Channels first will do too; an image of one channel may come without its axis.
    """
    kind = kept.input_type
    axes = kept.axes or ""
    if axes and x.ndim in (len(axes), len(axes) - 1):
        batch = x if x.ndim == len(axes) else x[None]
        if "c" not in axes:
            batch, axes = batch[:, None], f"nc{axes[1:]}"
        found = batch.transpose([axes.index(name) for name in "nchw" if name in axes])
        if found.shape[1:] == kept.input:
            return found
    if x.shape == kept.input:
        return x[None]
    if x.ndim and x.shape[1:] == kept.input:
        return x
    if kind.spatial and kept.input[0] == 1 and x.shape[-len(kind.spatial) :] == kind.spatial:
        if x.ndim == len(kind.spatial):
            return x[None, None]
        if x.ndim == len(kind.spatial) + 1:
            return x[:, None]
    sizes = x.shape if x.ndim == len(kept.input) else x.shape[1:]
    last = len(sizes) > 1 and (sizes[-1], *sizes[:-1]) == kept.input
    help = f"its channels are last: `numpy.moveaxis(x, -1, -{len(sizes)})` brings them to the front" if last else ""
    raise Fault("CNN408", f"{where} holds {x.dtype} {x.shape}, and the network takes {kind}", help=help)


def as_seen(x: np.ndarray, where: str) -> np.ndarray:
    """Floats that have been prepared already."""
    if x.dtype.kind != "f":
        raise Fault("CNN426", f"{where} holds {x.dtype}, and `--prepared` is for floats as the network sees them")
    return as_floats(x, where)
