"""The source of a plan, as it is read: where things live, then forward, backward, and what happens last."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..ops.leaves import Weight

if TYPE_CHECKING:
    from .emit import Emitter, Lines

WIDTH = 92  # where shapes and places in the spec stand


def write(e: Emitter, arena: int) -> str:
    """The whole page."""
    graph = e.graph
    forward, backward = split(e)
    head = [
        f'"""A plan for {e.n} images{f" of a batch of {e.batch}" if e.n != e.batch else ""}, {e.dtype}.',
        "",
        "b  arrays of this plan, by name; images are [h, c, w, n], vectors [c, n], the batch innermost",
        "p  the parameters" + (", g their gradients" if graph.gradients else ""),
        f'Everything that grows with the batch lives in one arena of {arena:,} bytes."""',
        "",
    ]
    text = [*head, *buffers(e), "", ""]
    inputs = ", ".join(f"{e[name]} {e.shape(name)}" for name in graph.inputs)
    ends = ", ".join(f"{e[value]} {e.shape(value)}" for value in graph.outputs) or "the cost"
    text += function("forward(b, p)", f"{inputs} -> {ends}", forward, e)
    if graph.gradients:
        text += ["", ""]
        text += function(
            "backward(b, p, g)", "the gradient of the cost, from the last layer to the first", backward, e
        )
    if e.settled:
        text += ["", "", "def settle(b, p):", '    """Running means and variances, once a step."""']
        text += [f"    {code}" for code in e.settled]
    return "\n".join(text) + "\n"


def split(e: Emitter) -> tuple[list[Lines], list[Lines]]:
    """The parts up to the cost, and those after it."""
    parts = [part for part in e.parts if part.code]
    names = list(e.graph.nodes)
    if not e.graph.gradients:
        return parts, []
    at = names.index(e.graph.cost)
    early = {name for name in names[: at + 1]}
    return [p for p in parts if p.node.name in early], [p for p in parts if p.node.name not in early]


def buffers(e: Emitter) -> list[str]:
    """The function that says where every array lives, and which views there are of it."""
    lines = ["def buffers(b, p, g, a, m, c, given, taken):"]
    lines.append(
        '    """Where every array lives: a(offset, shape) is a piece of the arena; then views, without a copy."""'
    )
    for buffer in e.buffers.values():
        kind = ', "bool"' if buffer.dtype == "bool" else ""
        code = f"    b.{buffer.name} = a({buffer.offset}, {buffer.shape}{kind})"
        lines.append(f"{code:<{WIDTH}}# {buffer.bytes:,} bytes")
    lines += [f"    {name} = {code}" for name, code in e.views.items()]
    return lines


def function(signature: str, what: str, parts: list[Lines], e: Emitter) -> list[str]:
    """A function, with a heading for every layer of the spec."""
    lines = [f"def {signature}:", f'    """{what}"""']
    heading = None
    for part in parts:
        if isinstance(part.node.op, Weight):
            continue
        title = headline(part)
        if title != heading:
            heading = title
            lines.append(f"    # {title[0]:<{WIDTH - 6}}{title[1]}".rstrip())
        for code, margin in part.code:
            text = f"    {code}"
            lines.append(f"{text:<{WIDTH - 2}}  # {margin}" if margin else text)
    if not parts:
        lines.append("    pass")
    return lines


def headline(part: Lines) -> tuple[str, str]:
    """The piece of the spec that a node came from, and its place."""
    span = part.node.span
    if span is None:
        return part.node.name, ""
    return " ".join(span.text.split()), str(span)
