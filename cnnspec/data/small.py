"""Which data are so small that `check` reads them whole, as a run would, instead of their headers alone."""

from __future__ import annotations

from itertools import chain
from pathlib import Path

from ..diagnostics import Fault
from ..plain_files import open_regular, size_of
from ..settings.data import Csv, Data, Idx, Images, Npz, Pairs
from .files import found_at
from .formats import archive
from .formats.headers import idx_header
from .formats.idx_files import idx_files
from .formats.idx_files import opened as idx_opened
from .formats.pictures import picture_size
from .sources.folders import tree
from .sources.pairs import flat

NUMBERS = 4 << 20  # bytes once unpacked, or pixels: about a tenth of a second
FILES = 500


def is_small(settings: Data, root: Path, given: Path | None = None) -> bool:
    """Whether the archive, or the folder of files, that is there is small by what their headers tell.

    Raises Fault.
    """
    source = settings.source
    try:
        match source:
            case Npz():
                with archive.opened(found_at(root, given, source.file)) as file:
                    return sum(entry.file_size for entry in file.infolist()) <= NUMBERS
            case Csv():
                with open_regular(found_at(root, given, source.file)) as table:
                    return size_of(table) <= NUMBERS // 4
            case Idx():
                total = 0
                for path in chain(*idx_files(found_at(root, given, source.folder))):
                    with idx_opened(path) as (content, most):
                        total += idx_header(content, path.name, (1, 2, 3, 4), most).length
                return total <= NUMBERS
            case Images() | Pairs():
                folder = found_at(root, given, source.folder)
                labelled = isinstance(source, Images) and settings.target != "itself"
                found = tree(folder) if labelled else flat(folder)
                parts = [part for part in (found.train, found.validation, found.test) if part]
                if sum(len(part.files) for part in parts) > FILES:
                    return False
                sizes = [picture_size(file) for part in parts for file in part.files]
                return sum(height * width for height, width in sizes) <= NUMBERS
    except Fault as fault:
        if fault.code != "CNN403":  # without Pillow a machine can check, though not read
            raise
    return False
