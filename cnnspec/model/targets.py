"""What a caller gives as the right answers, as the distributions or numbers that the costs compare with."""

from __future__ import annotations

import numpy as np

from ..diagnostics import Fault
from ..ir import TensorType


def targets(y: np.ndarray, kind: TensorType, dtype: str, name: str = "the network") -> np.ndarray:
    """y as (n, c, ...), one number for each of the output's.

    Class indices (n,), or (n, h, w) for an output of pixels, become one-hot; numbers of the output's own
    shape stay as they are; for one output (n,) will do. Raises Fault where neither fits or a class is not
    there.
    """
    y = np.asarray(y)
    if y.dtype.kind not in "biuf":
        raise Fault("CNN410", f"targets must be numbers, got {y.dtype}")
    wanted = kind.shape
    classes, places = kind["c"], kind.spatial
    if y.shape[1:] == wanted and (y.dtype.kind == "f" or wanted != places):
        return np.ascontiguousarray(y, dtype)
    if y.shape[1:] != places:
        some = f" or (n, {', '.join(map(str, places))})" if places else " or (n,)"
        raise Fault(
            "CNN410",
            f"targets of shape {y.shape} do not fit {name}, which gives {kind} for each image",
            help=f"give classes as{some[3:]}, or numbers as (n, {', '.join(map(str, wanted))})",
        )
    if classes == 1:
        return np.ascontiguousarray(y[:, None], dtype)
    if y.dtype.kind == "f":
        if not np.array_equal(y, np.floor(y)):
            raise Fault("CNN410", f"targets of shape {y.shape} must be classes, whole numbers below {classes}")
        y = y.astype(np.int64)
    hot = y[:, None] == np.arange(classes).reshape(-1, *(1,) * len(places))
    if np.count_nonzero(hot) != y.size:
        bad = int(y.min()) if y.min() < 0 else int(y.max())
        raise Fault("CNN410", f"class {bad} is not one of the {classes} that {name} tells apart")
    return hot.astype(dtype)


def are_classes(y: np.ndarray, kind: TensorType) -> bool:
    """Whether answers can be right or wrong: classes were given, or rows that hold a single one."""
    y = np.asarray(y)
    if y.shape[1:] == kind.shape and kind.shape != kind.spatial:
        return kind["c"] > 1 and bool(((y == 0) | (y == 1)).all() and (y.sum(axis=1) == 1).all())
    return y.dtype.kind in "biu"
