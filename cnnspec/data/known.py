"""Facts of a source without reading it: by constants, headers, first rows, names of files.

`check` asks this; `load` reads everything. What this finds wrong `load` finds too, in the same words. Nothing here
needs NumPy, and what looks into files is imported for a source of files alone, since `check` starts for every spec.
"""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

from ..ir import data
from ..settings.data import Data, Images, Pairs, Source, weighing
from .facts import Known
from .sources.wellknown import SETS


def describe(settings: Data, root: Path | str | None = None, given: Path | None = None) -> Known | None:
    """What is known of the source of a data block; None where its files are not there.

    `root` is the folder that paths in the spec start from (else the current one), `given` another one where they
    may lie; what is not there then is a Fault. Raises Fault where the source cannot be read: not all that `load`
    would find, only what is seen in passing.
    """
    source = settings.source
    if settings.oversample and not weighing(settings):
        from .checks import unweighted

        raise unweighted()
    known = SETS.get(type(source))
    if known:
        kind = data(*known.shape)
        seen = Known(known.name, kind, known.classes, len(known.classes), False, True, settings.validation > 0)
        return _of_target(settings, seen)
    from .files import found_at

    paths = [found_at(Path(root or "."), given, written) for written in files_of(source)]
    if given is None and not all(map(os.path.lexists, paths)):
        return None
    from .looks import LOOKS

    seen = LOOKS[type(source)](settings, *paths)
    test = seen.test or getattr(source, "test", 0.0) > 0
    validation = seen.validation or settings.validation > 0
    return _of_target(settings, replace(seen, test=test, validation=validation))


def _of_target(settings: Data, known: Known) -> Known:
    """What is known where the answers are not those that the source tells."""
    if settings.target == "numbers" and not known.numbers and isinstance(settings.source, (Images, Pairs, *SETS)):
        from .checks import named_classes

        raise named_classes(known.name)
    if settings.balance and (known.classes or known.numbers or known.places or settings.target == "itself"):
        from .checks import ensure_balanced

        plain = not known.places and settings.target != "itself"
        ensure_balanced(known.name, settings.balance, (known.classes or ()) if plain else ())
    if settings.target != "itself":
        return known
    count, places = (None, ()) if known.input is None else (known.input["c"], known.input.spatial)
    return replace(known, classes=None, numbers=True, outputs=count, places=places)


def files_of(source: Source) -> tuple[str, ...]:
    """The files and folders that a source names, as the spec writes them; none of a well-known set."""
    found = (getattr(source, name, None) for name in ("folder", "file", "targets"))
    return (*(file for file in found if file is not None), *source.own_files.values())
