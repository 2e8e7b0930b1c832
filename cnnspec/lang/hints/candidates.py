"""Changes that might make a layer fit its input; `fixes` tries them.

`CANDIDATES` at the end has the function of each code, which the code's entry names.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from ...diagnostics import Fault, Span
from ...ir import TensorType
from ..findings import Proposal, insert, replace


@dataclass(frozen=True)
class Refused:
    """A layer that does not fit: its op, where it stands, and what it reads.

    `spans` tells where its fields, or its branches, stand; `origin` is the `input` that it reads, if it reads one.
    """

    op: object
    span: Span
    spans: dict[str, Span]
    inputs: list[TensorType]
    origin: Span | None


def candidates(fault: Fault, refused: Refused) -> list[Proposal]:
    """What to try for a fault of a layer."""
    propose = CANDIDATES.get(fault.code)
    return propose(refused) if propose else []


def pad_same(refused: Refused) -> list[Proposal]:
    """`conv 8x5x5 pad same` for a kernel that its image is too small for."""
    if not hasattr(refused.op, "pad") or _channels_last(refused.inputs[0]):
        return []
    span, spans = refused.span, refused.spans
    if "pad" in spans:
        return [replace(spans["pad"], "same", help="use `pad same`")]
    last = re.fullmatch(r"(\d+)x\1x(\d+)", spans["size"].text) if "size" in spans else None
    if last and int(last[2]) > int(last[1]):  # conv 3x3x64, as Keras keeps its weights
        return [replace(spans["size"], f"{last[2]}x{last[1]}x{last[1]}", sure=False)]
    return [insert(span, " pad same", help=f"use `{span.text} pad same`")] if "\n" not in span.text else []


def another_rank(refused: Refused) -> list[Proposal]:
    """`8x3` for `8x3x3`, or the other way round; before it `input 1x28x28` for `input 28x28`."""
    size, x = refused.spans.get("size"), refused.inputs[0]
    if size is None:
        return []
    return [*_image(refused.origin, x), *_sizes(size, x)]


def equal_branches(refused: Refused) -> list[Proposal]:
    """Padding for a branch that shrinks, a 1x1 convolution for one that only passes its input on."""
    kinds = refused.inputs
    branches = [refused.spans[f"input{i}"] for i in range(len(kinds))]
    found = []
    for branch, kind in zip(branches, kinds, strict=True):
        other = next((other for other in kinds if other.axes != kind.axes), None)
        if other is None:
            continue
        if branch.text == "id" and other.spatial:
            ones = "x1" * len(other.spatial)
            projected = f"conv {other['c']}{ones}"
            found.append(replace(branch, projected, help=f"bring the channels to {other['c']}: `{projected}`"))
        elif " " in branch.text and " pad " not in branch.text and "\n" not in branch.text:
            found.append(insert(branch, " pad same", help=f"use `{branch.text} pad same`"))
    return found


def _channels_last(x: TensorType) -> bool:
    """Whether an image was probably stated as height, width, channels: padding is not what it lacks."""
    return x.kind == "image" and x["w"] in (1, 3, 4) and min(x["c"], x["h"]) >= 8


def _image(origin: Span | None, x: TensorType) -> list[Proposal]:
    """`input 1x28x28` for `input 28x28`: a square without its channels."""
    if origin is None or x.kind != "sequence" or len(set(x.shape)) != 1:
        return []
    stated = re.search(r"\d+x\d+", origin.text)
    if not stated:
        return []
    at = Span(origin.source, origin.start + stated.start(), origin.start + stated.end())
    return [replace(at, f"1x{stated[0]}", help=f"an image has channels too: `input 1x{stated[0]}`")]


def _sizes(size: Span, x: TensorType) -> list[Proposal]:
    """The size of a kernel for images or for sequences, as the input is."""
    parts = size.text.split("x")
    if x.kind == "image":
        return [replace(size, "x".join((*parts, parts[-1])))]
    return [replace(size, "x".join(parts[:-1]))] if len(parts) > 1 and parts[-1] == parts[-2] else []


CANDIDATES: dict[str, Callable[[Refused], list[Proposal]]] = {
    "CNN101": equal_branches,
    "CNN103": pad_same,
    "CNN205": another_rank,
}
