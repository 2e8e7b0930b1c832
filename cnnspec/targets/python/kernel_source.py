"""The source of the kernels that a plan calls, with everything that they call themselves.

Functions are taken from the modules of `cnnspec.kernels` as they stand there, in their order, with the imports
that they need; what other kernels would need is left out.
"""

from __future__ import annotations

import ast
import inspect
import symtable
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from types import ModuleType

from ...kernels import MODULES


@dataclass
class Definition:
    """Something that a module defines at its top: its lines, and the names that they use."""

    source: str
    uses: set[str] = field(default_factory=set)


@dataclass
class Definitions:
    """What a module defines and what it imports, by name, in its order."""

    own: dict[str, Definition] = field(default_factory=dict)
    imports: dict[str, str] = field(default_factory=dict)


@cache
def definitions(module: ModuleType) -> Definitions:
    """The top of a module taken apart."""
    source = inspect.getsource(module)
    lines, found = source.splitlines(), Definitions()
    for node in ast.parse(source).body:
        if isinstance(node, ast.ImportFrom) and not node.level and node.module != "__future__":
            for alias in node.names:
                found.imports[alias.asname or alias.name] = f"from {node.module} import {ast.unparse(alias)}"
        elif isinstance(node, ast.Import):
            for alias in node.names:
                found.imports[alias.asname or alias.name] = f"import {ast.unparse(alias)}"
        for name in defined(node):
            first = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", ()))])
            text = "\n".join(lines[first - 1 : node.end_lineno])
            found.own[name] = Definition(text, globals_of(text))
    return found


def defined(node: ast.stmt) -> list[str]:
    """The names that a statement at the top of a module defines."""
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return [node.name]
    targets: list[ast.expr] = []
    if isinstance(node, ast.Assign):
        targets = node.targets
    elif isinstance(node, ast.AnnAssign):
        targets = [node.target]
    return [name.id for target in targets for name in ast.walk(target) if isinstance(name, ast.Name)]


def globals_of(source: str) -> set[str]:
    """The names that a piece of source takes from around it: those it uses and does not make itself."""
    made: set[str] = set()
    used: set[str] = set()
    top = symtable.symtable(source, "<piece>", "exec")
    tables = [top]
    while tables:
        table = tables.pop()
        tables += table.get_children()
        for symbol in table.get_symbols():
            if table is top and symbol.is_assigned():
                made.add(symbol.get_name())
            elif symbol.is_referenced() and (table is top or symbol.is_global()):
                used.add(symbol.get_name())
    for node in ast.walk(ast.parse(source)):
        notes = [getattr(node, "annotation", None), getattr(node, "returns", None)]
        used |= {name.id for note in notes if note for name in ast.walk(note) if isinstance(name, ast.Name)}
    return used - made


def sources(wanted: Iterable[str], extra: tuple[ModuleType, ...] = ()) -> tuple[list[str], list[str]]:
    """The imports, and the definitions, that these names need; `extra` are modules to look into as well."""
    modules = [definitions(module) for module in (*MODULES, *extra)]
    needed: set[str] = set()
    imports: dict[str, None] = {}
    open_names = list(wanted)
    while open_names:
        name = open_names.pop()
        if name in needed:
            continue
        needed.add(name)
        for module in modules:
            if name in module.own:
                uses = module.own[name].uses
                open_names += uses
                imports |= dict.fromkeys(module.imports[use] for use in uses if use in module.imports)
    texts = [definition.source for module in modules for name, definition in module.own.items() if name in needed]
    return sorted(imports), list(dict.fromkeys(texts))
