"""How many files of the package must know a word: six at most, but for those that are known everywhere, and why.

A file knows a word if it defines or imports its class, or a primitive or a kernel that is for this word alone, if
the word stands in a table of words there, or is compared with, or if an importer makes it of an operator.
"""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from functools import cache
from pathlib import Path

import pytest
from networks import engine_for, graph_of

from cnnspec import kernels
from cnnspec.api import read_spec
from cnnspec.ir.expression import FUNCTIONS
from cnnspec.passes import run
from cnnspec.passes.activation_gradients import every_gradient
from cnnspec.passes.decompose import decompose_training
from cnnspec.targets.js import bundle
from cnnspec.targets.js.module import module_source
from cnnspec.words import OPS, WORDS

PACKAGE = Path(__file__).parents[2] / "cnnspec"
MOST = 6
OTHER_TABLES = ("diagnostics/codes", "lab/lessons.py", "data/", "settings/", "reference/lexer.py")  # not of words
KNOWN_EVERYWHERE = {
    "conv dwconv upconv dense": "most networks are made of them: weights of other systems, methods, hints, targets",
    "add sub mul max min mean concat": "branches meet in them: sums of gradients, the drawing, arithmetic, targets",
    "flatten reshape": "numbers stay as they lie: specs leave it out, hints and targets put it in",
    "maxpool gap gmp": "other pooling is made of them, and importers reduce axes by them: targets have kernels",
    "avgpool": "papers call so what is `gap` here, and each other tool has it: hints, importers, targets",
    "softmax logsoftmax sigmoid": "a classifier's answer: costs, their gradients, scores and warnings ask for it",
    "relu softplus": "a function of formulas too, or fused into convolutions and sums, in each target",
    "softsign": "PyTorch writes it to ONNX as three operators, which are read as well as ONNX's own",
    "bn layernorm groupnorm lrn grn scale prelu": "parameters or statistics: weights, accounts, each target",
    "radixsoftmax maxout channelmean channelmax": "all channels of a pixel: accounts and targets loop over them",
    "dropout droppath": "another computation in training than in use: drawn, left out and scaled in each target",
    "pad crop upsample resize pixelshuffle pixelunshuffle shuffle take": "pixels or channels move: accounts follow "
    "them back, and each target has an operation for it",
}
REASONS = {word: reason for words, reason in KNOWN_EVERYWHERE.items() for word in words.split()}


def texts_of(nodes) -> set[str]:
    return {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}


def defined_in(file: str, nodes: list[ast.AST]) -> set[tuple[str, str]]:
    """The classes and functions that a module defines or imports, each with the module that it stands in."""
    found = set()
    for node in nodes:
        if isinstance(node, (ast.ClassDef, ast.FunctionDef)):
            found.add((file.rpartition("/")[2].removesuffix(".py"), node.name))
        elif isinstance(node, ast.ImportFrom):
            found |= {((node.module or "").rpartition(".")[2], alias.name) for alias in node.names}
    return found


def words_in(nodes: list[ast.AST], importer: bool) -> set[str]:
    """The words that stand in tables of words, or are compared with; in an importer, all that it makes."""
    found: set[str] = set()
    for node in nodes:
        group: set[str] = set()
        if isinstance(node, ast.Dict):
            group = texts_of(key for key in node.keys if key)
        elif isinstance(node, (ast.Tuple, ast.Set, ast.List)):
            group = texts_of(node.elts)
        elif isinstance(node, ast.Compare) and texts_of(ast.walk(node)) and "word" in ast.unparse(node):
            found |= texts_of(ast.walk(node)) & WORDS.keys()
        if importer and isinstance(node, (ast.Call, ast.Tuple)):
            found |= texts_of(ast.iter_child_nodes(node)) & WORDS.keys()
        words = set() if group & {"sqrt", "exp"} else group & WORDS.keys()  # not of functions of formulas
        if 2 * len(words) > len(group) and len(words) > 1:
            found |= words
    return found


@cache
def modules() -> dict[str, list[ast.AST]]:
    """The package's modules that may have to do with a word, without those whose words are of other tables."""
    found = {}
    written = re.compile(
        rf"""(["'])({"|".join(WORDS)})\1|^from .*(words|primitives)|/(words|primitives|kernels)/""", re.M
    )
    for path in PACKAGE.rglob("*.py"):
        file, text = path.relative_to(PACKAGE).as_posix(), path.read_text(encoding="utf-8")
        if not file.startswith(OTHER_TABLES) and written.search(f"{text}\n/{file}"):
            found[file] = list(ast.walk(ast.parse(text)))
    return found


@cache
def made_of() -> dict[str, dict[str, set[str]]]:
    """By word: the primitives, the kernels of NumPy and those of JavaScript that its example needs."""
    found: dict[str, dict[str, set[str]]] = {}
    for op in OPS:
        text = f"input {op.on}\n{op.example}"
        graph = run(graph_of(text), (decompose_training, every_gradient))
        plan = engine_for(graph_of(text)).program("infer", 1, 1).source
        script = module_source(read_spec(text=text), {}, look=True)
        called = set(re.findall(r"\b(\w+)\(", plan)) & KERNELS
        found[op.word] = {
            "classes": {place_of(type(node.op)) for node in graph if "primitives" in type(node.op).__module__},
            "kernels": called | {name for name in KERNELS if name.removesuffix("_gradient") in called},
            "scripts": bundle.named(script),
        }
    return found


def place_of(cls: type) -> tuple[str, str]:
    return cls.__module__.rpartition(".")[2], cls.__name__


KERNELS = {
    name
    for module in kernels.MODULES
    for name, value in vars(module).items()
    if callable(value) and value.__module__ == module.__name__
}


def alone(word: str, kind: str) -> set[str]:
    """What is for one word alone."""
    return made_of()[word][kind].difference(*(parts[kind] for other, parts in made_of().items() if other != word))


@cache
def scripts() -> dict[str, str]:
    return {
        path.relative_to(PACKAGE).as_posix(): path.read_text(encoding="utf-8") for path in PACKAGE.rglob("*.js")
    }


@cache
def places() -> dict[str, set[str]]:
    """By word: the files that know it."""
    found: dict[str, set[str]] = defaultdict(set)
    classes = {place: word for word in WORDS for place in (place_of(WORDS[word]), *alone(word, "classes"))}
    kernels_of = {name: word for word in WORDS for name in alone(word, "kernels")}
    scripts_of = {name: word for word in WORDS for name in alone(word, "scripts")}
    for file, nodes in modules().items():
        defined = defined_in(file, nodes)
        for place in defined & classes.keys():
            found[classes[place]].add(file)
        for name in {name for _, name in defined if file.startswith("kernels/")} & kernels_of.keys():
            found[kernels_of[name]].add(file)
        for word in words_in(nodes, importer="onnx/operators" in file or file.endswith("onnx/patterns.py")):
            found[word].add(file)
    for file, text in scripts().items():
        if file.startswith("targets/js/kernels"):
            for name in set(re.findall(r"^export (?:function\*?|const|class) (\w+)", text, re.MULTILINE)):
                if name in scripts_of:
                    found[scripts_of[name]].add(file)
        elif file.startswith("report/page"):
            for word in WORDS.keys() - set(FUNCTIONS):
                if re.search(rf"(?:=== |^  )(['\"]?){word}\1(?:[(:,)]| \?|$)", text, re.MULTILINE):
                    found[word].add(file)
    return found


@pytest.mark.parametrize("word", [word for word in WORDS if word not in REASONS])
def test_a_word_is_known_in_six_files_at_most(word):
    found = sorted(places()[word])
    assert len(found) <= MOST, f"`{word}` is known in {', '.join(found)}: let targets follow a formula or its words"


def test_the_files_are_found():
    """Those of a word that has a primitive, a kernel, and forms of its own in ONNX and PyTorch; of a formula."""
    assert places()["lppool"] >= {
        "words/pool.py", "primitives/norm_windows.py", "kernels/pool.py", "targets/onnx/words/window.py",
        "targets/onnx/operators/windows.py", "targets/torch/windows.py",
    }  # fmt: skip
    assert places()["shrink"] >= {"words/activation/elementary.py", "targets/onnx/operators/table.py"}
    assert len(places()["conv"]) > MOST


@pytest.mark.parametrize("word", REASONS)
def test_a_reason_is_of_a_word_that_needs_one(word):
    assert len(places()[word]) > MOST, "take it out of KNOWN_EVERYWHERE"
