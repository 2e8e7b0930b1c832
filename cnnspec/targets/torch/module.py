"""A network as a PyTorch module that a person would have written.

    text = torch_source(spec.graph)       # a Python file with `class Net(nn.Module)`

The module's state_dict has the names and layouts of `model.parameters`, so weights go both ways as they are.
What each word becomes stands in `words`.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from ...data.preparation import BYTES, Preparation
from ...ir import Graph, TensorType
from ...ir.leaves import Input
from ...quoting import literals, remark
from ...words.composed import spell_out
from ..names import variables
from ..rows import columns, python_source
from .page import Page
from .words import known, writer

WIDTH = 96  # lines up to this one have their shapes in one column


def torch_source(graph: Graph, name: str = "Net", preparation: Preparation | None = None, raw: bool = False) -> str:
    """The network as a Python file: a class `name` whose state_dict has cnnspec's names and layouts.

    With the `preparation` of its images the file has a function `prepare` and the names of the classes; the network
    calls it first, unless it is `raw`.
    """
    graph = spell_out(graph, known)
    page = Page(graph)
    for name_of, function in preparing(preparation, graph, raw).items():
        value = page.variables[name_of]
        page.forward.append((f"{value} = {function}({value})", shape(graph.type(name_of))))
    for node in graph:
        if not isinstance(node.op, Input):
            values = [page.variables[value] for value in node.inputs]
            code = writer(node.op)(page, node, *values)
            page.forward.append((f"{page.variables[node.name]} = {code}", shape(node.type)))
    inputs = [page.variables[value] for value in graph.inputs]
    outputs = [page.variables[value] for value in graph.outputs]
    text = [
        '"""A network written by `cnnspec compile --emit torch`.',
        "",
        "Weights saved by cnnspec (safetensors) load by their names:",
        "",
        f"    net = {name}()",
        '    net.load_state_dict(safetensors.torch.load_file("weights.safetensors"))',
        *feeding(preparation, name, raw),
        '"""',
        "",
        "import torch",
        "import torch.nn.functional as F",
        "from torch import nn",
        "",
        "",
    ]
    if preparation:
        text += [*constants(preparation, graph), "", ""]
    for piece in page.pieces.values():
        text += [*piece.strip("\n").splitlines(), "", ""]
    ins = ", ".join(f"{var} {shape(graph.type(value))}" for var, value in zip(inputs, graph.inputs, strict=True))
    if preparation and not raw:
        ins = ", ".join(
            f"{var}: {remark(preparation.of(name).fed())}" for var, name in zip(inputs, graph.inputs, strict=True)
        )
    outs = ", ".join(f"{var} {shape(graph.type(value))}" for var, value in zip(outputs, graph.outputs, strict=True))
    declarations = page.declarations()
    text += [f"class {name}(nn.Module):", f'    """{ins} -> {outs}"""', ""]
    if declarations:
        text += ["    def __init__(self):", "        super().__init__()"]
        text += [f"        {line}" for line in declarations]
        text += [""]
    text += [f"    def forward(self, {', '.join(inputs)}):"]
    text += [f"        {line}" for line in lines(page.forward)]
    text += [f"        return {', '.join(outputs)}"]
    return "\n".join(text) + "\n"


def feeding(preparation: Preparation | None, name: str, raw: bool) -> list[str]:
    """Lines of the heading: what the network is fed."""
    if preparation is None:
        return []
    own = f"{name.lower()}({'prepare(x)' if raw else 'x'})"
    told = f"It is fed {preparation.fed()}, and prepares them itself: {preparation.wants()}."
    if raw:
        told = f"It prepares nothing. Its weights were trained on {preparation.wants()}: `prepare` makes that of x."
    told = remark(told)
    usage = f"    CLASSES[{own}.argmax(1)[0]]" if preparation.classes else f"    {own}"
    rows = ["    encode(rows)    # rows of a table, with texts, as x"] if columns(preparation) else []
    return ["", *textwrap.wrap(told, WIDTH), "", usage, *rows]


def preparing(preparation: Preparation | None, graph: Graph, raw: bool = False) -> dict[str, str]:
    """The function that prepares each input, by its name; nothing where the network prepares none."""
    if preparation is None or raw:
        return {}
    own = variables(graph.inputs)
    return {name: "prepare" if len(own) == 1 else f"prepare_{own[name]}" for name in graph.inputs}


def constants(preparation: Preparation, graph: Graph) -> list[str]:
    """Source of what stands before the class: the classes, and the functions that prepare images."""
    found = [[f"CLASSES = {literals(preparation.classes)}"]] if preparation.classes else []
    if rows := python_source(preparation, "torch.tensor(found)"):
        found.append(rows)
    for name, function in preparing(preparation, graph).items():
        found.append(prepare_source(preparation.of(name), function))
    return "\n\n\n".join("\n".join(lines) for lines in found).splitlines()


def prepare_source(preparation: Preparation, function: str) -> list[str]:
    """Source of a function that prepares images."""
    centre, scale, offset = preparation.scaling.steps()
    takes, body = "Floats as the training data have them", []
    if preparation.stored == BYTES:
        takes = "Bytes from 0 to 255, or floats from 0 to 1"
        body = [
            "if x.is_floating_point():",
            "    x = torch.where((x <= 1).all(), x * 255, x)  # whole ones up to 255 are bytes",
        ]
    elif preparation.bytes_as is None:
        body = ["if x.dtype == torch.uint8:", '    raise TypeError("trained on floats, and these are bytes")']
    elif preparation.bytes_as != 1:
        takes += ", or bytes"
        body = ["if x.dtype == torch.uint8:", "    x = x / 255"]
    body.append("x = x.float()")
    axes, seen = preparation.stored_axes, preparation.axes_seen
    if "c" not in axes:
        body.append("x = x.unsqueeze(1)")
    elif axes != seen:
        body.append(f"x = x.permute{tuple(axes.index(axis) for axis in seen)!r}")
    if preparation.resize is not None:
        size = tuple(preparation.resize)
        body.append(f'x = F.interpolate(x, {size}, mode="bilinear", antialias=True).round()  # as Pillow does')
    if preparation.fill:
        body.append(f"x = torch.where(x.isnan(), torch.tensor({preparation.fill!r}, device=x.device), x)")
    numbers = {"centre": centre, "scale": scale, "offset": offset}
    if not any(centre):
        del numbers["centre"]
    for part, values in numbers.items():
        body.append(f"{part} = torch.tensor({values!r}, device=x.device).view(-1, *[1] * (x.dim() - 2))")
    body.append(f"return {'(x - centre)' if any(centre) else 'x'} * scale + offset")
    how = "(x - centre) * scale + offset" if any(centre) else "x * scale + offset"
    axes += " of any height and width" if preparation.resize is not None else ""
    told = [f'    """{takes}, {axes}, as the network sees them:', f'    {how}, channel by channel."""']
    return [f"def {function}(x):", *told, *(f"    {line}" for line in body)]


def lines(code: list[tuple[str, str]]) -> Iterator[str]:
    """Lines of code, each with what is said of it at the margin."""
    column = max((len(line) for line, _ in code if len(line) < WIDTH), default=0)
    for line, said in code:
        yield f"{line:<{column}}  # {said}"


def shape(kind: TensorType) -> str:
    """`(n, 3, 32, 32)`"""
    return f"({', '.join(['n', *map(str, kind.shape)])})"
