"""What plans call: functions over arrays, with `out=`, that know nothing of the rest of the project."""

from __future__ import annotations

from collections.abc import Callable

from . import (
    activation,
    channels,
    conv,
    cost,
    depthwise,
    gates,
    norm,
    pool,
    products,
    regularise,
    resample,
    residues,
    squares,
    standardise,
    winograd,
)

MODULES = (
    products,
    conv,
    depthwise,
    pool,
    norm,
    activation,
    gates,
    channels,
    regularise,
    cost,
    residues,
    resample,
    standardise,
    winograd,
    squares,
)

KERNELS: dict[str, Callable] = {
    name: function
    for module in MODULES
    for name, function in vars(module).items()
    if callable(function) and getattr(function, "__module__", "") == module.__name__
}
