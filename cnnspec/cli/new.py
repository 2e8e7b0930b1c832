"""`cnnspec new NAME`: a folder to begin with."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import click

from ..checking.starters import IGNORED, STARTERS, WORKFLOW
from ..terminal import tell

KINDS = tuple(STARTERS)


@click.command()
@click.argument("folder", metavar="NAME", type=click.Path(file_okay=False, path_type=Path))
@click.option("--like", type=click.Choice(KINDS), help="The network to begin with (asked for on a terminal).")
def command(folder: Path, like: str | None) -> None:
    """Make the folder NAME with a spec that explains itself, a .gitignore, and a workflow that checks specs.

    \b
    cnnspec new digits --like lenet5   trains at once, on digits that come along
    cnnspec new cells --like unet      a class for each pixel
    """
    name = re.sub(r"[^\w.+-]+", "-", folder.absolute().name).strip("-.") or "net"
    files = {
        folder / f"{name}.cnn": "",
        folder / ".gitignore": IGNORED,
        folder / ".github" / "workflows" / "specs.yml": WORKFLOW,
    }
    if folder.is_dir() and any(folder.iterdir()):
        raise click.UsageError(f"{folder} is there already and is not empty; give another name")
    if like is None:
        terminal = all(stream is not None and stream.isatty() for stream in (sys.stdin, sys.stdout))
        like = click.prompt("like", type=click.Choice(KINDS), default=KINDS[0]) if terminal else KINDS[0]
    from ..quoting import argument
    from ..train.files import reported, write

    files[folder / f"{name}.cnn"] = STARTERS[like]
    for path, text in files.items():
        with reported(path):
            path.parent.mkdir(parents=True, exist_ok=True)
        write(path, [text.encode()])
        tell(f"written: {path}")
    above = next((parent for parent in folder.absolute().parents if (parent / ".git").exists()), None)
    if above is not None:
        tell(f"note: {above} is a repository, and workflows are read in its own .github alone: move it there")
    enter = "" if folder.absolute() == Path.cwd() else f"cd {argument(folder)} && "
    tell(f"next: {enter}cnnspec check . && cnnspec run {argument(f'{name}.cnn')}")
