"""A formula as lines of plan: a call for each function in it, a shared part once."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from .. import kernels
from ..ir.expression import CONDITIONS, Apply, Expression, Number, Symbol, in_order
from ..ir.op import PlanWriter


def emit_formula(formula: Expression, symbols: Mapping[str, str], out: str, e: PlanWriter) -> None:
    """Lines that compute a formula of the values `symbols` into `out`, which may lie where one of them does.

    x * tanh(x)    np.tanh(b.x, out=b.y_part)
                   np.multiply(b.x, b.y_part, out=b.y)

    Only the last line writes `out`. Every other part has scratch until its last reader, which may be made in it.
    """
    steps = in_order(formula)
    last = {part: k for k, step in enumerate(steps) for part in step.parts}
    places: dict[Expression, str] = {}  # of the parts that are made: their scratch
    spare: dict[str, list[str]] = {"float": [], "bool": []}

    def source(part: Expression) -> str:
        if isinstance(part, Number):
            return e.number(part.value)
        return e[symbols[part.name]] if isinstance(part, Symbol) else places[part]

    def fresh(kind: str) -> str:
        return spare[kind].pop() if spare[kind] else e.scratch("part", e.shape(out), kind)

    def release(parts: tuple[Expression, ...], k: int) -> None:
        for part in dict.fromkeys(parts):
            if part in places and last[part] == k:
                spare[kind_of(part)].append(places[part])

    if not steps:
        e.call(kernels.np.copyto, e[out], source(formula))
    for k, step in enumerate(steps):
        final = step is steps[-1]
        if step.function == "where":  # writes its place before it has read `this`
            condition, this, that = step.parts
            if that in places and last[that] == k and not final:
                places[step] = places[that]
            else:
                direct = final and not isinstance(this, Symbol)
                places[step] = e[out] if direct else fresh("float")
                e.call(kernels.np.copyto, places[step], source(that))
                release((that,), k)
            e.call(kernels.np.copyto, places[step], source(this), where=source(condition))
            if final and places[step] != e[out]:
                e.call(kernels.np.copyto, e[out], places[step])
            release((condition, this), k)
            continue
        release(step.parts, k)
        places[step] = e[out] if final else fresh(kind_of(step))
        lent = [fresh("float"), fresh("float")] if step.function == "erf" else []
        named = {"scratch": f"({', '.join(lent)})"} if lent else {}
        e.call(kernel(step.function), *map(source, step.parts), **named, out=places[step])
        spare["float"] += lent


def kind_of(part: Expression) -> str:
    return "bool" if isinstance(part, Apply) and part.function in CONDITIONS else "float"


def kernel(name: str) -> Callable[..., object]:
    """The function of NumPy, or the kernel, of that name."""
    ours: Mapping[str, Callable[..., object]] = {
        "sigmoid": kernels.activation.sigmoid,
        "softplus": kernels.activation.softplus,
        "erf": kernels.gates.erf,
    }
    return ours[name] if name in ours else getattr(kernels.np, name)
