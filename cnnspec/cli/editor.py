"""`cnnspec editor NAME`: how an editor is set up, in its own words."""

from __future__ import annotations

import re

import click

from ..plain_files import read_text
from ..quoting import argument, literal
from ..resources import grammar_folder
from ..terminal import show

FOLDERS = {"neovim": "vim"}  # whose files are another one's
OTHERWISE = {  # what people and their shells call them
    "code": "vscode", "codium": "vscode", "vscodium": "vscode", "cursor": "vscode", "theia": "vscode",
    "vi": "vim", "gvim": "vim", "nvim": "neovim", "hx": "helix", "subl": "sublime", "zeditor": "zed",
    "sphinx": "pygments", "mkdocs": "pygments", "notebook": "jupyter", "jupyterlab": "jupyter",
}  # fmt: skip


def sections() -> dict[str, str]:
    """What `grammar/editors/README.md` says of each editor, by its name."""
    text = read_text(grammar_folder() / "editors" / "README.md")
    return {
        heading.strip(): body.strip()
        for heading, _, body in (part.partition("\n") for part in re.split(r"^## ", text, flags=re.M)[1:])
    }


@click.command()
@click.argument("name", required=False, metavar="[NAME]")
def command(name: str | None) -> None:
    """How an editor is set up: vscode, vim, neovim, emacs, helix, zed, sublime; pygments colours pages.

    Without NAME, the editors that there are.

    \b
    Examples:
      cnnspec editor neovim     the files to copy, and the lines for init.lua
      cnnspec editor vscode     how the extension is made and installed
    """
    known = sections()
    if name is None:
        show("\n".join(known) + "\n")
        return
    plain = re.sub(r"[\W_]", "", name).lower().replace("visualstudio", "vs")  # VS Code, Visual-Studio-Code
    wanted = OTHERWISE.get(plain, plain)
    if wanted not in known:
        raise click.UsageError(f"there is nothing about {name!r:.40}; there is {', '.join(known)}")
    folder = grammar_folder() / "editors" / FOLDERS.get(wanted, wanted)
    told = known[wanted].replace('"{folder}"', literal(str(folder))).replace("{folder}", argument(folder))
    show(told + "\n")
