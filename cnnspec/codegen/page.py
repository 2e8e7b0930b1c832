"""The source of a plan, as it is read: forward, backward, what happens last, and where everything lives."""

from __future__ import annotations

import re
from itertools import takewhile
from textwrap import wrap

from ..ir.leaves import Weight
from ..quoting import comment
from .emit import Emitter, Lines

WIDTH = 92  # where shapes and places in the spec stand
UNBROKEN = re.compile(r'"(?:[^"\\]|\\.)*"|\([^()]*\)(?=[,)\]])|\(\([^()]*\), \([^()]*\)\)')


def write(e: Emitter, arena: int, prepared: int) -> str:
    """The whole page."""
    graph = e.graph
    before, forward, backward = split(e)
    text = [
        f'"""A plan for {extent(e)}, {e.dtype}.',
        "",
        "b  arrays of this plan, by name: images are [h, c, w, n], vectors [c, n], the batch innermost",
        "p  the parameters" + (", g their gradients" if graph.gradients else ""),
        "f  a number of the plan's type",
        "",
        "Functions that are not NumPy's are those of cnnspec.kernels.",
        '"""',
        "",
        "",
    ]
    if before:
        what = "what the parameters alone decide, made once after they have changed"
        text += [*function("prepare(b, p)", what, before), "", ""]
    inputs = ", ".join(f"{e[name]} {e.shape(name)}" for name in graph.inputs)
    ends = ", ".join(f"{e[value]} {e.shape(value)}" for value in graph.outputs)
    ends = ends or ("the cost" if graph.cost else "its rows of each image")
    text += function("forward(b, p)", f"{inputs} -> {ends}", forward)
    if graph.gradients:
        what = "the gradient of the cost, from the last layer to the first"
        text += ["", "", *function("backward(b, p, g)", what, backward)]
    if e.settled:
        text += ["", "", "def update_statistics(b, p):", '    """Running means and variances, once a step."""']
        text += [f"    {code}" for code in e.settled]
    text += ["", "", *buffers(e, arena, prepared)]
    return "\n".join(text) + "\n"


def extent(e: Emitter) -> str:
    """Of which images, or rows of them, it is the plan."""
    band, bands = e.graph.band
    images = f"{e.n} image{'s' * (e.n != 1)}"
    if bands > 1:
        return f"{images}, band {band + 1} of the {bands} that its rows are made in"
    return f"{images} of a batch of {e.batch}" if e.n != e.batch else images


def split(e: Emitter) -> tuple[list[Lines], list[Lines], list[Lines]]:
    """The parts that depend on parameters alone, those up to the cost, and those after it."""
    parts = [part for part in e.parts if part.code]
    names = list(e.graph.nodes)
    if not e.graph.gradients:
        return [p for p in parts if p.node.name in e.known], [p for p in parts if p.node.name not in e.known], []
    at = names.index(e.graph.cost)
    early = {name for name in names[: at + 1]}
    return [], [p for p in parts if p.node.name in early], [p for p in parts if p.node.name not in early]


def buffers(e: Emitter, arena: int, prepared: int) -> list[str]:
    """The function that says where every array lives."""
    lines = [
        "def buffers(b, p, g, a, k, m, c, feeds, fetches):",
        f'    """Where every array lives. a(offset, shape) is a piece of the arena of {arena:,} bytes, which holds',
        "    all that grows with the batch; arrays that are never alive together share its memory. Then views,",
        "    which copy nothing. m are sums that the shards share, c constants, feeds and fetches the batch"
        + (f",\n    k memory of {prepared:,} bytes for what `prepare` makes." if prepared else ".")
        + '"""',
    ]
    for buffer in e.prepared.values():
        code = f"    b.{buffer.name} = k({buffer.offset}, {buffer.shape})"
        lines.append(f"{code:<{WIDTH}}{comment(f'{buffer.bytes:,} bytes')}")
    for buffer in e.buffers.values():
        kind = "" if buffer.dtype == "float" else f', "{buffer.dtype}"'
        code = f"    b.{buffer.name} = a({buffer.offset}, {buffer.shape}{kind})"
        lines.append(f"{code:<{WIDTH}}{comment(f'{buffer.bytes:,} bytes')}")
    for name, code in e.views.items():
        lines += folded(f"{name} = {code}")
    return lines


def function(signature: str, what: str, parts: list[Lines]) -> list[str]:
    """A function, with a heading for every layer of the spec."""
    lines = [f"def {signature}:", f'    """{what}"""']
    heading = None
    for place, part in enumerate(parts):
        if isinstance(part.node.op, Weight):
            continue
        title = headline(part)
        if title != heading:
            heading = title
            lines.append("    " + comment(f"{title[0]:<{WIDTH - 6}}{title[1]}"))
            together = takewhile(lambda other: headline(other) == heading, parts[place:])  # noqa: B023
            whys = dict.fromkeys(other.node.why for other in together)
            lines += ["    " + comment(f"  {why}") for why in whys if why]
        for code, margin in part.code:
            *first, last = folded(code)
            lines += [*first, f"{last:<{WIDTH - 2}}  {comment(margin)}" if margin else last]
    if not parts:
        lines.append("    pass")
    return lines


def folded(code: str) -> list[str]:
    """A line of plan; a long call goes on under its first argument's line, broken between arguments."""
    if len(code) + 4 <= WIDTH:
        return [f"    {code}"]
    # a blank within brackets of its own (a shape, a pad) or within quotes is no place to break a call at
    held = UNBROKEN.sub(lambda m: m.group().replace(" ", "\0"), code)
    held = held.replace(" = ", "\0=\0", 1)  # nor is a name a line of its own
    lines = wrap(held, WIDTH - 12, break_long_words=False, break_on_hyphens=False)
    return [("    " if k == 0 else "        ") + line.replace("\0", " ") for k, line in enumerate(lines)]


def headline(part: Lines) -> tuple[str, str]:
    """The piece of the spec that a node came from, and its place."""
    span = part.node.span
    if span is None:
        return part.node.name, ""
    return " ".join(span.text.split()), str(span)
