"""grammar/measured.md: the page that `cnnspec bench --suite` wrote, and nobody's hand."""

import json
from pathlib import Path

import pytest

from cnnspec.bench.comparison import Result
from cnnspec.bench.suite import Suite, SuiteRow, as_json, markdown

GRAMMAR = Path(__file__).parents[2] / "grammar"


@pytest.fixture(scope="module")
def page():
    return json.loads((GRAMMAR / "measured.json").read_text(encoding="utf-8"))


def result(told):
    sides = told["sides"].items()
    return Result(
        told["mode"],
        told["batch"],
        {name: side["seconds"] for name, side in sides},
        {name: round(side["peak_mib"] * 2**20) for name, side in sides},
    )


def read(page):
    """The networks and options of which a page is made."""
    options = {name: tuple(value) if isinstance(value, list) else value for name, value in page["options"].items()}
    rows = [
        SuiteRow(net["spec"], tuple(map(result, net["comparisons"])), tuple(net.get("missing", ())))
        for net in page["networks"]
    ]
    return rows, Suite(**options)


def test_the_page_and_its_figures_are_of_one_run(page):
    rows, suite = read(page)
    text = "\n".join([*markdown(rows, suite, page["circumstances"]), ""])
    assert (GRAMMAR / "measured.md").read_text(encoding="utf-8") == text
    assert json.loads(json.dumps(as_json(rows, suite, page["circumstances"]))) == page


def test_the_page_says_how_it_was_made_and_is_found(page):
    for what in ("processor", "numpy", "torch", "cnnspec", "workers", "rounds", "day"):
        assert page["circumstances"][what]
    assert "torch" in page["options"]["against"] and page["options"]["folder"].startswith("specs")
    assert page["networks"] and all(
        len(net["comparisons"]) + len(net.get("missing", ())) for net in page["networks"]
    )
    assert "[measured.md](measured.md)" in (GRAMMAR / "speed.md").read_text(encoding="utf-8")
