"""The explanation of each number of a value: the kind of computation, its geometry, and a formula with numbers.

Traces in the terminal and pages in the browser tell the same account, so it is drawn up here, once, as plain
data. Everything is in terms of images (c, h, w): a sequence is one of height 1, a vector has a single pixel.

    filter    a sum of products over a window of all channels of a group, plus a bias
    pick      the largest or smallest of a window
    mean      the mean of a window
    window    a formula of a window
    all       a sum of products over all numbers, plus a bias
    image     the mean or maximum of a whole map
    point     one number from one number, and a few of the channel's parameters
    join      one number from one number of each branch
    concat    a number of one of the branches
    move      a number of the input, elsewhere
    blend     a sum of a few pixels of its channel
    channels  a number from the channels of its pixel
    group     a number from all pixels of a group of channels
    response  a number from the norms of all channels
    other     a word that has no account yet: its inputs and its formula are told, not the steps between
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from math import prod
from typing import Any

from ..ir import Graph, Node, TensorType
from ..ir.expression import X, differentiate, readable, tree
from ..ir.fields import settings
from ..ir.geometry import size_2d
from ..ir.op import Op, Parameter, Window
from ..primitives.activation import Activation, Formula
from ..words.composed import spelled
from ..words.pool import OfFormula
from ..words.resample import Pad

CITATION = re.compile(r" \([A-Z]\w+ (et al\.|and \w+) \d+\)")


@dataclass(frozen=True)
class Explanation:
    """The account of one value; `detail` is data that JSON can say."""

    kind: str
    words: str
    formula: str
    detail: dict[str, Any] = field(default_factory=dict)


def account(graph: Graph, node: Node) -> Explanation:
    """How the numbers of a node's value come about."""
    if not node.inputs:
        return Explanation("input", "What the network is given.", "")
    types = graph.types(node)
    kind = kind_of(node.op)
    parameters = {p.name: p for p in node.op.parameters(*types)}
    detail, formula = TELL[kind](node, types, parameters)
    return Explanation(kind, node.op.summary(), formula, detail)


def kind_of(op: Op) -> str:
    return "blend" if isinstance(op, Pad) and op.mode != "zeros" else op.account.partition(" ")[0]


def image_shape(kind: TensorType) -> tuple[int, int, int]:
    """(c, h, w) of an image, a sequence or a vector."""
    return kind["c"], *size_2d(kind)


# ---- one function for each kind: its detail and its formula ----------------------------------------------

Explained = tuple[dict[str, Any], str]


def _filter(node: Node, types: tuple[TensorType, ...], parameters: dict[str, Parameter]) -> Explained:
    (x,) = types
    window = _window(node.op.window(x))
    flipped = window["grow"] != [1, 1]
    made, seen = node.type["c"], x["c"]
    groups = seen if node.op.word == "dwconv" else getattr(node.op, "groups", 1)
    group_channels, filters = seen // groups, made // groups
    detail = {**window, "groups": groups, "flipped": flipped, "bias": "bias" in parameters}
    if group_channels == 1 and groups > 1:
        channel, sums = "f" if filters == 1 else f"⌊f / {filters}⌋", []
    else:
        channel, sums = "c" if groups == 1 else f"c + {group_channels}·⌊f / {filters}⌋", [f"c < {group_channels}"]
    height, width = window["kernel"]
    sums += [f"u < {height}"] * (height > 1 or bool(x.spatial[1:])) + [f"v < {width}"]
    rows = _position("i", "u", window, 0) + ", " if len(x.spatial) == 2 else ""
    taps = "u,v" if len(x.spatial) == 2 else "v"
    index = "f,i,j" if len(x.spatial) == 2 else "f,j"
    inside = f"c,{taps}" if sums[0].startswith("c") else taps
    bias = "bias[f] + " if detail["bias"] else ""
    weight = f"weight[c,f,{taps}]" if flipped else f"weight[f,{inside}]"
    columns = _position("j", "v", window, 1)
    return detail, f"out[{index}] = {bias}Σ over {', '.join(sums)} of {weight} × in[{channel}, {rows}{columns}]"


def _pick(node: Node, types: tuple[TensorType, ...], parameters: dict[str, Parameter]) -> Explained:
    window = _window(node.op.window(*types))
    which = node.op.account.partition(" ")[2]
    return {**window, "pick": which}, f"out[{_index(types[0])}] = {which} of {_looked(types[0], window)}"


def _mean(node: Node, types: tuple[TensorType, ...], parameters: dict[str, Parameter]) -> Explained:
    window = _window(node.op.window(*types))
    counted = bool(getattr(node.op, "count_pad", False))
    pixels = prod(window["kernel"])
    most = "" if counted or window["pad"] == [0, 0] else ", padding not counted"
    return {**window, "count_pad": counted}, (
        f"out[{_index(types[0])}] = 1/{pixels} × Σ of {_looked(types[0], window)}{most}"
    )


def _of_window(node: Node, types: tuple[TensorType, ...], parameters: dict[str, Parameter]) -> Explained:
    (x,) = types
    window, op = _window(node.op.window(x)), node.op
    assert isinstance(op, OfFormula)
    of = op.formula(x)
    detail = {
        **window,
        "says": of.name,
        "formula": {"measure": tree(of.measure), "each": tree(of.each), "total": tree(of.total)},
        "slope": {"each": tree(of.each_derivative), "total": tree(of.total_derivative)},
    }
    return detail, f"out[{_index(x)}] = {of.text}, x = {_looked(x, window)}"


def _all(node: Node, types: tuple[TensorType, ...], parameters: dict[str, Parameter]) -> Explained:
    bias = "bias[o] + " if "bias" in parameters else ""
    return {"bias": bool(bias)}, f"out[o] = {bias}Σ over c < {types[0]['c']} of weight[o,c] × in[c]"


def _image(node: Node, types: tuple[TensorType, ...], parameters: dict[str, Parameter]) -> Explained:
    pixels = prod(types[0].spatial)
    pick = node.op.account == "image max"
    what = f"max of the {pixels} pixels of" if pick else f"1/{pixels} × Σ of the {pixels} pixels of"
    return {"pick": pick}, f"out[c] = {what} in[c]"


def _point(node: Node, types: tuple[TensorType, ...], parameters: dict[str, Parameter]) -> Explained:
    detail: dict[str, Any] = {"word": node.op.word, "parameters": list(parameters)}
    if isinstance(node.op, Formula):
        return detail, f"out = {readable(node.op.value, 'in')}"
    if isinstance(node.op, Activation):
        pointwise = node.op.formula(X)
        detail["tree"] = tree(pointwise)
        detail["slope"] = tree(differentiate(pointwise))
    if node.op.word == "bn":
        eps = getattr(node.op, "eps", 0.0)
        formula = f"out = (in − running_mean[c]) / √(running_var[c] + {eps:g}) × weight[c] + bias[c]"
        return {**detail, "eps": eps}, formula
    if node.op.word in ("dropout", "droppath"):
        return detail, "out = in (numbers are dropped in training only)"
    return detail, f"out = {_numbered(node.op)}"


def _join(node: Node, types: tuple[TensorType, ...], parameters: dict[str, Parameter]) -> Explained:
    names = node.inputs
    formula = {
        "add": " + ".join(names),
        "mul": " × ".join(names),
        "sub": " − ".join(names),
        "max": f"max({', '.join(names)})",
        "min": f"min({', '.join(names)})",
        "mean": f"({' + '.join(names)}) / {len(names)}",
    }[node.op.word]
    return {"join": node.op.word}, f"out = {formula}"


def _concat(node: Node, types: tuple[TensorType, ...], parameters: dict[str, Parameter]) -> Explained:
    starts, at = [], 0
    for kind in types:
        starts.append(at)
        at += kind["c"]
    parts = [
        f"{name} for c from {start} to {start + kind['c'] - 1}"
        for name, start, kind in zip(node.inputs, starts, types, strict=True)
    ]
    return {"starts": starts}, f"out[c] = {', '.join(parts)}"


def _move(node: Node, types: tuple[TensorType, ...], parameters: dict[str, Parameter]) -> Explained:
    (x,) = types
    op: Any = node.op
    if op.word == "flatten" and len(x.spatial) == 2:
        height, width = x.spatial
        return {"how": "same"}, f"out[c·{height * width} + i·{width} + j] = in[c,i,j]"
    if op.word in ("flatten", "reshape"):
        return {"how": "same"}, "out = in, number after number"
    if op.word in ("pixelshuffle", "pixelunshuffle"):
        u, v = op.factors(x)
        many, few = f"[(c·{u} + i % {u})·{v} + j % {v}, ⌊i / {u}⌋, ⌊j / {v}⌋]", "[c,i,j]"
        formula = f"out{few} = in{many}" if op.word == "pixelshuffle" else f"out{many} = in{few}"
        return {"how": "pixels", "factors": [u, v], "back": op.word == "pixelunshuffle"}, formula
    window = op.window(x)
    if window is not None:
        told = _window(window)
        if max(told["grow"]) > 1:
            places = [f"⌊{pixel} / {grow}⌋" for pixel, grow in zip("ij", told["grow"], strict=True)]
            return {"how": "window", **told}, f"out[{_index(x)}] = in[c, {', '.join(places[-len(x.spatial) :])}]"
        return {"how": "window", **told}, f"out[{_index(x)}] = {_looked(x, told).partition(' for ')[0]}"
    channels = _channel_order(op, x)
    first = f"out[0] = in[{channels[0]}]" + (f", out[1] = in[{channels[1]}], ..." if len(channels) > 1 else "")
    return {"how": "channels", "channels": channels}, first


def _blend(node: Node, types: tuple[TensorType, ...], parameters: dict[str, Parameter]) -> Explained:
    op: Any = node.op
    rows, columns = (
        [[[k, weight] for k, weight in enumerate(row) if weight] for row in matrix] for matrix in op.blends(*types)
    )
    return {"rows": rows, "columns": columns}, "out[c,i,j] = Σ over the pixels around of share × in[c]"


def _channels(node: Node, types: tuple[TensorType, ...], parameters: dict[str, Parameter]) -> Explained:
    count, op = types[0]["c"], node.op
    detail: dict[str, Any] = {"word": op.word}
    if op.word == "softmax":
        return detail, f"out[c] = exp(in[c]) / Σ over k < {count} of exp(in[k])"
    if op.word == "logsoftmax":
        return detail, f"out[c] = in[c] − log Σ over k < {count} of exp(in[k])"
    if op.word == "radixsoftmax":
        step = count // getattr(op, "size", 1)
        return {**detail, "step": step}, f"out[c] = exp(in[c]) / Σ over the channels {step} apart of exp(in)"
    if op.word == "channelmean":
        return detail, f"out = 1/{count} × Σ of the {count} channels of the pixel"
    if op.word == "channelmax":
        return {**detail, "share": count}, f"out = max of the {count} channels of the pixel"
    if op.word == "maxout":
        group_channels = count // node.type["c"]
        return {
            **detail,
            "share": group_channels,
        }, f"out[c] = max of in[{group_channels}c] to in[{group_channels}c + {group_channels - 1}]"
    n = {name: getattr(op, name) for name in ("size", "alpha", "beta", "k", "eps") if hasattr(op, name)}
    if op.word == "lrn":
        around = f"{n['alpha']:g} / {n['size']} × Σ of in² over {n['size']} channels"
        return {**detail, **n}, f"out = in / ({n['k']:g} + {around})^{n['beta']:g}"
    standard = f"(in − mean) / √(var + {n['eps']:g})"
    return {**detail, **n}, f"out = {standard} × weight[c] + bias[c], over the {count} channels of a pixel"


def _group(node: Node, types: tuple[TensorType, ...], parameters: dict[str, Parameter]) -> Explained:
    (groups,), eps = getattr(node.op, "size", (1,)), getattr(node.op, "eps", 0.0)
    group_channels = types[0].elements // groups
    normalised = f"(in − mean) / √(var + {eps:g})"
    formula = f"out = {normalised} × weight[c] + bias[c], over the {group_channels:,} numbers of a group"
    return {"groups": groups, "eps": eps}, formula


def _response(node: Node, types: tuple[TensorType, ...], parameters: dict[str, Parameter]) -> Explained:
    eps = getattr(node.op, "eps", 0.0)
    ratio = f"norm[c] / ({eps:g} + mean of the {types[0]['c']} norms)"
    return {"eps": eps}, f"out = in + in × {ratio} × weight[c] + bias[c], norm[c] = √Σ of in[c]²"


def _other(node: Node, types: tuple[TensorType, ...], parameters: dict[str, Parameter]) -> Explained:
    """The formula of its text; of a word that is made of others, theirs one after another."""
    if type(node.op).in_words is Op.in_words:
        return {}, f"out = {_numbered(node.op)}"
    graph = spelled(node.op, types)
    names = {part.name: part.name.removeprefix("value.") for part in graph}
    names |= {"value": "out", **dict(zip(graph.inputs, node.inputs, strict=True))}
    return {}, "; ".join(_step(graph, part, names) for part in graph if part.inputs)


def _step(graph: Graph, part: Node, names: dict[str, str]) -> str:
    """The formula of one of the words that a word is made of, in terms of `names`."""
    values = tuple(names[value] for value in part.inputs)
    types = graph.types(part)
    owned = {p.name: p for p in part.op.parameters(*types)}
    _, formula = TELL[kind_of(part.op)](replace(part, inputs=values), types, owned)
    own = {"out": names[part.name], "in": values[0]}
    return re.sub(r"\b(out|in)\b", lambda found: own[found[1]], formula)


TELL = {
    "filter": _filter, "pick": _pick, "mean": _mean, "window": _of_window, "all": _all, "image": _image,
    "point": _point, "join": _join, "concat": _concat, "move": _move, "blend": _blend, "channels": _channels,
    "group": _group, "response": _response, "other": _other,
}  # fmt: skip


# ---- pieces ----------------------------------------------------------------------------------------------


def _window(window: Window | None) -> dict[str, Any]:
    """A window for height and width; a sequence's is one pixel high."""
    assert window is not None, "what slides has a window"
    grow = window.grow or (1,) * len(window.kernel)
    return {
        "kernel": [*(1, *window.kernel)[-2:]],
        "stride": [*(1, *window.stride)[-2:]],
        "pad": [*(0, *window.pad)[-2:]],
        "dilate": [*(1, *window.dilate)[-2:]],
        "grow": [*(1, *grow)[-2:]],
    }


def _position(pixel: str, tap: str, window: dict[str, Any], axis: int) -> str:
    """Where a tap looks: `2i + u − 1`."""
    stride, dilate, pad, grow = (window[key][axis] for key in ("stride", "dilate", "pad", "grow"))
    if grow > 1:  # of the transposed window: out = grow * in + tap - pad'
        before = window["kernel"][axis] - 1 - pad
        told = f"{pixel} − {tap}" + (f" + {before}" if before > 0 else f" − {-before}" if before else "")
        return f"({told}) / {grow}"
    terms = [pixel if stride == 1 else f"{stride}{pixel}"]
    if window["kernel"][axis] > 1:
        terms.append(tap if dilate == 1 else f"{dilate}{tap}")
    return " + ".join(terms) + (f" − {pad}" if pad > 0 else f" + {-pad}" if pad else "")


def _index(x: TensorType) -> str:
    return "c,i,j" if len(x.spatial) == 2 else "c,j"


def _looked(x: TensorType, window: dict[str, Any]) -> str:
    """The numbers that a pooling window reads: `in[c, 2i + u, 2j + v] for u < 2, v < 2`."""
    height, width = window["kernel"]
    rows = _position("i", "u", window, 0) + ", " if len(x.spatial) == 2 else ""
    taps = (f"u < {height}, " if len(x.spatial) == 2 else "") + f"v < {width}"
    return f"in[c, {rows}{_position('j', 'v', window, 1)}] for {taps}"


def _numbered(op: Op) -> str:
    """The formula of a word's first sentence, its settings as the numbers that they are."""
    sentence = CITATION.sub("", op.summary()).partition(". ")[0].rstrip(".")
    before, colon, formula = sentence.partition(": ")
    if not colon:
        formula = before if before[:1].islower() else f"{op.word}(x)"
    for name in settings(type(op)):
        value = getattr(op, name)
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            formula = re.sub(rf"\b{name}\b", f"{value:g}", formula)
    return formula.removeprefix("out[c] = ").replace(" * ", " × ")


def _channel_order(op: Op, x: TensorType) -> list[int]:
    """For each channel of the value which channel of the input it is: the word itself is asked."""
    import numpy as np

    counted = np.arange(x["c"], dtype=float).reshape(1, -1, *[1] * len(x.spatial))
    return [int(c) for c in np.ravel(op.evaluate(counted))]


def moved_from(detail: dict[str, Any], shape: tuple[int, ...], place: tuple[int, ...], to: tuple[int, ...]) -> Any:
    """Where the number at `place` of a moved value stood, both as (c, h, w); None for padding.

    `shape` is that of the input, `to` that of the value.
    """
    c, i, j = place
    if detail["how"] == "channels":
        return detail["channels"][c], i, j
    if detail["how"] == "pixels":
        return shuffled(detail["factors"], not detail["back"], (c, i, j))
    if detail["how"] == "same":
        k = (c * to[1] + i) * to[2] + j
        return k // (shape[1] * shape[2]), k // shape[2] % shape[1], k % shape[2]
    rows = _met(detail, 0, i, shape[1])
    columns = _met(detail, 1, j, shape[2])
    return None if rows is None or columns is None else (c, rows, columns)


def shuffled(factors: list[int], up: bool, place: tuple[int, int, int]) -> tuple[int, int, int]:
    """Where a number of few channels, and many pixels, stands among many channels, or where not `up` back."""
    (u, v), (c, i, j) = factors, place
    if up:
        return (c * u + i % u) * v + j % v, i // u, j // v
    return c // (u * v), i * u + c // v % u, j * v + c % v


def _met(detail: dict[str, Any], axis: int, pixel: int, size: int) -> int | None:
    """The one pixel of the input that a moving window meets, if there is one."""
    first = pixel * detail["stride"][axis] - detail["pad"][axis]
    for tap in range(detail["kernel"][axis]):
        at, rest = divmod(first + tap * detail["dilate"][axis], detail["grow"][axis])
        if not rest and 0 <= at < size:
            return at
    return None
