"""What a code says stands in its entry alone: who raises it names the code and fills in the fields."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from string import Formatter

import pytest

from cnnspec.diagnostics.codes import ADDED, CODES, Code
from cnnspec.settings.expect import QUANTITIES

PACKAGE = Path(__file__).parents[2] / "cnnspec"
CODES_FOLDER = PACKAGE / "diagnostics" / "codes"
SAYING = {code.code: code for code in CODES.values() if code.says}
CASE = {"Diagnostic": 2, "Fault": 2}  # the place of `case` among the arguments of `of`


def calls() -> Iterator[tuple[str, str, ast.Call]]:
    """Every call of the package whose first argument is a code: where it stands, the code, and the call."""
    for path in sorted(PACKAGE.rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        if '"CNN' not in text or CODES_FOLDER in path.parents:
            continue
        for node in ast.walk(ast.parse(text)):
            if not isinstance(node, ast.Call) or not node.args or not isinstance(node.args[0], ast.Constant):
                continue
            code = node.args[0].value
            if isinstance(code, str) and code in CODES and ast.unparse(node.func) != "Quantity":
                yield f"{path.relative_to(PACKAGE)}:{node.lineno}", code, node


CALLS = list(calls())


def fields(code: Code, cases: set[str]) -> set[str]:
    """The fields of some cases."""
    told = [says for says in code.says if says.case in cases]
    parts = [part for says in told for part in (says.message, says.label, says.help)]
    return {name for part in parts for _, name, _, _ in Formatter().parse(part) if name}


def cases_of(call: ast.Call) -> set[str] | None:
    """The case that a call states, or those between which it chooses; None where they are computed."""
    named = [word.value for word in call.keywords if word.arg == "case"]
    place = CASE.get(ast.unparse(call.func).partition(".")[0])
    found = named or ([call.args[place]] if place and len(call.args) > place else [ast.Constant("")])
    value = found[0]
    chosen = [value.body, value.orelse] if isinstance(value, ast.IfExp) else [value]
    texts = {one.value for one in chosen if isinstance(one, ast.Constant) and isinstance(one.value, str)}
    return texts if len(texts) == len(chosen) else None


def taking_a_case() -> dict[str, int]:
    """The functions of the package that are given a case by its place among their arguments, and that place."""
    found = {}
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef):
                names = [each.arg for each in (*node.args.posonlyargs, *node.args.args) if each.arg != "self"]
                if "case" in names and node.name not in ("of", "tell", "check_array"):
                    found[node.name] = names.index("case")
    return found


def test_a_case_that_is_handed_on_is_one_that_a_code_has() -> None:
    """`raise self.unfit("vectors", ...)`: by a function that knows the code, from wherever it is called."""
    cases = {says.case for code in CODES.values() for says in code.says}
    places, wrong = taking_a_case(), []
    assert places["unfit"] == 0 and len(places) > 5
    for path in sorted(PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            place = places.get(ast.unparse(node.func).rpartition(".")[2], len(node.args))
            for given in node.args[place : place + 1]:
                text = given.value if isinstance(given, ast.Constant) else None
                if isinstance(given, (ast.JoinedStr, ast.BinOp)) or (isinstance(text, str) and text not in cases):
                    wrong.append(f"{path.relative_to(PACKAGE)}:{node.lineno}: {ast.unparse(given)}")
    assert wrong == []


def test_every_code_says_its_words() -> None:
    assert [code for code in CODES if code not in SAYING] == []


@pytest.mark.parametrize("code", SAYING.values(), ids=lambda code: code.code)
def test_cases_are_told_apart_and_used(code: Code) -> None:
    cases = [says.case for says in code.says]
    assert len(set(cases)) == len(cases)
    used = [cases_of(call) for _, found, call in CALLS if found == code.code]
    told = set().union(*(some for some in used if some is not None))
    if any(quantity.code == code.code for quantity in QUANTITIES):  # of a budget that is missed
        told |= {"", "run"}
    assert told <= set(cases), f"{code.code} has no such case"
    assert None in used or set(cases) <= told, f"{code.code} says what nobody raises"


def test_no_message_stands_elsewhere() -> None:
    filling = (".of", ".tell", "filled", "refuse")
    elsewhere = [
        f"{where} {code}"
        for where, code, call in CALLS
        if code in SAYING and not ast.unparse(call.func).endswith(filling) and len(call.args) > 1
    ]
    assert elsewhere == [], "the words of a code stand in its entry, diagnostics/codes/"


def test_every_field_is_filled_in() -> None:
    reserved = {"case", "related", "because", "at", "span"}
    for where, code, call in CALLS:
        if code in SAYING and ast.unparse(call.func).endswith((".of", ".tell", "refuse")):
            given = {word.arg for word in call.keywords if word.arg} - reserved
            if ast.unparse(call.func) == "refuse" and len(call.args) > 1:
                given |= {"path"}  # of a file, which `refuse` shows
            if any(word.arg is None for word in call.keywords):
                continue  # a function that adds fields of its own: whoever calls it raises each case in a test
            cases = cases_of(call)
            if cases is None:  # those that ask for no more than is given
                every = {says.case for says in SAYING[code].says}
                cases = {case for case in every if fields(SAYING[code], {case}) <= given}
                assert cases, f"{where} {code}"
            assert given == fields(SAYING[code], cases), f"{where} {code}"


def advised() -> Iterator[tuple[str, str, set[str]]]:
    """Every advice that is taken from the entries: the method, the name, and the fields that are given."""
    for path in sorted(PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            match node:
                case ast.Call(ast.Attribute(attr="advised" | "added" as method), [ast.Constant(str(name))], words):
                    yield method, name, {word.arg or "" for word in words}


def test_an_advice_is_given_by_a_place_that_knows_more() -> None:
    """And its fields are those of the template."""
    entries = {("advised", advice) for code in CODES.values() for advice in code.advice}
    entries |= {("added", advice) for advice in ADDED}
    expected = {
        (method, advice.name, frozenset(name for _, name, _, _ in Formatter().parse(advice.help) if name))
        for method, advice in entries
    }
    assert {(method, name, frozenset(given)) for method, name, given in advised()} == expected


def test_no_help_stands_elsewhere() -> None:
    """A finding's help is its code's, but for the line of a fix that it is given with (and a file's other name)."""
    elsewhere = []
    for path in sorted(PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("replace") and len(node.args) == 1:
                given = {word.arg for word in node.keywords}
                if (
                    "help" in given
                    and not given & {"fix", "message"}
                    and path != PACKAGE / "diagnostics" / "core.py"
                ):
                    elsewhere.append(f"{path.relative_to(PACKAGE)}:{node.lineno}")
    assert elsewhere == [], "the help of a code stands in its entry, diagnostics/codes/"
