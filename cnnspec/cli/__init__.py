"""The command line: arguments in, api out.

To add a command: a module here with a click command named `command`, and a line in COMMANDS. Nothing but
the module of the command that was asked for is imported, so `cnnspec check` stays quick whatever the
others need. A command returns its exit code (see `outcome`).
"""

from __future__ import annotations

import gc
import os
from collections.abc import Sequence
from importlib import import_module
from typing import NamedTuple

import click
from click.shell_completion import CompletionItem

from .._version import __version__
from ..interrupts import listen
from .outcome import finish


class CommandEntry(NamedTuple):
    """Where a command is, and what the list of commands says of it."""

    module: str
    summary: str


COMMANDS: dict[str, CommandEntry] = {
    "new": CommandEntry("new", "Make a folder to begin with: a spec, a .gitignore, a workflow."),
    "run": CommandEntry("run", "Train a network, test it, and write the run down."),
    "lr": CommandEntry("lr", "Propose a learning rate by a range test, with its picture."),
    "sweep": CommandEntry("sweep", "Train a network many times over settings and numbers, and keep the best."),
    "check": CommandEntry("check", "Find the mistakes of specs before anything is trained."),
    "data": CommandEntry("data", "Look at data as a network gets them: classes, numbers, a batch, what looks odd."),
    "fmt": CommandEntry("fmt", "Write specs in one way: spaces, line breaks, spellings."),
    "summary": CommandEntry("summary", "List the layers of a network: shapes, parameters, work."),
    "why": CommandEntry("why", "Tell where the shape of a value comes from."),
    "runs": CommandEntry("runs", "List runs: what differs, what came of them, sorted and chosen."),
    "diff": CommandEntry("diff", "Compare two networks, or two runs, by what they mean."),
    "plan": CommandEntry("plan", "Print the plan of a network as Python source."),
    "bench": CommandEntry("bench", "Time a network, against PyTorch where it is installed."),
    "eval": CommandEntry("eval", "Test a trained network again."),
    "predict": CommandEntry("predict", "Ask a trained network about images."),
    "compile": CommandEntry(
        "compile", "Write a network as JSON, for PyTorch, as an ONNX model, or as a NumPy module."
    ),
    "map": CommandEntry("map", "Write a map from a network's names to those of a file of weights."),
    "import": CommandEntry("import_onnx", "Write an ONNX model as a spec with its weights."),
    "draw": CommandEntry("draw", "Draw a network: volumes, windows, branches, as SVG, PNG, Mermaid or dot."),
    "report": CommandEntry("report", "Write a page that shows a network at work, image by image, sum by sum."),
    "lab": CommandEntry("lab", "Write, train and look at a network in the browser, number by number."),
    "site": CommandEntry("site", "Write the page of the lab, with its course, as files for a web server."),
    "docs": CommandEntry("docs", "Write the documentation as files: pages, codes, networks, a search."),
    "trace": CommandEntry("trace", "Show how one number of a network comes about, forward and backward."),
    "gradcheck": CommandEntry("gradcheck", "Check every gradient against central differences."),
    "explain": CommandEntry("explain", "Explain a code, with a spec that raises it and its cure."),
    "ops": CommandEntry("ops", "Show the words of the language, or one word's reference."),
    "schema": CommandEntry("schema", "Print the JSON Schemas of what cnnspec reads and writes."),
    "completion": CommandEntry("completion", "Print the script that completes commands in a shell."),
    "editor": CommandEntry("editor", "Tell how an editor is set up: VS Code, Vim, Neovim, Emacs, Helix, Zed."),
    "lsp": CommandEntry("lsp", "Serve an editor: findings, hover, completion while you type."),
}

ELSEWHERE: dict[str, str] = {  # what other tools call our commands, and what else a newcomer types first
    **dict.fromkeys(("train", "fit", "start", "learn"), "run"),
    **dict.fromkeys(("test", "evaluate", "score"), "eval"),
    **dict.fromkeys(("infer", "inference", "classify"), "predict"),
    **dict.fromkeys(("lint", "verify", "validate", "parse"), "check"),
    **dict.fromkeys(("fix", "autofix"), "check --fix"),
    **dict.fromkeys(("format", "prettify"), "fmt"),
    **dict.fromkeys(("watch", "monitor", "tensorboard"), "run --watch"),
    **dict.fromkeys(("resume", "continue"), "run --resume"),
    **dict.fromkeys(("onnx", "to-onnx", "export-onnx", "torch", "pytorch"), "compile"),
    **dict.fromkeys(("from-onnx", "import-onnx", "load"), "import"),
    **dict.fromkeys(("params", "count", "shape", "shapes", "flops", "macs", "model", "inspect"), "summary"),
    **dict.fromkeys(("serve", "ui", "gui", "web", "playground"), "lab"),
    **dict.fromkeys(("lr-find", "lrfind", "range-test"), "lr"),
    **dict.fromkeys(("debug", "step"), "trace"),
    **dict.fromkeys(("dataset", "datasets"), "data"),
    **dict.fromkeys(("init", "create", "scaffold", "startproject"), "new"),
    **dict.fromkeys(("export", "convert", "build"), "compile"),
    **dict.fromkeys(("plot", "view", "visualize", "visualise", "viz", "graph", "render", "diagram"), "draw"),
    **dict.fromkeys(("describe", "info", "show", "stats"), "summary"),
    **dict.fromkeys(("benchmark", "time", "profile"), "bench"),
    **dict.fromkeys(("tune", "search", "hpo"), "sweep"),
    **dict.fromkeys(("list", "ls", "history", "experiments"), "runs"),
    **dict.fromkeys(("layers", "words"), "ops"),
    **dict.fromkeys(("compare",), "diff"),
    **dict.fromkeys(("server", "language-server"), "lsp"),
    **dict.fromkeys(("documentation", "manual"), "docs"),
    **dict.fromkeys(("help",), "--help"),
    **dict.fromkeys(("version",), "--version"),
}


class LazyGroup(click.Group):
    """A group whose commands are imported when they are called, and listed without being imported."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        return import_module(f"{__name__}.{COMMANDS[cmd_name].module}").command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0]
        if name not in COMMANDS and not name.startswith("-"):
            from difflib import get_close_matches

            meant = ELSEWHERE.get(name.lower(), "")
            near = get_close_matches(name, COMMANDS, 1, cutoff=0.7)
            other = f"did you mean `{near[0]}`?" if near else "`cnnspec --help` lists the commands"
            if name.endswith((".cnn", ".json")):
                ctx.fail(f"`{name}` is a file: `cnnspec run {name}` trains it, `cnnspec check {name}` checks it")
            hint = f"it is `cnnspec {meant}`" if meant else other
            ctx.fail(f"there is no command `{name}`; {hint}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry.summary) for name, entry in COMMANDS.items()])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        found = [
            CompletionItem(name, help=entry.summary)
            for name, entry in COMMANDS.items()
            if name.startswith(incomplete)
        ]
        return found + click.Command.shell_complete(self, ctx, incomplete)


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, message="cnnspec %(version)s")
def program() -> None:
    """A text language for convolutional networks, compiled to NumPy."""
    try:
        os.getcwd()
    except OSError as error:
        raise click.UsageError("the current folder does not exist any more") from error


def run(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    listed = None if arguments is None else list(arguments)
    return finish(lambda: program.main(listed, prog_name="cnnspec", standalone_mode=False))


def main() -> None:
    # a file leaves little in circles: to look for it every 700 objects takes a third of the time of a large one
    gc.set_threshold(50_000)
    listen()
    raise SystemExit(run())
