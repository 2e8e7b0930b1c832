"""A network as a PyTorch module that a person would have written.

    text = torch_source(spec.graph)       # a Python file with `class Net(nn.Module)`
    net = twin(spec.graph)                # the module itself, for tests and benchmarks

The module's state_dict has the names and layouts of `model.parameters`, so weights go both ways as they are.
What each word becomes stands in `torch_words`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from ..ir import Graph, Node, TensorType
from ..ops.geometry import Geometry
from ..ops.leaves import Input
from .names import plain, variables

if TYPE_CHECKING:
    from torch import nn

WIDTH = 96  # lines up to this one have their shapes in one column
RESERVED = ("torch", "nn", "F", "self", "super", "print")
ATTRIBUTES = """
    T_destination add_module apply bfloat16 buffers call_super_init children compile cpu cuda double
    dump_patches eval extra_repr float forward get_buffer get_extra_state get_parameter get_submodule half ipu
    load_state_dict modules mtia named_buffers named_children named_modules named_parameters parameters
    register_backward_hook register_buffer register_forward_hook register_forward_pre_hook
    register_full_backward_hook register_full_backward_pre_hook register_load_state_dict_post_hook
    register_load_state_dict_pre_hook register_module register_parameter register_state_dict_post_hook
    register_state_dict_pre_hook requires_grad_ set_extra_state set_submodule share_memory state_dict to
    to_empty train training type xpu zero_grad
"""
MODULE = frozenset(ATTRIBUTES.split())  # what a module has: a layer of that name is reached through `_modules`


class Page:
    """What a word writes with: layers for `__init__`, lines for `forward`, pieces that stand beside the class."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        values = [node.name for node in graph]
        self.variables = variables(values, RESERVED)
        if graph.inputs == ("input",) and "x" not in self.variables.values():
            self.variables["input"] = "x"
        self.layers: dict[str, str] = {}
        self.beginnings: dict[str, list[str]] = {}
        self.pieces: dict[str, str] = {}
        self.forward: list[tuple[str, str]] = []

    def kind(self, node: Node) -> TensorType:
        """The type of the node's first input."""
        return self.graph.type(node.inputs[0])

    def layer(self, node: Node, code: str) -> str:
        """Source of the node's layer, made by `code` and found under the name of its weights."""
        self.layers.setdefault(node.owner, code)
        return self.path(node.owner)

    def begin(self, node: Node, code: str) -> None:
        """A line that sets how the layer's parameters begin; `{}` stands for the layer."""
        lines = self.beginnings.setdefault(node.owner, [])
        if node.owner == node.name:
            lines.append(code.format(self.path(node.owner)))

    def piece(self, name: str, code: str) -> str:
        """A class or function that stands before the network's class."""
        self.pieces[name] = code
        return name

    def path(self, name: str) -> str:
        """Source of the module of that name: `self.basic3.conv1`."""
        code = "self"
        parts = name.split(".")
        for count, part in enumerate(parts):
            layered = ".".join(parts[:count]) in self.layers
            ordinary = part.isidentifier() and part == plain(part) and not part.startswith("_")
            if layered or not ordinary or part in MODULE:
                code += f'._modules["{part}"]'
            else:
                code += f".{part}"
        return code

    def declarations(self) -> list[str]:
        """The lines of `__init__`: containers for dotted names, then every layer in its place."""
        lines: list[str] = []
        made: set[str] = set()
        for name in self.layers:
            parts = name.split(".")
            for count in range(1, len(parts) + 1):
                prefix = ".".join(parts[:count])
                if prefix not in made:
                    made.add(prefix)
                    lines.append(f"{self.path(prefix)} = {self.layers.get(prefix, 'nn.Module()')}")
                    lines += self.beginnings.get(prefix, [])
        return lines


def torch_source(graph: Graph, name: str = "Net") -> str:
    """The network as a Python file: a class `name` whose state_dict has cnnspec's names and layouts."""
    from .torch_words import WORDS

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
        '"""',
        "",
        "import torch",
        "import torch.nn.functional as F",
        "from torch import nn",
        "",
        "",
    ]
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


def sides(geometry: Geometry, rank: int) -> tuple[tuple[int, int], ...]:
    """Padding (before, after) of each direction that the input has."""
    return geometry.pad[-rank:]


def symmetric(geometry: Geometry) -> bool:
    return all(before == after for before, after in geometry.pad)


def numbers(pair: tuple[int, ...], rank: int) -> str:
    """A pair as source: `2` where both are 2."""
    used = pair[-rank:]
    return str(used[0]) if len(set(used)) == 1 else str(used)


def padding(geometry: Geometry, rank: int) -> str:
    """The argument of F.pad, which goes from the last axis to the first."""
    flat = [side for pair in reversed(sides(geometry, rank)) for side in pair]
    return f"({', '.join(map(str, flat))})"
