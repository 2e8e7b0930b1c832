"""Pooling by a formula of each window: its definition, and that of its gradient."""

from __future__ import annotations

from ..ir import TensorType
from ..ir.op import Array
from ..ir.window_formula import WindowFormula
from ..record import record
from .convolution.convolve import image_4d, looks
from .windows import Windows


@record
class Formulated(Windows):
    """What knows the formula of each window."""

    @property
    def formula(self) -> WindowFormula:
        raise AssertionError(f"{type(self).__name__} must say its formula")

    def pixels(self, x: Array) -> tuple[Array, Array]:
        """The windows' pixels [taps, n, c, i, j], and which of them lie inside of the image."""
        import numpy as np

        return self.seen(x, 0.0).astype(float), self.seen(np.ones_like(x[:1, :1]), 0.0) > 0


@record
class FormulaWindows(Formulated):
    """One number of each window."""

    def evaluate(self, x: Array) -> Array:
        import numpy as np

        y = self.formula.evaluate(*self.pixels(x)).astype(x.dtype)
        return y if x.ndim == 4 else np.ascontiguousarray(y[:, :, 0])


@record
class FormulaWindowsGradient(Formulated):
    """Every pixel gets dy times its slope in the windows that it lies in."""

    def type(self, dy: TensorType, x: TensorType, y: TensorType) -> TensorType:
        return x

    def flops(self, dy: TensorType, x: TensorType, y: TensorType) -> int:
        return dy.elements * self.geometry.kernel[0] * self.geometry.kernel[1]

    def evaluate(self, dy: Array, x: Array, y: Array) -> Array:
        import numpy as np

        (top, bottom), (left, right) = self.geometry.pad
        x4, dy4 = image_4d(x), image_4d(dy)
        *outer, height, width = x4.shape
        padded = np.zeros((*outer, height + top + bottom, width + left + right))
        parts = dy4 * self.formula.derivatives(*self.pixels(x))
        for part, (_, _, gradient) in zip(parts, looks(self.geometry, padded, *dy4.shape[2:]), strict=True):
            gradient += part
        return padded[:, :, top : top + height, left : left + width].reshape(x.shape).astype(x.dtype)
