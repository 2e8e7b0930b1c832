"""The page of data: a batch as the network gets it, what there is of each class, and what looks odd.

One HTML file that needs nothing else and runs no script; pictures are PNG within it.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ..data.changes import Answers, Mixed, are_images, ensure_turned
from ..data.dataset import Dataset, Weighted
from ..data.inspection import Inspection
from ..diagnostics import Diagnostic, Fault, SpecError
from ..draw.pixels import colour_png, grey_png, map_of_colours
from ..lang import Spec
from ..quoting import markup
from .data_sheet import channel_rows, part_rows, told

SHOWN = 64  # images of a batch
SIDE = 112  # pixels of the screen that an image takes, about
STYLE = """
:root {
  color-scheme: light dark; --page: #fff; --ink: #0f172a; --soft: #475569; --line: #cbd5e1; --accent: #1d4ed8;
}
@media (prefers-color-scheme: dark) {
  :root { --page: #0f172a; --ink: #f1f5f9; --soft: #a3b1c6; --line: #334155; --accent: #93c5fd; }
}
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 1300px; padding: 0 16px 32px; background: var(--page); color: var(--ink);
  font: 16px/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }
h1 { font-size: 1.6rem; margin: 1rem 0 0; }
h2 { font-size: 1.15rem; margin: 2rem 0 .5rem; border-bottom: 1px solid var(--line); }
.note, figcaption { color: var(--soft); font-size: .8rem; }
.tiles { display: flex; flex-wrap: wrap; gap: 12px; }
figure { margin: 0; max-width: 100%; }
figure img { display: block; image-rendering: pixelated; border: 1px solid var(--line); max-width: 100%; }
figcaption { max-width: 132px; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font: .8125rem ui-monospace, Menlo, Consolas, monospace; }
th, td { border-bottom: 1px solid var(--line); padding: 3px 12px 3px 0; text-align: right; white-space: nowrap; }
th { font-weight: normal; color: var(--soft); }
th:first-child { text-align: left; }
.bar { display: inline-block; height: 10px; background: var(--accent); vertical-align: middle; }
svg { border: 1px solid var(--line); } polyline { fill: none; stroke: var(--accent); }
"""


class Batch(NamedTuple):
    """The first batch of a training: images (n, c, ...) as the network gets them, their answers, where they lie."""

    x: np.ndarray
    y: Answers
    places: np.ndarray


def first_batch(spec: Spec, data: Dataset, epoch: int = 1) -> Batch:
    """What a training begins an epoch with, counted from 1; raises SpecError where an augmentation does not fit."""
    settings, train = spec.data, spec.train
    for count, one in enumerate(settings.augment):
        try:
            one.fits(data.input_type.shape)
            one.suits(settings.augment[:count], train.cost[0].word if train.cost else "")
            ensure_turned((one,), data.train.y, data.train.x.shape)
        except Fault as refused:
            raise SpecError((refused.diagnostic(spec.place("augment", count)),)) from None
    seed, shuffle = train.seed, settings.shuffle
    order = data.train.order(seed, epoch - 1, shuffle)[: train.batch]
    batches = data.train.batches(train.batch, seed=seed, epoch=epoch - 1, shuffle=shuffle, augment=settings.augment)
    x, y = next(batches)
    answers = y.y if isinstance(y, Weighted) else y
    assert isinstance(answers, np.ndarray | Mixed), "one output has one answer an image"
    return Batch(np.asarray(x), answers, order)


def page(spec: Spec, looked_at: Sequence[tuple[Dataset, Inspection]], epoch: int = 1) -> str:
    """The text of the HTML file, of each of the data in turn."""
    name = markup(looked_at[0][1].name)
    parts = [part for data, found in looked_at for part in _section(spec, data, found, epoch)]
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; "
        'img-src data:">\n'
        f"<title>{name}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n"
        + "\n".join(parts)
        + "\n</body>\n</html>\n"
    )


def _section(spec: Spec, data: Dataset, found: Inspection, epoch: int) -> list[str]:
    batch = first_batch(spec, data, epoch)
    changes = " ; ".join(one.written() for one in spec.data.augment) or "none"
    said = f"the first of epoch {epoch}; augmentations: {changes}"
    odd = "".join(f"<li>{markup(told(one))}{_odd_pictures(one.part, one.places, data)}</li>" for one in found.odd)
    return [
        f"<h1>{markup(found.name)}</h1>",
        f"<p>{markup(found.input)}, stored as {markup(found.stored)}</p>",
        "<h2>A batch, as the network gets it</h2>",
        f'<p class="note">{markup(said)}</p>',
        f'<div class="tiles">{"".join(_tiles(found, batch))}</div>',
        "<h2>What there is</h2>",
        _table(part_rows(found), bars=found.classes is not None),
        "<h2>Its numbers</h2>",
        _table(channel_rows(found)),
        "<h2>What looks odd</h2>",
        f"<ul>{odd}</ul>" if odd else "<p>nothing</p>",
    ]


def sheet(spec: Spec, data: Dataset, epoch: int = 1) -> bytes:
    """The images of the batch side by side, as PNG; raises SpecError where they are no pictures."""
    kind = data.input_type
    if len(kind.shape) != 3 or kind["c"] not in (1, 3):
        raise SpecError((Diagnostic.of("CNN613", spec.place("source"), name=data.name, kind=kind),))
    batch = first_batch(spec, data, epoch)
    pictures = pixels(batch.x[:SHOWN])
    count, height, width = pictures.shape[:3]
    columns = min(8, count)
    rows = -(-count // columns)
    whole = np.full((rows * (height + 2), columns * (width + 2), 3), 255, np.uint8)
    for k, picture in enumerate(pictures):
        top, left = k // columns * (height + 2), k % columns * (width + 2)
        whole[top : top + height, left : left + width] = picture
    return colour_png(whole)


def pixels(x: np.ndarray) -> np.ndarray:
    """Numbers (n, c, h, w) of one or three channels as bytes (n, h, w, 3), from the least to the largest of all."""
    low, high = float(x.min()), float(x.max())
    scaled = np.round((x.astype(np.float64) - low) / (high - low or 1) * 255).astype(np.uint8)
    return np.broadcast_to(scaled.transpose(0, 2, 3, 1), (len(x), *x.shape[2:], 3))


def _tiles(found: Inspection, batch: Batch) -> list[str]:
    x = batch.x[:SHOWN]
    images = pixels(x) if x.ndim == 4 and x.shape[1] in (1, 3) else None
    tiles = []
    for k, image in enumerate(x):
        shown = [_drawn(image) if images is None else _picture(colour_png(images[k]), image.shape[1:])]
        if isinstance(batch.y, np.ndarray) and are_images(batch.y, batch.x.shape):
            shown.append(_mask(batch.y[k]))
        words = markup(_answer(batch, k, found.classes))
        tiles.append(
            f"<figure>{''.join(shown)}<figcaption>image {batch.places[k]}<br>{words}</figcaption></figure>"
        )
    return tiles


def _answer(batch: Batch, k: int, classes: tuple[str, ...] | None) -> str:
    """The answer of an image of the batch, in words."""
    if isinstance(batch.y, Mixed):
        weight = float(batch.y.weight[k])
        own, other = (_one(part[k], classes) for part in (batch.y.y, batch.y.other))
        return f"{weight:.0%} {own}, {1 - weight:.0%} {other}"
    if are_images(batch.y, batch.x.shape):
        return "and its answer"
    return _one(batch.y[k], classes)


def _one(y: np.ndarray, classes: tuple[str, ...] | None) -> str:
    if classes is not None and y.ndim == 0:
        return classes[int(y)]
    if classes is not None and len(y) == len(classes):
        return ", ".join(name for name, there in zip(classes, y.tolist(), strict=True) if there > 0.5) or "none"
    return ", ".join(f"{value:.4g}" for value in np.ravel(y)[:6].tolist())


def _picture(png: bytes, sides: tuple[int, ...]) -> str:
    """A PNG as an element, at a size at which its pixels can be told apart."""
    height, width = sides
    scale = max(1, SIDE // max(height, width)) if max(height, width) < SIDE else SIDE / max(height, width)
    size = f'width="{round(width * scale)}" height="{round(height * scale)}"'
    return f'<img alt="" {size} src="data:image/png;base64,{b64encode(png).decode()}">'


def _mask(y: np.ndarray) -> str:
    """An answer that is an image: classes in colours of their own, one or three channels as they are."""
    if y.ndim == 2:
        colours = np.array(map_of_colours(), np.uint8).reshape(-1, 3)
        return _picture(colour_png(colours[y.astype(np.int64) % 256]), y.shape)
    flat = y[None, :1] if len(y) != 3 else y[None]
    return _picture(colour_png(np.ascontiguousarray(pixels(flat)[0])), y.shape[1:])


def _drawn(image: np.ndarray) -> str:
    """A sequence as lines over its length; a vector as its first numbers; many channels by the first."""
    if image.ndim == 3:
        low, high = float(image[0].min()), float(image[0].max())
        grey = np.round((image[0] - low) / (high - low or 1) * 255).astype(np.uint8)
        return _picture(grey_png(grey), grey.shape)
    if image.ndim == 1:
        numbers = ", ".join(f"{value:.3g}" for value in image[:8].tolist())
        return f"<code>{markup(numbers + ', ...' * (len(image) > 8))}</code>"
    low, high = float(image.min()), float(image.max())
    step = -(-image.shape[1] // 400)
    lines = []
    for channel in image[:8, ::step]:
        height = 60 * (1 - (channel - low) / (high - low or 1))
        across = np.linspace(0, 240, len(channel))
        points = " ".join(f"{x:.1f},{y:.1f}" for x, y in zip(across.tolist(), height.tolist(), strict=True))
        lines.append(f'<polyline points="{points}"/>')
    return f'<svg viewBox="-2 -2 244 64" width="244" height="64" role="img">{"".join(lines)}</svg>'


def _odd_pictures(part: str, places: tuple[int, ...], data: Dataset) -> str:
    if not places or data.train.x.ndim != 4 or data.train.x.shape[1] not in (1, 3):
        return ""
    split = getattr(data, part)
    images = pixels(split.x[np.array(places)])
    tiles = (
        f"<figure>{_picture(colour_png(image), image.shape[:2])}<figcaption>{place}</figcaption></figure>"
        for place, image in zip(places, images, strict=True)
    )
    return f'<div class="tiles">{"".join(tiles)}</div>'


def _table(rows: list[list[str]], bars: bool = False) -> str:
    """Rows of cells, the head first; with `bars` a bar for the first number of each, beside the largest."""
    head = "".join(f'<th scope="col">{markup(cell)}</th>' for cell in rows[0])
    numbers = [int(row[1].replace(",", "")) if row[1] else 0 for row in rows[2:]] if bars else []
    most = max(numbers, default=0) or 1
    body = []
    for k, row in enumerate(rows[1:]):
        cells = "".join(f"<td>{markup(cell)}</td>" for cell in row[1:])
        if bars and k:
            width = f"{120 * numbers[k - 1] / most:.0f}px"
            cells += f'<td style="text-align:left"><span class="bar" style="width:{width}"></span></td>'
        body.append(f'<tr><th scope="row">{markup(row[0])}</th>{cells}</tr>')
    return f'<div class="scroll"><table><tr>{head}</tr>{"".join(body)}</table></div>'
