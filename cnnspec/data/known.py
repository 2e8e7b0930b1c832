"""What a source holds, told without reading it: by constants, headers, first rows, names of files.

`check` asks this; `load` reads everything. What this finds wrong `load` finds too, in the same words. Nothing here
needs NumPy, and what looks into files is imported for a source of files alone, since `check` starts for every spec.
"""

from __future__ import annotations

import os
from pathlib import Path

from ..ir import data
from ..settings.data import Data, Idx, Images
from .facts import Known
from .sources.wellknown import SETS


def describe(settings: Data, root: Path | str | None = None, given: Path | None = None) -> Known | None:
    """What is known of the source of a data block; None where its files are not there.

    `root` is the folder that paths in the spec start from (else the current one), `given` another one where they
    may lie; what is not there then is a Fault. Raises Fault where the source cannot be read: not all that `load`
    would find, only what is seen in passing.
    """
    source = settings.source
    known = SETS.get(type(source))
    if known:
        return Known(
            known.name, data(*known.shape), known.classes, len(known.classes), False, True, settings.validation > 0
        )
    from .files import found_at

    written = source.folder if isinstance(source, Idx | Images) else source.file  # type: ignore[attr-defined]
    path = found_at(Path(root or "."), given, written)
    if given is None and not os.path.lexists(path):
        return None
    from .looks import LOOKS

    seen = LOOKS[type(source)](source, path)
    return Known(
        seen.name, seen.input, seen.classes, seen.outputs, seen.numbers,
        seen.test or source.test > 0, seen.validation or settings.validation > 0,  # type: ignore[attr-defined]
    )  # fmt: skip
