"""cnnspec: a text language for convolutional networks, compiled to NumPy.

    report = cnnspec.check("net.cnn")
    model = cnnspec.compile("net.cnn", batch=64)
    trained = cnnspec.run("net.cnn").open()

Names are imported when they are first used, so that `import cnnspec` costs nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import display
from ._version import __version__ as __version__

if TYPE_CHECKING:
    from .api import compile as compile
    from .checking import Report as Report
    from .checking import check as check
    from .diagnostics import Diagnostic as Diagnostic
    from .diagnostics import SpecError as SpecError
    from .experiment.run import Run as Run
    from .experiment.run import open as open
    from .experiment.run import resume as resume
    from .experiment.run import run as run
    from .model import Model as Model
    from .train.history import History as History

__all__ = [
    "Diagnostic", "History", "Model", "Report", "Run", "SpecError", "check", "compile", "open", "resume", "run",
]  # fmt: skip

_HOMES = {
    "check": ".checking",
    "compile": ".api",
    "run": ".experiment.run",
    "resume": ".experiment.run",
    "open": ".experiment.run",
    "Run": ".experiment.run",
    "Model": ".model",
    "History": ".train.history",
    "Report": ".checking",
    "Diagnostic": ".diagnostics",
    "SpecError": ".diagnostics",
    "load_ipython_extension": ".cells",
    "unload_ipython_extension": ".cells",
}


display.load = lambda: __import__(f"{__name__}.notebook")  # when something is first shown there


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name], __name__), name)


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
