"""Neovim without a window as the server's client: every request that the server answers."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("pygls", reason="the extra [lsp] is not installed")

ROOT = Path(__file__).parents[2]
TEXT = """\
import "blocks.cnn" as lib
let w = 8
input 3x8x8 as rgb
lib.b(4) -> conv {w}x3x3 as e -> rellu
  -> gap ->   dense 2 -> softmax
"""
SCRIPT = """
vim.opt.runtimepath:prepend(ROOT .. "/grammar/editors/vim")
vim.cmd("filetype plugin on")
local told = {}
local push = {}
local client = vim.lsp.start_client({
  name = "cnnspec", cmd = { PYTHON, "-m", "cnnspec", "lsp" }, cmd_env = { PYTHONPATH = ROOT }, root_dir = FOLDER,
  handlers = { ["textDocument/publishDiagnostics"] = function(_, found) push = found end },
})
vim.cmd("edit " .. FOLDER .. "/a.cnn")
told.filetype = vim.bo.filetype
vim.lsp.buf_attach_client(0, client)
vim.wait(120000, function() return push.diagnostics ~= nil end, 20)
told.findings = push.diagnostics
push = {}
vim.api.nvim_buf_set_lines(0, 3, 4, false, { "lib.b(4) -> conv {w}x3x3 as e -> relu" })
vim.wait(120000, function() return push.diagnostics ~= nil end, 20)
told.after = push.diagnostics
local document = { uri = vim.uri_from_bufnr(0) }
local whole = { start = { line = 0, character = 0 }, ["end"] = { line = 5, character = 0 } }
local function ask(method, more)
  local params = vim.tbl_extend("force", { textDocument = document }, more or {})
  local found, failure = vim.lsp.buf_request_sync(0, method, params, 120000)
  local answer = found and found[client]
  if not answer or answer.error or answer.err then
    told[method] = { failed = vim.inspect(failure or answer) }
  else
    told[method] = { result = answer.result == nil and vim.NIL or answer.result }
  end
end
local options = { tabSize = 2, insertSpaces = true }
local use = { line = 3, character = 4 }
ask("textDocument/hover", { position = { line = 3, character = 13 } })
ask("textDocument/completion", { position = { line = 3, character = 12 } })
ask("textDocument/signatureHelp", { position = { line = 4, character = 20 } })
ask("textDocument/definition", { position = use })
ask("textDocument/references", { position = use, context = { includeDeclaration = true } })
ask("textDocument/documentHighlight", { position = { line = 1, character = 4 } })
ask("textDocument/prepareRename", { position = use })
ask("textDocument/rename", { position = use, newName = "basic" })
ask("textDocument/documentSymbol")
ask("workspace/symbol", { query = "b" })
ask("textDocument/foldingRange")
ask("textDocument/selectionRange", { positions = { use } })
ask("textDocument/semanticTokens/full")
ask("textDocument/semanticTokens/full/delta", { previousResultId = "1" })
ask("textDocument/semanticTokens/range", { range = whole })
ask("textDocument/inlayHint", { range = whole })
ask("textDocument/codeLens")
ask("textDocument/documentLink")
ask("textDocument/diagnostic")
ask("textDocument/codeAction", { range = whole, context = { diagnostics = {} } })
ask("textDocument/formatting", { options = options })
ask("textDocument/rangeFormatting", { options = options, range = whole })
ask("textDocument/onTypeFormatting", { options = options, ch = "\\n", position = { line = 5, character = 0 } })
ask("cnnspec/drawing")
vim.fn.writefile({ vim.fn.json_encode(told) }, FOLDER .. "/told.json")
vim.lsp.stop_client(client, false)
vim.cmd("qa!")
"""


def test_every_request(tmp_path):
    nvim = shutil.which("nvim")
    if nvim is None:
        pytest.skip("there is no nvim here")
    (tmp_path / "blocks.cnn").write_text("block b(c) = conv {c}x3x3 pad same -> relu\n")
    (tmp_path / "a.cnn").write_text(TEXT)
    given = (
        f"ROOT, FOLDER, PYTHON = {json.dumps(str(ROOT))}, {json.dumps(str(tmp_path))}, {json.dumps(sys.executable)}"
    )
    (tmp_path / "ask.lua").write_text(given + SCRIPT)
    environment = {**os.environ, "XDG_STATE_HOME": str(tmp_path), "XDG_DATA_HOME": str(tmp_path)}
    done = subprocess.run(
        [nvim, "--headless", "-u", "NONE", "-i", "NONE", "-n", "-c", f"luafile {tmp_path / 'ask.lua'}"],
        capture_output=True, text=True, timeout=300, env=environment, stdin=subprocess.DEVNULL, cwd=tmp_path,
    )  # fmt: skip
    assert (tmp_path / "told.json").exists(), done.stderr
    told = json.loads((tmp_path / "told.json").read_text())
    assert told.pop("filetype") == "cnn"
    assert [finding["code"] for finding in told.pop("findings")] == ["CNN201"]
    assert told.pop("after") == []
    failed = {method: answer["failed"] for method, answer in told.items() if "failed" in answer}
    assert not failed
    empty = {method for method, answer in told.items() if not answer["result"]}
    assert empty == {"textDocument/codeAction"}  # nothing is wrong any more
    assert "8x6x6" in told["textDocument/hover"]["result"]["contents"]["value"]
    assert {Path(place["uri"]).name for place in told["textDocument/references"]["result"]} == {
        "a.cnn",
        "blocks.cnn",
    }
    assert set(map(len, told["textDocument/rename"]["result"]["changes"].values())) == {1}
    assert told["cnnspec/drawing"]["result"]["svg"].startswith("<svg")
