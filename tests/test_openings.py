"""Files of others are opened in one place, `plain_files`; here are those that need it not."""

from __future__ import annotations

import ast
from pathlib import Path

import cnnspec

# what these open is our own, or the system's, or written
OWN = {
    "plain_files.py", "capacity.py", "resources.py", "lang/parse/syntax.py", "reference/tables.py",
    "report/page/__init__.py", "bench/runner.py", "runtime/remember.py", "train/files.py", "train/lock.py",
    "targets/python/runtime.py", "targets/js/bundle.py", "targets/js/wat.py", "lab/assets.py", "lab/lesson.py",
    "lab/site.py", "docs/site.py",
}  # fmt: skip
PACKAGE = Path(cnnspec.__file__).parent


def opens(call):
    """Whether a call opens a path by itself: `open(p)`, `p.open("rb")`, `p.read_text()`, `numpy.load(p)`, ..."""
    if isinstance(call.func, ast.Name):
        return call.func.id == "open"
    if not isinstance(call.func, ast.Attribute):
        return False
    owner = ast.unparse(call.func.value)
    arguments = [ast.unparse(argument) for argument in call.args]
    match call.func.attr:
        case "read_text" | "read_bytes":
            return True
        case "load" | "loadtxt" | "fromfile" | "memmap":
            return owner in ("np", "numpy", "onnx") and "file" not in arguments
        case "open":
            modes = {argument.strip("'") for argument in arguments}
            written = any("O_WRONLY" in argument for argument in arguments)
            return (owner in ("os", "io") and not written) or bool(modes & {"r", "rb"})
    return False


def test_nothing_else_opens_a_file_of_others():
    """A door that is added goes through `plain_files`, or says here why it need not."""
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        name = path.relative_to(PACKAGE).as_posix()
        tree = ast.parse(path.read_text(encoding="utf-8"))
        calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and opens(node)]
        lines = [f"{name}:{call.lineno}" for call in calls]
        if lines:
            found[name] = lines
    assert not [line for name, lines in found.items() if name not in OWN for line in lines]
    assert found.keys() == OWN, "these open nothing any more"
