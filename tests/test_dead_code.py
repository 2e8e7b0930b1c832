"""What a module defines at its top is used by the package: what tests alone call goes, or moves to them."""

from __future__ import annotations

import ast
import re
from pathlib import Path

PACKAGE = Path(__file__).parents[1] / "cnnspec"
OFFERED = {"words.composed.Composed": "contributing.md offers it to words that other words say wholly"}


def names_of(definition: ast.stmt) -> list[str]:
    """What a statement defines."""
    match definition:
        case ast.FunctionDef(name) | ast.AsyncFunctionDef(name) | ast.ClassDef(name):
            return [name]
        case ast.Assign(targets):
            return [target.id for target in targets if isinstance(target, ast.Name)]
        case ast.AnnAssign(ast.Name(name)):
            return [name]
    return []


def used_in(tree: ast.AST) -> set[str]:
    """The names that some source reads, imports, takes of a module, or has in a text (an entry point)."""
    found: set[str] = set()
    for node in ast.walk(tree):
        match node:
            case ast.Name(name, ast.Load()) | ast.Attribute(attr=name):
                found.add(name)
            case ast.ImportFrom(names=aliases):
                found |= {alias.name for alias in aliases}
            case ast.Constant(str(text)) if len(text) < 100:
                found |= set(re.findall(r"\w+", text))
    return found


def unused() -> set[str]:
    """Definitions at the top of a module that nothing names but they themselves, by module and name."""
    found, elsewhere = set(), [(PACKAGE.parent / "pyproject.toml").read_text(encoding="utf-8")]
    elsewhere += [script.read_text(encoding="utf-8") for script in PACKAGE.rglob("*.js")]
    named = set(re.findall(r"\w+", "\n".join(elsewhere)))
    modules = {}
    for path in PACKAGE.rglob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        module = ".".join(path.relative_to(PACKAGE).with_suffix("").parts)
        modules[module] = [(names_of(statement), used_in(statement)) for statement in tree.body]
    readers: dict[str, int] = {}
    for statements in modules.values():
        for _, used in statements:
            for name in used:
                readers[name] = readers.get(name, 0) + 1
    for module, statements in modules.items():
        for names, used in statements:
            for name in names:
                if not name.startswith("__") and name not in named and not readers.get(name, 0) - (name in used):
                    found.add(f"{module}.{name}")
    return found


def test_nothing_is_defined_that_the_package_does_not_use() -> None:
    found = unused()
    assert sorted(found - OFFERED.keys()) == [], "take it out, or move it to the tests that call it"
    assert sorted(OFFERED.keys() - found) == [], "it is used: take it out of OFFERED"
