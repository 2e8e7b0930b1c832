"""Writing PyTorch modules, and the settings of a window."""

from __future__ import annotations

from collections.abc import Callable

from ...ir import Graph, Node, TensorType
from ...ir.geometry import Geometry
from ...quoting import literal
from ..names import plain, variables

Writer = Callable[..., str]  # of the page, a node and the variables of its inputs

RESERVED = ("torch", "nn", "F", "self", "super", "print", "prepare")
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
    """The module that words write: layers for `__init__`, lines for `forward`, code beside the class."""

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
                code += f"._modules[{literal(part)}]"
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
