"""Formulas of a window: what a pooling word computes of the pixels that its window meets, written once.

    WindowFormula(
        measure=absolute(X), each=power(absolute(X) / M, 2), total=M * power(S, 1 / 2),
        name="2-norm", text="√Σ of x²"
    )

is the root of a sum of squares, each relative to the largest so that none overflows. Every form of a network that
has nothing of its own for the word walks the formulas, and so do the accounts of its numbers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..record import record
from .expression import Expression, Symbol, X, differentiate, evaluate

if TYPE_CHECKING:
    import numpy as np

M = Symbol("m")  # the largest measure of the window
S = Symbol("s")  # the sum over the window


@record
class WindowFormula:
    """One number of a window: of its pixels x, m is the largest measure(x), s the sum of each(x, m).

    The value is total(s, m); padding takes no part. m is there for the range of floating-point numbers alone: but
    for rounding, the value does not depend on it, and no gradient goes through it.

    measure, each, total   formulas of X, of X and M, and of S and M
    name                   what the value is called: "3-norm"
    text                   the formula as a textbook has it, of the pixels x: "(Σ of |x|^3)^(1/3)"
    """

    measure: Expression
    each: Expression
    total: Expression
    name: str
    text: str

    @property
    def each_derivative(self) -> Expression:
        """The derivative of a pixel's part by the pixel."""
        return differentiate(self.each, X)

    @property
    def total_derivative(self) -> Expression:
        """The derivative of the value by the sum."""
        return differentiate(self.total, S)

    def evaluate(self, seen: np.ndarray, inside: np.ndarray) -> np.ndarray:
        """seen[k,...], the windows' pixels, those that are `inside` -> the windows' numbers [...]."""
        return evaluate(self.total, **self.sums(seen, inside))

    def derivatives(self, seen: np.ndarray, inside: np.ndarray) -> np.ndarray:
        """seen[k,...] -> the derivative of each window's number by each of its pixels, 0 for padding."""
        import numpy as np

        sums = self.sums(seen, inside)
        found = evaluate(self.each_derivative, x=seen, m=sums["m"]) * evaluate(self.total_derivative, **sums)
        return np.where(inside, found, 0)

    def sums(self, seen: np.ndarray, inside: np.ndarray) -> dict[str, np.ndarray]:
        """m and s of each window."""
        import numpy as np

        m = np.where(inside, evaluate(self.measure, x=seen), -np.inf).max(axis=0)
        return {"m": m, "s": np.where(inside, evaluate(self.each, x=seen, m=m), 0).sum(axis=0)}
