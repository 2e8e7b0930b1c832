"""Every text that is read or written is UTF-8, whatever the locale: no file or pipe is opened without saying so."""

import ast
from pathlib import Path

import pytest

import cnnspec

ROOT = Path(cnnspec.__file__).parent
BINARY = {
    "open_regular", "tarfile.open", "gzip.open", "Image.open", "RunFolder.open", "ResumePoint.open", "archive.open",
    "os.open", "webbrowser.open",
}  # fmt: skip


def of_text(call: ast.Call) -> bool:
    """Whether a call opens, reads or writes text in an encoding that it does not name."""
    name, named = ast.unparse(call.func), {keyword.arg for keyword in call.keywords}
    method = name.rpartition(".")[2]
    if "encoding" in named or name in BINARY:
        return False
    if method in ("read_text", "write_text"):
        return isinstance(call.func, ast.Attribute)  # `plain_files.read_text` is UTF-8 by itself
    if method in ("open", "fdopen"):
        place = 0 if isinstance(call.func, ast.Attribute) and method == "open" else 1  # Path.open(mode)
        modes = [k.value for k in call.keywords if k.arg == "mode"] + call.args[place : place + 1]
        return not (modes and isinstance(modes[0], ast.Constant) and "b" in str(modes[0].value))
    if name.startswith("subprocess.") or method in ("Popen", "check_output"):
        return bool(named & {"text", "universal_newlines"})
    return method == "TextIOWrapper"


def found(source: str) -> list[str]:
    calls = (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call))
    return [f"{call.lineno}: {ast.unparse(call)[:80]}" for call in calls if of_text(call)]


@pytest.mark.parametrize("path", sorted(ROOT.rglob("*.py")), ids=lambda path: str(path.relative_to(ROOT)))
def test_every_text_names_its_encoding(path):
    assert found(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    "line",
    [
        "open('a')", "open('a', 'w')", "open('a', mode='a')", "path.open()", "path.open('w')", "path.read_text()",
        "path.write_text('é')", "os.fdopen(3, 'w')", "subprocess.run(['a'], text=True)", "io.TextIOWrapper(raw)",
        "subprocess.Popen(['a'], universal_newlines=True)",
    ],
)  # fmt: skip
def test_what_it_finds(line):
    assert found(line)


@pytest.mark.parametrize(
    "line",
    [
        "open('a', 'rb')", "open('a', encoding='utf-8')", "path.open('wb')", "os.fdopen(3, 'rb')",
        "read_text(path)",
        "path.read_text(encoding='utf-8')", "subprocess.run(['a'], encoding='utf-8')", "subprocess.run(['a'])",
    ],
)  # fmt: skip
def test_what_it_lets_pass(line):
    assert found(line) == []
