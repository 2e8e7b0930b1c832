"""The kernels' own text: which of them a module calls, and what these call in turn.

Each file of `kernels/` is an ES module of declarations that begin with `export`, a comment before each; here they
are taken apart, and those that are used are put together again.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from importlib.resources import files

DECLARATION = re.compile(r"^export (?:async )?(function|class|const)\*? (\w+)", re.MULTILINE)
START = re.compile(r"^(?=/\*\*|export )", re.MULTILINE)
NAMED = re.compile(r"(?<![\w$])(?<!(?<!\.\.)\.)([A-Za-z_]\w*)(\()?")  # no property, but what is spread
METHOD = re.compile(r"^(  (?:async |get |\*)?)\w+(?=\(.*\) \{$)", re.MULTILINE)  # its own name, in a class
NO_CODE = re.compile(r"/\*.*?\*/|//[^\n]*", re.DOTALL)
FILES = (
    "products", "simd", "runs", "convolution", "pooling", "channels", "normalisation", "joins", "resampling",
    "costs", "functions", "weights", "pictures", "preparation", "augmentation", "network", "looking", "training",
)  # fmt: skip


@cache
def declarations() -> dict[str, str]:
    """Every declaration of the kernels by its name, with the comment before it."""
    found: dict[str, str] = {}
    for name in FILES:
        comment = ""
        for piece in START.split(text_of(f"{name}.js"))[1:]:
            if match := DECLARATION.match(piece):
                found[match[2]] = comment + piece.strip() + "\n"
                comment = ""
            else:
                comment = piece
    return found


def text_of(name: str) -> str:
    return files(__package__).joinpath("kernels", name).read_text(encoding="utf-8")


@cache
def calls(name: str) -> frozenset[str]:
    """The other declarations that one names."""
    return named(declarations()[name]) - {name}


def named(code: str) -> frozenset[str]:
    """The declarations that a piece of code needs: functions that it calls, classes and constants that it names."""
    found = NAMED.findall(METHOD.sub(r"\1", NO_CODE.sub("", code)))
    known, called_alone = declarations(), functions()
    return frozenset(name for name, called in found if name in known and (called or name not in called_alone))


@cache
def functions() -> frozenset[str]:
    """Which declarations are functions: a local variable may have the name of one."""
    kinds = (DECLARATION.search(text) for text in declarations().values())
    return frozenset(kind[2] for kind in kinds if kind and kind[1] == "function")


def used(code: Iterable[str]) -> str:
    """Source of all that some code names, directly or not, in the kernels' order and without `export`."""
    wanted: set[str] = set()
    open_names = set().union(*map(named, code))
    while open_names:
        name = open_names.pop()
        wanted.add(name)
        open_names |= calls(name) - wanted
    return "\n".join(text.replace("export ", "", 1) if text.startswith("export ") else
                     text.replace("\nexport ", "\n", 1)
                     for name, text in declarations().items() if name in wanted)  # fmt: skip
