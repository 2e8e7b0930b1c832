"""`cnnspec completion SHELL`: the script that completes commands, options and codes."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from ..terminal import show

INSTALL = {
    "bash": 'eval "$(cnnspec completion bash)"                        # in ~/.bashrc',
    "zsh": 'eval "$(cnnspec completion zsh)"                         # in ~/.zshrc',
    "fish": "cnnspec completion fish > ~/.config/fish/completions/cnnspec.fish",
}


@click.command(epilog="\b\nTo have it in every new shell:\n" + "\n".join(f"  {line}" for line in INSTALL.values()))
@click.argument("shell", type=click.Choice(list(INSTALL)))
@click.pass_context
def command(ctx: click.Context, shell: str) -> None:
    """Print the script that completes commands, options and codes in a shell."""
    completion = get_completion_class(shell)
    assert completion, shell
    program = ctx.find_root().command
    show(completion(program, {}, "cnnspec", "_CNNSPEC_COMPLETE").source() + "\n")
