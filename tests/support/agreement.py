"""How far two engines are apart."""

import numpy as np


def worst(a, b):
    """The name and size of the largest difference between arrays by name, against the size of the numbers."""
    assert a.keys() == b.keys()
    apart = {k: float(np.abs(a[k] - b[k]).max() / max(1.0, np.abs(a[k]).max())) for k in a}
    name = max(apart, key=apart.get)
    return apart[name], name


def agree(ours, other, x, y, tolerance=1e-10):
    """Every value in use, the cost, and every gradient in training are the same."""
    shown = worst(ours.activations(x), other.activations(x))
    assert shown < (tolerance, ""), shown
    gradients = worst(ours.gradients(x, y), other.gradients(x, y))
    assert gradients < (tolerance, ""), gradients
    a, b = ours.measure(x, y), other.measure(x, y)
    assert abs(a[0] - b[0]) < tolerance * max(1, abs(a[0])) and a[1] == b[1]
