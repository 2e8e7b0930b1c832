"""What commands print: nothing of others is obeyed by a terminal, forges a line, or gives a workflow an order."""

import ast
import io
import json
from pathlib import Path

import pytest
from doors import call

import cnnspec.cli
from cnnspec import terminal

HERE = Path(cnnspec.cli.__file__).parent
ESCAPES = "a\x1b]0;owned\x07\x9b31m\u202eb"


class Stream(io.TextIOWrapper):
    """Standard output of a terminal or of a pipe."""

    def __init__(self, encoding="utf-8", terminal=False):
        super().__init__(io.BytesIO(), encoding=encoding, newline="")
        self.terminal = terminal

    def isatty(self):
        return self.terminal

    @property
    def written(self):
        self.flush()
        return self.buffer.getvalue()


@pytest.mark.parametrize("path", sorted(HERE.glob("*.py")), ids=lambda path: path.stem)
def test_nothing_else_prints(path):
    """The functions of `terminal` are the only ways out."""
    calls = [ast.unparse(node.func) for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]
    direct = {call for call in calls if call in ("click.echo", "print", "click.secho")}
    assert not direct
    assert not any(call.endswith(".buffer.write") for call in calls)


def test_a_line_is_one_line(capsys):
    terminal.tell("a\nb", "c\u2028d")
    assert capsys.readouterr().out == "a␊b\nc\ufffdd\n"


def test_a_page_keeps_its_lines(capsys):
    terminal.show("a\n\tb\x1b[2J\n", err=True)
    assert capsys.readouterr().err == "a\n\tb␛[2J\n"


@pytest.mark.parametrize("order", ["::error ::x", "  ::set-env name=A::b", "##[error]x", "a ##vso[task.complete]x"])
def test_no_line_gives_an_order(capsys, order):
    terminal.tell(order)
    terminal.show(order + "\n")
    for line in capsys.readouterr().out.splitlines():
        assert not line.lstrip().startswith("::") and "##[" not in line and "##vso[" not in line


def test_the_shape_that_a_spec_asserts_is_no_order(capsys):
    terminal.show("conv 8x3x3\n  :: 8x26x26 -> relu ::8x26x26\n::: net.cnn:1:1\n")
    assert capsys.readouterr().out == "conv 8x3x3\n  :: 8x26x26 -> relu ::8x26x26\n::: net.cnn:1:1\n"


@pytest.mark.parametrize(("variable", "exact"), [("GITHUB_ACTIONS", False), ("TF_BUILD", False), ("CI", True)])
@pytest.mark.parametrize("arguments", [("fmt", "--diff"), ("check", "--diff", "-q")], ids=" ".join)
def test_a_patch_is_exact_but_in_the_log_of_a_workflow(tmp_path, monkeypatch, arguments, variable, exact):
    for name in ("GITHUB_ACTIONS", "TF_BUILD"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv(variable, "true")
    monkeypatch.chdir(tmp_path)
    arrow = "->" if "fmt" in arguments else "→"  # which `check` mends
    Path("n\n+++ x.cnn").write_text(f"input 4\n# ##[error] \x1b[31m\ndense  2 {arrow} softmax\n")
    _, said = call(*arguments, "n\n+++ x.cnn")
    assert ("##[" in said) is exact and ("\x1b" in said) is exact
    assert said.count("\n+++ ") == 1  # the name forges no other file's patch


def test_a_symbol_that_the_terminal_lacks_is_replaced(monkeypatch):
    stream = Stream("ascii")
    monkeypatch.setattr("sys.stdout", stream)
    terminal.tell("3×32 → 5")
    assert stream.written == b"3?32 ? 5\n"


@pytest.mark.parametrize("seen_by", ["terminal", "pipe"])
def test_a_document_is_exact_for_a_pipe_and_harmless_on_a_terminal(monkeypatch, seen_by):
    stream = Stream(terminal=seen_by == "terminal")
    monkeypatch.setattr("sys.stdout", stream)
    content = f"# {ESCAPES}\r\n".encode()
    terminal.hand_over(content)
    if seen_by == "pipe":
        assert stream.written == content
    else:
        shown = stream.written.decode()
        assert shown.endswith("\n") and shown[:-1].isprintable()


@pytest.mark.parametrize(
    "arguments",
    [
        ("check", "{}"),
        ("summary", "{}"),
        ("summary", "net.cnn", "--sort", "{}"),
        ("why", "net.cnn", "--value", "{}"),
        ("{}",),
        ("explain", "{}"),
        ("ops", "{}"),
        ("predict", "net.cnn", "{}"),
    ],
    ids=" ".join,
)
def test_what_a_call_is_refused_with_quotes_it_harmlessly(tmp_path, monkeypatch, arguments):
    monkeypatch.chdir(tmp_path)
    Path("net.cnn").write_text("input 4\ndense 2 -> softmax\n")
    code, said = call(*(argument.format(f"{ESCAPES}\n::error ::forged") for argument in arguments))
    lines = said.split("\n")
    assert code == 2
    assert all(line.isprintable() and not line.lstrip().startswith("::") for line in lines)
    assert lines[-2].startswith("Error: ") or "error[CNN" in said


def test_the_choices_of_an_argument_stay_readable():
    code, said = call("completion")
    assert code == 2 and "Error: Missing argument" in said and "Choose from:\n" in said


def test_json_is_for_machines(capsys):
    text = f"{ESCAPES} ##[error]"
    terminal.tell_json({"class": text})
    out = capsys.readouterr().out
    assert json.loads(out) == {"class": text} and out.isascii() and "\x1b" not in out and "##[" not in out
