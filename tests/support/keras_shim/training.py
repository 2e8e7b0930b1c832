"""A step of training of one layer: batch normalisation by the batch's own statistics."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from .builders import rows
from .said import NotComparable, apart, compiled


def normalised_batch(layer, x, result, before) -> Iterator[tuple[str, str]]:
    """The cost of a squared error, which looks at every output, and the running statistics after the step.

    Keras keeps the variance as it is in the batch, we as it is estimated of all (n / (n - 1) of it, as PyTorch).
    """
    axis = layer.axis[0] if isinstance(layer.axis, (list, tuple)) else layer.axis
    if layer.renorm or (isinstance(layer.axis, (list, tuple)) and len(layer.axis) > 1):
        raise NotComparable("batch renormalisation, or over several axes")
    if not before:
        before = (np.zeros(x.shape[axis]), np.ones(x.shape[axis]))
    inward, _ = rows(x, axis)
    values, answers = inward(x), inward(result)
    n, count = values.shape
    if n < 2:
        raise NotComparable("a batch of one number")
    kept = float(layer.momentum)
    model = compiled(
        f"input {count}\nbn eps {float(layer.epsilon)!r} momentum {1 - kept!r} as layer\n"
        "train { cost mse ; optimiser sgd lr 1e-9 }\n"
    )
    numbers = {
        "layer.weight": np.ones(count) if layer.gamma is None else layer.gamma.numpy(),
        "layer.bias": np.zeros(count) if layer.beta is None else layer.beta.numpy(),
        "layer.running_mean": before[0],
        "layer.running_var": before[1],
    }
    for name, value in numbers.items():
        model.parameters[name] = np.asarray(value, np.float64)
    y = np.random.default_rng(1).normal(size=values.shape)
    cost = model.train_step(values.astype(np.float64), y)
    yield "values", apart(np.array(cost), np.array(((answers - y) ** 2).mean()))
    yield "states", apart(model.parameters["layer.running_mean"], layer.moving_mean.numpy())
    kept_variance = kept * before[1]
    ours = kept_variance + (model.parameters["layer.running_var"] - kept_variance) * (n - 1) / n
    yield "states", apart(ours, layer.moving_variance.numpy())
