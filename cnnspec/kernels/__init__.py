"""The kernels of plans: functions over arrays, with `out=`, independent of the rest of the project.

    kernels.pool.maxpool2, kernels.np.multiply

Modules are imported when they are asked for, so that who only names a kernel's module does not wait for NumPy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType
    from typing import Any

    import numpy as np

    from . import activation as activation
    from . import channels as channels
    from . import conv as conv
    from . import cost as cost
    from . import depthwise as depthwise
    from . import gates as gates
    from . import gemm as gemm
    from . import norm as norm
    from . import pointwise as pointwise
    from . import polyphase as polyphase
    from . import pool as pool
    from . import resample as resample
    from . import standardise as standardise
    from . import taps as taps
    from . import winograd_1d as winograd_1d
    from . import winograd_2d as winograd_2d
    from . import winograd_phases as winograd_phases

    MODULES: tuple[ModuleType, ...]  # whose functions plans call, in the order of an exported module
    KERNELS: dict[str, Callable[..., Any]]

NAMES = (
    "gemm",
    "conv",
    "depthwise",
    "pool",
    "norm",
    "activation",
    "gates",
    "channels",
    "cost",
    "pointwise",
    "polyphase",
    "resample",
    "standardise",
    "taps",
    "winograd_1d",
    "winograd_2d",
    "winograd_phases",
)

if not TYPE_CHECKING:

    def __getattr__(name):
        from importlib import import_module

        if name in NAMES:
            return import_module(f"{__name__}.{name}")
        if name == "np":
            return import_module("numpy")
        if name == "MODULES":
            globals()[name] = tuple(import_module(f"{__name__}.{module}") for module in NAMES)
        elif name == "KERNELS":
            modules = [vars(import_module(f"{__name__}.{module}")) for module in NAMES]
            globals()[name] = {
                name: thing
                for module in modules
                for name, thing in module.items()
                if callable(thing) and getattr(thing, "__module__", "") == module["__name__"]
            }
        else:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return globals()[name]


__all__ = ["KERNELS", "MODULES", "np"]
