"""The guide as a notebook: every cell runs, in plain Python everywhere, and in a kernel where there is one."""

import ast
import json
from pathlib import Path

import pytest

from cnnspec.cells import read

NOTEBOOK = Path(__file__).parents[1] / "grammar" / "guide.ipynb"
SHOWN = ("Model", "History", "Graph", "Report", "Run")  # what a cell ends with, and a notebook shows


@pytest.fixture(scope="module")
def notebook():
    return json.loads(NOTEBOOK.read_text(encoding="utf-8"))


def code(notebook):
    return ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "code"]


def test_it_is_kept_without_what_a_machine_said(notebook):
    cells = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    assert notebook["nbformat"] == 4 and len({cell["id"] for cell in notebook["cells"]}) == len(notebook["cells"])
    assert all(cell["outputs"] == [] and cell["execution_count"] is None for cell in cells)


def test_its_cells_run(notebook, tmp_path, monkeypatch):
    """`%%cnn` by what the magic itself calls; the last expression of a cell is what a notebook would show."""
    monkeypatch.chdir(tmp_path)
    space, shown = {}, []
    for text in code(notebook):
        first, _, rest = text.partition("\n")
        if first.startswith("%%cnn"):
            told, _, value = read(first.removeprefix("%%cnn"), rest)
            space[told.name] = value
        else:
            tree = ast.parse(text.replace("%load_ext cnnspec", "pass"))
            last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
            exec(compile(tree, first, "exec"), space)
            value = eval(compile(ast.Expression(last.value), first, "eval"), space) if last else None
        if type(value).__name__ in SHOWN:
            shown.append(type(value).__name__)
            made = value._repr_svg_() if hasattr(value, "_repr_svg_") else value._repr_html_()
            assert "<svg" in made or "<pre" in made
    assert shown == list(SHOWN)


def test_it_runs_in_a_kernel(tmp_path):
    client = pytest.importorskip("nbclient", reason="nbclient, which runs notebooks, is not installed")
    pytest.importorskip("ipykernel", reason="ipykernel is not installed")
    import nbformat

    opened = nbformat.read(NOTEBOOK, 4)
    nbformat.validate(opened)
    where = {"metadata": {"path": str(tmp_path)}}
    client.NotebookClient(opened, timeout=300, kernel_name="python3", resources=where).execute()
    kinds = [
        sorted(output.data)
        for cell in opened.cells
        for output in cell.get("outputs", [])
        if output.output_type == "execute_result" and len(output.data) > 1
    ]
    html, svg = ["text/html", "text/plain"], ["image/svg+xml", "text/plain"]
    assert kinds == [html, html, svg, html, html]
