"""The files for editors: what each says is there, fits together and works."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from cnnspec.api import read_spec
from cnnspec.cli import COMMANDS, program
from cnnspec.cli.editor import sections

EDITORS = Path(__file__).parents[2] / "grammar" / "editors"
VSCODE = EDITORS / "vscode"
MANIFEST = json.loads((VSCODE / "package.json").read_text())


def invoke(*arguments):
    return CliRunner().invoke(program, list(arguments))


def test_every_file_that_the_extension_names_is_there():
    told = MANIFEST["contributes"]
    named = [MANIFEST["icon"], MANIFEST["main"]]
    named += [one["path"] for kind in ("grammars", "snippets") for one in told[kind]]
    named += [language["configuration"] for language in told["languages"]]
    for name in named:
        assert (VSCODE / name).is_file(), name
    for path in VSCODE.rglob("*.json"):
        json.loads(path.read_text())


def test_every_command_is_declared_and_answered():
    source = (VSCODE / "extension.js").read_text()
    declared = {one["command"] for one in MANIFEST["contributes"]["commands"]}
    assert declared == set(re.findall(r'"(cnnspec\.\w+)":', source))
    used = {one["command"] for menu in MANIFEST["contributes"]["menus"].values() for one in menu}
    assert used <= declared
    started = set(re.findall(r'onFile\("(\w+)"\)', source)) | {"explain", "lsp"}
    assert started <= set(COMMANDS)


def test_nothing_of_an_untrusted_workspace_is_started():
    source = (VSCODE / "extension.js").read_text()
    assert "if (!vscode.workspace.isTrusted) return" in source
    assert "cnnspec.command" in MANIFEST["capabilities"]["untrustedWorkspaces"]["restrictedConfigurations"]


@pytest.mark.parametrize("name", list(json.loads((VSCODE / "snippets" / "cnn.json").read_text())))
def test_snippets_are_read_with_their_defaults(name, tmp_path):
    body = json.loads((VSCODE / "snippets" / "cnn.json").read_text())[name]["body"]
    text = "\n".join([body] if isinstance(body, str) else body)
    text = re.sub(r"\$\{\d+\|(\w+)[^}]*\|\}", r"\1", text)
    values = dict(re.findall(r"\$\{(\d+):([^}]*)\}", text))
    text = re.sub(r"\$\{(\d+)(?::[^}]*)?\}", lambda match: values[match[1]], text).replace("$0", "")
    whole = text if text.startswith("input") else f"input 16x64x64\n{text}\n"
    if not text.startswith(("input", "conv")):
        whole += "\nconv 16x3x3 pad same -> gap -> dense 10 -> softmax\n"
    (tmp_path / "a.cnn").write_text(whole)
    assert read_spec(tmp_path / "a.cnn").graph is not None


def test_the_extension_is_javascript(tmp_path):
    node = shutil.which("node")
    if node is None:
        pytest.skip("there is no node here")
    subprocess.run([node, "--check", str(VSCODE / "extension.js")], check=True, timeout=300)
    # with nothing of the editor but names, the drawing is put into a page in which nothing can run
    (tmp_path / "node_modules" / "vscode").mkdir(parents=True)
    (tmp_path / "node_modules" / "vscode" / "index.js").write_text("module.exports = {};")
    client = tmp_path / "node_modules" / "vscode-languageclient"
    client.mkdir()
    (client / "node.js").write_text("exports.LanguageClient = class {};")
    shutil.copy(VSCODE / "extension.js", tmp_path)
    ask = 'console.log(require("./extension.js").page("<svg onload=alert(1)></svg>"))'
    page = subprocess.run([node, "-e", ask], cwd=tmp_path, capture_output=True, text=True, check=True, timeout=300)
    assert "onload" not in page.stdout and "default-src 'none'" in page.stdout


def told(editor, *begins):
    """The lines of code that `cnnspec editor` says, those with such a beginning where some are given."""
    lines = re.findall(r"^    (.*)$", invoke("editor", editor).output, flags=re.M)
    return [line for line in lines if not begins or line.startswith(begins)]


@pytest.fixture
def home(tmp_path, monkeypatch):
    """The home of someone who has just installed cnnspec, with a spec in it."""
    place = Path(sys.executable).parent
    if shutil.which("cnnspec", path=place) is None:
        pytest.skip("there is no cnnspec beside this Python")
    for name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("PATH", str(place), prepend=os.pathsep)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a b.cnn").write_text("input 1x28x28\nconv 8x3x3 -> rellu -> dense 10 -> softmax\n")
    return tmp_path


def call(*arguments):
    return subprocess.run(arguments, capture_output=True, text=True, timeout=90, stdin=subprocess.DEVNULL)


def test_neovim_as_it_is_told(home):
    pytest.importorskip("pygls", reason="the extra [lsp] is not installed")
    if shutil.which("nvim") is None:
        pytest.skip("there is no nvim here")
    subprocess.run(["sh", "-ec", "\n".join(told("neovim", "mkdir", "cp"))], check=True)
    config = home / ".config" / "nvim"
    config.mkdir(parents=True)
    new, old = re.split(r"^before it.*$", invoke("editor", "neovim").output, flags=re.M)
    version = tuple(map(int, re.search(r"NVIM v(\d+)\.(\d+)", call("nvim", "--version").stdout).groups()))
    lines = (new if version >= (0, 11) else old).splitlines()
    lines = [line for line in lines if line[:4] == "    " and line.split()[0] not in ("mkdir", "cp")]
    (config / "init.lua").write_text("\n".join(lines))
    (home / "probe.lua").write_text(
        "vim.wait(120000, function() return #vim.diagnostic.get(0) > 0 end, 20)\n"
        "local found = vim.diagnostic.get(0)[1]\n"
        "local word = vim.fn.synIDattr(vim.fn.synID(2, 1, 1), 'name')\n"
        "local seen = { vim.bo.filetype, found.code, found.lnum, word }\n"
        "vim.fn.writefile({ vim.fn.json_encode(seen) }, 'seen.json')\n"
    )
    done = call("nvim", "--headless", "-n", "-i", "NONE", "a b.cnn", "-c", "luafile probe.lua", "-c", "qa!")
    assert (home / "seen.json").exists(), done.stderr
    assert json.loads((home / "seen.json").read_text()) == ["cnn", "CNN201", 1, "cnnWord"]


def test_emacs_as_it_is_told(home):
    if shutil.which("emacs") is None:
        pytest.skip("there is no emacs here")
    (home / ".emacs").write_text("\n".join(told("emacs")))
    look = """(progn (font-lock-ensure)
      (princ (format "%s %s" major-mode (get-text-property 15 'face)))
      (let ((compilation-ask-about-save nil)) (compile compile-command))
      (while (get-buffer-process "*compilation*") (accept-process-output nil 0.1))
      (with-current-buffer "*compilation*" (goto-char (point-min)) (compilation-next-error 1 nil (point-min))
        (princ (format " %s" (compilation--message->type (get-text-property (point) 'compilation-message))))))"""
    done = call("emacs", "--batch", "-l", ".emacs", "a b.cnn", "--eval", look)
    assert done.stdout == "cnn-mode font-lock-function-name-face 2", done.stderr
    assert "error" not in done.stderr.lower()


def test_vim_as_it_is_told(home):
    if shutil.which("vim") is None:
        pytest.skip("there is no vim here")
    copy = "\n".join(told("vim", "mkdir", "cp"))
    subprocess.run(["sh", "-ec", f"{copy}\n{copy}"], check=True)  # a second time, after an upgrade
    broken, untidy = "input 1x28x28\nconv 8x3x3   -> ( relu\n", "input 4\ndense 3->relu\n"
    for name, text in (("broken", broken), ("untidy", untidy)):
        (home / f"{name}.cnn").write_text(text)
    commands = [
        "filetype plugin on", "syntax on", "edit a\\ b.cnn", "silent make",
        "let seen = [&filetype, &commentstring, synIDattr(synID(2, 1, 1), 'name'), getqflist()]",
        "call writefile([json_encode(seen)], 'seen.json')",
        *("edit broken.cnn", "normal gggqG", "write", "edit untidy.cnn", "normal gggqG", "write"), "qa!",
    ]  # fmt: skip
    (home / ".vimrc").write_text("")
    (home / "do.vim").write_text("\n".join(commands))
    call("vim", "-es", "-N", "-i", "NONE", "-S", "do.vim")
    *seen, (finding,) = json.loads((home / "seen.json").read_text())
    assert seen == ["cnn", "# %s", "cnnWord"]
    assert (finding["lnum"], finding["col"], finding["type"]) == (2, 15, "e")
    assert finding["text"].startswith("[CNN201]: ") and "rellu" in finding["text"]
    assert (home / "broken.cnn").read_text() == broken
    assert (home / "untidy.cnn").read_text() == "input 4\ndense 3 -> relu\n"


@pytest.mark.parametrize("name", list(sections()))
def test_an_editor_is_told_with_its_own_folder(name):
    said = invoke("editor", name)
    assert said.exit_code == 0
    assert "{folder}" not in said.output
    for folder in re.findall(r"""[^\s"']*/editors/\w+""", said.output):
        assert Path(folder).is_dir()


def test_editors_are_listed_and_others_refused():
    listed = invoke("editor")
    assert {"vscode", "vim", "neovim", "emacs", "helix", "zed"} <= set(listed.output.split())
    assert invoke("editor", "nano").exit_code == 2


@pytest.mark.parametrize(
    ("said", "meant"),
    [("VS Code", "vscode"), ("visual-studio-code", "vscode"), ("code", "vscode"), ("nvim", "neovim"),
     ("Neovim", "neovim"), ("hx", "helix"), ("sphinx", "pygments"), ("JupyterLab", "jupyter")],
)  # fmt: skip
def test_an_editor_is_known_by_the_names_that_people_give_it(said, meant):
    assert invoke("editor", said).output == invoke("editor", meant).output != ""


def test_a_folder_with_spaces_is_told_as_the_shell_and_the_editor_read_it(tmp_path, monkeypatch):
    shutil.copytree(EDITORS, tmp_path / "a b" / "editors", ignore=shutil.ignore_patterns("node_modules"))
    monkeypatch.setattr("cnnspec.cli.editor.grammar_folder", lambda: tmp_path / "a b")
    copy = "\n".join(told("vscode", "mkdir", "cp"))
    subprocess.run(["sh", "-ec", f"{copy}\n{copy}"], cwd=tmp_path, check=True)
    assert (tmp_path / "cnnspec-vscode" / "package.json").is_file()
    assert f'"{tmp_path / "a b" / "editors" / "emacs"}"' in invoke("editor", "emacs").output
