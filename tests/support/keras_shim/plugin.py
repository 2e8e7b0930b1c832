"""The plugin: watches Keras, counts by test, prints the table, writes it as JSON to the file KERAS_SHIM_TABLE."""

from __future__ import annotations

import json
import os
import sys
import types
from collections import Counter, defaultdict
from pathlib import Path

import pytest

os.environ.setdefault("KERAS_BACKEND", "torch")

from .record import LEDGER, Record

OUTCOMES = ("agree", "not comparable", "disagree", "fail beside the shim")
RECORDS: dict[str, Record] = {}
RESULTS: dict[str, str] = {}


def pytest_configure(config) -> None:
    here = types.ModuleType("conftest")  # of Keras' repository, which its wheel has not
    here.skip_if_backend = lambda name, reason: pytest.mark.skipif(name == "torch", reason=reason)
    sys.modules.setdefault("conftest", here)
    for mark in ("requires_trainable_backend", "multi_device"):
        config.addinivalue_line("markers", f"{mark}: of Keras")

    import keras.src.activations
    import keras.src.ops.nn

    from . import costs, counts, rates, steps
    from .watched import watch_functions, watch_layers

    for part in (costs, counts, rates, steps):
        part.watch()
    watch_layers()
    watch_functions(keras.src.ops.nn)
    watch_functions(keras.src.activations)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item):
    LEDGER.now = RECORDS[item.nodeid] = Record()
    try:
        return (yield)
    finally:
        LEDGER.now = None


def pytest_runtest_logreport(report) -> None:
    if report.when == "call" or report.outcome != "passed":
        RESULTS[report.nodeid] = report.outcome


def outcome(name: str) -> str:
    record = RECORDS.get(name, Record())
    if record.disagreed:
        return "disagree"
    if RESULTS.get(name) == "failed":
        return "fail beside the shim"
    return "agree" if record.agreed else "not comparable"


def kind(name: str) -> str:
    parts = Path(name.partition("::")[0]).parts
    under = parts[len(parts) - parts[::-1].index("src") :]
    return "/".join(under[: 2 if under[0] in ("layers", "optimizers") else 1]).removesuffix(".py")


def table() -> dict:
    rows: dict[str, Counter] = defaultdict(Counter)
    reasons: dict[str, Counter] = defaultdict(Counter)
    compared: Counter = Counter()
    disagreed = {}
    for name, result in sorted(RESULTS.items()):
        if result == "skipped":
            rows[kind(name)]["skipped by Keras"] += 1
            continue
        found, record = outcome(name), RECORDS.get(name, Record())
        rows[kind(name)][found] += 1
        compared.update(record.agreed)
        if found == "not comparable":
            usual = record.reasons.most_common(1)
            reasons[kind(name)][usual[0][0] if usual else "calls nothing that has a word"] += 1
        elif found == "disagree":
            disagreed[name] = record.disagreed[:4]
    return {
        "rows": rows,
        "total": sum(rows.values(), Counter()),
        "compared": compared,
        "reasons": reasons,
        "disagreed": disagreed,
        "agreed": [name for name, result in RESULTS.items() if result == "passed" and outcome(name) == "agree"],
    }


def pytest_terminal_summary(terminalreporter) -> None:
    found = table()
    print = terminalreporter.write_line
    for name, row in sorted(found["rows"].items()):
        print(f"{name:32} " + ", ".join(f"{row[k]} {k}" for k in (*OUTCOMES, "skipped by Keras") if row[k]))
        for reason, count in found["reasons"][name].most_common():
            print(f"{'':36}{count:5} {reason}")
    print("total: " + ", ".join(f"{count} {name}" for name, count in found["total"].items()))
    print("compared and equal: " + ", ".join(f"{count} {name}" for name, count in found["compared"].items()))
    for name, told in found["disagreed"].items():
        print(f"DISAGREE {name}")
        for text in told:
            print(f"    {text}")


def pytest_sessionfinish(session) -> None:
    if path := os.environ.get("KERAS_SHIM_TABLE"):
        Path(path).write_text(json.dumps(table(), indent=1, default=str))
