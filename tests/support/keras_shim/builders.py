"""Layers as chains, from arrays and settings as Keras has them: what its layers and its functions share."""

from __future__ import annotations

from collections.abc import Callable
from math import prod

import numpy as np

from .said import NORMALISED, NotComparable, Said


def pair(value, rank: int) -> tuple[int, ...]:
    return (int(value),) * rank if np.ndim(value) == 0 else tuple(int(v) for v in value)


def by_x(sizes) -> str:
    return "x".join(str(int(size)) for size in sizes)


def biased(bias) -> str:
    return "" if bias is not None else " bias off"


def same(x):
    return x


def image(x, data_format: str | None, rank: int | None = None):
    """How (n, ..., c) or (n, c, ...) is put into (n, c, ...), and back."""
    spatial = x.ndim - 2
    if spatial not in (1, 2):
        raise NotComparable(f"{spatial} spatial axes" if spatial else "no spatial axis")
    if rank is not None and spatial != rank:
        raise NotComparable("another number of axes")
    if data_format == "channels_first":
        return same, same
    return (lambda a: np.moveaxis(a, -1, 1)), (lambda a: np.moveaxis(a, 1, -1))


def rows(x, axis: int = -1):
    """One axis as channels, all others as the batch; and back, where only that axis' length may change."""
    axis %= x.ndim
    others = x.shape[:axis] + x.shape[axis + 1 :]

    def inward(a):
        return np.moveaxis(a, axis, -1).reshape(-1, a.shape[axis])

    def outward(a):
        return np.moveaxis(a.reshape(*others, -1), -1, axis)

    return inward, outward


def axes_together(x, axes):
    """Several axes as channels, all others as the batch; and back."""
    axes = sorted(axis % x.ndim for axis in axes)
    others = [k for k in range(x.ndim) if k not in axes]
    order = others + axes

    def inward(a):
        return np.transpose(a, order).reshape(prod(x.shape[k] for k in others), -1)

    def outward(a):
        return np.transpose(a.reshape([x.shape[k] for k in order]), np.argsort(order))

    return inward, outward


def pointwise(chain: str, x) -> Said:
    """A word that looks at each number alone, of an array of any shape."""
    return Said(chain, [(x, lambda a: a.reshape(1, -1))], lambda a: a.reshape(x.shape))


def before_and_after(n: int, k: int, stride: int, dilate: int) -> tuple[int, int]:
    """The padding of TensorFlow's SAME: ceil(n / stride) windows, the odd pixel at the end."""
    total = max((-(-n // stride) - 1) * stride + (k - 1) * dilate + 1 - n, 0)
    return total // 2, total - total // 2


def padding_words(padding: str, dilation, kernel) -> str:
    if padding == "causal":
        return f" pad {(kernel[0] - 1) * dilation[0]}x0"
    if padding not in ("valid", "same"):
        raise NotComparable(f"padding {padding}")
    return f" pad {padding}"


def conv(x, kernel, bias, strides, padding, data_format, dilation, then: str = "") -> Said:
    """kernel (k..., c / groups, filters)."""
    inward, outward = image(x, data_format)
    rank = x.ndim - 2
    channels, (*k, per, filters) = inward(x).shape[1], kernel.shape
    groups = channels // int(per)
    text = f"conv {filters}x{by_x(k)} stride {by_x(pair(strides, rank))}"
    text += padding_words(padding, pair(dilation, rank), k)
    text += f" dilate {by_x(pair(dilation, rank))} groups {groups}{biased(bias)} as layer"
    weights = {"layer.weight": (kernel, lambda w: np.moveaxis(w, (-1, -2), (0, 1)))}
    if bias is not None:
        weights["layer.bias"] = (bias, lambda b: b.reshape(-1))
    return Said(text + then, [(x, inward)], outward, weights)


def depthwise(x, kernel, bias, strides, padding, data_format, dilation, then: str = "") -> Said:
    """kernel (k..., channels, multiplier)."""
    inward, outward = image(x, data_format)
    rank = x.ndim - 2
    *k, channels, times = (int(size) for size in kernel.shape)
    word = f"dwconv {by_x(k)}" if times == 1 else f"conv {channels * times}x{by_x(k)} groups {channels}"
    text = f"{word} stride {by_x(pair(strides, rank))}" + padding_words(padding, pair(dilation, rank), k)
    text += f" dilate {by_x(pair(dilation, rank))}{biased(bias)} as layer"
    weights = {"layer.weight": (kernel, lambda w: np.moveaxis(w, (-2, -1), (0, 1)).reshape(-1, 1, *k))}
    if bias is not None:
        weights["layer.bias"] = (bias, same)
    return Said(text + then, [(x, inward)], outward, weights)


def separable(x, depth, point, bias, strides, padding, data_format, dilation, then: str = "") -> Said:
    first = depthwise(x, depth, None, strides, padding, data_format, dilation)
    rank, filters = x.ndim - 2, int(point.shape[-1])
    text = f"{first.chain} -> conv {filters}x{by_x([1] * rank)}{biased(bias)} as second"
    weights = {**first.weights, "second.weight": (point, lambda w: np.moveaxis(w, (-1, -2), (0, 1)))}
    if bias is not None:
        weights["second.bias"] = (bias, same)
    return Said(text + then, first.given, first.outward, weights)


def transposed(x, kernel, bias, strides, padding, output_padding, data_format, dilation, then: str = "") -> Said:
    """kernel (k..., filters, channels); where the output is cut, as in Keras' backends for JAX and PyTorch."""
    inward, outward = image(x, data_format)
    rank = x.ndim - 2
    *k, filters, _ = (int(size) for size in kernel.shape)
    strides, dilation = pair(strides, rank), pair(dilation, rank)
    extra = (None,) * rank if output_padding is None else pair(output_padding, rank)
    cuts, further = [], []
    for size, stride, dilate, more in zip(k, strides, dilation, extra, strict=True):
        reach = (size - 1) * dilate + 1
        if padding == "same":  # n * stride pixels, or (n - 1) * stride + reach % 2 + more
            total = reach - stride if more is None else reach - reach % 2 - more
            first = max(total, 0) // 2
        else:
            total = min(reach - stride, 0) if more is None else -more
            first = 0
        cuts += [first, max(total - first, 0)]
        further.append(max(first - total, 0))
    text = f"upconv {filters}x{by_x(k)} stride {by_x(strides)} pad "
    text += by_x(cuts)
    text += f" output_pad {by_x(further)} dilate {by_x(dilation)}{biased(bias)} as layer"
    weights = {"layer.weight": (kernel, lambda w: np.moveaxis(w, (-1, -2), (0, 1)))}
    if bias is not None:
        weights["layer.bias"] = (bias, same)
    return Said(text + then, [(x, inward)], outward, weights)


def pool(word: str, x, size, strides, padding, data_format) -> Said:
    """Where the padding of an average is uneven, Keras on PyTorch repeats the edge (on TensorFlow it does not)."""
    inward, outward = image(x, data_format)
    rank = x.ndim - 2
    size, strides = pair(size, rank), pair(size if strides is None else strides, rank)
    before = ""
    if word == "avgpool" and padding == "same":
        known = zip(inward(x).shape[2:], size, strides, strict=True)
        sides = [before_and_after(n, k, stride, 1) for n, k, stride in known]
        if any(first != last for first, last in sides):
            before, padding = f"pad {by_x(n for side in sides for n in side)} mode edge -> ", "valid"
    return Said(f"{before}{word} {by_x(size)} stride {by_x(strides)} pad {padding}", [(x, inward)], outward)


def adaptive(word: str, x, size, data_format) -> Said:
    """The mean is `resize mode area`; the largest has a word only where the sizes come out even."""
    inward, outward = image(x, data_format)
    rank = x.ndim - 2
    here, there = inward(x).shape[2:], pair(size, rank)
    if word == "mean":
        return Said(f"resize {by_x(there)} mode area", [(x, inward)], outward)
    if any(n % m for n, m in zip(here, there, strict=True)):
        raise NotComparable("adaptive max pooling of sizes that do not come out even")
    return Said(f"maxpool {by_x(n // m for n, m in zip(here, there, strict=True))}", [(x, inward)], outward)


def overall(word: str, x, data_format, keepdims: bool) -> Said:
    inward, _ = image(x, data_format)
    spatial = (1,) * (x.ndim - 2)

    def outward(a):
        if not keepdims:
            return a
        return a.reshape(*a.shape, *spatial) if data_format == "channels_first" else a.reshape(len(a), *spatial, -1)

    return Said(word, [(x, inward)], outward)


def dense(x, kernel, bias, then: str = "") -> Said:
    inward, outward = rows(x)
    text = f"dense {int(kernel.shape[-1])}{biased(bias)} as layer"
    weights = {"layer.weight": (kernel, lambda w: w.T)}
    if bias is not None:
        weights["layer.bias"] = (bias, same)
    return Said(text + then, [(x, inward)], outward, weights)


def padded(x, pads, data_format) -> Said:
    inward, outward = image(x, data_format)
    return Said(f"pad {by_x(n for pair in pads for n in pair)}", [(x, inward)], outward)


def cropped(x, cuts, data_format) -> Said:
    """`crop` keeps the middle."""
    inward, outward = image(x, data_format)
    if any(after - before not in (0, 1) for before, after in cuts):
        raise NotComparable("a crop that is not of the middle")
    left = [n - sum(cut) for n, cut in zip(inward(x).shape[2:], cuts, strict=True)]
    return Said(f"crop {by_x(left)}", [(x, inward)], outward)


def enlarged(x, factors, mode: str, data_format) -> Said:
    inward, outward = image(x, data_format)
    factors = pair(factors, x.ndim - 2)
    if mode == "nearest":
        return Said(f"upsample {by_x(factors)}", [(x, inward)], outward)
    if mode != "bilinear":
        raise NotComparable(f"enlargement by {mode}")
    sizes = [n * factor for n, factor in zip(inward(x).shape[2:], factors, strict=True)]
    return Said(f"resize {by_x(sizes)} mode bilinear", [(x, inward)], outward)


def normalised(x, axis, mean, variance, offset, scale, eps: float, then: str = "") -> Said:
    """Batch normalisation in use; the axis of the channels is put second."""
    if isinstance(axis, (list, tuple)):
        if len(axis) != 1:
            raise NotComparable("batch normalisation over several axes")
        (axis,) = axis
    if eps <= 0:
        raise NotComparable("nothing is added to a variance")
    inward, outward = rows(x, axis)
    count = x.shape[axis]
    weights: dict[str, tuple[object, Callable]] = {
        "layer.running_mean": (mean, lambda a: a.reshape(-1)),
        "layer.running_var": (variance, lambda a: a.reshape(-1)),
        "layer.weight": (np.ones(count) if scale is None else scale, lambda a: a.reshape(-1)),
        "layer.bias": (np.zeros(count) if offset is None else offset, lambda a: a.reshape(-1)),
    }
    return Said(f"bn eps {float(eps)!r} as layer" + then, [(x, inward)], outward, weights, False, NORMALISED)


def layer_normalised(x, axes, gamma, beta, eps: float) -> Said:
    axes = [axes] if np.ndim(axes) == 0 else list(axes)
    inward, outward = axes_together(x, axes)
    count = inward(x).shape[1]
    weights = {
        "layer.weight": (np.ones(count) if gamma is None else gamma, lambda a: a.reshape(-1)),
        "layer.bias": (np.zeros(count) if beta is None else beta, lambda a: a.reshape(-1)),
    }
    return Said(f"layernorm eps {float(eps)!r} as layer", [(x, inward)], outward, weights, tolerance=NORMALISED)


def joined(word: str, arrays) -> Said:
    """Branches of one shape, number by number."""
    shapes = {array.shape for array in arrays}
    if len(shapes) != 1:
        raise NotComparable("a merge of unequal shapes (nothing is broadcast)")
    if len(arrays) == 1:
        raise NotComparable("a merge of one")
    (shape,) = shapes
    if word == "mul" and len(arrays) > 2:
        chain = "mul( @a | @b )"
        for name in "cdefgh"[: len(arrays) - 2]:
            chain = f"mul( {chain} | @{name} )"
    else:
        chain = f"{word}( {' | '.join(f'@{name}' for name in 'abcdefgh'[: len(arrays)])} )"
    given = [(array, lambda a: a.reshape(1, -1)) for array in arrays]
    return Said(chain, given, lambda a: a.reshape(shape))


def concatenated(arrays, axis: int) -> Said:
    rank = arrays[0].ndim
    axis %= rank
    if axis == 0:
        raise NotComparable("images of a batch one after the other")
    others = [n for k, n in enumerate(arrays[0].shape) if k != axis]

    def inward(a):
        return np.moveaxis(a, axis, -1).reshape(-1, a.shape[axis])

    def outward(a):
        return np.moveaxis(a.reshape(*others, -1), -1, axis)

    chain = f"concat( {' | '.join(f'@{name}' for name in 'abcdefgh'[: len(arrays)])} )"
    return Said(chain, [(array, inward) for array in arrays], outward)
