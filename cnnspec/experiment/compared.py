"""Two runs side by side: their provenance, their results and their curves."""

from __future__ import annotations

from dataclasses import dataclass

from ..lang.diff import Difference, compare
from ..validation import Json
from .catalogue import RunEntry

CURVES = ("cost", "accuracy", "validation_cost", "validation_accuracy")
FIGURES = ("epochs", "best_epoch", "accuracy", "cost", "test_accuracy", "test_cost", "seconds", "parameters")


@dataclass(frozen=True)
class RunsCompared:
    """How two runs differ: `spec` in network and settings as they ran, `settings` in what those do not hold
    (shards, engine, input), `figures` in what came of them; `curves` are the columns that both or one of them have.
    """

    before: RunEntry
    after: RunEntry
    spec: Difference
    settings: dict[str, tuple[Json, Json]]
    figures: dict[str, tuple[float | None, float | None]]
    curves: dict[str, tuple[list[float | None], list[float | None]]]

    def __bool__(self) -> bool:
        """Whether their provenance differs; results do not count."""
        return bool(self.spec or self.settings)

    def as_json(self) -> dict[str, object]:
        return {
            **self.spec.as_json(),
            "same": not self,
            "runs": {
                "before": str(self.before.path),
                "after": str(self.after.path),
                "settings": {name: {"before": a, "after": b} for name, (a, b) in self.settings.items()},
                "figures": {name: {"before": a, "after": b} for name, (a, b) in self.figures.items()},
                "curves": {name: {"before": a, "after": b} for name, (a, b) in self.curves.items()},
            },
        }


def compare_runs(before: RunEntry, after: RunEntry) -> RunsCompared:
    """Two runs compared, each with the spec and the settings in its own folder."""
    names = dict.fromkeys((*before.settings, *after.settings))
    others = [name for name in names if not name.startswith(("train.", "data."))]
    settings = {name: (before.settings.get(name), after.settings.get(name)) for name in others}
    measured = [name for name in before.figures if name.startswith("test.") and name in after.figures]
    figures = {name: (before.figures[name], after.figures[name]) for name in (*FIGURES, *measured)}
    curves = {name: (before.columns.get(name, []), after.columns.get(name, [])) for name in CURVES}
    return RunsCompared(
        before,
        after,
        compare(before.read(), after.read()),
        {name: pair for name, pair in settings.items() if pair[0] != pair[1]},
        {name: pair for name, pair in figures.items() if pair != (None, None)},
        {name: pair for name, pair in curves.items() if any(value is not None for part in pair for value in part)},
    )
