"""Functions of `keras.ops` and `keras.activations` as chains, and the classes that stand for them in graphs."""

from __future__ import annotations

import numpy as np

from . import activations
from . import builders as b
from .said import NotComparable, Said

POINTWISE = (
    *activations.PLAIN, "leaky_relu", "elu", "celu", "gelu", "soft_shrink", "linear", *activations.NO_WORD,
)  # fmt: skip


def pointwise(name: str):
    def made(x, **settings) -> Said:
        return activations.said(name, x, **settings)

    return made


def conv(inputs, kernel, strides=1, padding="valid", data_format=None, dilation_rate=1) -> Said:
    return b.conv(inputs, kernel, None, strides, padding, data_format, dilation_rate)


def depthwise(inputs, kernel, strides=1, padding="valid", data_format=None, dilation_rate=1) -> Said:
    return b.depthwise(inputs, kernel, None, strides, padding, data_format, dilation_rate)


def separable(
    inputs, depthwise_kernel, pointwise_kernel, strides=1, padding="valid", data_format=None, dilation_rate=1
) -> Said:
    return b.separable(
        inputs, depthwise_kernel, pointwise_kernel, None, strides, padding, data_format, dilation_rate
    )


def transposed(
    inputs, kernel, strides=1, padding="valid", output_padding=None, data_format=None, dilation_rate=1
) -> Said:
    return b.transposed(inputs, kernel, None, strides, padding, output_padding, data_format, dilation_rate)


def pool(word: str):
    def made(inputs, pool_size, strides=None, padding="valid", data_format=None) -> Said:
        return b.pool(word, inputs, pool_size, strides, padding, data_format)

    return made


def adaptive(word: str):
    def made(inputs, output_size, data_format=None) -> Said:
        return b.adaptive(word, inputs, output_size, data_format)

    return made


def batch_norm(x, mean, variance, axis, offset=None, scale=None, epsilon=1e-3) -> Said:
    return b.normalised(x, axis, mean, variance, offset, scale, epsilon)


def layer_norm(x, gamma=None, beta=None, axis=-1, epsilon=None, **others) -> Said:
    if others.get("rms_scaling"):
        raise NotComparable("scaling by the variance alone")
    return b.layer_normalised(x, axis, gamma, beta, 1e-7 if epsilon is None else epsilon)


def to_space(x, block_size, data_format="channels_last") -> Said:
    """Channels last are counted with the block's pixels outermost (TensorFlow), channels first as PyTorch's."""
    inward, outward = b.image(x, data_format)

    def turned(a):
        a = inward(a)
        n, c, h, w = a.shape
        return np.swapaxes(a.reshape(n, block_size**2, -1, h, w), 1, 2).reshape(n, c, h, w)

    given = turned if data_format == "channels_last" else inward
    return Said(f"pixelshuffle {block_size}", [(x, given)], outward)


def to_depth(x, block_size, data_format="channels_last") -> Said:
    inward, outward = b.image(x, data_format)

    def turned(a):
        n, c, h, w = a.shape
        return outward(np.swapaxes(a.reshape(n, -1, block_size**2, h, w), 1, 2).reshape(n, c, h, w))

    taken = turned if data_format == "channels_last" else outward
    return Said(f"pixelunshuffle {block_size}", [(x, inward)], taken)


FUNCTIONS = {
    **{name: pointwise(name) for name in (*POINTWISE, "softmax", "log_softmax", "glu")},
    "conv": conv,
    "depthwise_conv": depthwise,
    "separable_conv": separable,
    "conv_transpose": transposed,
    "max_pool": pool("maxpool"),
    "average_pool": pool("avgpool"),
    "adaptive_max_pool": adaptive("max"),
    "adaptive_average_pool": adaptive("mean"),
    "batch_normalization": batch_norm,
    "layer_normalization": layer_norm,
    "depth_to_space": to_space,
    "space_to_depth": to_depth,
}
NO_WORD = (
    "one_hot", "multi_hot", "moments", "ctc_loss", "ctc_decode", "normalize", "psnr", "dot_product_attention",
    "rms_normalization", "polar", "unfold", "fold",
)  # fmt: skip
