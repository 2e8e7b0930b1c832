"""Every word on every target: what is missing is named with the file to edit."""

from __future__ import annotations

import importlib
import re
from contextlib import suppress
from pathlib import Path

import pytest
from networks import engine_for, graph_of

from cnnspec.api import read_spec
from cnnspec.diagnostics import SpecError
from cnnspec.ir.expression import FUNCTIONS
from cnnspec.ir.op import Op
from cnnspec.words import OPS
from cnnspec.words.activation import ACTIVATIONS
from cnnspec.words.pool import OfFormula

PACKAGE = Path(__file__).parents[2] / "cnnspec"
WITHOUT: tuple[tuple[str, str, str], ...] = ()  # target, word, and why the target does not know it


def table(module: str, name: str) -> set[str]:
    return set(getattr(importlib.import_module(module), name))


FORMULAS = {op.word for op in ACTIVATIONS}  # each target walks formulas: tests/words/test_formulas.py
WINDOWS = {op.word for op in OPS if issubclass(op, OfFormula)}  # JAX, JavaScript and accounts walk those of windows
COMPOSED = {op.word for op in OPS if op.in_words is not Op.in_words}  # likewise their words: test_composed.py
FOLLOW = FORMULAS | COMPOSED


def torch_words() -> set[str]:
    return table("cnnspec.targets.torch.words", "WORDS") | FOLLOW


def onnx_words() -> set[str]:
    pytest.importorskip("onnx")
    return table("cnnspec.targets.onnx.words", "WORDS") | FOLLOW


def onnx_read() -> set[str]:
    """The words whose examples come back from ONNX as themselves."""
    pytest.importorskip("onnx")
    from cnnspec.targets.onnx.export import onnx_model
    from cnnspec.targets.onnx.importer import network

    found = set()
    for op in OPS:
        graph = graph_of(f"input {op.on}\n{op.example}")
        model = onnx_model(graph, engine_for(graph, dtype="float32").parameters)
        with suppress(SpecError):  # an operator that nobody reads: the word is missing
            found |= {op.word} & {node.op.word for node in network(model).graph}
    return found


def jax_words() -> set[str]:
    pytest.importorskip("jax")
    return table("cnnspec.targets.jax", "WORDS") | FOLLOW | WINDOWS


def js_words() -> set[str]:
    """The words whose examples become a module that predicts, trains and shows every value."""
    from cnnspec.targets.js.module import module_source

    found = set()
    for op in OPS:
        spec = read_spec(text=f"input {op.on}\n{op.example}")
        with suppress(SpecError):
            module_source(spec, {}, train=True, look=True)
            found.add(op.word)
    return found


def page_words() -> set[str]:
    """Words that say their kind of account; of a point, those that `POINTS` of the page or a formula computes."""
    points = {op.word for op in OPS if op.account == "point"}
    others = {op.word for op in OPS if op.account not in ("point", "other")}
    return others | (points & of_the_page("POINTS")) | FOLLOW


def of_the_page(table: str) -> set[str]:
    """The names in a table of the page's script."""
    script = (PACKAGE / "report" / "page" / "compute.js").read_text(encoding="utf-8")
    lines = script.partition(f"const {table} = {{")[2].partition("\n};")[0]
    return set(re.findall(r"^  (\w+)[:,]", lines, re.MULTILINE))


def test_the_page_has_every_function_of_formulas():
    assert of_the_page("FUNCTIONS") == set(FUNCTIONS), "add it to FUNCTIONS in cnnspec/report/page/compute.js"


TARGETS = (
    ("PyTorch", torch_words, "the file of its family in cnnspec/targets/torch/ (WORDS)"),
    ("ONNX out", onnx_words, "the file of its family in cnnspec/targets/onnx/words/ (WORDS)"),
    ("ONNX in", onnx_read, "the file of its family in cnnspec/targets/onnx/operators/ (OPERATORS)"),
    ("JAX", jax_words, "the file of its family in cnnspec/targets/jax/ (WORDS)"),
    ("JavaScript", js_words, "the file of its family in cnnspec/targets/js/ (LINES)"),
    ("page", page_words, "its class (account), or cnnspec/report/page/compute.js (POINTS)"),
)


@pytest.mark.parametrize(("target", "known", "file"), TARGETS, ids=[name for name, *_ in TARGETS])
def test_every_word_is_known_or_excepted(target, known, file):
    excepted = {word for name, word, _ in WITHOUT if name == target}
    found = known()  # once: it may write and read a model of each word
    missing = [op.word for op in OPS if op.word not in found | excepted]
    assert not missing, f"{target} has no entry for {', '.join(missing)}: add one in {file}"
    stale = sorted(excepted & found)
    assert not stale, f"{target} knows {', '.join(stale)}: take the exception out of WITHOUT"


def test_every_exception_is_of_a_word_and_a_target():
    assert {(name, word) for name, word, _ in WITHOUT} <= {(name, op.word) for name, *_ in TARGETS for op in OPS}
    assert all(reason for *_, reason in WITHOUT)
