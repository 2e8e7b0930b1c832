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
            findings.report(
                "CNN020",
                f"`{recipe.name.text}` is called with parentheses: `{recipe.name.text}({head(recipe)})`",
                extra.span,
                *_in_parentheses(recipe, call),
            )
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
                findings.report(
                    "CNN020",
                    f"`{recipe.name.text}` has no parameter `{name}`",
                    argument.name.span,
                    *proposals,
                    related=(here,),
                )
                continue
        elif position < len(recipe.params):
            name = recipe.params[position].name.text
        else:
            assert isinstance(call, Call)
            findings.report(
                "CNN020",
                f"`{recipe.name.text}` takes {_amount(len(params))}, not {len(call.arguments)}",
                argument.value.span,
                related=(here,),
            )
            break
        if name in given:
            findings.report("CNN020", f"`{name}` is given twice", (argument.name or argument.value).span)
        given[name] = value
    numbers = Numbers(given, recipe.module.numbers)
    for name, param in params.items():
        if name in given:
            continue
        if param.default is None:
            findings.report(
                "CNN020", f"`{recipe.name.text}` needs a value for `{name}`", call.span, related=(here,)
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
        findings.report(
            "CNN020",
            f"`{name}` takes {count} behind `|`, not {len(given)}",
            given[len(wanted)].span if len(given) > len(wanted) else call.span,
            related=(Label(recipe.name.span, "defined here"),),
            help=f"it is called `{name}({head(recipe)})`" if wanted else "",
        )
    return {name.text: given[k] if k < len(given) else None for k, name in enumerate(wanted)}


def unknown(recipe: Recipe) -> Numbers:
    """The numbers of a call whose arguments are not known."""
    return Numbers({param.name.text: None for param in recipe.params}, recipe.module.numbers)


def _amount(count: int) -> str:
    return f"{count or 'no'} argument{'s' * (count != 1)}"
