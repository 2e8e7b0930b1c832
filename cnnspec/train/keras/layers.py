"""The layers of a file of Keras, in the names and axes of PyTorch."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from ..layouts import natural

Array = np.ndarray
KINDS = {  # a variable of Keras, and what PyTorch calls it
    "kernel": "weight", "depthwise_kernel": "weight", "alpha": "weight", "gamma": "weight", "bias": "bias",
    "beta": "bias", "moving_mean": "running_mean", "moving_variance": "running_var",
}  # fmt: skip
VARIABLES = {  # of a class of layers, in their order
    "conv1d": ("kernel", "bias"), "conv2d": ("kernel", "bias"), "dense": ("kernel", "bias"),
    "conv1d_transpose": ("kernel", "bias"), "conv2d_transpose": ("kernel", "bias"),
    "depthwise_conv1d": ("kernel", "bias"), "depthwise_conv2d": ("kernel", "bias"),
    "separable_conv1d": ("depthwise_kernel", "pointwise_kernel", "bias"),
    "separable_conv2d": ("depthwise_kernel", "pointwise_kernel", "bias"),
    "batch_normalization": ("gamma", "beta", "moving_mean", "moving_variance"),
    "layer_normalization": ("gamma", "beta"), "p_re_lu": ("alpha",), "normalization": ("mean", "variance", "count"),
}  # fmt: skip


@dataclass(frozen=True)
class KerasLayer:
    """A layer of a file: its name, its class, its arrays by PyTorch's names of them, what it adds to a variance."""

    name: str
    kind: str
    arrays: dict[str, Array]
    eps: float | None = None

    @property
    def idle(self) -> bool:
        """Whether it is a normalisation of the data by a mean of 0 and a variance of 1, as one begins."""
        if self.kind != "normalization":
            return False
        return bool((self.arrays["weight"] == 1).all() and (self.arrays["bias"] == 0).all())


class Layers(dict[str, Array]):
    """The arrays of a file by layer and name; `ordered` where the order of all layers is known."""

    def __init__(self, layers: Iterable[KerasLayer], *, ordered: bool) -> None:
        self.layers, self.ordered = tuple(layers), ordered
        super().__init__({f"{one.name}.{k}": array for one in self.layers for k, array in one.arrays.items()})


def class_of(name: str, named: Mapping[str, Array]) -> str:
    """The class of a layer by its arrays, where no description tells it."""
    if "moving_mean" in named:
        return "batch_normalization"
    if "mean" in named:
        return "normalization"
    if "pointwise_kernel" in named:
        return "separable_conv2d"
    if "alpha" in named:
        return "p_re_lu"
    if "gamma" in named or "beta" in named:
        return "layer_normalization"
    if "depthwise_kernel" in named or "depthwise" in name:
        return "depthwise_conv2d"
    kernel = named.get("kernel")
    if kernel is None or kernel.ndim == 2:
        return "dense"
    return f"conv{kernel.ndim - 2}d" + ("_transpose" if "transpose" in name else "")


def of_names(arrays: Mapping[str, Array]) -> Layers | None:
    """Arrays that another format keeps under Keras' names, `conv2d_1/kernel` or `net/conv2d_1/kernel:0`; None where
    they are called otherwise."""
    split = {name: name.partition(":")[0].rpartition("/") for name in arrays}
    if not split or not all(layer and last in {*KINDS, "pointwise_kernel"} for layer, _, last in split.values()):
        return None
    layers: dict[str, dict[str, Array]] = {}
    for name, (layer, _, last) in split.items():
        layers.setdefault(layer.rpartition("/")[2], {})[last] = arrays[name]
    ordered = sorted(layers, key=natural)
    return Layers(
        [part for name in ordered for part in parts(name, class_of(name, layers[name]), layers[name], None)],
        ordered=False,
    )


def by_their_names(arrays: Mapping[str, Array]) -> dict[str, Array] | None:
    """The same in PyTorch's axes, each under the name that it has in its file; None where no names are Keras'."""
    found = of_names(arrays)
    if found is None:
        return None
    turned = {}
    for name in arrays:
        layer, _, last = name.partition(":")[0].rpartition("/")
        layer = layer.rpartition("/")[2]
        inner = "depthwise" if last == "depthwise_kernel" else "pointwise"
        own = f"{layer}.{KINDS.get(last, 'weight')}"
        turned[name] = found[own] if own in found else found[f"{layer}.{inner}.{KINDS.get(last, 'weight')}"]
    return turned


def parts(name: str, kind: str, named: Mapping[str, Array], eps: float | None) -> list[KerasLayer]:
    """A layer in PyTorch's axes; two of them where it is a depthwise and a pointwise convolution."""
    if "pointwise_kernel" in named:
        first = {"weight": _depthwise(named["depthwise_kernel"])}
        rest = {"weight": _kernel(named["pointwise_kernel"])}
        rest |= {"bias": named["bias"]} if "bias" in named else {}
        return [KerasLayer(f"{name}.depthwise", "depthwise", first), KerasLayer(f"{name}.pointwise", "conv", rest)]
    if kind == "normalization":  # (x - mean) / max(deviation, 1e-7), of what its data were
        weight = 1 / np.maximum(np.sqrt(named["variance"].reshape(-1)), 1e-7)
        return [KerasLayer(name, kind, {"weight": weight, "bias": -named["mean"].reshape(-1) * weight})]
    transpose: Callable[[Array], Array] = _depthwise if kind.startswith("depthwise") else _kernel
    arrays = {
        KINDS[v]: transpose(a) if "kernel" in v else a.squeeze() if v == "alpha" else a for v, a in named.items()
    }
    if kind == "batch_normalization" and "running_var" in arrays:  # `scale` or `center` off
        arrays.setdefault("weight", np.ones_like(arrays["running_var"]))
        arrays.setdefault("bias", np.zeros_like(arrays["running_var"]))
    return [KerasLayer(name, kind, arrays, eps)]


def _kernel(values: Array) -> Array:
    """kernel[u,v,c,f] -> [f,c,u,v]; transposed [u,v,f,c] -> [c,f,u,v]; of a dense layer [i,o] -> [o,i]"""
    return values.transpose(values.ndim - 1, values.ndim - 2, *range(values.ndim - 2))


def _depthwise(values: Array) -> Array:
    """kernel[u,v,c,m] -> [c·m,1,u,v]"""
    *spatial, channels, times = values.shape
    axes = (len(spatial), len(spatial) + 1, *range(len(spatial)))
    return values.transpose(axes).reshape(channels * times, 1, *spatial)
