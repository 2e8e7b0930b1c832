"""The measures of trained networks by name: what each says, and of which answers it is.

How they are computed stands in `train/measures.py`.
"""

from __future__ import annotations

from ..record import record

CLASSES, LABELS, NUMBERS, MASKS = "classes", "labels", "numbers", "masks"
TOP = 5


@record
class Measure:
    """One of them: `of` are the kinds of answers that it is of, `in_percent` whether people read it in percent."""

    name: str
    title: str
    of: tuple[str, ...]
    in_percent: bool
    doc: str

    def shown(self, value: float | None) -> str:
        """A value for people."""
        if value is None:
            return "-"
        return f"{value:.2%}" if self.in_percent else f"{value:.4g}"


MEASURES: tuple[Measure, ...] = (
    Measure(
        "accuracy", "accuracy", (CLASSES, LABELS, MASKS), True,
        "fraction of the test images, pixels or labels that are correct",
    ),
    Measure(
        "top5", "top-5", (CLASSES,), True,
        "fraction of the test images whose class is among the five largest outputs",
    ),
    Measure("precision", "precision", (CLASSES, LABELS, MASKS), True, "mean over the classes of TP / (TP + FP)"),
    Measure("recall", "recall", (CLASSES, LABELS, MASKS), True, "mean over the classes of TP / (TP + FN)"),
    Measure("f1", "F1", (CLASSES, LABELS, MASKS), True, "mean over the classes of 2 TP / (2 TP + FP + FN)"),
    Measure("auc", "ROC AUC", (CLASSES, MASKS), False, "area under the ROC curve of two classes"),
    Measure("iou", "IoU", (MASKS,), True, "mean over the classes of TP / (TP + FP + FN), of pixels"),
    Measure("mae", "MAE", (NUMBERS,), False, "mean absolute error"),
    Measure("rmse", "RMSE", (NUMBERS,), False, "root of the mean squared error"),
    Measure("r2", "R²", (NUMBERS,), False, "fraction of the variance explained, 1 - Σ (o - y)² / Σ (y - mean)²"),
)  # fmt: skip
OF_CLASS = ("precision", "recall", "f1", "iou")  # those that each class has for itself
BY_NAME = {measure.name: measure for measure in MEASURES}
