"""A network as a PyTorch module that a person would have written.

    text = torch_source(spec.graph)       # a Python file with `class Net(nn.Module)`
    net = twin(spec.graph)                # the module itself, for tests and benchmarks

The module's state_dict has the names and layouts of `model.parameters`, so weights go both ways as they are.
What each word becomes stands in `torch_words`.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from ...data.preparation import BYTES, Preparation
from ...ir import Graph, TensorType
from ...ir.leaves import Input
from ...quoting import literals
from .page import Page
from .words import WORDS

if TYPE_CHECKING:
    from torch import nn

WIDTH = 96  # lines up to this one have their shapes in one column


def torch_source(graph: Graph, name: str = "Net", preparation: Preparation | None = None) -> str:
    """The network as a Python file: a class `name` whose state_dict has cnnspec's names and layouts.

    With the `preparation` of its images the file has a function `prepare` and the names of the classes.
    """
    page = Page(graph)
    for node in graph:
        if not isinstance(node.op, Input):
            values = [page.variables[value] for value in node.inputs]
            code = WORDS[node.op.word](page, node, *values)
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
        *feeding(preparation, name),
        '"""',
        "",
        "import torch",
        "import torch.nn.functional as F",
        "from torch import nn",
        "",
        "",
    ]
    if preparation:
        text += [*constants(preparation), "", ""]
    for piece in page.pieces.values():
        text += [*piece.strip("\n").splitlines(), "", ""]
    ins = ", ".join(f"{var} {shape(graph.type(value))}" for var, value in zip(inputs, graph.inputs, strict=True))
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


def feeding(preparation: Preparation | None, name: str) -> list[str]:
    """Lines of the heading: what the network is fed."""
    if preparation is None:
        return []
    said = textwrap.wrap(f"Its weights were trained on {preparation.wants()}: `prepare` makes that of x.", WIDTH)
    usage = (
        f"    CLASSES[{name.lower()}(prepare(x)).argmax(1)[0]]"
        if preparation.classes
        else f"    {name.lower()}(prepare(x))"
    )
    return ["", *said, "", usage]


def constants(preparation: Preparation) -> list[str]:
    """Source of what stands before the class: the classes, the scaling, and the function that prepares images."""
    found = [f"CLASSES = {literals(preparation.classes)}"] if preparation.classes else []
    found += [f"SCALE = {preparation.scaling.scale!r}", f"OFFSET = {preparation.scaling.offset!r}", "", ""]
    takes, floats = "Floats as the training data have them", "x = x.float()"
    if preparation.stored == BYTES:
        takes = "Bytes from 0 to 255, or floats from 0 to 1"
        floats = "x = x * 255 if x.is_floating_point() else x.float()"
    return [
        *found,
        "def prepare(x):",
        f'    """{takes}, as the network sees them: x * SCALE + OFFSET, channel by channel."""',
        f"    {floats}",
        "    scale, offset = (torch.tensor(n).view(-1, *[1] * (x.dim() - 2)) for n in (SCALE, OFFSET))",
        "    return x * scale.to(x.device) + offset.to(x.device)",
    ]


def lines(code: list[tuple[str, str]]) -> Iterator[str]:
    """Lines of code, each with what is said of it at the margin."""
    column = max((len(line) for line, _ in code if len(line) < WIDTH), default=0)
    for line, said in code:
        yield f"{line:<{column}}  # {said}"


def shape(kind: TensorType) -> str:
    """`(n, 3, 32, 32)`"""
    return f"({', '.join(['n', *map(str, kind.shape)])})"


def twin(graph: Graph) -> nn.Module:
    """The network as a PyTorch module, made from its own source."""
    names: dict[str, Any] = {"__name__": "twin"}
    exec(compile(torch_source(graph), "<twin>", "exec"), names)
    return names["Net"]()
