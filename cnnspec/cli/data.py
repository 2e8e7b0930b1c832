"""`cnnspec data SPEC`: look at the data of a spec."""

from __future__ import annotations

from pathlib import Path

import click

from ..terminal import show, tell, tell_json
from .outcome import CLEAN


@click.command()
@click.argument("spec", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--data", "folder", type=click.Path(path_type=Path), help="Folder of mnist, or of the spec's files.")
@click.option(
    "--set",
    "overrides",
    multiple=True,
    metavar="KEY=VALUE",
    help="A setting in place of the spec's: data.limit=100.",
)
@click.option(
    "--epoch", type=click.IntRange(1, 10**6), default=1, show_default=True, help="Epoch whose batch is shown."
)
@click.option(
    "-o", "--out", type=click.Path(dir_okay=False, path_type=Path), help="Write a page (.html) or the batch (.png)."
)
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def command(
    spec: Path, folder: Path | None, overrides: tuple[str, ...], epoch: int, out: Path | None, as_json: bool
) -> int:
    """Look at the data of SPEC as its network gets them: images of each class, means and deviations, what looks odd
    (one colour all over, twice the same, tested on and learnt from), and with -o the first batch of an epoch, after
    its augmentations.

    \b
    cnnspec data net.cnn
    cnnspec data net.cnn -o data.html
    """
    if out is not None and out.suffix.lower() not in (".html", ".png"):
        raise click.UsageError(f"-o writes .html or .png, and this is {out.name}")
    from ..api import read_spec
    from ..data.inspection import inspect
    from ..data.load import load
    from ..data.several import load_several
    from ..experiment.agreement import wanted
    from ..report.data_sheet import as_json as document
    from ..report.data_sheet import text

    known = read_spec(spec, overrides=overrides)
    span = known.place("source")
    asked, root, seed = wanted(known), spec.parent, known.train.seed
    sets = (
        load_several(known.data, asked, folder=folder, root=root, seed=seed, span=span).each()
        if asked.several
        else [load(known.data, folder=folder, root=root, seed=seed, span=span)]
    )
    looked_at = [(data, inspect(data)) for data in sets]
    if as_json:
        told = [document(found) for _, found in looked_at]
        tell_json({"pairs": told} if asked.several else told[0])
    else:
        show("\n".join(text(found) for _, found in looked_at))
    if out is not None:
        from ..report.data_page import page, sheet
        from ..train import files

        png = out.suffix.lower() == ".png"
        files.write(out, [sheet(known, sets[0], epoch) if png else page(known, looked_at, epoch).encode()])
        tell(f"written to {out}", err=as_json)
    return CLEAN
