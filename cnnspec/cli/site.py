"""`cnnspec site`: the page of the lab as files."""

from __future__ import annotations

from pathlib import Path

import click

from ..terminal import tell


@click.command()
@click.option(
    "-o", "--out", required=True, type=click.Path(file_okay=False, path_type=Path), help="The folder to write."
)
@click.option(
    "--pyodide", metavar="FOLDER|URL", help="Python for the page: a folder of Pyodide, or where a server has one."
)
@click.option(
    "--same-as",
    metavar="FOLDER",
    type=click.Path(file_okay=False, exists=True, path_type=Path),
    help="With a URL: accept only files that equal those in this folder of Pyodide.",
)
def command(out: Path, pyodide: str | None, same_as: Path | None) -> None:
    """Write the page of `cnnspec lab` as files, for a web server or a share: the specs and the course that come
    along, trained and looked at in any browser.

    With --pyodide texts can be written in it too: the npm package pyodide is such a folder. Opened from the file
    system the page shows and trains what came along.

    \b
    cnnspec site -o public
    """
    from ..lab.site import site
    from ..train import files

    if same_as is not None and not (pyodide or "").startswith(("http://", "https://")):
        raise click.UsageError("--same-as is for a --pyodide that is an address: a folder is copied as it is")
    made = dict(site(pyodide, same_as))
    there = (
        {path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file()} if out.is_dir() else set()
    )
    if there and "given.js" not in there:
        raise click.UsageError(f"{out} is not empty, and holds no such page: choose another folder")
    for name, data in made.items():
        with files.reported(out / name):
            (out / name).parent.mkdir(parents=True, exist_ok=True)
        files.write(out / name, [data])
    size = sum(map(len, made.values())) / 1e6
    tell(f"{len(made)} files written to {out} ({size:.1f} MB): open index.html, or put the folder on a web server")
