"""Which layer of a file is which of ours."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import prod
from pathlib import Path

import numpy as np

from ...diagnostics import Diagnostic, SpecError
from ...ir import Graph, Node
from ..layouts import same_numbers
from ..tensors import refuse
from .layers import Array, KerasLayer, Layers, by_their_names

WORDS = {
    "batch_normalization": "bn",
    "layer_normalization": "layernorm",
    "p_re_lu": "prelu",
    "normalization": "scale",
}
MATRICES = ("conv", "dwconv", "upconv", "dense")


def fitted(
    found: Layers, graph: Graph, parameters: Mapping[str, Array], path: Path, *, partial: bool = False
) -> tuple[dict[str, str], dict[str, Array]]:
    """Under which names the file has our parameters, and its arrays with the columns in our order.

    With `partial` the last dense layer may be of another size: it is left out. Raises SpecError (CNN467).
    """
    ours: dict[str, dict[str, tuple[int, ...]]] = {}
    for name, values in parameters.items():
        layer, _, kind = name.rpartition(".")
        ours.setdefault(layer, {})[kind] = values.shape
    queues: dict[str, list[KerasLayer]] = {}
    for one in found.layers:
        queues.setdefault(_queue(one, found.ordered), []).append(one)
    _ensure_one_way(graph, ours, path)
    names: dict[str, str] = {}
    arrays = dict(found)
    heads = [name for name in ours if graph[name].op.word in MATRICES]
    for name, shapes in ours.items():
        node, head = graph[name], partial and name == heads[-1]
        taken = _next(queues, node, shapes, path, any_size=head)
        if any(not same_numbers(shapes[kind], taken.arrays[kind].shape) for kind in shapes):
            continue  # of another size: a new head
        _ensure_same_eps(node, taken, path)
        image = flattened(graph, node.inputs[0])
        for kind in shapes:
            own = f"{taken.name}.{kind}"
            names[f"{name}.{kind}"] = own
            if image is not None:
                arrays[own] = _columns(taken.arrays[kind], kind, image, node.op.word)
    left = [one for queue in queues.values() for one in queue]
    for one in left:
        if one.idle:
            arrays = {name: values for name, values in arrays.items() if not name.startswith(f"{one.name}.")}
    more = [one.name for one in left if not one.idle]
    if more and not partial:
        refuse("CNN467", path, case="more layers", layers=", ".join(more[:8]))
    return names, arrays


def mapped(arrays: Mapping[str, Array], graph: Graph, names: Mapping[str, str]) -> Mapping[str, Array]:
    """The arrays of a file whose names are told by a map (ours to theirs), in our axes; others as they are."""
    turned = dict(arrays) if isinstance(arrays, Layers) else by_their_names(arrays)
    if turned is None:
        return arrays
    for ours, theirs in names.items():
        layer, _, kind = ours.rpartition(".")
        node = graph[layer] if layer in graph.nodes else None
        image = flattened(graph, node.inputs[0]) if node is not None and node.inputs else None
        if node is not None and image is not None and theirs in turned:
            turned[theirs] = _columns(turned[theirs], kind, image, node.op.word)
    return turned


def _queue(layer: KerasLayer, ordered: bool) -> str:
    if layer.kind in WORDS:
        return WORDS[layer.kind]
    return "matrix" if ordered else f"matrix {layer.kind}"


def _next(
    queues: Mapping[str, list[KerasLayer]],
    node: Node,
    shapes: Mapping[str, tuple[int, ...]],
    path: Path,
    *,
    any_size: bool,
) -> KerasLayer:
    """The layer of the file that is this one, taken from its queue; refused if none is, or several may be."""
    word = node.op.word
    waiting = [queue for key, queue in queues.items() if queue and _has(key, word)]
    fits = [queue for queue in waiting if _fits(queue[0], word, shapes, any_size)]
    if len(fits) > 1:
        refuse("CNN467", path, case="several", name=node.name, layers=" and ".join(q[0].name for q in fits))
    if not fits:
        there = ", ".join(f"{queue[0].name} of {_sizes(queue[0].arrays)}" for queue in waiting)
        refuse("CNN467", path, case="none", name=node.name, sizes=_sizes_of(shapes), there=there or "no layer")
    return fits[0].pop(0)


def _has(queue: str, word: str) -> bool:
    return queue.startswith("matrix") if word in MATRICES else queue == word


def _fits(layer: KerasLayer, word: str, shapes: Mapping[str, tuple[int, ...]], any_size: bool) -> bool:
    if (word == "upconv") != layer.kind.endswith("_transpose") or layer.arrays.keys() != shapes.keys():
        return False
    return any_size or all(same_numbers(shape, layer.arrays[kind].shape) for kind, shape in shapes.items())


def _sizes(arrays: Mapping[str, Array]) -> str:
    return _sizes_of({kind: values.shape for kind, values in arrays.items()})


def _sizes_of(shapes: Mapping[str, tuple[int, ...]]) -> str:
    return " and ".join(f"{kind} {'x'.join(map(str, shape))}" for kind, shape in shapes.items())


def _ensure_same_eps(node: Node, layer: KerasLayer, path: Path) -> None:
    here = getattr(node.op, "eps", None)
    if layer.eps is not None and here is not None and not np.isclose(here, layer.eps, rtol=1e-3):
        found = Diagnostic.of(
            "CNN467", case="eps", path=path, name=node.name, here=here, layer=layer.name, there=layer.eps
        )
        raise SpecError((found,))


def _ensure_one_way(graph: Graph, ours: Mapping[str, Mapping[str, tuple[int, ...]]], path: Path) -> None:
    """Refuse a network in which two layers of one shape stand beside each other: which comes first there, no file
    says."""
    before: dict[str, set[str]] = {}
    for node in graph:
        before[node.name] = {node.name}.union(*(before[graph[value].name] for value in node.inputs))
    alike: dict[tuple[object, ...], list[str]] = {}
    for name, shapes in ours.items():
        key = (graph[name].op.word, *sorted(shapes.items()))
        for other in alike.setdefault(key, []):
            if other not in before[name] and name not in before[other]:
                refuse("CNN467", path, case="alike", one=other, other=name)
        alike[key].append(name)


def flattened(graph: Graph, value: str) -> tuple[int, ...] | None:
    """The image (c, h, w) whose pixels a vector still has in their order; None for any other vector or value."""
    for node in _back(graph, value):
        if node.op.word == "flatten":
            image = graph.type(node.inputs[0])
            return image.shape if image.spatial else None
        if node.op.word in MATRICES:
            return None
    return None


def _back(graph: Graph, value: str) -> Iterator[Node]:
    """The nodes before a vector, as long as each reads one vector."""
    while not graph.type(value).spatial and len(graph[value].inputs) == 1:
        yield graph[value]
        value = graph[value].inputs[0]


def _columns(values: Array, kind: str, image: tuple[int, ...], word: str) -> Array:
    """Features in the order (h, w, c), put into (c, h, w): the columns of a dense, the numbers of a bn."""
    if (word == "dense" and kind == "bias") or values.shape[-1:] != (prod(image),):
        return values
    channels, *spatial = image
    apart = values.reshape(*values.shape[:-1], *spatial, channels)
    return np.moveaxis(apart, -1, values.ndim - 1).reshape(values.shape)
