"""What a caller gives as the right answers, as the distributions or numbers that the costs compare with."""

from __future__ import annotations

from math import prod

import numpy as np

from ..diagnostics import Fault
from ..ir import TensorType


class Answers:
    """The answers of one output; every step of a training comes by, so its sizes are looked up once."""

    def __init__(self, kind: TensorType, dtype: str, name: str = "the network") -> None:
        self.kind, self.dtype, self.name = kind, np.dtype(dtype), name
        self.shape, self.places, self.classes = kind.shape, kind.spatial, kind["c"]
        self.pixels = prod(self.places)
        self.each = np.arange(self.classes).reshape(-1, *(1,) * len(self.places))

    def targets(self, y: np.ndarray) -> np.ndarray:
        """y as (n, c, ...), one number for each of the output's.

        Class indices (n,), or (n, h, w) for an output of pixels, become one-hot; numbers of the output's own
        shape stay as they are; for one output (n,) will do. Raises Fault where neither fits or a class is not
        there.
        """
        given, shape = y.dtype.kind, y.shape[1:]
        if given not in "biuf":
            raise Fault("CNN410", f"targets must be numbers, got {y.dtype}")
        if shape == self.shape and (given == "f" or shape != self.places):
            return np.ascontiguousarray(y, self.dtype)
        if shape != self.places:
            some = f" or (n, {', '.join(map(str, self.places))})" if self.places else " or (n,)"
            raise Fault(
                "CNN410",
                f"targets of shape {y.shape} do not fit {self.name}, which gives {self.kind} for each image",
                help=f"give classes as{some[3:]}, or numbers as (n, {', '.join(map(str, self.shape))})",
            )
        if self.classes == 1:
            return np.ascontiguousarray(y[:, None], self.dtype)
        if given == "f":
            if not np.array_equal(y, np.floor(y)):
                message = f"targets of shape {y.shape} must be classes, whole numbers below {self.classes}"
                raise Fault("CNN410", message)
            y = y.astype(np.int64)
        hot = y[:, None] == self.each
        if np.count_nonzero(hot) != y.size:
            bad = int(y.min()) if y.min() < 0 else int(y.max())
            raise Fault("CNN410", f"class {bad} is not one of the {self.classes} that {self.name} tells apart")
        return hot.astype(self.dtype)

    def are_classes(self, y: np.ndarray) -> bool:
        """Whether answers can be right or wrong: classes were given, or rows that hold a single one."""
        if y.shape[1:] == self.shape and self.shape != self.places:
            return self.classes > 1 and bool(((y == 0) | (y == 1)).all() and (y.sum(axis=1) == 1).all())
        return y.dtype.kind in "biu"
