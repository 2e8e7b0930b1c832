"""Layers of Keras as chains: each class with its arguments and its weights."""

from __future__ import annotations

from math import prod

import numpy as np

from . import builders as b
from .activations import after, rectifier
from .activations import said as activation
from .said import NORMALISED, NotComparable, Said

IDENTITIES = {
    "Dropout": "dropout", "SpatialDropout1D": "dropout", "SpatialDropout2D": "dropout", "AlphaDropout": "dropout",
    "GaussianDropout": "id", "GaussianNoise": "id", "ActivityRegularization": "id", "Identity": "id",
}  # fmt: skip
MERGES = {
    "Add": "add", "Subtract": "sub", "Multiply": "mul", "Average": "mean", "Maximum": "max", "Minimum": "min",
}  # fmt: skip


def last(layer) -> bool:
    return getattr(layer, "data_format", "channels_last") != "channels_first"


def conv(layer, x) -> Said:
    then = after(layer.activation, last(layer))
    return b.conv(
        x, layer.kernel, layer.bias, layer.strides, layer.padding, layer.data_format, layer.dilation_rate, then
    )  # fmt: skip


def transposed(layer, x) -> Said:
    return b.transposed(
        x, layer.kernel, layer.bias, layer.strides, layer.padding, layer.output_padding, layer.data_format,
        layer.dilation_rate, after(layer.activation, last(layer)),
    )  # fmt: skip


def depthwise(layer, x) -> Said:
    then = after(layer.activation, last(layer))
    return b.depthwise(
        x, layer.kernel, layer.bias, layer.strides, layer.padding, layer.data_format, layer.dilation_rate, then
    )  # fmt: skip


def separable(layer, x) -> Said:
    return b.separable(
        x, layer.depthwise_kernel, layer.pointwise_kernel, layer.bias, layer.strides, layer.padding,
        layer.data_format, layer.dilation_rate, after(layer.activation, last(layer)),
    )  # fmt: skip


def maximum(layer, x) -> Said:
    return b.pool("maxpool", x, layer.pool_size, layer.strides, layer.padding, layer.data_format)


def average(layer, x) -> Said:
    return b.pool("avgpool", x, layer.pool_size, layer.strides, layer.padding, layer.data_format)


def adaptive(kind: str):
    return lambda layer, x: b.adaptive(kind, x, layer.output_size, layer.data_format)


def overall(word: str):
    return lambda layer, x: b.overall(word, x, layer.data_format, layer.keepdims)


def dense(layer, x) -> Said:
    return b.dense(x, layer.kernel, layer.bias, after(layer.activation))


def einsum_dense(layer, x) -> Said:
    """An equation whose kernel takes the last axes of the input and gives the last axes of the output."""
    source, output = layer.equation.replace(" ", "").split("->")
    left, right = source.split(",")
    if "..." in source:
        raise NotComparable("an einsum with an ellipsis")
    taken = [axis for axis in left if axis not in output]
    kept = [axis for axis in left if axis in output]
    made = [axis for axis in right if axis not in left]
    plain = output == "".join(kept + made) and set(right) == set(taken + made) and len(right) == len(set(right))
    if not plain or not taken or not made:
        raise NotComparable("an einsum that is no dense layer")
    sizes = dict(zip(left, x.shape, strict=True)) | dict(zip(right, layer.kernel.shape, strict=True))
    order = [left.index(axis) for axis in kept + taken]
    outputs = prod(sizes[axis] for axis in made)

    def weight(w):
        return np.transpose(w, [right.index(axis) for axis in made + taken]).reshape(outputs, -1)

    weights = {"layer.weight": (layer.kernel, weight)}
    if layer.bias is not None:
        shape = [sizes[axis] for axis in made]
        if prod(layer.bias.shape) != outputs and any(n != 1 for n in layer.bias.shape[: -len(made)]):
            raise NotComparable("a bias of other axes than the output's last")
        weights["layer.bias"] = (
            layer.bias if prod(layer.bias.shape) == outputs else layer.bias.numpy(),  # shared: no gradient of ours
            lambda bias: np.broadcast_to(bias.reshape(bias.shape[-len(made) :]), shape).reshape(-1),
        )
    inputs = prod(sizes[axis] for axis in taken)
    text = f"dense {outputs}{'' if layer.bias is not None else ' bias off'} as layer{after(layer.activation)}"
    return Said(
        text,
        [(x, lambda a: np.transpose(a, order).reshape(-1, inputs))],
        lambda a: a.reshape([sizes[axis] for axis in kept + made]),
        weights,
    )


def flatten(layer, x) -> Said:
    if not 2 <= x.ndim <= 4:
        raise NotComparable("a shape of more than three sizes or none")
    move = b.image(x, "channels_last")[1] if layer.data_format == "channels_first" and x.ndim > 2 else b.same
    return Said("flatten", [(x, move)], b.same)


def reshaped(layer, x) -> Said:
    found = x.reshape(x.shape[0], *layer.target_shape).shape[1:] if x.size else ()
    if not 1 <= len(found) <= 3 or not 2 <= x.ndim <= 4:
        raise NotComparable("a shape of more than three sizes or none")
    return Said(f"reshape {b.by_x(found)}", [(x, b.same)], b.same)


def repeated(layer, x) -> Said:
    return Said(f"reshape {x.shape[1]}x1 -> upsample {layer.n}", [(x, b.same)], lambda a: np.moveaxis(a, 1, -1))


def pairs(value):
    return [tuple(value)] if np.ndim(value) == 1 else [tuple(pair) for pair in value]


def rectified(layer, x) -> Said:
    return b.pointwise(rectifier(layer.negative_slope, layer.max_value, layer.threshold), x)


def prelu(layer, x) -> Said:
    inward = lambda a: a.reshape(len(a), -1)  # noqa: E731
    weights = {"layer.weight": (layer.alpha, lambda a: np.broadcast_to(a, x.shape[1:]).reshape(-1))}
    # a slope that several numbers share has the sum of their gradients
    shared = any(n == 1 != m for n, m in zip(layer.alpha.shape, x.shape[1:], strict=True))
    return Said("prelu as layer", [(x, inward)], lambda a: a.reshape(x.shape), weights, smooth=not shared)


def softmax(layer, x) -> Said:
    return activation("softmax", x, layer.axis)


def batch_norm(layer, x) -> Said:
    if layer.renorm:
        raise NotComparable("batch renormalisation")
    return b.normalised(
        x, layer.axis, layer.moving_mean, layer.moving_variance, layer.beta if layer.center else None,
        layer.gamma if layer.scale else None, layer.epsilon,
    )  # fmt: skip


def layer_norm(layer, x) -> Said:
    if layer.rms_scaling:
        raise NotComparable("scaling by the variance alone")
    return b.layer_normalised(x, layer.axis, layer.gamma, layer.beta, layer.epsilon)


def group_norm(layer, x) -> Said:
    axis = layer.axis % x.ndim
    if x.ndim > 4 or axis == 0:
        raise NotComparable(f"{x.ndim - 2} spatial axes")
    count = x.shape[axis]
    groups = count if layer.groups == -1 else layer.groups
    weights = {
        "layer.weight": (layer.gamma if layer.scale else np.ones(count), b.same),
        "layer.bias": (layer.beta if layer.center else np.zeros(count), b.same),
    }
    text = f"groupnorm {groups} eps {float(layer.epsilon)!r} as layer"
    inward, outward = (lambda a: np.moveaxis(a, axis, 1)), (lambda a: np.moveaxis(a, 1, axis))
    return Said(text, [(x, inward)], outward, weights, tolerance=NORMALISED)


def rescaled(layer, x) -> Said:
    """One factor and one number that is added, or those of each channel."""
    inward, outward = b.rows(x)
    count = x.shape[-1]
    weights = {
        "layer.weight": (np.broadcast_to(np.asarray(layer.scale, float), count), b.same),
        "layer.bias": (np.broadcast_to(np.asarray(layer.offset, float), count), b.same),
    }
    return Said("scale bias on as layer", [(x, inward)], outward, weights)


def concatenated(layer, *arrays) -> Said:
    return b.concatenated(arrays, layer.axis)


LAYERS = {
    **{f"Conv{n}D": conv for n in (1, 2)},
    **{f"Conv{n}DTranspose": transposed for n in (1, 2)},
    **{f"DepthwiseConv{n}D": depthwise for n in (1, 2)},
    **{f"SeparableConv{n}D": separable for n in (1, 2)},
    **{f"MaxPooling{n}D": maximum for n in (1, 2)},
    **{f"AveragePooling{n}D": average for n in (1, 2)},
    **{f"AdaptiveMaxPooling{n}D": adaptive("max") for n in (1, 2)},
    **{f"AdaptiveAveragePooling{n}D": adaptive("mean") for n in (1, 2)},
    **{f"GlobalMaxPooling{n}D": overall("gmp") for n in (1, 2)},
    **{f"GlobalAveragePooling{n}D": overall("gap") for n in (1, 2)},
    **{
        f"ZeroPadding{n}D": lambda layer, x: b.padded(x, pairs(layer.padding), getattr(layer, "data_format", None))
        for n in (1, 2)
    },
    **{
        f"Cropping{n}D": lambda layer, x: b.cropped(x, pairs(layer.cropping), getattr(layer, "data_format", None))
        for n in (1, 2)
    },
    **{kind: lambda layer, x, word=word: b.pointwise(word, x) for kind, word in IDENTITIES.items()},
    **{kind: lambda layer, *arrays, word=word: b.joined(word, arrays) for kind, word in MERGES.items()},
    "UpSampling1D": lambda layer, x: b.enlarged(x, layer.size, "nearest", None),
    "UpSampling2D": lambda layer, x: b.enlarged(x, layer.size, layer.interpolation, layer.data_format),
    "Concatenate": concatenated,
    "Dense": dense,
    "EinsumDense": einsum_dense,
    "Flatten": flatten,
    "Reshape": reshaped,
    "RepeatVector": repeated,
    "ReLU": rectified,
    "LeakyReLU": lambda layer, x: b.pointwise(rectifier(layer.negative_slope), x),
    "ELU": lambda layer, x: b.pointwise(f"elu alpha {float(layer.alpha)!r}", x),
    "PReLU": prelu,
    "Softmax": softmax,
    "Activation": lambda layer, x: activation(getattr(layer.activation, "__name__", ""), x),
    "BatchNormalization": batch_norm,
    "LayerNormalization": layer_norm,
    "GroupNormalization": group_norm,
    "Rescaling": rescaled,
}
BY_DECISION = {
    **{
        f"{kind}3D": "networks for volumes"
        for kind in (
            "Conv", "MaxPooling", "AveragePooling", "GlobalMaxPooling", "GlobalAveragePooling",
            "AdaptiveMaxPooling", "AdaptiveAveragePooling", "ZeroPadding", "Cropping", "UpSampling",
            "SpatialDropout",
        )
    },
    "Conv3DTranspose": "networks for volumes",
    **dict.fromkeys(("Embedding", "ReversibleEmbedding"), "tokens"),
    **{
        kind: f"no word for {kind}"
        for kind in ("Permute", "Dot", "RMSNormalization", "UnitNormalization", "SpectralNormalization")
    },
    "Masking": "masks of time steps",
    "Lambda": "code of its own",
    "Normalization": "what is learnt from data before",
}  # fmt: skip
