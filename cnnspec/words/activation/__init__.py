"""Activations: one number in, one number out. The formula of each stands in one of these files, and nowhere else.

To add one: a class with its `formula` in the file of its kind, and its entry in the tuple at that file's end.
Definition, gradient, lines of plan, PyTorch, ONNX, JAX and JavaScript follow from the formula. `derivative` is a
formula of the output, if there is one, and frees the memory of the input; `monotone` lets max pooling move before
it; `by_hand` names faster kernels.
"""

from __future__ import annotations

from ...primitives.activation import Activation
from . import elementary, gates, rectifiers, sigmoids

ACTIVATIONS: tuple[type[Activation], ...] = (*rectifiers.OPS, *gates.OPS, *sigmoids.OPS, *elementary.OPS)
