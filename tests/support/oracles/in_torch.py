"""The same net in PyTorch, by automatic differentiation: words, costs, and a whole graph of them.

To add a word: an entry in WORDS, a function of the op, its inputs and its parameters by name.
"""

from __future__ import annotations

import math

import numpy as np
import torch
import torch.nn.functional as F

from cnnspec.ir import data

torch.set_num_threads(1)


def spread(value, rank: int) -> tuple[int, ...]:
    return (value,) * rank if isinstance(value, int) else tuple(value)


def padding(op, x, kernel, dilate=1) -> list[tuple[int, int]]:
    """FromPolyphase (before, after) on each axis, from the words of the reference."""
    rank = x.dim() - 2
    stride, dilate = spread(op.stride or kernel, rank), spread(dilate, rank)
    found = []
    for axis in range(rank):
        n, s, e = x.shape[2 + axis], stride[axis], dilate[axis] * (kernel[axis] - 1) + 1
        if op.pad == "valid":
            found.append((0, 0))
        elif op.pad == "same":
            total = max((math.ceil(n / s) - 1) * s + e - n, 0)
            found.append((total // 2, total - total // 2))
        elif op.pad == "include":
            windows = max(math.ceil((n - e) / s), 0) + 1
            found.append((0, (windows - 1) * s + e - n))
        else:
            found.append(sides(op.pad, rank)[axis])
    return found


def sides(size, rank: int) -> list[tuple[int, int]]:
    """A number, one for each axis, or one for each side in turn."""
    sizes = spread(size, rank)
    return list(zip(sizes[::2], sizes[1::2], strict=True)) if len(sizes) == 2 * rank else [(n, n) for n in sizes]


def pad(op, x):
    around = [side for pair in reversed(sides(op.size, x.ndim - 2)) for side in pair]
    if op.mode == "zeros":
        return F.pad(x, around + [op.channels] * 2)
    return F.pad(x, around, mode={"reflect": "reflect", "edge": "replicate"}[op.mode])


def padded(x, pads, value=0.0):
    return F.pad(x, [side for pair in reversed(pads) for side in pair], value=value)


def conv(op, x, weight, bias=None, groups=None):
    kernel = tuple(weight.shape[2:])
    x = padded(x, padding(op, x, kernel, op.dilate))
    function = F.conv2d if x.dim() == 4 else F.conv1d
    return function(x, weight, bias, stride=op.stride, dilation=op.dilate, groups=groups or op.groups)


def upconv(op, x, weight, bias=None):
    rank = x.ndim - 2
    turned = F.conv_transpose2d if rank == 2 else F.conv_transpose1d
    stride, more, dilate = (spread(v, rank) for v in (op.stride, op.output_pad, op.dilate))
    cuts = sides(op.pad, rank)
    whole = turned(x, weight, bias, stride, 0, more, op.groups, dilate)
    for axis, (first, last) in enumerate(cuts, 2):
        whole = whole.narrow(axis, first, whole.shape[axis] - first - last)
    return whole


def dwconv(op, x, weight, bias=None):
    return conv(op, x, weight, bias, groups=x.shape[1])


def kernel_of(op, x) -> tuple[int, ...]:
    return op.size if len(op.size) == x.dim() - 2 else op.size * (x.dim() - 2)


def maxpool(op, x):
    kernel = kernel_of(op, x)
    x = padded(x, padding(op, x, kernel, op.dilate), -torch.inf)
    function = F.max_pool2d if x.dim() == 4 else F.max_pool1d
    return function(x, kernel, op.stride or kernel, dilation=op.dilate)


def sums(op, x, kernel):
    """The sum of each window, by a convolution with ones: that may be dilated."""
    rank = x.dim() - 2
    x = padded(x, padding(op, x, kernel, op.dilate))
    ones = torch.ones(x.shape[1], 1, *kernel, dtype=x.dtype)
    function = F.conv2d if rank == 2 else F.conv1d
    return function(x, ones, stride=op.stride or kernel, dilation=op.dilate, groups=x.shape[1])


def avgpool(op, x):
    kernel = kernel_of(op, x)

    def mean(values):
        return sums(op, values, kernel) / math.prod(kernel)

    return mean(x) if op.count_pad else mean(x) / mean(torch.ones_like(x))


def lppool(op, x):
    """The formula as it stands, but for windows of zeros, at which a root has no slope."""
    kernel = kernel_of(op, x)
    found = sums(op, x.abs() ** op.p, kernel)
    return torch.where(found > 0, torch.where(found > 0, found, 1) ** (1 / op.p), 0)


def pixels(x) -> tuple[int, ...]:
    return tuple(range(2, x.dim()))


def bn(op, x, weight, bias, running_mean, running_var, training):
    return F.batch_norm(x, running_mean.clone(), running_var.clone(), weight, bias, training, op.momentum, op.eps)


def kind_of(x):
    return data(*x.shape[1:])


def crop(op, x):
    for axis, size in enumerate(spread(op.size if len(op.size) > 1 else op.size[0], x.ndim - 2), 2):
        x = x.narrow(axis, (x.shape[axis] - size) // 2, size)
    return x


def scale(op, x, weight, bias=None):
    pixels = [1] * (x.ndim - 2)
    y = x * weight.reshape(-1, *pixels)
    return y if bias is None else y + bias.reshape(-1, *pixels)


def layernorm(op, x, weight, bias):
    last = x.movedim(1, -1)
    return F.layer_norm(last, last.shape[-1:], weight, bias, op.eps).movedim(-1, 1)


def grn(op, x, weight, bias):
    norm = torch.linalg.vector_norm(x, dim=pixels(x), keepdim=True)
    share = norm / (norm.mean(1, keepdim=True) + op.eps)
    return x + scale(op, x * share, weight, bias)


def resize(op, x):
    size = spread(op.size if len(op.size) > 1 else op.size[0], x.ndim - 2)
    if op.mode == "area":
        return (F.adaptive_avg_pool2d if x.ndim == 4 else F.adaptive_avg_pool1d)(x, size)
    if op.mode == "nearest":
        return F.interpolate(x, size, mode="nearest")
    return F.interpolate(x, size, mode="bilinear" if x.ndim == 4 else "linear", align_corners=op.align_corners)


def shuffled(op, x, function):
    """PyTorch's function where the factor is one number for an image; else by its own formula, pixel by pixel."""
    rank = x.ndim - 2
    u, v = (1, *spread(op.size, rank))[-2:]
    if rank == 2 and u == v:
        return function(x, u)
    x4 = x if rank == 2 else x[:, :, None]
    if function is F.pixel_shuffle:
        n, c, h, w = x4.shape
        rows = [[x4[:, i * v + j :: u * v] for j in range(v)] for i in range(u)]
        made = x4.new_zeros(n, c // (u * v), h * u, w * v)
        for i in range(u):
            for j in range(v):
                made[:, :, i::u, j::v] = rows[i][j]
    else:
        parts = [x4[:, :, i::u, j::v] for i in range(u) for j in range(v)]
        made = torch.stack(parts, 2).flatten(1, 2)
    return made if rank == 2 else made[:, :, 0]


def mul(op, *inputs):
    full = max(inputs, key=lambda x: (x.numel(), x.dim()))
    product = 1
    for x in inputs:
        product = product * x.reshape(*x.shape, *[1] * (full.dim() - x.dim()))
    return product


WORDS = {
    "conv": conv,
    "dwconv": dwconv,
    "upconv": upconv,
    "maxpool": maxpool,
    "minpool": lambda op, x: -maxpool(op, -x),
    "avgpool": avgpool,
    "lppool": lppool,
    "gap": lambda op, x: x.mean(pixels(x)),
    "dense": lambda op, x, weight, bias=None: F.linear(x, weight, bias),
    "flatten": lambda op, x: x.flatten(1),
    "reshape": lambda op, x: x.reshape(len(x), *op.size),
    "pad": pad,
    "crop": crop,
    "upsample": lambda op, x: F.interpolate(x, scale_factor=spread(op.size, x.ndim - 2), mode="nearest"),
    "resize": resize,
    "pixelshuffle": lambda op, x: shuffled(op, x, F.pixel_shuffle),
    "pixelunshuffle": lambda op, x: shuffled(op, x, F.pixel_unshuffle),
    "channelmean": lambda op, x: x.mean(1, keepdim=True),
    "channelmax": lambda op, x: x.max(1, keepdim=True).values,
    "radixsoftmax": lambda op, x: x.unflatten(1, (op.size, -1)).softmax(1).flatten(1, 2),
    "grn": grn,
    "abs": lambda op, x: x.abs(),
    "shrink": lambda op, x: torch.where(x.abs() <= op.threshold, 0, x - op.bias * x.sign()),
    "thresholdedrelu": lambda op, x: torch.where(x > op.threshold, x, 0),
    "exp": lambda op, x: x.exp(),
    "log": lambda op, x: x.log(),
    "sqrt": lambda op, x: x.sqrt(),
    "reciprocal": lambda op, x: x.reciprocal(),
    "min": lambda op, *xs: torch.stack(xs).min(0).values,
    "sub": lambda op, *xs: xs[0] - sum(xs[1:]),
    "gmp": lambda op, x: x.amax(pixels(x)),
    "shuffle": lambda op, x: x.reshape(len(x), op.size, -1, *x.shape[2:]).transpose(1, 2).reshape(x.shape),
    "take": lambda op, x: x[:, op.start : op.start + op.size],
    "relu": lambda op, x: F.relu(x),
    "leaky": lambda op, x: F.leaky_relu(x, op.slope),
    "relu6": lambda op, x: F.relu6(x),
    "elu": lambda op, x: F.elu(x, op.alpha),
    "celu": lambda op, x: F.celu(x, op.alpha),
    "selu": lambda op, x: F.selu(x),
    "gelu": lambda op, x: F.gelu(x, approximate="none" if op.form == "exact" else "tanh"),
    "swish": lambda op, x: F.silu(x),
    "hardswish": lambda op, x: F.hardswish(x),
    "mish": lambda op, x: F.mish(x),
    "clip": lambda op, x: torch.clamp(x, *(None if bound == "none" else bound for bound in (op.low, op.high))),
    "hardsigmoid": lambda op, x: torch.clamp(op.slope * x + op.offset, 0, 1),  # torch's has a float32 1/6
    "softplus": lambda op, x: F.softplus(x),
    "softsign": lambda op, x: F.softsign(x),
    "step": lambda op, x: (x > 0) + 0 * x,  # still leads back, with a slope of 0
    "logsoftmax": lambda op, x: F.log_softmax(x, 1),
    "maxout": lambda op, x: x.reshape(len(x), -1, op.size, *x.shape[2:]).max(2).values,
    "sigmoid": lambda op, x: torch.sigmoid(x),
    "tanh": lambda op, x: torch.tanh(x),
    "prelu": lambda op, x, weight: F.prelu(x, weight),
    "softmax": lambda op, x: F.softmax(x, 1),
    "bn": bn,
    "layernorm": layernorm,
    "groupnorm": lambda op, x, weight, bias: F.group_norm(x, op.size[0], weight, bias, op.eps),
    "lrn": lambda op, x: F.local_response_norm(
        x.reshape(*x.shape[:2], -1), op.size, op.alpha, op.beta, op.k
    ).reshape(x.shape),
    "scale": scale,
    "droppath": lambda op, x, mask=None: x if mask is None else x * mask.reshape(-1, *[1] * (x.ndim - 1)),
    "add": lambda op, *xs: sum(xs[1:], xs[0]),
    "concat": lambda op, *xs: torch.cat(xs, 1),
    "mul": mul,
    "max": lambda op, *xs: torch.stack(xs).max(0).values,
    "mean": lambda op, *xs: torch.stack(xs).mean(0),
    "dropout": lambda op, x, mask=None: x if mask is None else x * mask,
    "everywhere": lambda op, x, weight: x * weight,
}


def classes(p, t):
    """The cost of each image, over the channels; pixels are averaged."""
    return p.flatten(2).mean(2).sum(1).mean() if p.dim() > 2 else p.sum(1).mean()


def rows(x):
    """Every pixel as a vector of its own."""
    return x.movedim(1, -1).reshape(-1, x.shape[1])


def smooth(op, t):
    return t * (1 - op.smoothing) + op.smoothing / t.shape[1]


COSTS = {
    "cross_entropy": lambda op, p, t: -classes(smooth(op, t) * (p if (p < 0).any() else torch.log(p)), t),
    "binary_cross_entropy": lambda op, p, t: F.binary_cross_entropy(p, t),
    "mse": lambda op, p, t: F.mse_loss(p, t),
    "mae": lambda op, p, t: F.l1_loss(p, t),
    "huber": lambda op, p, t: F.huber_loss(p, t, delta=op.delta),
    "hinge": lambda op, p, t: F.multi_margin_loss(rows(p), rows(t).argmax(1), margin=op.margin),
}


def run(graph, arrays, parameters, masks=None, training=False):
    """Every value of a graph of words; `masks` are those that a plan drew."""
    values = {}
    for node in graph:
        if not node.inputs:
            values[node.name] = tensor(arrays[node.name])
            continue
        own = {p.name: parameters[f"{node.owner}.{p.name}"] for p in node.op.parameters(*graph.types(node))}
        if node.op.word == "bn":
            own["training"] = training
        if training and f"{node.name}:mask" in (masks or {}):
            mask = tensor(masks[f"{node.name}:mask"])
            x = values[node.inputs[0]]
            own["mask"] = mask.reshape(*mask.shape, *[1] * (x.dim() - mask.dim()))
        values[node.name] = WORDS[node.op.word](node.op, *(values[v] for v in node.inputs), **own)
    return values


def tensor(array: np.ndarray):
    return torch.tensor(array, dtype=torch.float64)


def differentiate(graph, costs, arrays, parameters, masks=None):
    """The cost in training, and its gradient by parameter."""
    found = {name: tensor(array).requires_grad_("running" not in name) for name, array in parameters.items()}
    values = run(graph, arrays, found, masks, training=True)
    named = [cost.of for cost in costs]
    rest = [output for output in graph.outputs if output not in named]
    total = 0
    for cost in costs:
        output = cost.of or rest.pop(0)
        target = tensor(arrays[f"{output}.target"])
        total = total + cost.weight * COSTS[cost.word](cost, values[output], target)
    total.backward()
    gradients = {
        name: np.zeros(p.shape) if p.grad is None else p.grad.numpy()
        for name, p in found.items()
        if p.requires_grad
    }
    return total.item(), gradients


def shown(graph, arrays, parameters):
    """Every value of the net in use."""
    with torch.no_grad():
        values = run(graph, arrays, {name: tensor(array) for name, array in parameters.items()})
    return {name: value.numpy() for name, value in values.items()}
