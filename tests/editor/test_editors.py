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
    subprocess.run([node, "--check", str(VSCODE / "extension.js")], check=True, timeout=60)
    # with nothing of the editor but names, the drawing is put into a page in which nothing can run
    (tmp_path / "node_modules" / "vscode").mkdir(parents=True)
    (tmp_path / "node_modules" / "vscode" / "index.js").write_text("module.exports = {};")
    client = tmp_path / "node_modules" / "vscode-languageclient"
    client.mkdir()
    (client / "node.js").write_text("exports.LanguageClient = class {};")
    shutil.copy(VSCODE / "extension.js", tmp_path)
    ask = 'console.log(require("./extension.js").page("<svg onload=alert(1)></svg>"))'
    page = subprocess.run([node, "-e", ask], cwd=tmp_path, capture_output=True, text=True, check=True, timeout=60)
    assert "onload" not in page.stdout and "default-src 'none'" in page.stdout


def test_vim_lists_findings(tmp_path):
    vim, place = shutil.which("vim"), Path(sys.executable).parent
    if vim is None or shutil.which("cnnspec", path=place) is None:
        pytest.skip("there is no vim here, or no cnnspec beside this Python")
    (tmp_path / "a b.cnn").write_text("input 1x28x28\nconv 8x3x3 -> rellu -> dense 10 -> softmax\n")
    told = tmp_path / "told.json"
    commands = [
        "filetype plugin on", "edit a\\ b.cnn", "silent make",
        f"call writefile([json_encode([&filetype, &commentstring, getqflist()])], '{told}')", "qa!",
    ]  # fmt: skip
    arguments = [argument for command in commands for argument in ("-c", command)]
    subprocess.run(
        [vim, "-es", "-N", "-u", "NONE", "-i", "NONE", "--cmd", f"set rtp^={EDITORS / 'vim'}", *arguments],
        cwd=tmp_path, stdin=subprocess.DEVNULL, capture_output=True, timeout=60,
        env={**os.environ, "PATH": f"{place}{os.pathsep}{os.environ['PATH']}"},
    )  # fmt: skip
    kind, comment, (finding,) = json.loads(told.read_text())
    assert (kind, comment) == ("cnn", "# %s")
    assert (finding["lnum"], finding["col"], finding["type"]) == (2, 15, "e")
    assert "rellu" in finding["text"]


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
