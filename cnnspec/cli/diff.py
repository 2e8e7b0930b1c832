"""`cnnspec diff A B`: two networks, or two runs, compared by what they mean."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..quoting import line
from ..terminal import show, tell, tell_json
from .outcome import CLEAN, FINDINGS
from .sizes import SIZES

if TYPE_CHECKING:
    from ..draw.chart import Chart
    from ..experiment.compared import RunsCompared
    from ..lang import Spec

SUBJECT = click.Path(exists=True, path_type=Path)


@click.command()
@click.argument("before", metavar="A", type=SUBJECT)
@click.argument("after", metavar="B", type=SUBJECT)
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@click.option(
    "--input", "input_type", type=SIZES, help="The input's shape where a spec states none, such as 1x28x28."
)
@click.option(
    "--svg", type=click.Path(dir_okay=False, path_type=Path), help="Of two runs: write their curves into this file."
)
def command(before: Path, after: Path, as_json: bool, input_type: str | None, svg: Path | None) -> int:
    """Compare the specs A and B by layers, shapes, settings and figures, not by their texts.

    Names do not count, nor blocks, comments and line breaks. A and B may be folders of runs: then by the specs and
    settings that they ran with, and their results and curves stand side by side. Exits 0 where they mean the same
    (results do not count), else 1.

    \b
    cnnspec diff old.cnn new.cnn
    cnnspec diff runs/net-001 runs/net-002 --svg curves.svg
    """
    from ..lang.diff import compare, page

    if before.is_dir() and after.is_dir():
        from ..experiment.catalogue import entry
        from ..experiment.compared import compare_runs

        runs = compare_runs(entry(before), entry(after))
        if as_json:
            tell_json(runs.as_json())
        else:
            show(side_by_side(runs))
        if svg is not None:
            from ..draw import chart
            from ..train import files

            files.write(svg, [chart.svg(charts(runs)).encode()])
            tell(f"written to {svg}", err=as_json)
        return FINDINGS if runs else CLEAN
    if svg is not None:
        raise click.UsageError("--svg draws the curves of two runs; give two folders of runs")
    found = compare(spec(before, input_type), spec(after, input_type))
    if as_json:
        tell_json(found.as_json())
    else:
        show(page(found).rstrip("\n") + "\n")
    return FINDINGS if found else CLEAN


def spec(path: Path, input_type: str | None) -> Spec:
    """The spec in a file, or that of a run with the settings that it ran with."""
    from ..api import read_spec

    if not path.is_dir():
        return read_spec(path, input=input_type)
    from ..experiment.catalogue import entry

    return entry(path).read()


def side_by_side(runs: RunsCompared) -> str:
    """What differs, the results in two columns, and the curves on one picture."""
    from ..draw import chart
    from ..lang.diff import page
    from .runs import shown

    made = page(runs.spec).rstrip("\n") + "\n" if runs.spec or not runs.settings else ""
    made += "".join(
        f"  {line(name)}: {line(shown(a))} -> {line(shown(b))}\n" for name, (a, b) in runs.settings.items()
    )
    rows = [("", line(runs.before.path), line(runs.after.path))]
    rows += [(n.replace("_", " "), figure(n, a), figure(n, b)) for n, (a, b) in runs.figures.items()]
    wide = [max(len(row[k]) for row in rows) for k in range(3)]
    results = [f"{name:{wide[0]}}  {a:>{wide[1]}}  {b:>{wide[2]}}" for name, a, b in rows]
    return "\n".join([made, *results, "", *(chart.text(one) for one in charts(runs))])


def figure(name: str, value: float | None) -> str:
    from .runs import decimal, duration, percent

    if value is None:
        return "none"
    if "accuracy" in name:
        return percent(value)
    if name == "seconds":
        return duration(value)
    return f"{value:,}" if isinstance(value, int) else decimal(value)


def charts(runs: RunsCompared) -> list[Chart]:
    """A chart for each column of the results, with the curve of each run."""
    from ..draw.chart import Chart, Series

    names = [str(one.path) for one in (runs.before, runs.after)]
    return [
        Chart(
            column.replace("_", " "),
            "epoch",
            tuple(
                Series(name, tuple(range(1, len(values) + 1)), tuple(values))
                for name, values in zip(names, pair, strict=True)
            ),
        )
        for column, pair in runs.curves.items()
    ]
