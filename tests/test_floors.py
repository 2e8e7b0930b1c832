"""The table of folders in grammar/contributing.md is the contract of imports, read from the top."""

import ast
import re
import subprocess
import sys
import tomllib
from graphlib import TopologicalSorter
from pathlib import Path

ROOT = Path(__file__).parents[1]


def floors():
    """The floors of the contract, top first, each with its folders."""
    configuration = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    (contract,) = configuration["tool"]["importlinter"]["contracts"]
    assert "ignore_imports" not in contract, "the contract has no exceptions"
    return [[part.strip().removeprefix("cnnspec.") for part in layer.split("|")] for layer in contract["layers"]]


def test_every_folder_has_a_floor():
    named = {name for floor in floors() for name in floor}
    package = ROOT / "cnnspec"
    assert {path.parent.name for path in package.glob("*/__init__.py")} <= named
    assert all((package / name).is_dir() or (package / f"{name}.py").is_file() for name in named)


def test_contributors_are_told_the_floors_in_their_order():
    text = (ROOT / "grammar" / "contributing.md").read_text(encoding="utf-8")
    table = text[text.index("| folder | what it does |") :].split("\n\n")[0]
    told = [re.findall(r"(\w+)/`", row.split("|")[1]) for row in table.splitlines()[2:]]
    told = [[name for name in row if name != "cnnspec"] for row in told if row != ["grammar"]]
    modules = ("notebook", "cells", "api")  # single files, of no row
    contract = [[name for name in floor if name not in modules] for floor in floors()]
    assert [sorted(row) for row in told] == [sorted(floor) for floor in contract if floor]


def imports(path):
    """The modules of the package that a file imports, anywhere in it: at its top, in functions, for types alone."""
    module = path.relative_to(ROOT).with_suffix("").parts
    package = module[:-1]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level:
            base = (*package[: len(package) - node.level + 1], *filter(None, (node.module or "").split(".")))
            yield base
            yield from ((*base, alias.name) for alias in node.names)


def test_no_two_modules_import_each_other():
    files = {path.relative_to(ROOT).with_suffix("").parts: path for path in (ROOT / "cnnspec").rglob("*.py")}
    modules = {name[:-1] if name[-1] == "__init__" else name: path for name, path in files.items()}
    # a package is not what a module of it needs, though Python runs its __init__ first
    graph = {
        name: {other for other in imports(path) if other in modules and other != name[: len(other)]}
        for name, path in modules.items()
    }
    TopologicalSorter(graph).prepare()  # raises CycleError, with the circle


def test_no_room_has_more_than_18_files():
    folders = {path.parent for path in (ROOT / "cnnspec").rglob("*.py")} - {ROOT / "cnnspec" / "cli"}
    crowded = {folder.name: count for folder in folders if (count := len(list(folder.glob("*.py")))) > 18}
    assert not crowded, "cut it into rooms of one subject (a file for each command: cli/ alone)"


def test_every_module_can_be_imported_first():
    """Alone, by a Python that has imported nothing of us: no name is needed that only a type checker sees."""
    script = """
import importlib, pathlib, sys
failed = []
for path in sorted(pathlib.Path("cnnspec").rglob("*.py")):
    name = ".".join(path.with_suffix("").parts).removesuffix(".__init__")
    if name.endswith("__main__"):
        continue
    try:
        importlib.import_module(name)
    except ModuleNotFoundError as missing:
        if (missing.name or "").startswith("cnnspec"):
            failed.append((name, str(missing)))
    except Exception as error:
        failed.append((name, repr(error)))
print(failed)
"""
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.stdout.strip() == "[]", done.stdout + done.stderr


def test_no_module_has_more_than_400_lines():
    """Lines are held to one width by ruff, so that none is long to be few."""
    lines = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in (ROOT / "cnnspec").rglob("*.py")}
    assert len(lines) > 400, "the modules are not where they are looked for"
    over = {str(path.relative_to(ROOT)): count for path, count in lines.items() if count > 400}
    assert not over, "cut it where another subject begins"
