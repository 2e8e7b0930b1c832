"""`cnnspec docs`: the documentation as files."""

from __future__ import annotations

from pathlib import Path

import click

from ..terminal import tell


@click.command()
@click.option(
    "-o", "--out", required=True, type=click.Path(file_okay=False, path_type=Path), help="The folder to write."
)
def command(out: Path) -> None:
    """Write the documentation as a site of files, with a search that needs no server.

    Tutorial, reference, every code, a cookbook of networks with their drawings, the Python API: for any web server,
    or to be read from the folder. Every link in it is checked. Needs `pip install 'cnnspec[docs]'`.

    \b
    cnnspec docs -o public
    """
    from ..train import files

    try:
        from ..docs.site import MARKER, site
    except ModuleNotFoundError as missing:
        if missing.name and missing.name.split(".")[0] in ("markdown_it", "pygments"):
            raise click.UsageError("the pages are made by markdown-it-py: pip install 'cnnspec[docs]'") from missing
        raise
    if out.is_dir() and any(out.iterdir()) and not (out / MARKER).exists():
        raise click.UsageError(f"{out} is not empty, and holds no such pages: choose another folder")
    made = site()
    for name, data in made.items():
        with files.reported(out / name):
            (out / name).parent.mkdir(parents=True, exist_ok=True)
        files.write(out / name, [data])
    size = sum(map(len, made.values())) / 1e6
    tell(f"{len(made)} files written to {out} ({size:.1f} MB): open index.html, or put the folder on a web server")
