"""What plans call: functions over arrays, with `out=`, that know nothing of the rest of the project."""

from __future__ import annotations

from collections.abc import Callable

from . import activation, conv, cost, depthwise, norm, pool, regularise, residues, winograd

MODULES = (conv, depthwise, pool, norm, activation, regularise, cost, residues, winograd)

KERNELS: dict[str, Callable] = {
    name: function
    for module in MODULES
    for name, function in vars(module).items()
    if callable(function) and getattr(function, "__module__", "") == module.__name__
}
