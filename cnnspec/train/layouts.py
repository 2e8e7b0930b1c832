"""Published layouts of weights: how torchvision and timm call the tensors of networks that a spec may write down.

A file in safetensors has its tensors in no order, and names of others say nothing of our layers. What is known is
the naming of a family of networks, and with it the order in which its layers are computed. A file is taken for one
of a family where every name in it is of that family. It fits where the layers in that order, those with a matrix
by themselves and those with a number for each channel, are the spec's in its own order, one by one and in every
shape. If one does not fit, or two could stand in one place, nothing is taken.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

Shape = tuple[int, ...]
KINDS = ("weight", "bias", "running_mean", "running_var")
COUNTER = "num_batches_tracked"  # kept by PyTorch beside the running statistics; nothing here reads it
PREFIXES = ("module.", "model.", "_orig_mod.", "state_dict.", "net.")  # of wrappers, before every name
ORDER = {
    "features": 0, "block": 0, "conv": 0, "bn": 0, "norm": 0, "squeeze": 0, "expand1x1": 1, "expand3x3": 2,
    "downsample": 99, "layer_scale": 99, "classifier": 99, "fc": 99,
}  # fmt: skip


@dataclass(frozen=True)
class Family:
    """Networks whose layers are named alike.

    source     who publishes them so
    layer      the names of their layers
    unused     what a file may hold beside them: heads that only help to train
    order      where a part of a name stands among its neighbours; else by the number that it ends in
    """

    source: str
    layer: re.Pattern[str]
    unused: tuple[str, ...] = ()
    order: Mapping[str, float] = field(default_factory=dict)

    def place(self, layer: str, layers: Collection[str]) -> tuple[float, ...]:
        """Where a layer comes in the order of the computation."""
        return tuple(self._place(part, layer, layers) for part in layer.split("."))

    def _place(self, part: str, layer: str, layers: Collection[str]) -> float:
        if part == "conv_pw":  # first in a block that has another after it, else last
            return 0 if layer.removesuffix("conv_pw") + "conv_pwl" in layers else 9
        if part in self.order or part in ORDER:
            return self.order.get(part, ORDER.get(part, 0))
        found = re.search(r"(\d+)([a-z]?)$", part)
        number = float(found[1]) if found else 0.0
        letter = (ord(found[2]) - ord("a") + 1) / 100 if found and found[2] else 0.0
        return number + letter + (0.5 if part.startswith("transition") else 0.0)  # between two dense blocks


def _family(source: str, layer: str, unused: tuple[str, ...] = (), **order: float) -> Family:
    return Family(source, re.compile(layer), unused, order)


FAMILIES = (
    _family("torchvision", r"(features|classifier)\.\d+"),  # AlexNet, VGG
    _family("torchvision", r"(layer\d\.\d+\.)?(conv|bn)[123]|layer\d\.\d+\.downsample\.[01]|fc"),  # ResNet
    _family("torchvision", r"features\.\d+(\.(squeeze|expand1x1|expand3x3))?|classifier\.1"),  # SqueezeNet
    _family("torchvision", r"features\.\d+\.(conv\.)?\d(\.\d)?|classifier\.1"),  # MobileNetV2
    _family(
        "torchvision",  # DenseNet; timm too
        r"features\.((conv|norm)\d|denseblock\d\.denselayer\d+\.(norm|conv)[12]|transition\d\.(norm|conv))|classifier",
    ),
    _family(
        "torchvision", r"(conv[123]|inception\d[a-e]\.branch\d(\.\d)?)\.(conv|bn)|fc", ("aux1.", "aux2.")
    ),  # GoogLeNet
    _family("torchvision", r"conv[15]\.[01]|stage\d\.\d+\.branch[12]\.\d|fc"),  # ShuffleNetV2
    _family("torchvision", r"features\.\d\.[01]|features\.\d\.\d+\.block\.\d(\.[01]|\.fc[12])|classifier\.1"),
    _family("torchvision", r"features\.\d\.\d+(\.block\.\d|\.layer_scale)?|classifier\.[02]"),  # ConvNeXt
    _family(
        "timm",  # EfficientNet, MobileNetV2
        r"conv_stem|conv_head|bn[12]|blocks\.\d\.\d+\.(conv_pwl?|conv_dw|bn[123]|se\.conv_(reduce|expand))|classifier",
        conv_stem=0, blocks=1, conv_head=2, conv_dw=1, se=2, conv_reduce=0, conv_expand=1, conv_pwl=9,
    ),
    _family(
        "timm",  # ConvNeXt
        r"stem\.[01]|stages\.\d\.(downsample\.[01]|blocks\.\d+\.(conv_dw|norm|mlp\.fc[12]|gamma))|head\.(norm|fc)",
        stem=-1, stages=0, downsample=-1, blocks=0, conv_dw=0, norm=1, mlp=2, gamma=3, head=99,
    ),
)  # fmt: skip


def bare(names: Iterable[str]) -> dict[str, str]:
    """Names without what wrappers put before all of them, to the names themselves; counters are left out.

    module.conv1.weight, module.fc.bias    conv1.weight, fc.bias
    """
    found = {name: name for name in names if name.rpartition(".")[2] != COUNTER}
    while found:
        before = next((p for p in PREFIXES if all(name.startswith(p) for name in found)), "")
        if not before:
            break
        found = {name.removeprefix(before): own for name, own in found.items()}
    return found


def published(
    ours: Mapping[str, Shape], theirs: Mapping[str, Shape], *, source: str = "", new_head: bool = False
) -> dict[str, str] | None:
    """Under which names a published file has our parameters, these in the order of the computation; None where it
    is no such file, or not of this network.

    `source` is who must have published it. With `new_head` the last layer may be of another size: it is left out.
    """
    names = bare(theirs)
    for family in FAMILIES:
        if source and family.source != source and not _shared(family):
            continue
        used = {name: own for name, own in names.items() if not name.startswith(family.unused or ("\0",))}
        layers = _layers(used)
        if layers and all(family.layer.fullmatch(layer) for layer in layers):
            found = _matched(family, ours, used, {name: theirs[own] for name, own in used.items()}, new_head)
            if found is not None:
                return found
    return None


def in_order(ours: Mapping[str, Shape], theirs: Mapping[str, Shape]) -> dict[str, str]:
    """Under which names a file has our parameters, if its layers, counted as people do, have the shapes of ours one
    by one: those with a matrix, or those with a number for each channel. A proposal: names may count otherwise.
    """
    found: dict[str, str] = {}
    mine, others = _layers(ours), _layers(name for name in theirs if name.rpartition(".")[2] != COUNTER)
    for matrix in (True, False):
        here = [own for own in mine.values() if _is_matrix(own, ours) == matrix]
        there = [
            others[layer] for layer in sorted(others, key=natural) if _is_matrix(others[layer], theirs) == matrix
        ]
        alike = len(here) == len(there) and all(
            own.keys() == other.keys() and all(same_numbers(ours[own[k]], theirs[other[k]]) for k in own)
            for own, other in zip(here, there, strict=False)
        )
        if alike:
            found |= {own[k]: other[k] for own, other in zip(here, there, strict=True) for k in own}
    return found


def natural(name: str) -> list[tuple[int, str]]:
    """Sorts layer10 behind layer9."""
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", name)]


def _shared(family: Family) -> bool:
    """Whether timm names these networks as torchvision does."""
    return bool(family.layer.fullmatch("layer1.0.conv1") or family.layer.fullmatch("features.conv0"))


def _matched(
    family: Family, ours: Mapping[str, Shape], names: Mapping[str, str], shapes: Mapping[str, Shape], new_head: bool
) -> dict[str, str] | None:
    found: dict[str, str] = {}
    theirs = _layers(names)
    places = {layer: family.place(layer, theirs) for layer in theirs}
    mine = _layers(ours)
    for matrix in (True, False):
        here = [own for own in mine.values() if _is_matrix(own, ours) == matrix]
        there = [layer for layer in theirs if _is_matrix(theirs[layer], shapes) == matrix]
        there.sort(key=lambda layer: places[layer])
        if len(here) != len(there) or len({places[layer] for layer in there}) < len(there):
            return None
        for k, (own, layer) in enumerate(zip(here, there, strict=True)):
            other = theirs[layer]
            if own.keys() != other.keys():
                return None
            if any(same_numbers(ours[own[kind]], shapes[other[kind]]) is False for kind in own):
                if not (new_head and matrix and k == len(here) - 1):
                    return None
                continue
            found |= {own[kind]: names[other[kind]] for kind in own}
    return found


def _layers(names: Iterable[str]) -> dict[str, dict[str, str]]:
    """Tensors by layer and kind; one that is called otherwise than these is a layer's weight itself."""
    found: dict[str, dict[str, str]] = {}
    for name in names:
        layer, _, kind = name.rpartition(".")
        if not layer or kind not in KINDS:
            layer, kind = name, "weight"
        found.setdefault(layer, {})[kind] = name
    return found


def _is_matrix(layer: Mapping[str, str], shapes: Mapping[str, Shape]) -> bool:
    return "weight" in layer and len(_plain(shapes[layer["weight"]])) > 1


def same_numbers(here: Shape, there: Shape) -> bool:
    """Whether two shapes differ in axes of size 1 at the end alone: a dense layer and a 1x1 convolution."""
    return _plain(here) == _plain(there)


def _plain(shape: Shape) -> Shape:
    """A shape without its last axes of size 1."""
    while len(shape) > 1 and shape[-1] == 1:
        shape = shape[:-1]
    return shape
