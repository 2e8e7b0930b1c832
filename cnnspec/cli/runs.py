"""`cnnspec runs [FOLDER]`: the runs of a folder as a table."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..quoting import line
from ..settings.expect import RELATIONS
from ..terminal import show, tell, tell_json
from .outcome import CLEAN, FINDINGS, say

if TYPE_CHECKING:
    from ..experiment.catalogue import RunEntry
    from ..validation import Json

CONDITION = re.compile(r"\s*([\w.]+)\s*(<=|>=|!=|==?|<|>)\s*(.*?)\s*")


@click.command()
@click.argument("folder", default=Path("runs"), type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "--sort",
    metavar="KEY",
    help="Sort by accuracy, test_accuracy, seconds, train.epochs, ...: largest first, cost smallest first.",
)
@click.option("--reverse", is_flag=True, help="Reverse the order.")
@click.option(
    "--where",
    "conditions",
    multiple=True,
    metavar="CONDITION",
    help="Only runs like this: accuracy>0.9, spec=lenet5, status=finished, train.optimiser=adam.",
)
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def command(folder: Path, sort: str | None, reverse: bool, conditions: tuple[str, ...], as_json: bool) -> int:
    """List the runs in FOLDER (runs/) and below it: spec, what differs, best and test figures, time, parameters.

    What differs is told of runs of the same spec. Exits 1 where a run's folder is damaged; the others are listed.

    \b
    cnnspec runs --sort test_accuracy
    cnnspec runs --where spec=lenet5 --where "train.optimiser.lr>1e-3"
    """
    from ..experiment.catalogue import catalogue, differing

    entries, problems = catalogue(folder)
    differs = differing(entries)
    keys = dict.fromkeys(name for one in entries for name in one.known())
    for condition in conditions:
        entries = list(filter(chooses(condition, keys), entries))
    if sort is not None:
        known(sort, keys)
        entries = ordered(entries, sort, reverse)
    elif reverse:
        entries.reverse()
    if as_json:
        tell_json([document(one, differs[one.path]) for one in entries])
    elif entries:
        show(table(entries, differs))
    else:
        tell(f"there are no {'such ' if conditions else ''}runs in {folder}")
    if problems:
        say(problems)
        return FINDINGS
    return CLEAN


def known(key: str, keys: dict[str, None]) -> None:
    """Refuse a key that no run has; with no run at all, any key will do."""
    if key in keys or not keys:
        return
    near = get_close_matches(key, keys, 1)
    hint = f"did you mean `{near[0]}`?" if near else f"there are {', '.join(list(keys)[:12])}, ..."
    raise click.UsageError(f"no run has `{key}`; {hint}")


def chooses(condition: str, keys: dict[str, None]) -> Callable[[RunEntry], bool]:
    """Whether a run is as a condition says: numbers compare as numbers, all else as texts."""
    match = CONDITION.fullmatch(condition)
    if match is None:
        raise click.UsageError(f"a condition is KEY=VALUE, or with <, >, <=, >= or !=; got `{condition}`")
    key, relation, wanted = match[1], RELATIONS["==" if match[2] == "=" else match[2]], match[3]
    known(key, keys)

    def chosen(one: RunEntry) -> bool:
        value = one.known().get(key)
        mine, other = number(value), number(wanted)
        if mine is not None and other is not None:
            return relation(mine, other)
        if relation in (operator.eq, operator.ne):
            return (shown(value) == wanted) == (relation is operator.eq)
        return False  # a text is neither above nor below

    return chosen


def number(value: Json) -> float | None:
    if isinstance(value, str):
        percent = value.endswith("%")
        try:
            return float(value.removesuffix("%")) / (100 if percent else 1)
        except ValueError:
            return None
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return float(value) if abs(value) < 1e300 else None  # JSON knows larger whole numbers than Python's floats


def shown(value: Json) -> str:
    """A setting as it is written."""
    if isinstance(value, bool):
        return "on" if value else "off"
    return "none" if value is None else f"{value:g}" if isinstance(value, float) else str(value)


def ordered(entries: list[RunEntry], key: str, reverse: bool) -> list[RunEntry]:
    """By a key: numbers before texts, and at the end the runs that have none."""
    downward = not re.search(r"cost|mae|rmse|^run$|^spec$", key)
    values = [(one.known().get(key), one) for one in entries]
    numbers, texts, others = [], [], []
    for value, one in values:
        size = None if isinstance(value, str) else number(value)
        if size is not None:
            numbers.append((size, one))
        elif value is not None:
            texts.append((str(value), one))
        else:
            others.append(one)
    numbers.sort(key=lambda pair: pair[0], reverse=downward != reverse)
    texts.sort(key=lambda pair: pair[0], reverse=reverse)
    return [*(one for _, one in numbers), *(one for _, one in texts), *others]


def document(one: RunEntry, differs: dict[str, Json]) -> dict[str, Json]:
    return {
        "run": str(one.path),
        "spec": one.spec,
        "status": one.status,
        "differs": differs,
        **one.figures,
        "settings": dict(one.settings),
    }


def table(entries: list[RunEntry], differs: dict[Path, dict[str, Json]]) -> str:
    """A row a run; columns that nobody has are left out."""
    rows = [cells(one, differs[one.path]) for one in entries]
    names = [name for name in rows[0] if any(row[name] for row in rows)]
    wide = {name: max(len(name), *(len(row[name]) for row in rows)) for name in names}
    left = ("run", "spec", "status", "differs")
    lines = [
        "  ".join(f"{row[name]:{'<' if name in left else '>'}{wide[name]}}" for name in names).rstrip()
        for row in ({name: name for name in names}, *rows)
    ]
    return "\n".join(lines) + "\n"


def cells(one: RunEntry, differs: dict[str, Json]) -> dict[str, str]:
    figures = one.figures
    told = {name.removeprefix("train."): shown(value) for name, value in differs.items()}
    changed = " ".join(f'{name}="{text}"' if " " in text else f"{name}={text}" for name, text in told.items())
    return {
        "run": line(one.path),
        "spec": line(one.spec),
        "status": "" if one.status == "finished" else line(one.status),
        "epochs": str(figures["epochs"]),
        "accuracy": percent(figures["accuracy"]),
        "cost": decimal(figures["cost"]),
        "test": percent(figures["test_accuracy"]) or decimal(figures["test_cost"]),
        "time": duration(figures["seconds"] or 0.0),
        "parameters": f"{figures['parameters']:,}" if figures["parameters"] is not None else "",
        "differs": line(changed),
    }


def percent(value: float | None) -> str:
    return "" if value is None else f"{value:.2%}"


def decimal(value: float | None) -> str:
    return "" if value is None else f"{value:.4f}" if abs(value) < 1e4 else f"{value:.4g}"


def duration(seconds: float) -> str:
    """Seconds for people."""
    if seconds < 100:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes // 60} h {minutes % 60:02} min" if minutes >= 100 else f"{minutes} min {rest:02} s"
