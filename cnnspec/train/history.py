"""The history and progress of a training: a row an epoch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import MISSING, asdict, dataclass, field, fields, replace
from math import nan
from typing import Any, NotRequired, TypedDict, cast

from ..diagnostics import Fault
from ..settings.measures import BY_NAME
from ..validation import Json, fault_of
from .measures import Measures

NUMBERS = ("cost", "rate", "seconds", "images_per_second")  # that every epoch has
TOLD = ("iou", "mae", "r2")  # measures that the line of an epoch shows


@dataclass(frozen=True)
class Score:
    """Mean cost over some images, the share that is correct, and all that was measured; None where not."""

    cost: float | None = None
    accuracy: float | None = None
    measures: Measures | None = None

    @classmethod
    def of(cls, cost: float, accuracy: float | None, measures: Measures | None) -> Score:
        """A score whose measures have the very accuracy that was counted."""
        if measures and accuracy is not None:
            measures = replace(measures, values={**measures.values, "accuracy": accuracy})
        return cls(cost, accuracy, measures)


@dataclass(frozen=True)
class EpochRecord:
    """One epoch; the columns of results.csv. Costs and accuracies are means over the images."""

    epoch: int  # counted from 1
    cost: float
    accuracy: float | None  # while learning; None where the answers are not classes
    validation_cost: float | None
    validation_accuracy: float | None
    rate: float  # the learning rate of the epoch's last step
    seconds: float  # for the steps, without the validation
    images_per_second: float
    validation_top5: float | None = None  # measures of the answers that they are of; see `measures`
    validation_precision: float | None = None
    validation_recall: float | None = None
    validation_f1: float | None = None
    validation_auc: float | None = None
    validation_iou: float | None = None
    validation_mae: float | None = None
    validation_rmse: float | None = None
    validation_r2: float | None = None

    def metric(self, name: str) -> float | None:
        """`accuracy` or `cost`: on the validation images where there are any, else on the training's."""
        held_out = self.validation_cost is not None
        if name == "accuracy":
            return self.validation_accuracy if held_out else self.accuracy
        return self.validation_cost if held_out else self.cost

    @classmethod
    def columns(cls) -> str:
        return ",".join(column.name for column in fields(cls)) + "\n"

    @classmethod
    def first_columns(cls) -> tuple[str, ...]:
        """Those of a results.csv that was written before there were measures."""
        return tuple(column.name for column in fields(cls) if column.default is MISSING)

    def line(self) -> str:
        """The row as a line of results.csv; floats read back to the same bits, a missing value is empty."""
        values = asdict(self).values()
        return ",".join("" if value is None else repr(value) for value in values) + "\n"

    def told(self, epochs: int) -> str:
        """The row in a line for people; `epochs` is how many there are to be."""
        parts = [f"epoch {self.epoch}/{epochs}", f"cost {self.cost:.4f}"]
        if self.accuracy is not None:
            parts.append(f"accuracy {self.accuracy:.2%}")
        if self.validation_cost is not None:
            parts.append(f"validation cost {self.validation_cost:.4f}")
        if self.validation_accuracy is not None:
            parts.append(f"accuracy {self.validation_accuracy:.2%}")
        for name in TOLD:
            value = getattr(self, f"validation_{name}")
            if value is not None:
                parts.append(f"{BY_NAME[name].title} {BY_NAME[name].shown(value)}")
        parts.append(f"{self.images_per_second:,.0f} images/s")
        parts.append(f"{self.seconds:.1f} s")
        return "  ".join(parts)


def counted(epochs: int) -> str:
    """`1 epoch`, `3 epochs`"""
    return f"{epochs} epoch{'s' * (epochs != 1)}"


def _beyond_accuracy(score: Score) -> dict[str, float | None]:
    values = score.measures.values if score.measures else {}
    return {name: value for name, value in values.items() if name != "accuracy"}


@dataclass(frozen=True, repr=False)
class History:
    """The result of `fit`: its epochs, which of them was best, and whether it stopped before the last."""

    rows: tuple[EpochRecord, ...]
    best_epoch: int
    stopped_early: bool = False

    @classmethod
    def of(cls, columns: Mapping[str, Sequence[float | None]], best: int | None, early: bool) -> History:
        """The history that the columns of results.csv tell; a cost that is no number is NaN."""
        rows = []
        for number, values in enumerate(zip(*columns.values(), strict=True), 1):
            row: dict[str, Any] = dict(zip(columns, values, strict=True)) | {"epoch": number}
            row |= {name: nan for name in NUMBERS if row[name] is None}
            rows.append(EpochRecord(**row))
        return cls(tuple(rows), best or 0, early)

    @property
    def seconds(self) -> float:
        return sum(row.seconds for row in self.rows)

    @property
    def images_per_second(self) -> float:
        images = sum(row.images_per_second * row.seconds for row in self.rows)
        return images / self.seconds if self.seconds else 0.0

    def __getitem__(self, column: str) -> list[float | None]:
        """A column over the epochs: `history["validation_accuracy"]`."""
        return [getattr(row, column) for row in self.rows]

    def __repr__(self) -> str:
        said = f"History of {counted(len(self))}, the best {self.best_epoch}"
        shown = [row for row in self.rows if row.epoch in (self.best_epoch, self.rows[-1].epoch)]
        early = ", stopped early" if self.stopped_early else ""
        return "\n  ".join([said + early, *(row.told(len(self)) for row in shown)])

    def _repr_html_(self) -> str:
        """The curves, in a notebook."""
        from ..display import shown

        return shown("history_html", self)

    def __len__(self) -> int:
        return len(self.rows)


class ProgressJson(TypedDict):
    """A `Progress` as JSON (grammar/progress.schema.json)."""

    rows: list[dict[str, Any]]
    batch: float
    images: float
    cost: float
    correct: NotRequired[float | None]
    right: NotRequired[float | None]  # what earlier versions call it
    seconds: float
    rate: float
    best: float | None
    best_epoch: float


@dataclass
class Progress:
    """How far a training is: everything of the loop that a resumed one needs to go on to the same bits.

    The order of the images needs no place here, being a function of the seed and the epoch.
    """

    rows: list[EpochRecord] = field(default_factory=list)  # the epochs that are done
    batch: int = 0  # batches done of the epoch after them, and over these:
    images: int = 0
    cost: float = 0.0  # summed over the images
    correct: float | None = None  # parts of an image, where pixels are classes; None where nothing is
    seconds: float = 0.0
    rate: float = 0.0  # of the last of them
    best: float | None = None
    best_epoch: int = 0

    @property
    def epoch(self) -> int:
        """Epochs done."""
        return len(self.rows)

    def add(self, images: int, cost: float, correct: float | None, rate: float, seconds: float) -> None:
        """Count a batch."""
        before = self.correct if self.batch else 0
        self.correct = None if before is None or correct is None else before + correct  # numbers in one make all so
        self.batch += 1
        self.images += images
        self.cost += cost * images
        self.rate = rate
        self.seconds += seconds

    def begin_epoch(self) -> None:
        """Forget the batches of the epoch that is under way."""
        self.batch, self.images, self.cost, self.correct, self.seconds = 0, 0, 0.0, None, 0.0

    def fault(self, epochs: int, steps_per_epoch: int, images: int) -> Fault | None:
        """Why a training of so many epochs cannot be so far; None where it can."""
        if self.epoch > epochs:
            return Fault.of("CNN460", case="epochs", done=self.epoch, epochs=epochs)
        if self.batch > steps_per_epoch or self.images > images or bool(self.batch) != bool(self.images):
            return Fault.of(
                "CNN460", case="batches", done=self.batch, seen=self.images, batches=steps_per_epoch, images=images
            )
        if self.best_epoch > self.epoch or (self.best is None) != (not self.best_epoch):
            return Fault.of("CNN460", case="best", best=self.best_epoch, done=self.epoch)
        return None

    def close(self, held_out: Score, metric: str) -> bool:
        """Turn the batches into a row; whether its epoch was the best so far (the first of equals)."""
        row = EpochRecord(
            epoch=self.epoch + 1,
            cost=self.cost / self.images,
            accuracy=None if self.correct is None else self.correct / self.images,
            validation_cost=held_out.cost,
            validation_accuracy=held_out.accuracy,
            rate=self.rate,
            seconds=self.seconds,
            images_per_second=self.images / self.seconds if self.seconds else 0.0,
            **{f"validation_{name}": value for name, value in _beyond_accuracy(held_out).items()},
        )
        self.rows.append(row)
        self.begin_epoch()
        metric = "cost" if row.metric("accuracy") is None else metric
        value = row.metric(metric)
        assert value is not None
        if value != value:
            return False
        better = self.best is None or (value > self.best if metric == "accuracy" else value < self.best)
        if better:
            self.best, self.best_epoch = value, row.epoch
        return better

    def history(self, stopped_early: bool = False) -> History:
        return History(tuple(self.rows), self.best_epoch, stopped_early)

    def to_json(self) -> dict[str, Json]:
        return asdict(self)

    @classmethod
    def from_json(cls, data: Json) -> Progress:
        """The reverse of `to_json`; ValueError where the data is anything else."""
        if fault := fault_of(data, "progress"):
            raise ValueError(" ".join(fault).strip())
        told = cast(ProgressJson, data)
        if "correct" not in told and "right" not in told:
            raise ValueError("/correct is missing")
        progress = cls(
            rows=[replace(row, epoch=int(row.epoch)) for row in (EpochRecord(**row) for row in told["rows"])],
            batch=int(told["batch"]),  # 2.0 is a whole number in JSON
            images=int(told["images"]),
            cost=told["cost"],
            correct=told["correct"] if "correct" in told else told["right"],
            seconds=told["seconds"],
            rate=told["rate"],
            best=told["best"],
            best_epoch=int(told["best_epoch"]),
        )
        if [row.epoch for row in progress.rows] != list(range(1, progress.epoch + 1)):
            raise ValueError("its epochs are not in order")
        return progress
