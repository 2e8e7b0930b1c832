"""The budgets of `expect` that only a run can hold: accuracy and cost of the test images."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..diagnostics import Diagnostic
from ..lang import Spec
from ..settings.expect import Budget


def missed(spec: Spec, summary: Mapping[str, Any]) -> tuple[Diagnostic, ...]:
    """A diagnostic for each that a run's summary misses; one that was not measured is missed too."""
    found = {"accuracy": summary["test_accuracy"], "cost": summary["test_cost"]}
    diagnostics = []
    for budget in spec.expect:
        if not budget.quantity.trained:
            continue
        value = found[budget.quantity.name]
        if value is None:
            diagnostics.append(_unmeasured(budget, tested=found["cost"] is not None))
        elif value != value or not budget.holds(value):  # NaN is unequal to itself, and meets no budget
            diagnostics.append(_missed(budget, value))
    return tuple(diagnostics)


def _shown(budget: Budget, value: Any) -> str:
    return f"{value:.2%}" if budget.quantity.unit == "%" else f"{value:.6g}"


def _missed(budget: Budget, value: float) -> Diagnostic:
    have, want = _shown(budget, value), _shown(budget, budget.bound)
    message = f"{budget.quantity.name} is {have}, and the spec expects {budget.relation} {want}"
    return Diagnostic(budget.quantity.code, message, budget.span, label=f"found {have}")


def _unmeasured(budget: Budget, tested: bool) -> Diagnostic:
    name, want = budget.quantity.name, _shown(budget, budget.bound)
    message = f"{name} was not measured, and the spec expects {budget.relation} {want}"
    why = "the answers are numbers, which have no accuracy" if tested else "there are no test images"
    help = "expect a `cost`" if tested else "keep some: `test 10%` of the source, or files of their own"
    return Diagnostic("CNN610", message, budget.span, label=why, help=help)
