"""`cnnspec lab [SPEC]`: a network built, trained and looked at in the browser."""

from __future__ import annotations

from pathlib import Path

import click

from ..terminal import tell


@click.command()
@click.argument("spec", required=False, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="Default: any free one.")
@click.option("--no-open", is_flag=True, help="Do not open the browser.")
def command(spec: Path | None, port: int, no_open: bool) -> None:
    """Open a page on this machine in which a network is written, trained and looked at, number by number.

    Without SPEC it begins with the digits. The page has a course of its own. SPEC is written only when "save" is
    pressed. Ctrl-C ends it.

    \b
    cnnspec lab
    cnnspec lab net.cnn
    """
    from ..lab.desk import Desk
    from ..lab.server import LabServer, open_browser

    if spec is not None and spec.name.endswith(".json"):
        raise click.UsageError("lab is for text: `cnnspec compile --emit cnn` writes a spec of a checked graph")
    desk = Desk(spec)
    with LabServer(desk.assets(), desk.policy(), desk.answer, port) as server:
        tell(f"the lab is at {server.address}", "Ctrl-C ends it")
        if not no_open:
            open_browser(server.address)
        server.serve_forever()
