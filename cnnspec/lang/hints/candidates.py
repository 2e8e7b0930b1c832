"""Changes that might make a layer fit its input; `fixes` tries them."""

from __future__ import annotations

import re

from ...diagnostics import Fault, Span
from ...ir import TensorType
from ..findings import Proposal, insert, replace


def candidates(
    fault: Fault, op: object, span: Span, spans: dict[str, Span], inputs: list[TensorType], origin: Span | None
) -> list[Proposal]:
    """What to try for a fault of the op at `span`; `spans` tells where its fields, or its branches, stand.

    `origin` is the `input` that the op reads, where it reads one.
    """
    if fault.code == "CNN103" and hasattr(op, "pad") and not _channels_last(inputs[0]):
        return _pad(span, spans)
    if fault.code == "CNN205" and "size" in spans:
        return [*_image(origin, inputs[0]), *_another_rank(spans["size"], inputs[0])]
    if fault.code == "CNN101":
        return _equal_branches([spans[f"input{i}"] for i in range(len(inputs))], inputs)
    return []


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


def _pad(span: Span, spans: dict[str, Span]) -> list[Proposal]:
    if "pad" in spans:
        return [replace(spans["pad"], "same", help="use `pad same`")]
    return [insert(span, " pad same", help=f"use `{span.text} pad same`")] if "\n" not in span.text else []


def _another_rank(size: Span, x: TensorType) -> list[Proposal]:
    """`8x3` for `8x3x3`, or the other way round."""
    parts = size.text.split("x")
    if x.kind == "image":
        return [replace(size, "x".join((*parts, parts[-1])))]
    return [replace(size, "x".join(parts[:-1]))] if len(parts) > 1 and parts[-1] == parts[-2] else []


def _equal_branches(branches: list[Span], kinds: list[TensorType]) -> list[Proposal]:
    """Padding for a branch that shrinks, a 1x1 convolution for one that only passes its input on."""
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
