"""What plans call: functions over arrays, with `out=`, that know nothing of the rest of the project."""

from __future__ import annotations

from collections.abc import Callable

from . import activation, channels, conv, cost, depthwise, gates, norm, pool, regularise, resample, standardise
from . import gemm as products
from . import polyphase as polyphase
from . import winograd_1d as winograd
from . import winograd_2d as squares

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
    polyphase,
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
