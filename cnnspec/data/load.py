"""From the data block to a dataset: read, check, set aside, scale."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ..diagnostics import Fault, Span, SpecError
from ..settings.augment import Augmentation
from ..settings.data import Cifar10, Csv, Data, Digits, FashionMnist, Idx, Images, Mnist, Npz, Pairs, weights_in
from .checks import ensure_balanced, unweighted
from .dataset import Dataset, Labels, Scaling, Split
from .files import found_at
from .formats.idx import read_idx, read_idx_folder
from .formats.npz import read_npz
from .formats.schema import TableSchema
from .formats.table import filled, means, read_tables
from .found import Found, Pair
from .sources.cifar import read_cifar10
from .sources.fetch import FASHION_MNIST, MNIST, Progress, data_folder, find
from .sources.filed import chosen
from .sources.images import read_images, read_pairs
from .sources.originals import wanted
from .sources.wellknown import CLOTHES, TEN

SCALED = 4 << 20  # bytes of images whose mean is taken at once


@dataclass(frozen=True)
class Places:
    """Where to look: well-known sets in the folder `given`, files named in the spec from `root`, or from `given`.

    So `given` serves a project that was copied without its data.
    """

    given: Path | None
    root: Path
    progress: Progress | None = None
    table: TableSchema | None = None  # the columns of a network that is trained already
    target: str = "labels"
    augment: tuple[Augmentation, ...] = ()

    @property
    def folder(self) -> Path:
        return self.given or data_folder()

    def at(self, path: str) -> Path:
        return found_at(self.root, self.given, path)

    def parts(self, source: Csv | Npz) -> dict[str, Path]:
        """The files of validation and test, where they are of their own."""
        return {part: self.at(file) for part, file in source.own_files.items()}


def load(
    settings: Data,
    *,
    folder: Path | str | None = None,
    root: Path | str | None = None,
    seed: int = 0,
    progress: Progress | None = None,
    span: Span | None = None,
    table: TableSchema | None = None,
) -> Dataset:
    """The images that a data block asks for.

    `folder` is where mnist and its like lie (else `$CNNSPEC_DATA`, else the user's cache), `root` the
    folder that paths in the spec start from (else the current one; `folder` where it has the file), `seed`
    chooses the images set aside for validation, `progress` is told what takes time. With the `table` of a network
    that is trained already, a csv is read as training's was. Raises `SpecError`; its diagnostics point at `span`.
    """
    places = Places(
        Path(folder) if folder else None, Path(root or "."), progress, table, settings.target, settings.augment
    )
    try:
        found = READERS[type(settings.source)](settings.source, places).checked(settings.target)
        return dataset_of(settings, found, seed)
    except Fault as fault:
        raise SpecError((fault.diagnostic(span),)) from fault


def dataset_of(settings: Data, found: Found, seed: int) -> Dataset:
    """The parts of what was found: test, validation, training, all scaled by what the training images are."""
    train, validation, test = (part and Rows(*part) for part in _settled(found.train, found.validation, found.test))
    assert train is not None
    if test is None:
        # always the same images, so that a network is never tested on what another seed let it learn from
        train, test = train.divided(getattr(settings.source, "test", 0.0), seed=0)
    if settings.limit:
        train, test = (part.first(settings.limit) for part in (train, test))
    if validation is None:
        train, validation = train.divided(settings.validation, seed)
    elif settings.limit:
        validation = validation.first(settings.limit)
    weights = weights_of(found, train.answers, train.at, settings.balance)
    pairs = [part.pair() for part in (train, validation, test)]
    table = found.table
    if table and table.missing == "mean":
        table = table if table.fill else replace(table, fill=means(pairs[0][0], table))
        pairs = [_filled(pair, table) for pair in pairs]
    scaling = scaling_of(pairs[0][0], settings.normalise)
    if settings.oversample and weights is None:
        raise unweighted()
    if weights is not None and not weights.any():
        raise Fault.of("CNN436", "balance", case="zero", name=found.name)
    photos = found.originals
    if photos and train.at is not None:
        photos = photos.chosen(train.at.tolist())
    learn = Split(*pairs[0], scaling, weights, settings.oversample, photos)
    choose, final = (Split(x, y, scaling) for x, y in pairs[1:])
    assert not isinstance(found.classes, int), "a checked source has names for its classes"
    return Dataset(found.name, learn, choose, final, found.classes, table, settings.source, found.own)


class Rows(NamedTuple):
    """Some images and their answers: those `at` some positions, all where it is None. Nothing is copied for it."""

    x: np.ndarray
    y: np.ndarray
    at: np.ndarray | None = None

    @property
    def answers(self) -> np.ndarray:
        return self.y if self.at is None or self.y is self.x else self.y[self.at]

    def divided(self, fraction: float, seed: int) -> tuple[Rows, Rows]:
        """The rest, and a fraction; see `divide`."""
        count = len(self.x) if self.at is None else len(self.at)
        rest, held_out = divide(np.empty((count, 0)) if self.y is self.x else self.answers, fraction, seed)
        return self.taken(rest), self.taken(held_out)

    def taken(self, positions: np.ndarray) -> Rows:
        return self._replace(at=positions if self.at is None else self.at[positions])

    def first(self, limit: int) -> Rows:
        """At most so many images, from every class alike; the same ones for every seed."""
        count = len(self.x) if self.at is None else len(self.at)
        return self if count <= limit else self.divided(limit / count, seed=0)[1]

    def pair(self) -> Pair:
        if self.at is None or len(self.at) == len(self.x):
            return self.x, self.y
        x = chosen(self.x, self.at)
        return x, x if self.y is self.x else self.y[self.at]


def weights_of(found: Found, y: np.ndarray, at: np.ndarray | None, balance: bool | str) -> np.ndarray | None:
    """The weights of the images to learn from, whose answers are y, at some positions; None for all alike."""
    told = f"the weights of {found.name}"
    weights = None if found.weights is None else as_weights(found.weights, len(found.train[1]), told)
    if weights is not None and at is not None:
        weights = weights[at]
    if not balance:
        return weights
    classes = found.classes if isinstance(found.classes, tuple) else ()
    ensure_balanced(found.name, balance, classes if y.ndim == 1 else ())
    of_class = np.array(class_weights(classes, balance, np.bincount(y, minlength=len(classes))))
    return of_class[y] if weights is None else of_class[y] * weights


def class_weights(
    classes: tuple[str, ...], balance: bool | str | Mapping[str, float], counts: np.ndarray
) -> list[float]:
    """A weight for each class: such that all add up to the same, 1 on average; or as told, 1 where nobody tells."""
    if balance is True:
        each = counts.sum() / max(1, np.count_nonzero(counts))
        return [float(each / count) if count else 0.0 for count in counts.tolist()]
    told = weights_in(balance) if isinstance(balance, str) else dict(balance or {})
    return [told.get(name, 1.0) for name in classes]


def as_weights(given: np.ndarray, count: int, told: str) -> np.ndarray:
    """Weights (n,) of images, float64; a Fault where they are none."""
    if given.dtype.kind not in "biuf" or given.shape not in ((count,), (count, 1)):
        raise Fault.of(
            "CNN436", "balance", case="shape", weights=told, type=given.dtype, shape=given.shape, count=count
        )
    weights = given.reshape(count).astype(np.float64)
    if not (np.isfinite(weights).all() and (weights >= 0).all() and weights.any()):
        raise Fault.of("CNN436", "balance", weights=told)
    return weights


def _settled(*parts: Pair | None) -> tuple[Pair | None, ...]:
    """The parts of one set, their answers as Labels where they are."""
    if any(part and part[0] is part[1] for part in parts):
        return parts
    answers = iter(Labels.among(*(part[1] for part in parts if part)))
    return tuple((part[0], next(answers)) if part else None for part in parts)


def divide(y: np.ndarray, fraction: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Positions of the rest and of a fraction (rounded down), drawn from every class alike, in their order.

    The images are shuffled, then put in order of their classes; every so many-th is of the share.
    """
    order = np.random.default_rng((seed, len(y))).permutation(len(y))
    if y.ndim == 1:
        order = order[np.argsort(y[order], kind="stable")]
    mark = np.floor(np.arange(len(y) + 1) * fraction + 1e-9)
    chosen = mark[1:] > mark[:-1]
    return np.sort(order[~chosen]), np.sort(order[chosen])


def _filled(pair: Pair, table: TableSchema) -> Pair:
    x, y = pair
    whole = filled(x, table.fill)
    return whole, whole if y is x else y


def scaling_of(x: np.ndarray, normalise: bool) -> Scaling:
    """Bytes to 0..1; to mean 0 and deviation 1 of each channel where wished. A constant channel becomes 0."""
    unit = 1 / 255 if x.dtype == np.uint8 else 1.0
    if not normalise:
        return Scaling((unit,), (0.0,))
    over = (0, *range(2, x.ndim))
    step = max(1, min(1024, SCALED // (x[:1].nbytes or 1)))
    chunks = range(0, len(x), step)
    count = x.size // x.shape[1]
    column = (-1, *(1,) * (x.ndim - 2))
    mean = sum(x[i : i + step].sum(over, np.float64) for i in chunks) / count
    square = sum(np.square(x[i : i + step] - mean.reshape(column)).sum(over) for i in chunks) / count
    deviation = np.sqrt(square)
    constant = deviation <= 1e-7 * np.abs(mean)  # what float32 cannot tell apart is the mean's rounding
    scale = 1 / np.where(constant, 1.0, deviation)
    return Scaling(tuple(map(float, scale)), tuple(map(float, -mean * scale)))


# ---- readers ------------------------------------------------------------------------------------------


def _idx_set(name: str, paths: dict[str, Path], classes: tuple[str, ...]) -> Found:
    """A set of MNIST's four files, by their names."""
    pairs = []
    for part in ("train", "t10k"):
        x = read_idx(paths[f"{part}-images-idx3-ubyte.gz"], axes=(3,))
        pairs.append((x[:, None], read_idx(paths[f"{part}-labels-idx1-ubyte.gz"], axes=(1,))))
    return Found(name, pairs[0], pairs[1], classes)


def _digits(source: Digits, places: Places) -> Found:
    folder = Path(__file__).parent / "digits"
    return _idx_set("digits", {name: folder / name for name in MNIST.files}, TEN)


def _mnist(source: Mnist, places: Places) -> Found:
    return _idx_set("mnist", find(MNIST, places.folder, places.progress), TEN)


def _fashion(source: FashionMnist, places: Places) -> Found:
    return _idx_set("fashion_mnist", find(FASHION_MNIST, places.folder, places.progress), CLOTHES)


READERS: dict[type, Callable[..., Found]] = {
    Digits: _digits,
    Mnist: _mnist,
    FashionMnist: _fashion,
    Cifar10: lambda source, places: read_cifar10(places.folder, places.progress),
    Idx: lambda source, places: read_idx_folder(source, places.at(source.folder)),
    Npz: lambda source, places: read_npz(source, places.at(source.file), places.parts(source), places.target),
    Images: lambda source, places: read_images(
        source,
        places.at(source.folder),
        places.progress,
        places.target != "itself",
        wanted(places.augment, source.resize),
    ),
    Pairs: lambda source, places: read_pairs(
        source, places.at(source.folder), places.at(source.targets), places.progress, places.target
    ),
    Csv: lambda source, places: read_tables(
        source, places.at(source.file), places.parts(source), places.table, places.target
    ),
}
