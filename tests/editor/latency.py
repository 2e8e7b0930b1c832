"""How long each answer of the server takes after a key in a file of 1,000 lines, in its processor time.

    python -m tests.editor.latency          every kind of file and place, a table each
    python -m tests.editor.latency one 5    one kind, with so many keys

A key is sent as what it changed. A request after it pays for the reading of the text; one that comes when the
text was read, as it is when findings were asked for, pays for itself alone: both are measured. Then the keys of a
session, after each of which an editor asks for findings, colours, hints, lenses, folds, links and symbols, one
after the other: when each is answered, counted from the key; and how soon the findings of a key are there that
comes while the answers to the one before are cancelled.

Time is that of the server's process, of all its threads, which other programs change little; of the keys the
least, median and 95th percentile. What is counted by the clock says so.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from time import perf_counter

from lsprotocol import types as lsp

from tests.editor.test_server import Editor, at, converse

LAYERS = ("conv 8x3x3 pad same bias off", "bn", "relu")
SESSION = ("findings", "semantic tokens", "inlay hints", "lenses", "folding", "links", "symbols")
OUTDATED = {
    lsp.TEXT_DOCUMENT_DIAGNOSTIC: lsp.DocumentDiagnosticParams,
    lsp.TEXT_DOCUMENT_SEMANTIC_TOKENS_FULL: lsp.SemanticTokensParams,
    lsp.TEXT_DOCUMENT_CODE_LENS: lsp.CodeLensParams,
}
Ask = Callable[[Editor, lsp.TextDocumentIdentifier, lsp.Position], Awaitable[object]]


def one_net() -> str:
    body = [f"  -> {LAYERS[i % 3]}{f' as v{i}' * (i % 30 == 2)}" for i in range(990)]
    head = ["# one network", "input 3x16x16", "conv 8x3x3 pad same as stem", *body]
    return "\n".join([*head, "  -> gap -> dense 10 -> softmax", "train { epochs 3 ; optimiser adam lr 1e-3 }", ""])


def nets() -> str:
    heads = [
        f"# head {i}\nnet head{i} = @trunk\n  -> conv {{w}}x3x3 pad same bias off\n  -> bn -> relu\n"
        f"  -> conv {i % 7 + 3}x3x3 stride 2\n  -> relu\n  -> maxpool 2\n  -> dense {i % 5 + 2}\n  -> softmax\n"
        for i in range(99)
    ]
    return "\n".join(["input 3x16x16\nlet w = 8\nconv {w}x3x3 pad same -> relu as trunk\n", *heads])


def blocks() -> str:
    unit = "block unit(c, s = 1) =\n  conv {c}x3x3 stride {s} pad same bias off\n  -> bn\n  -> relu\n"
    own = [
        f"# number {i}\nblock b{i}(c) =\n  add( unit(c) -> unit(c)\n     | conv {{c}}x1x1 )\n  -> relu\n"
        for i in range(125)
    ]
    calls = "\n".join(f"  -> b{i}({i % 4 + 4})\n  -> relu" for i in range(125))
    return "\n".join(
        ["input 3x16x16\n", unit, *own, f"conv 4x3x3 pad same\n{calls}\n  -> gap -> dense 10 -> softmax\n"]
    )


def imports() -> str:
    heads = [
        f"net h{i} = @trunk\n  -> part{i % 20}.p{i % 12}({i % 4 + 4})\n  -> relu\n"
        f"  -> part{(i + 3) % 20}.p{(i + 5) % 12}(4)\n  -> dense 10\n  -> softmax\n"
        for i in range(140)
    ]
    lines = [f'import "part{k}.cnn" as part{k}' for k in range(20)]
    return "\n".join([*lines, "input 3x16x16\nconv 8x3x3 pad same -> relu as trunk\n", *heads])


PART = "\n".join(f"block p{i}(c) =\n  conv {{c}}x3x3 pad same bias off\n  -> bn -> relu\n" for i in range(12))
KINDS: dict[str, tuple[Callable[[], str], dict[str, str]]] = {  # texts, and what a key is typed behind
    "one": (one_net, {"start": "conv 8x3x3 pad", "middle": "relu as v482", "end": "dense 10"}),
    "nets": (
        nets,
        {"start": "let w = 8", "middle": "net head50 = @trunk", "what all use": "conv {w}x3x3 pad same"},
    ),
    "blocks": (blocks, {"what all use": "stride {s}", "middle": "# number 60", "end": "dense 10"}),
    "imports": (imports, {"start": "input 3x16x16", "middle": "net h70 = @trunk"}),
}


def requests(text: str) -> dict[str, Ask]:
    """Every request about a text, at a place of it."""
    whole = lsp.Range(lsp.Position(0, 0), lsp.Position(text.count("\n"), 0))
    options = lsp.FormattingOptions(2, True)

    def placed(name: str, kind: Callable[[lsp.TextDocumentIdentifier, lsp.Position], object]) -> Ask:
        return lambda editor, uri, place: getattr(editor, f"text_document_{name}_async")(kind(uri, place))

    return {
        "findings": placed("diagnostic", lambda uri, place: lsp.DocumentDiagnosticParams(uri)),
        "semantic tokens": placed("semantic_tokens_full", lambda uri, place: lsp.SemanticTokensParams(uri)),
        "inlay hints": placed("inlay_hint", lambda uri, place: lsp.InlayHintParams(uri, whole)),
        "lenses": placed("code_lens", lambda uri, place: lsp.CodeLensParams(uri)),
        "symbols": placed("document_symbol", lambda uri, place: lsp.DocumentSymbolParams(uri)),
        "folding": placed("folding_range", lambda uri, place: lsp.FoldingRangeParams(uri)),
        "links": placed("document_link", lambda uri, place: lsp.DocumentLinkParams(uri)),
        "hover": placed("hover", lsp.HoverParams),
        "completion": placed("completion", lsp.CompletionParams),
        "signature": placed("signature_help", lsp.SignatureHelpParams),
        "definition": placed("definition", lsp.DefinitionParams),
        "highlight": placed("document_highlight", lsp.DocumentHighlightParams),
        "references": placed("references", lambda u, p: lsp.ReferenceParams(lsp.ReferenceContext(True), u, p)),
        "selection": placed("selection_range", lambda uri, place: lsp.SelectionRangeParams(uri, [place])),
        "prepare rename": placed("prepare_rename", lsp.PrepareRenameParams),
        "formatting": placed("formatting", lambda uri, place: lsp.DocumentFormattingParams(uri, options)),
        "on-type formatting": placed(
            "on_type_formatting", lambda u, p: lsp.DocumentOnTypeFormattingParams(u, p, "\n", options)
        ),
        "code actions": placed(
            "code_action",
            lambda uri, place: lsp.CodeActionParams(uri, lsp.Range(place, place), lsp.CodeActionContext([])),
        ),
    }


def spent(editor: Editor) -> float:
    """Milliseconds of processor time of the server, all threads together."""
    tasks = Path(f"/proc/{editor._server.pid}/task").glob("*/schedstat")
    return sum(int(task.read_text().split()[0]) for task in tasks) / 1e6


class Typist:
    """Types spaces behind a place of a text, one key a version."""

    def __init__(self, editor: Editor, uri: str, place: lsp.Position) -> None:
        self.editor, self.uri, self.place = editor, uri, place
        self.version, self.width = 1, 0

    async def settle(self) -> None:
        await asyncio.wait_for(self.editor.news.wait(), 60)  # findings that are sent are not part of the next key

    def key(self) -> None:
        self.version += 1
        width = 1 + self.version % 3
        line, column = self.place.line, self.place.character
        there = lsp.Range(self.place, lsp.Position(line, column + self.width))
        self.width = width
        self.editor.news.clear()
        identifier = lsp.VersionedTextDocumentIdentifier(uri=self.uri, version=self.version)
        change = lsp.TextDocumentContentChangePartial(range=there, text=" " * width)
        self.editor.text_document_did_change(lsp.DidChangeTextDocumentParams(identifier, [change]))


def measured(text: str, behind: str, keys: int) -> dict[str, list[float]]:
    """Milliseconds of each request after each of some keys behind a piece of the text."""
    place = at(text, behind, len(behind))
    found: dict[str, list[float]] = {}

    def note(name: str, milliseconds: float) -> None:
        found.setdefault(name, []).append(milliseconds)

    async def talk(editor: Editor, uri: str) -> None:
        await editor.open(uri, text)
        asked = requests(text)
        identifier, typist = lsp.TextDocumentIdentifier(uri), Typist(editor, uri, place)
        for name, ask in asked.items():
            for key in range(keys):
                typist.key()
                before = spent(editor)
                await ask(editor, identifier, place)
                if key:  # the first one of a kind loads what answers it
                    note(name, spent(editor) - before)
                await typist.settle()
                typist.key()
                await asked["findings"](editor, identifier, place)
                before = spent(editor)
                await ask(editor, identifier, place)
                if key:
                    note(f"{name}, text read", spent(editor) - before)
                await typist.settle()
        for _ in range(keys):
            before, begun = spent(editor), perf_counter()
            typist.key()
            for name in SESSION:
                await asked[name](editor, identifier, place)
                note(f"session: {name} by", spent(editor) - before)
            note("session, by the clock", (perf_counter() - begun) * 1e3)
            await typist.settle()
        for key in range(keys):
            typist.key()
            for number, (method, make) in enumerate(OUTDATED.items()):
                request = editor.protocol.send_request_async(method, make(identifier), f"{key} {number}")
                asyncio.ensure_future(request).add_done_callback(lambda done: done.cancelled() or done.exception())
            await asyncio.sleep(0.01)  # the first of them is begun
            before, begun = spent(editor), perf_counter()
            for number in range(len(OUTDATED)):
                editor.cancel_request(lsp.CancelParams(f"{key} {number}"))
            typist.key()
            await asked["findings"](editor, identifier, place)
            note("findings, others cancelled", spent(editor) - before)
            note("the same, by the clock", (perf_counter() - begun) * 1e3)
            await typist.settle()

    with tempfile.TemporaryDirectory() as folder:
        for k in range(20):
            (Path(folder) / f"part{k}.cnn").write_text(PART)
        converse(talk, Path(folder), patience=3600)
    return found


def main(kinds: list[str], keys: int) -> None:
    for kind in kinds:
        make, places = KINDS[kind]
        text = make()
        columns = {place: measured(text, behind, keys) for place, behind in places.items()}
        print(f"\n{kind}: {text.count(chr(10))} lines, ms of processor time: least, median, 95th percentile")
        print(f"{'':32}" + "".join(f"{place:>16}" for place in columns))
        for name in next(iter(columns.values())):
            row = [sorted(column[name]) for column in columns.values()]
            cells = [f"{ms[0]:.0f} {ms[len(ms) // 2]:.0f} {ms[int(0.95 * (len(ms) - 1) + 0.5)]:.0f}" for ms in row]
            print(f"{name:32}" + "".join(f"{cell:>16}" for cell in cells))


if __name__ == "__main__":
    main(sys.argv[1:2] or list(KINDS), int((sys.argv[2:3] or ["12"])[0]))
