"""Budgets that can be held against the graph, without a run."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from math import prod
from typing import TYPE_CHECKING

from ...diagnostics import Diagnostic, Label
from ...ir import Graph, TensorType
from ...settings.data import Csv, Data, Npz
from ...settings.expect import Budget
from ...settings.measures import BY_NAME, MEASURES, NUMBERS, TOP
from ...settings.train import Train
from ...words.costs import PROBABILITIES, judged
from ..findings import Findings

if TYPE_CHECKING:
    from ...ir.facts import Facts, LayerFacts

SAID = {"<=": "at most", ">=": "at least", "==": "", "!=": "anything but", "<": "less than", ">": "more than"}

MOST_PLANNED = 2_000  # values; laying out the plan of a larger network takes longer than a check may

OF = {
    "top5": f"it is of more than {TOP} classes",
    "auc": "an ROC curve is of two classes, of which each image or pixel has one",
    "iou": "it is of masks, which have a class for each pixel",
}

Figure = float | tuple[int, ...]


def check_budgets(
    budgets: Iterable[Budget], graph: Graph, train: Train, data: Data, findings: Findings, implied: bool = False
) -> None:
    """Report every budget that the graph misses, and those of a run that no run could measure.

    `implied` where the file states no cost.
    """
    from ...ir.facts import facts

    known = facts(graph)
    for budget in budgets:
        name = budget.quantity.name
        if budget.quantity.trained:
            if unfit := unmeasurable(name, graph, train, data, implied):
                findings.add(never_measured(budget, *unfit))
            continue
        if name == "memory":
            _check_memory(budget, known, graph, train, findings)
            continue
        if name not in FIGURES or (not budget.at and len(graph.outputs) != 1 and name == "shape"):
            continue
        if budget.at:
            row = known[budget.at]
            found: Figure = ROWS[name](row)
        else:
            found = FIGURES[name](known)
        if name == "receptive_field" and isinstance(budget.bound, float) and 0 < budget.bound <= 1:
            _check_fraction(budget, found, graph, findings)
        elif not budget.holds(found):
            most = max(known.rows, key=MOST[name]) if name in MOST and not budget.at else None
            findings.add(missed(budget, found, graph, most.name if most else ""))


Unfit = tuple[str, Mapping[str, object]]  # a case of CNN611, and what its words ask for


def never_measured(budget: Budget, case: str, fields: Mapping[str, object]) -> Diagnostic:
    """The diagnostic of a budget that no run can hold."""
    return Diagnostic.of("CNN611", budget.span, case, (), budget=budget.what, **fields)


def unmeasurable(name: str, graph: Graph, train: Train, data: Data, implied: bool) -> Unfit | None:
    """Why no run could measure this of such a network on such data; None where one may."""
    if (len(graph.inputs) > 1 or len(graph.outputs) > 1) and not isinstance(data.source, Npz):
        return "several", {"source": data.source.word}
    if isinstance(data.source, Csv) and not data.source.test:
        return "test 0", {}
    output = measured(graph, train)
    single = graph.type(output)["c"] == 1
    yes_or_no = single and graph.behind(output).op.word in PROBABILITIES
    numbers = True if train.cost[0].of_numbers and (implied or single) and not yes_or_no else None
    return ill_suited(name, graph.type(output), numbers)


def measured(graph: Graph, train: Train) -> str:
    """The output that is measured: that which the first cost judges."""
    return next(iter(judged(tuple(graph.outputs), train.cost)), graph.outputs[0])


def ill_suited(name: str, kind: TensorType, numbers: bool | None) -> Unfit | None:
    """Why a measure is none of an output's answers; None where it may be one.

    `numbers` says whether the answers are numbers or classes, None where that is not known.
    """
    measure = BY_NAME.get(name)
    if measure is None:
        return None
    if numbers is not None and (NUMBERS in measure.of) != numbers:
        right = [m.name for m in MEASURES if (NUMBERS in m.of) == numbers and not _unfit(m.name, kind)]
        told = "numbers" if numbers else "classes"
        return "answers", {"answers": told, "name": name, "others": listed(["cost", *right])}
    return ("measure", {"why": OF[name]}) if _unfit(name, kind) else None


def _unfit(name: str, kind: TensorType) -> bool:
    """Whether no answers of an output have this measure, being of too many classes or too few."""
    masks = prod(kind.spatial) > 1
    if name == "top5":
        return masks or kind["c"] <= TOP
    if name == "auc":
        return kind["c"] > 2
    return name == "iou" and not masks


def listed(names: Sequence[str]) -> str:
    """Names as a choice: `cost`, `mae` or `r2`."""
    quoted = [f"`{name}`" for name in names]
    return quoted[0] if len(quoted) == 1 else f"{', '.join(quoted[:-1])} or {quoted[-1]}"


def _check_fraction(budget: Budget, field: Figure, graph: Graph, findings: Findings) -> None:
    """`receptive_field >= 60%`: whether one output sees the share of a side that an object takes."""
    side = max((size for name in graph.inputs for size in graph.type(name).spatial), default=0)
    assert isinstance(field, int) and isinstance(budget.bound, float)
    if side and not budget.holds(field / side):
        wanted, percent = f"{SAID[budget.relation]} {shown(budget.bound, '%')}", 100 * field / side
        found = Diagnostic.of("CNN247", budget.span, field=field, side=side, percent=percent, wanted=wanted)
        findings.add(found)


def _check_memory(budget: Budget, known: Facts, graph: Graph, train: Train, findings: Findings) -> None:
    """Only the plan knows the memory, so it is laid out, and NumPy loaded, where a file asks for it."""
    if len(graph) > MOST_PLANNED:
        values = f"{len(graph):,}".replace(",", " ")
        assert budget.span is not None
        findings.tell("CNN604", budget.span, case="not predicted", values=values, most=MOST_PLANNED)
        return
    from ...codegen.predict import step_bytes

    found = sum(step_bytes(graph, train).values())
    if not budget.holds(found):
        most = max(known.rows, key=lambda row: row.activation_bytes)
        findings.add(missed(budget, found, graph, most.name))


def missed(budget: Budget, found: Figure, graph: Graph | None = None, most: str = "") -> Diagnostic:
    """The diagnostic of a missed budget; `most` is the value that contributes most."""
    quantity = budget.quantity
    related: tuple[Label, ...] = ()
    node = graph.nodes.get(most or budget.at) if graph is not None else None
    if node is not None and node.span is not None:
        related = (Label(node.span, f"`{node.name}` contributes most" if most else f"this is `{node.name}`"),)
    bound = f"{SAID[budget.relation]} {shown(budget.bound, quantity.unit)}".strip()
    have = shown(found, quantity.unit)
    return Diagnostic.of(quantity.code, budget.span, "", related, budget=budget.what, found=have, bound=bound)


def shown(value: float | tuple[int | None, ...], unit: str) -> str:
    """A figure as people write it.

    >>> shown(61706, ""), shown(41943040, "B"), shown(0.985, "%"), shown((6, None), "")
    ('61 706', '40 MiB', '98.5 %', '6x?')
    """
    if isinstance(value, tuple):
        return "x".join("?" if side is None else str(side) for side in value)
    if unit == "%":
        return f"{100 * value:.4g} %"
    if unit == "B":
        for name, size in (("GiB", 2**30), ("MiB", 2**20), ("KiB", 2**10)):
            if value >= size:
                return f"{value / size:.4g} {name}"
        return f"{value:g} B"
    return f"{int(value):,}".replace(",", " ") if float(value).is_integer() else f"{value:.6g}"


def _field(row: LayerFacts) -> int:
    return max((axis.size for axis in row.field), default=0)


def _last_field(known: Facts) -> int:
    """The receptive field of the last value that is still an image or a sequence."""
    spatial = [row for row in known.rows if row.type.spatial]
    return _field(spatial[-1]) if spatial else 0


FIGURES: dict[str, Callable[[Facts], Figure]] = {
    "params": lambda known: known.parameters,
    "macs": lambda known: known.macs,
    "flops": lambda known: known.flops,
    "receptive_field": _last_field,
    "depth": lambda known: known.depth,
    "shape": lambda known: known[known.outputs[0]].type.shape,
}
ROWS: dict[str, Callable[[LayerFacts], Figure]] = {
    "params": lambda row: row.parameters,
    "macs": lambda row: row.macs,
    "flops": lambda row: row.flops,
    "receptive_field": _field,
    "shape": lambda row: row.type.shape,
}
MOST: dict[str, Callable[[LayerFacts], float]] = {
    "params": lambda row: row.parameters,
    "macs": lambda row: row.macs,
    "flops": lambda row: row.flops,
}
