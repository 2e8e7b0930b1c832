"""Photos at the size they were taken, read anew wherever a change of an epoch begins with the whole photo.

What is trained on is kept at the network's size. A part that `resized_crop` cuts out of that has lost what a part
of the photo itself still shows, so where it comes first each photo is decoded again and the part cut out of it, in
several threads at once (Pillow lets them work side by side). A place of an epoch has the same part on any number.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ...diagnostics import Fault, SpecError
from ...settings.augment import ResizedCrop
from ..formats.pictures import read_part
from .decoded import WORKERS


@dataclass(frozen=True, eq=False)
class Originals:
    """The files of images, as those are read: in colour or grey, transparent parts on a background."""

    files: tuple[Path, ...]
    colour: bool
    background: str

    def chosen(self, positions: Iterable[int]) -> Originals:
        """These files, in this order."""
        return Originals(tuple(self.files[at] for at in positions), self.colour, self.background)

    def cut(self, places: np.ndarray, change: ResizedCrop, drawn: np.ndarray, out: np.ndarray) -> np.ndarray:
        """The parts of some photos that their rows of `drawn` tell, as bytes (n, c, h, w) in `out`; SpecError."""
        size = out.shape[2], out.shape[3]

        def one(at: int) -> None:
            def box(height: int, width: int) -> tuple[float, float, float, float]:
                down, across, top, left = change.parts(drawn[at : at + 1], height, width)[0].tolist()
                return left * width, top * height, (left + across) * width, (top + down) * height

            part = np.asarray(read_part(self.files[places[at]], box, self.colour, size, self.background))
            out[at] = part.transpose(2, 0, 1) if self.colour else part[None]

        try:
            with ThreadPoolExecutor(min(WORKERS, os.cpu_count() or 1)) as pool:
                for _ in pool.map(one, range(len(places))):
                    pass
        except Fault as fault:  # a photo that was taken away, or damaged, since the first reading
            raise SpecError((fault.diagnostic(),)) from None
        return out


def wanted(changes: tuple[object, ...], resize: tuple[int, ...] | None) -> bool:
    """Whether a training that makes these changes wants the photos themselves."""
    return resize is not None and bool(changes) and isinstance(changes[0], ResizedCrop)
