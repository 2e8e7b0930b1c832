"""`expect { ... }`: the budgets of a network, which `check` and `run` hold it to."""

from __future__ import annotations

import operator
from collections.abc import Callable

from ..diagnostics import Span
from ..record import record
from .measures import MEASURES, Measure

RELATIONS: dict[str, Callable[[float, float], bool]] = {
    "<=": operator.le,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    ">": operator.gt,
}


@record
class Quantity:
    """Something that a budget may speak of.

    `trained` where only a run knows it; `code` is what a missed budget fails with.
    """

    name: str
    code: str
    unit: str
    doc: str
    trained: bool = False


def _measured(measure: Measure, code: str) -> Quantity:
    return Quantity(measure.name, code, "%" if measure.in_percent else "", measure.doc, trained=True)


QUANTITIES: tuple[Quantity, ...] = (
    Quantity("params", "CNN601", "", "trained parameters"),
    Quantity("macs", "CNN602", "", "multiply-adds of one image, forward"),
    Quantity("flops", "CNN603", "", "floating-point operations of one image, forward"),
    Quantity("memory", "CNN604", "B", "predicted peak of a training step at the batch size"),
    Quantity("receptive_field", "CNN605", "", "pixels of a side of the input that one output sees, or their share"),
    Quantity("depth", "CNN606", "", "layers with weights on the longest way through"),
    Quantity("shape", "CNN607", "", "shape of the output, or of a value: `shape @conv1 == 6x28x28`"),
    Quantity("cost", "CNN609", "", "mean cost over the test images", trained=True),
    *(_measured(m, "CNN608") if m.name == "accuracy" else _measured(m, "CNN612") for m in MEASURES),
)


@record
class Budget:
    """One line of `expect`: a quantity, of the whole network, at a value or of a class, and its bound.

    `bound` is a number, or for `shape` a tuple in which None stands for any size.
    """

    quantity: Quantity
    relation: str
    bound: float | tuple[int | None, ...]
    at: str = ""
    span: Span | None = None
    of: str = ""

    @property
    def what(self) -> str:
        """What it speaks of: `params`, `shape of conv1`, `recall of cat`."""
        place = self.at or self.of
        return f"{self.quantity.name} of `{place}`" if place else self.quantity.name

    def holds(self, found: float | tuple[int, ...]) -> bool:
        """Whether a figure meets the budget."""
        if isinstance(self.bound, tuple):
            assert isinstance(found, tuple)
            same = len(found) == len(self.bound) and all(
                want in (None, have) for want, have in zip(self.bound, found, strict=True)
            )
            return same == (self.relation == "==")
        assert not isinstance(found, tuple)
        return RELATIONS[self.relation](found, self.bound)
