"""The summary of data, as text and as JSON; `data_page` shows it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..data.inspection import Inspection, Odd
from ..ir.summary import amount
from ..quoting import visible
from ..train.measure_tables import LONGEST, aligned

if TYPE_CHECKING:
    from ..validation import Json

FEW = 40  # classes that are listed; of more the rarest and the commonest
COLUMNS = 24  # channels, or columns of vectors, that are listed


def text(found: Inspection) -> str:
    """The parts and classes, the channels, and what looks odd: for the terminal."""
    size = amount(sum(part.images for part in found.parts.values()) * _bytes(found))
    head = f"{visible(found.name)}: {found.input}, stored as {found.stored}, {size}"
    blocks = [[head], parts(found), channels(found)]
    if found.odd:
        blocks.append([f"{visible(told(one))}" for one in found.odd])
    else:
        blocks.append(["nothing looks odd"])
    return "\n\n".join("\n".join(block) for block in blocks if block) + "\n"


def parts(found: Inspection) -> list[str]:
    """Images of each class in each part, or the range of the regression targets."""
    return aligned(part_rows(found), rule=True)


def part_rows(found: Inspection) -> list[list[str]]:
    """The same as rows of cells, the head first."""
    names = list(found.parts)
    rows = [["", *names], ["images", *(f"{part.images:,}" for part in found.parts.values())]]
    if found.classes is None:
        known = next(part for part in found.parts.values() if part.numbers or part is found.parts[names[-1]])
        for k in range(len(known.numbers)):
            cells = [_range(part.numbers[k]) if part.numbers else "-" for part in found.parts.values()]
            rows.append([f"number {k}" if len(known.numbers) > 1 else "number", *cells])
        return rows
    counts = [part.classes or () for part in found.parts.values()]
    order = list(range(len(found.classes)))
    if len(order) > FEW:
        by_size = sorted(order, key=lambda k: (counts[0][k], k))
        order = sorted({*by_size[: FEW // 2], *by_size[-FEW // 2 :]}, key=lambda k: (-counts[0][k], k))
    for k in order:
        rows.append([_short(found.classes[k]), *(f"{part[k]:,}" for part in counts)])
    if len(order) < len(found.classes):
        rows.append([f"{len(found.classes) - len(order):,} classes more", *("" for _ in names)])
    return rows


def channels(found: Inspection) -> list[str]:
    """The numbers of each channel, as the network gets them."""
    return aligned(channel_rows(found), rule=True)


def channel_rows(found: Inspection) -> list[list[str]]:
    """The same as rows of cells, the head first."""
    word = "channel" if found.input.spatial else "column"
    rows = [[f"{word}, as the network gets it", "mean", "deviation", "least", "largest"]]
    for k, one in enumerate(found.channels[:COLUMNS]):
        rows.append([str(k), *(f"{value:.4g}" for value in (one.mean, one.deviation, one.least, one.largest))])
    if len(found.channels) > COLUMNS:
        rows.append([f"{len(found.channels) - COLUMNS:,} more", "", "", "", ""])
    return rows


def told(one: Odd) -> str:
    """What looks odd, in a line."""
    if one.kind in ("uneven", "missing"):
        return f"{one.kind}: {one.said}"
    places = ", ".join(map(str, one.places))
    more = ", ..." if one.count > len(one.places) else ""
    return f"{one.kind}: {one.count:,} of {one.part}, {one.said} ({places}{more})"


def as_json(found: Inspection) -> dict[str, Json]:
    """The same as data; places of images count from 0."""
    split: dict[str, Json] = {}
    for name, part in found.parts.items():
        if found.classes is not None:
            counts = zip(found.classes, part.classes or (), strict=True)
            answers: dict[str, Json] = {"classes": [{"name": label, "images": count} for label, count in counts]}
        else:
            names = ("least", "mean", "largest")
            answers = {"numbers": [dict(zip(names, row, strict=True)) for row in part.numbers]}
        split[name] = {"images": part.images, **answers}
    return {
        "name": found.name,
        "input": list(found.input.shape),
        "stored": found.stored,
        "parts": split,
        "channels": [vars(one) for one in found.channels],
        "odd": [{**vars(one), "places": list(one.places)} for one in found.odd],
    }


def _short(name: str) -> str:
    shown = visible(name)
    return shown if len(shown) <= LONGEST else shown[: LONGEST - 1] + "…"


def _range(numbers: tuple[float, float, float]) -> str:
    least, mean, largest = numbers
    return f"{least:.4g} to {largest:.4g}, mean {mean:.4g}"


def _bytes(found: Inspection) -> int:
    sizes = {"uint8": 1, "int8": 1, "bool": 1, "uint16": 2, "int16": 2, "float16": 2, "float64": 8, "int64": 8}
    return found.input.elements * sizes.get(found.stored, 4)
