"""The blocks of a file: `train`, `data`, `expect`."""

from __future__ import annotations

from collections.abc import Iterable

from ...ir.fields import Declared, settings
from ...settings.expect import QUANTITIES, Budget, Quantity
from ...settings.measures import OF_CLASS
from ..findings import Findings, replace
from ..hints.spelling import ELSEWHERE, own_setting
from ..parse.tree import Check, Expect, Setting, Settings
from .declared import BAD, Stated, evaluated, read_block
from .names import Module
from .network import Network

BY_NAME = {quantity.name: quantity for quantity in QUANTITIES}


def lines(module: Module, word: str) -> list[Setting]:
    """The settings of a block, which may stand in several places."""
    return [
        line
        for statement in module.file.statements
        if isinstance(statement, Settings) and statement.word.text == word
        for line in statement.settings
    ]


def read_settings(
    cls: type[Declared], module: Module, instead: Iterable[Setting], findings: Findings
) -> dict[str, list[Stated]]:
    """What the file says in a block, but for settings that have others in their place."""
    known = settings(cls)
    replaced = {own_setting(line.name.text, known) for line in instead}
    inherited = [line for line in lines(module, cls.word) if own_setting(line.name.text, known) not in replaced]
    return read_block(cls, [*inherited, *instead], module.numbers, findings)


def read_budgets(module: Module, network: Network, findings: Findings) -> tuple[Budget, ...]:
    """What the file expects of its network."""
    found = []
    for statement in module.file.statements:
        for check in statement.checks if isinstance(statement, Expect) else ():
            budget = _budget(check, module, network, findings)
            if budget is not None:
                found.append(budget)
    return tuple(found)


def _budget(check: Check, module: Module, network: Network, findings: Findings) -> Budget | None:
    quantity = BY_NAME.get(own_setting(check.name.text, BY_NAME))
    if quantity is None:
        name = check.name.text.lower().removeprefix("val_").removeprefix("test_")
        meant = name if name in BY_NAME else ELSEWHERE.get(name, "")
        meant = meant if meant in BY_NAME else findings.work.nearest(check.name.text, BY_NAME)
        proposals = [replace(check.name.span, meant)] if meant else []
        findings.tell(
            "CNN202", check.name.span, *proposals, case="quantity", name=check.name.text, known=", ".join(BY_NAME)
        )
        return None
    bound = _bound(check, quantity, module, findings)
    at = _place(check, quantity, network, findings)
    of = _class(check, quantity, module, findings)
    if bound is None or at is None or of is None:
        return None
    return Budget(quantity, check.relation, bound, at, check.span, of)


def _bound(
    check: Check, quantity: Quantity, module: Module, findings: Findings
) -> float | tuple[int | None, ...] | None:
    bound = evaluated(check.value, module.numbers, findings)
    if bound is BAD:
        return None
    if quantity.name == "shape":
        if check.relation not in ("==", "!="):
            findings.tell("CNN203", check.span, case="relation")
            return None
        if isinstance(bound, int):
            bound = (bound,)
        if not isinstance(bound, tuple):
            findings.tell("CNN203", check.value.span, case="shape")
            return None
        return bound
    if isinstance(bound, bool) or not isinstance(bound, int | float):
        findings.tell("CNN203", check.value.span, case="number", quantity=quantity.name)
        return None
    if quantity.unit == "%" and bound > 1:
        findings.tell(
            "CNN203",
            check.value.span,
            replace(check.value.span, f"{bound:g}%"),
            case="share",
            quantity=quantity.name,
            bound=bound,
        )
        return None
    return bound


def _class(check: Check, quantity: Quantity, module: Module, findings: Findings) -> str | None:
    """The class of which a budget speaks; empty for all together, None where it cannot be one."""
    if check.of is None:
        return ""
    said, told = check.of
    if said.text != "of":
        findings.tell("CNN202", said.span, replace(said.span, "of"), case="budget", name=said.text)
        return None
    if quantity.name not in OF_CLASS:
        kinds = ", ".join(OF_CLASS)
        findings.tell("CNN203", check.of.span, case="of a class", quantity=quantity.name, kinds=kinds)
        return None
    name = evaluated(told, module.numbers, findings)
    if name is BAD:
        return None
    if isinstance(name, tuple) or not str(name):
        findings.tell("CNN203", told.span, case="class")
        return None
    return f"{name:g}" if isinstance(name, float) else str(name)


def _place(check: Check, quantity: Quantity, network: Network, findings: Findings) -> str | None:
    """The node of which a budget speaks; empty for the whole network, None where it is not known."""
    if check.tap is None:
        return ""
    if quantity.trained or quantity.name in ("memory", "depth"):
        findings.tell("CNN203", check.tap.span, case="network", quantity=quantity.name)
        return None
    name = network.names.get(check.tap.name, check.tap.name)
    if name in network.graph.nodes:
        return name
    close = findings.work.nearest(check.tap.name, (*network.names, *network.graph.nodes))
    proposals = [replace(check.tap.span, f"@{close}")] if close else []
    if not findings.errors:
        findings.tell("CNN018", check.tap.span, *proposals, name=check.tap.name)
    return None
