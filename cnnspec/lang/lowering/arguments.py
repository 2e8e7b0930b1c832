"""Arguments of a call, bound to the parameters of what is called."""

from __future__ import annotations

import re

from ...diagnostics import Label
from ..findings import Findings, Proposal, replace
from ..parse.tree import Call, Chain, Layer
from .arithmetic import Numeric, evaluate
from .names import Numbers, Recipe


def bind(recipe: Recipe, call: Call | Layer, names: Numbers, findings: Findings) -> Numbers:
    """The numbers that the body of a call sees; None for those that could not be read."""
    if isinstance(call, Layer):
        extra = call.size or (call.attrs[0] if call.attrs else None)
        if extra is not None:
            fixes, shown = _in_parentheses(recipe, call), head(recipe)
            findings.tell("CNN020", extra.span, *fixes, case="layer", name=recipe.name.text, head=shown)
            return unknown(recipe)
    given: dict[str, Numeric | None] = {}
    params = {param.name.text: param for param in recipe.params}
    here = Label(recipe.name.span, "defined here")
    for position, argument in enumerate(call.arguments if isinstance(call, Call) else ()):
        value = evaluate(argument.value, names, findings)
        if argument.name is not None:
            name = argument.name.text
            if name not in params:
                close = findings.work.nearest(name, params)
                proposals = [replace(argument.name.span, close)] if close else []
                findings.tell(
                    "CNN020", argument.name.span, *proposals, case="parameter", related=(here,),
                    name=recipe.name.text, parameter=name,
                )  # fmt: skip
                continue
        elif position < len(recipe.params):
            name = recipe.params[position].name.text
        else:
            assert isinstance(call, Call)
            wanted, count = _amount(len(params)), len(call.arguments)
            span = argument.value.span
            own, shown = recipe.name.text, head(recipe)
            findings.tell("CNN020", span, related=(here,), name=own, wanted=wanted, given=count, head=shown)
            break
        if name in given:
            findings.tell("CNN020", (argument.name or argument.value).span, case="twice", parameter=name)
        given[name] = value
    numbers = Numbers(given, recipe.module.numbers)
    for name, param in params.items():
        if name in given:
            continue
        if param.default is None:
            block = recipe.name.text
            shown = head(recipe)
            findings.tell(
                "CNN020", call.span, case="missing", related=(here,), name=block, parameter=name, head=shown
            )
            numbers.own[name] = None
        else:
            numbers.own[name] = evaluate(param.default, numbers, findings)
    return numbers


def _in_parentheses(recipe: Recipe, call: Layer) -> list[Proposal]:
    """res 32 s 2: res(32, s = 2)"""
    sizes = re.findall(r"\{[^{}]*\}|[^x{}]+", call.size.span.text) if call.size else []
    given = [size.strip("{}") for size in sizes]
    given += [f"{attr.name.text} = {attr.value.span.text.strip('{}')}" for attr in call.attrs]
    return [replace(call.span, f"{recipe.name.text}({', '.join(given)})")]


def head(recipe: Recipe, defaults: bool = False) -> str:
    """The parameters of a block, as its definition has them between parentheses: `c, s | f`."""
    numbers = ", ".join(
        param.name.text + (f" = {param.default.span.text}" if defaults and param.default else "")
        for param in recipe.params
    )
    return " | ".join([numbers, *(name.text for name in recipe.chains)]).lstrip(" ")


def bind_chains(recipe: Recipe, call: Call | Layer, findings: Findings) -> dict[str, Chain | None]:
    """The chains that a call hands over, by the names of the block's parameters; None for one that is missing."""
    given = call.chains if isinstance(call, Call) else ()
    wanted = recipe.chains
    if len(given) != len(wanted):
        name = recipe.name.text
        count = f"{len(wanted) or 'no'} chain{'s' * (len(wanted) != 1)}"
        span = given[len(wanted)].span if len(given) > len(wanted) else call.span
        here, many = (Label(recipe.name.span, "defined here"),), len(given)
        if wanted:
            shown = head(recipe)
            findings.tell(
                "CNN020", span, case="chains", related=here, name=name, wanted=count, given=many, head=shown
            )
        else:
            findings.tell("CNN020", span, case="no chains", related=here, name=name, wanted=count, given=many)
    return {name.text: given[k] if k < len(given) else None for k, name in enumerate(wanted)}


def unknown(recipe: Recipe) -> Numbers:
    """The numbers of a call whose arguments are not known."""
    return Numbers({param.name.text: None for param in recipe.params}, recipe.module.numbers)


def _amount(count: int) -> str:
    return f"{count or 'no'} argument{'s' * (count != 1)}"
