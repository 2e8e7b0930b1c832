"""`cnnspec lsp`: serve an editor."""

from __future__ import annotations

import click


@click.command()
@click.option("--stdio", is_flag=True, help="Speak over standard input and output, as it does anyway.")
def command(stdio: bool) -> None:
    """Serve an editor over standard input and output (the Language Server Protocol).

    Findings while you type, hover with shapes and parameters, completion, definitions, formatting, fixes,
    and the shape after each layer as inlay hints. Needs `pip install 'cnnspec[lsp]'`.

    \b
    cnnspec lsp
    """
    try:
        from ..editor.lsp.server import serve
    except ModuleNotFoundError as missing:
        if missing.name and missing.name.split(".")[0] in ("pygls", "lsprotocol"):
            raise click.UsageError("an editor server needs pygls: pip install 'cnnspec[lsp]'") from missing
        raise
    serve()
