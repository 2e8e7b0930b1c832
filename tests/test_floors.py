"""README's table of folders is the contract of imports, read from the top."""

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]


def floors():
    """The floors of the contract, top first, each with its folders."""
    configuration = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    (contract,) = configuration["tool"]["importlinter"]["contracts"]
    assert "ignore_imports" not in contract, "the contract has no exceptions"
    return [[part.strip().removeprefix("cnnspec.") for part in layer.split("|")] for layer in contract["layers"]]


def test_every_folder_has_a_floor():
    named = {name for floor in floors() for name in floor}
    package = ROOT / "cnnspec"
    assert {path.parent.name for path in package.glob("*/__init__.py")} <= named
    assert all((package / name).is_dir() or (package / f"{name}.py").is_file() for name in named)


def test_the_readme_tells_the_floors_in_their_order():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    table = text[text.index("| folder | what it does |") :].split("\n\n")[0]
    told = [re.findall(r"(\w+)/`", row.split("|")[1]) for row in table.splitlines()[2:]]
    told = [[name for name in row if name != "cnnspec"] for row in told if row != ["grammar"]]
    modules = ("notebook", "api")  # single files, of no row
    contract = [[name for name in floor if name not in modules] for floor in floors()]
    assert [sorted(row) for row in told] == [sorted(floor) for floor in contract if floor]
