"""From a code's entry one name leads to the code that proposes its fix, and its number to who raises it."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from pathlib import Path

import pytest

from cnnspec.diagnostics.codes import CODES, Code
from cnnspec.lang.hints.candidates import CANDIDATES

PACKAGE = Path(__file__).parents[2] / "cnnspec"
ENTRIES = PACKAGE / "diagnostics" / "codes"
MAKERS = {"Proposal", "replace", "insert"}  # of lang/findings.py


def texts() -> dict[Path, str]:
    return {path: path.read_text(encoding="utf-8") for path in sorted(PACKAGE.rglob("*.py"))}


def name_of(path: Path, function: str) -> str:
    return ".".join([*path.relative_to(PACKAGE).with_suffix("").parts, function])


def named(tree: ast.AST, within: str = "") -> Iterator[tuple[str, ast.FunctionDef]]:
    """The functions of a module and of its classes, by their names in it."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.ClassDef):
            yield from named(node, f"{node.name}.")
        elif isinstance(node, ast.FunctionDef):
            yield within + node.name, node


@cache
def proposers() -> dict[str, set[str]]:
    """The functions that propose fixes, by the codes that they raise with them."""
    found: dict[str, set[str]] = defaultdict(set)
    for code, function in CANDIDATES.items():
        found[code].add(f"{function.__module__.removeprefix('cnnspec.')}.{function.__name__}")
    for path, text in texts().items():
        if '"CNN' not in text or ENTRIES in path.parents:
            continue
        tree = ast.parse(text)
        functions = dict(named(tree))
        makers = {f.name for f in functions.values() if f.returns and "Proposal" in ast.unparse(f.returns)}
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and (node.module or "").endswith("findings"):
                makers |= {name.name for name in node.names} & MAKERS
        for name, function in functions.items():
            calls = [node for node in ast.walk(function) if isinstance(node, ast.Call)]
            makes = any(ast.unparse(call.func) in makers for call in calls)
            makes = makes or any(word.arg == "fix" for call in calls for word in call.keywords)
            for call in calls:
                first = call.args[0] if call.args else None
                if not isinstance(first, ast.Constant) or first.value not in CODES:
                    continue
                called = ast.unparse(call.func)
                told = called.endswith(".tell") and len(call.args) > 2
                handed = called == "filled" and "*proposals" in ast.unparse(function)  # those of another finding
                if told or handed or (called == "Diagnostic.of" and makes):
                    found[first.value].add(name_of(path, name))
    return found


@pytest.mark.parametrize("code", CODES.values(), ids=lambda code: code.code)
def test_an_entry_names_who_proposes_its_fixes(code: Code) -> None:
    assert proposers().get(code.code, set()) <= set(code.fixed_by)
    assert bool(code.fixed_by) == (code.code in proposers()), "a fix is named where there is one"
    for name in code.fixed_by:
        *module, function = name.split(".")
        holder = module.pop() if module[-1][0].isupper() else ""
        found = import_module(".".join(["cnnspec", *module]))
        assert callable(getattr(getattr(found, holder) if holder else found, function))


def test_a_number_leads_to_its_entry_and_to_who_raises_it() -> None:
    entry = "".join(text for path, text in texts().items() if ENTRIES in path.parents)
    raised = "".join(text for path, text in texts().items() if ENTRIES not in path.parents)
    begun = r'^ *(?:\w+\()?"{}",'
    assert [code for code in CODES if not re.search(begun.format(code), entry, re.MULTILINE)] == []
    assert [code for code in CODES if f'"{code}"' not in raised] == []


def raisers() -> Iterator[tuple[str, Path, int]]:
    """Each number that is an argument of a call, or one of two by a condition, with its file and line."""
    for path, text in texts().items():
        if ENTRIES in path.parents or '"CNN' not in text:
            continue
        for call in (node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call)):
            for argument in (*call.args, *(word.value for word in call.keywords)):
                either = (argument.body, argument.orelse) if isinstance(argument, ast.IfExp) else (argument,)
                for part in either:
                    if isinstance(part, ast.Constant) and part.value in CODES:
                        yield part.value, path, part.lineno


def test_who_raises_a_code_is_found_as_contributors_are_told() -> None:
    page = (PACKAGE.parent / "grammar" / "contributing.md").read_text(encoding="utf-8")
    assert """`grep -rn -B1 '"CNN103"[,)]' cnnspec --include=*.py --exclude-dir=codes`""" in page
    lines = {path: text.splitlines() for path, text in texts().items()}
    found = list(raisers())
    assert {code for code, _, _ in found} == CODES.keys()
    hidden = [(path, at) for code, path, at in found if not re.search(f'"{code}"[,)]', lines[path][at - 1])]
    assert hidden == [], "the number is followed by a comma, or ends the call"
    hits = [line for path, of in lines.items() if ENTRIES not in path.parents for line in of if '"CNN103",' in line]
    assert len(hits) == 1, "the page says so"
