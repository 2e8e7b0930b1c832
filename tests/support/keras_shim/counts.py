"""Metrics of Keras as our measures: what was counted of all batches since the last reset."""

from __future__ import annotations

import functools
import inspect

import keras
import numpy as np

from cnnspec.train.measures import Confusion, Errors, LabelCounts

from . import said as plans
from .costs import WORDS, Judged, plain
from .record import LEDGER, Record
from .said import NotComparable
from .watched import MOST, numbers

CLASSES = (
    "MeanSquaredError", "RootMeanSquaredError", "MeanAbsoluteError", "R2Score", "BinaryAccuracy",
    "CategoricalAccuracy", "SparseCategoricalAccuracy", "TopKCategoricalAccuracy", "SparseTopKCategoricalAccuracy",
    "Precision", "Recall", "F1Score", "IoU", "MeanIoU", "OneHotIoU", "OneHotMeanIoU", "BinaryIoU",
    "BinaryCrossentropy", "CategoricalCrossentropy", "SparseCategoricalCrossentropy",
)  # fmt: skip
NO_MEASURE = (
    "AUC", "Accuracy", "Mean", "Sum", "MeanMetricWrapper", "TruePositives", "FalsePositives", "TrueNegatives",
    "FalseNegatives", "SensitivityAtSpecificity", "SpecificityAtSensitivity", "PrecisionAtRecall",
    "RecallAtPrecision", "FBetaScore", "CosineSimilarity", "LogCoshError", "MeanAbsolutePercentageError",
    "MeanSquaredLogarithmicError", "Hinge", "SquaredHinge", "CategoricalHinge", "KLDivergence", "Poisson",
    "PearsonCorrelation", "ConcordanceCorrelation",
)  # fmt: skip
SEEN = "_seen_by_the_shim"


def errors(kind: str, metric, y, x) -> np.ndarray:
    counter = Errors(y.shape[-1] if y.ndim > 1 else 1)
    counter.add(y.reshape(-1, y.shape[-1] if y.ndim > 1 else 1), x.reshape(-1, x.shape[-1] if x.ndim > 1 else 1))
    found = counter.measures()
    if kind != "R2Score":
        value = {"MeanAbsoluteError": "mae"}.get(kind, "rmse")
        number = found[value]
        return np.array(number**2 if kind == "MeanSquaredError" else number)
    if metric.num_regressors or any(error.r2 is None for error in found.errors):
        raise NotComparable("an R² of several regressors, or of one answer")
    if metric.class_aggregation == "variance_weighted_average":
        return np.array(found["r2"])
    each = np.array([error.r2 for error in found.errors])
    return each.mean() if metric.class_aggregation == "uniform_average" else each


def one_hot(values: np.ndarray, count: int) -> np.ndarray:
    return np.eye(count)[values.astype(int).reshape(-1)]


def accuracy(kind: str, metric, y, x) -> np.ndarray:
    settings = getattr(metric, "_fn_kwargs", {})
    if kind == "BinaryAccuracy":
        if settings.get("threshold", 0.5) != 0.5:
            raise NotComparable("another threshold than a half")
        labels = LabelCounts(1, masks=False)
        labels.add(y.reshape(-1, 1), x.reshape(-1, 1))
        return np.array(labels.measures()["accuracy"])
    classes = x.shape[-1]
    if not kind.startswith("Sparse"):
        y = y.argmax(axis=-1)
    if classes < 2 or np.isnan(x).any():
        raise NotComparable("classes that are not told apart")
    counter = Confusion(classes, masks=False)
    counter.add(y.reshape(-1), x.reshape(-1, classes))
    if "TopK" not in kind:
        return np.array(counter.measures()["accuracy"])
    if settings.get("k") != 5 or classes <= 5:
        raise NotComparable("the largest k, where k is not 5 or there are not more classes")
    return np.array(counter.measures()["top5"])


def labels_of(metric, y, x) -> LabelCounts:
    labels = LabelCounts(1, masks=False)
    labels.add(y.reshape(-1, 1), x.reshape(-1, 1))
    return labels


def precision_and_recall(kind: str, metric, y, x) -> np.ndarray:
    if metric.top_k is not None or metric.class_id is not None or metric.init_thresholds not in (None, 0.5):
        raise NotComparable("thresholds, top k or one class alone")
    (each,) = labels_of(metric, y, x).measures().each
    return np.array(getattr(each, kind.lower()) or 0.0)


def f1(kind: str, metric, y, x) -> np.ndarray:
    if metric.threshold is None:
        counter = Confusion(x.shape[-1], masks=False)
        counter.add(y.argmax(axis=-1), x)
        if (y.sum(axis=-1) != 1).any():
            raise NotComparable("an argmax against several labels")
    elif metric.threshold == 0.5:
        counter = LabelCounts(x.shape[-1], masks=False)
        counter.add(y, x)
    else:
        raise NotComparable("another threshold than a half")
    each = counter.measures().each
    values, counts = np.array([one.f1 or 0.0 for one in each]), np.array([one.count for one in each])
    if metric.average is None:
        return values
    if metric.average == "micro":
        raise NotComparable("a micro average")
    return np.array(values.mean() if metric.average == "macro" else (values * counts / counts.sum()).sum())


def overlap(kind: str, metric, y, x) -> np.ndarray:
    count = int(metric.num_classes)
    if kind == "BinaryIoU":
        if metric.threshold is not None:
            x = (x >= metric.threshold).astype(float)
    else:
        if not metric.sparse_y_true:
            y = y.argmax(axis=metric.axis)
        if not metric.sparse_y_pred:
            x = x.argmax(axis=metric.axis)
    if metric.ignore_class is not None or y.min() < 0 or x.min() < 0 or max(y.max(), x.max()) >= count:
        raise NotComparable("classes that are passed over")
    counter = Confusion(count, masks=True)
    counter.add(y.reshape(-1).astype(int), one_hot(x, count))
    each = counter.measures().each
    wanted = metric.target_class_ids if not kind.endswith("MeanIoU") else range(count)
    found = [each[k].iou for k in wanted if each[k].iou is not None]
    return np.array(np.mean(found) if found else 0.0)


def cost(metric, seen) -> np.ndarray:
    name = metric._fn.__name__
    total = share = 0.0
    for y, x, given in seen:
        judged = Judged(name, y, x, metric._fn_kwargs)
        weights = judged.weights(given)
        count = len(judged.x)
        total += judged.batch(None if weights is None else weights.reshape(-1)) * count
        share += count if weights is None else weights.sum()
    return np.array(total / share)


KINDS = {
    **dict.fromkeys(CLASSES[:4], errors), **dict.fromkeys(CLASSES[4:9], accuracy),
    "Precision": precision_and_recall, "Recall": precision_and_recall, "F1Score": f1,
    **dict.fromkeys(CLASSES[12:17], overlap),
}  # fmt: skip


def ours(metric, seen) -> np.ndarray:
    kind = type(metric).__name__
    if kind in NO_MEASURE:
        raise NotComparable(f"no measure {kind}")
    if getattr(getattr(metric, "_fn", None), "__name__", "") in WORDS and kind not in KINDS:
        return cost(metric, [(plain(y), plain(x), w) for y, x, w in seen])
    if any(weights is not None for _, _, weights in seen):
        raise NotComparable("measures that are weighted")
    if not seen:
        raise NotComparable("nothing was counted")
    if sum(int(np.prod(np.shape(y))) for y, _, _ in seen) > MOST:
        raise NotComparable("a large array")
    y, x = (np.concatenate([np.atleast_1d(plain(part[k])) for part in seen]) for k in (0, 1))
    if y.size == 0:
        raise NotComparable("an array without numbers")
    return KINDS[kind](kind, metric, y.astype(np.float64), x.astype(np.float64))


def compare(record: Record, metric, result) -> None:
    found = ours(metric, getattr(metric, SEEN, []))
    difference = plans.apart(found, numbers(result))
    LEDGER.note(
        record, "measures", type(metric).__name__, difference and f"{difference}: {found}, {numbers(result)}"
    )


def watch() -> None:
    for name in (*CLASSES, *NO_MEASURE):
        cls = getattr(keras.metrics, name)
        cls.update_state, cls.result = counted(cls.update_state), answered(cls.result)
        cls.reset_state = forgotten(cls.reset_state)


def quiet(function, *args, **kwargs):
    busy, LEDGER.busy = LEDGER.busy, True
    try:
        return function(*args, **kwargs)
    finally:
        LEDGER.busy = busy


def counted(original):
    signature = inspect.signature(original)

    @functools.wraps(original)
    def update_state(self, *args, **kwargs):
        if LEDGER.busy or LEDGER.now is None:
            return original(self, *args, **kwargs)
        result = quiet(original, self, *args, **kwargs)
        given = signature.bind(self, *args, **kwargs).arguments
        if "y_true" in given:
            seen = [*getattr(self, SEEN, []), (given["y_true"], given["y_pred"], given.get("sample_weight"))]
            object.__setattr__(self, SEEN, seen)
        return result

    return update_state


def answered(original):
    @functools.wraps(original)
    def result(self):
        if LEDGER.busy or LEDGER.now is None:
            return original(self)
        found = quiet(original, self)
        LEDGER.compare(type(self).__name__, lambda record: compare(record, self, found))
        return found

    return result


def forgotten(original):
    @functools.wraps(original)
    def reset_state(self):
        object.__setattr__(self, SEEN, [])
        return original(self)

    return reset_state
