"""The budgets of `expect` that only a run can hold: the cost and the measures of the test images."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..diagnostics import Diagnostic
from ..lang import Spec
from ..lang.lowering.budgets import OF, listed
from ..settings.expect import Budget
from ..settings.measures import MEASURES

UNDEFINED = {"auc": "one of the two classes does not occur", "r2": "all answers are the same number"}


def missed(spec: Spec, summary: Mapping[str, Any]) -> tuple[Diagnostic, ...]:
    """A diagnostic for each that a run's summary misses; one that was not measured is missed too."""
    found = {**(summary.get("test") or {}), "accuracy": summary["test_accuracy"], "cost": summary["test_cost"]}
    diagnostics = []
    for budget in spec.expect:
        if not budget.quantity.trained:
            continue
        value = (_class(budget, found) if budget.of else found).get(budget.quantity.name)
        if value is None:
            diagnostics.append(_unmeasured(budget, found))
        elif value != value or not budget.holds(value):  # NaN is unequal to itself, and meets no budget
            diagnostics.append(_missed(budget, value))
    return tuple(diagnostics)


def _class(budget: Budget, found: Mapping[str, Any]) -> Mapping[str, Any]:
    """What was measured of the class that a budget speaks of; nothing where there is none."""
    return next((one for one in found.get("classes") or () if one["name"] == budget.of), {})


def _shown(budget: Budget, value: Any) -> str:
    return f"{value:.2%}" if budget.quantity.unit == "%" else f"{value:.6g}"


def _missed(budget: Budget, value: float) -> Diagnostic:
    have, want = _shown(budget, value), _shown(budget, budget.bound)
    bound = f"{budget.relation} {want}"
    return Diagnostic.of(budget.quantity.code, budget.span, "run", budget=budget.what, found=have, bound=bound)


def _unmeasured(budget: Budget, found: Mapping[str, Any]) -> Diagnostic:
    name, want = budget.quantity.name, _shown(budget, budget.bound)
    case = ""
    more: dict[str, object] = {}
    if found["cost"] is None:
        case = "no test"
    elif budget.of and found.get(name) is not None:
        names = [one["name"] for one in found.get("classes") or ()]
        case, more = ("none of it", {}) if budget.of in names else ("class", {"classes": ", ".join(names[:8])})
    elif name in found and name != "accuracy":
        case, more = "undefined", {"why": UNDEFINED.get(name, "no class occurs")}
    else:
        kind = "numbers" if "mae" in found or found["accuracy"] is None else "classes"
        measured = listed(["cost", *(m.name for m in MEASURES if found.get(m.name) is not None)])
        why = f"the answers are {kind}, which have no {name}" if name not in ("top5", "auc", "iou") else OF[name]
        more = {"why": why, "others": measured}
    bound = f"{budget.relation} {want}"
    return Diagnostic.of("CNN610", budget.span, case, (), budget=budget.what, bound=bound, **more)
