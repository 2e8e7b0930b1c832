"""A network as one Python file that needs NumPy and nothing else: `cnnspec compile --emit python`.

The file is made of the plan's own source, the source of the kernels that it calls, and the classes of `runtime`,
which lay out memory and run it: nothing in it was written twice. Weights lie in an npz file beside it, or in the
file itself as text. With `train` there are backward and update as well.
"""

from __future__ import annotations

import ast
import base64
import inspect
import io
import re
import textwrap
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from ...codegen.program import Program, generate
from ...data import preparation as data
from ...data.sources.by_name import called
from ...diagnostics import Diagnostic, SpecError
from ...ir import Graph
from ...ir.leaves import Target
from ...ir.owned import parameters_of
from ...lang import Spec
from ...passes import INFERENCE, TRAINING, run
from ...passes.decompose import attach_costs
from ...quoting import literal, literals, remark
from ...runtime import load, update
from ...settings.optimiser import Optimiser
from ...settings.tuning import beyond
from ..rows import columns, python_source
from . import runtime
from .kernel_source import globals_of, sources

LINE = 100  # characters of a line of weights


def module_source(
    spec: Spec,
    weights: Mapping[str, np.ndarray],
    *,
    train: bool = False,
    batch: int | None = None,
    beside: str = "net.npz",
    embed: bool = False,
    preparation: data.Preparation | None = None,
    raw: bool = False,
) -> str:
    """The file's text. `beside` is the npz file that holds the weights, unless they are embedded.

    The `preparation` of the images that it was trained on, where it is known, is `prepare` of the network, which it
    begins with unless it is `raw`.
    """
    if train and (more := beyond(spec.train)):
        raise SpecError((Diagnostic.of("CNN325", unknown=", ".join((f"`{one}`" for one in more))),))
    batch = batch or (spec.train.batch if train else 32)
    graph = replace(spec.graph, images=batch)  # methods are chosen for so many, as by one worker with one shard
    used = generate(run(graph, INFERENCE), batch, batch)
    programs = {"": used}
    if train:
        judged = run(attach_costs(graph, spec.train.cost), TRAINING)
        programs["training_"] = generate(judged, batch, batch)
    plans = [
        renamed(program, prefix, tuple(called(graph.outputs).values())) for prefix, program in programs.items()
    ]
    optimiser = spec.train.optimiser
    if train:
        plans.append(update.source(optimiser))
    runs = ["Layout", "Plan", "Preparation", "Network", "main", "run"] + ["Learning"] * train
    own = optimiser_source(optimiser) if train else ""
    wanted = set(runs).union(*(globals_of(text) for text in (*plans, own)))
    imports, kernels = sources(wanted, (load, runtime))
    imports += ["import sys", "from pathlib import Path"] + ["import base64", "import io"] * embed
    parts = [
        heading(spec, batch, train, embed, beside, preparation, raw),
        "from __future__ import annotations\n\n" + "\n".join(ordered(imports)),
        "f = np.float32",
        "# ---- the plan " + "-" * 86,
        *plans,
        *([own] if own else []),
        "# ---- kernels, and what runs the plan " + "-" * 64,
        *kernels,
        "# ---- the network " + "-" * 83,
        *tables(spec, graph, programs, batch, train, preparation, raw),
        *(["\n".join(rows)] if (rows := python_source(preparation, "np.array(found, np.float32)")) else []),
        weights_source(weights, beside, embed),
        'if __name__ == "__main__":\n    main(load(), sys.argv[1:])',
    ]
    return "\n\n\n".join(part.strip("\n") for part in parts) + "\n"


def heading(
    spec: Spec, batch: int, train: bool, embed: bool, beside: str, preparation: data.Preparation | None, raw: bool
) -> str:
    ins, outs = (listed(spec.graph, names) for names in (spec.graph.inputs, spec.graph.outputs))
    how = "in this file" if embed else f"beside this file, in {file_name(beside)}"
    call = "network(network.prepare(x))" if preparation and raw else "network(x)"
    if preparation and not raw:
        ins = "x as it is stored"
    usage = ["    python net.py images.npy              # classifies", "", "    network = load()"]
    usage.append(f"    {call:<37} # {ins} -> {outs}")
    if columns(preparation):
        usage.append(
            "    encode(rows)                          # rows of a table, with texts, as the network is fed them"
        )
    if train:
        usage.append(f"    network.learn(x, y, rate=0.01)        # a step on a batch of {batch}; its cost")
    text = [
        f"{file_name(spec.source.name)}, written by cnnspec: needs NumPy and nothing else. Its weights are {how}.",
        "",
        *usage,
    ]
    if preparation:
        told = f"It is fed {preparation.fed()}, and prepares them itself: {preparation.wants()}."
        if raw:
            told = f"It prepares nothing. The network sees {preparation.wants()}; `prepare` makes that of x."
        told = remark(told)
        text += ["", *textwrap.wrap(told, LINE)]
    return '"""' + "\n".join(text) + '\n"""'


def listed(graph: Graph, names: tuple[str, ...]) -> str:
    return ", ".join(f"{remark(name)} ({', '.join(map(str, ('n', *graph.type(name).shape)))})" for name in names)


def file_name(path: str) -> str:
    """A file's name without its folder, in a docstring."""
    return remark(path.replace("\\", "/").split("/")[-1])


def ordered(imports: list[str]) -> list[str]:
    """Imports as one writes them: modules first, names of one module together, NumPy last."""
    plain_ones = sorted({line for line in imports if line.startswith("import ")} - {"import numpy as np"})
    names: dict[str, set[str]] = {}
    for line in imports:
        if line.startswith("from "):
            module, _, name = line.removeprefix("from ").partition(" import ")
            names.setdefault(module, set()).add(name)
    found = [f"from {module} import {', '.join(sorted(names[module]))}" for module in sorted(names)]
    standard = [line for line in found if not line.startswith("from numpy")]
    return [*plain_ones, *standard, "", "import numpy as np", *(line for line in found if line not in standard)]


def renamed(program: Program, prefix: str, outputs: tuple[str, ...]) -> str:
    """The functions of a plan without its page's heading, under their own names; outputs as words are called."""
    source = re.sub(r'\A""".*?"""\n+', "", program.source, flags=re.S)
    for made, word in zip(program.graph.outputs, outputs, strict=False):  # a plan that learns has none
        source = source.replace(f"fetches[{literal(made)}]", f"fetches[{literal(word)}]")
    return re.sub(r"^def (forward|buffers)\(", rf"def {prefix}\1(", source, flags=re.M)


def optimiser_source(optimiser: Optimiser) -> str:
    """The numbers of an optimiser and the methods that turn them into those of a step."""
    kind, methods, values = type(optimiser), {}, {"lr": optimiser.lr, "clip": optimiser.clip}
    open_names = ["scalars"]
    while open_names:
        name = open_names.pop()
        if name in methods or name in values:
            continue
        member = inspect.getattr_static(kind, name)
        member = member.fget if isinstance(member, property) else member
        if not inspect.isfunction(member):
            values[name] = getattr(optimiser, name)
            continue
        methods[name] = inspect.getsource(member).rstrip()
        tree = ast.parse(textwrap.dedent(methods[name]))
        open_names += [
            node.attr
            for node in ast.walk(tree)
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "self"
        ]
    lines = ["class Optimiser:", f'    """{optimiser.written()}"""', ""]
    lines += [f"    {name} = {value!r}" for name, value in values.items()]
    for method in methods.values():
        lines += ["", method]
    return "\n".join(lines)


def tables(
    spec: Spec,
    graph: Graph,
    programs: dict[str, Program],
    batch: int,
    train: bool,
    preparation: data.Preparation | None,
    raw: bool,
) -> list[str]:
    """The network as a class: its shapes, its parameters, its plans."""
    layouts = ["LAYOUTS = {  # shape, the same with a flattened image's axes apart, the plan's order of them"]
    for name, parameter in parameters_of(graph).items():
        apart = tuple(size for _, size in parameter.unfolded)
        state = "" if parameter.trained else ", False"
        layout = f"Layout({parameter.type.shape}, {apart}, {parameter.order}{state})"
        layouts.append(f"    {literal(name)}: {layout},")
    lines = [
        f"class Net({'Learning' if train else 'Network'}):",
        f"    batch = {batch}",
        f"    inputs = {shapes(graph, dict(zip(graph.inputs, graph.inputs, strict=True)))}",
        f"    outputs = {shapes(graph, called(graph.outputs))}",
        "    layouts = LAYOUTS",
        f"    plan = {plan(programs[''], '')}",
    ]
    if preparation:
        lines += [f"    prepare = {prepared(preparation.of(graph.inputs[0]))}", f"    prepares = {not raw}"]
        if len(graph.inputs) > 1:
            lines.append(
                f"    others = {dictionary({name: prepared(preparation.of(name)) for name in graph.inputs})}"
            )
    if train:
        training = programs["training_"]
        targets = tuple(n.name.removesuffix(".target") for n in training.graph if isinstance(n.op, Target))
        lines += [
            f"    training = {plan(training, 'training_')}",
            f"    targets = {shapes(graph, dict(zip(targets, targets, strict=True)))}",
            "    optimiser = Optimiser()",
            f"    moments_of = {literals(spec.train.optimiser.moments)}",
            "    update = staticmethod(update)",
            f"    chunk = {update.CHUNK}",
            f"    seed = {spec.train.seed}",
        ]
    return ["\n".join([*layouts, "}"]), "\n".join(lines)]


def prepared(preparation: data.Preparation) -> str:
    """Source of how the images of an input are prepared."""
    scaling, classes = preparation.scaling, preparation.classes
    order = tuple(preparation.stored_axes.find(axis) for axis in preparation.axes_seen)
    names = literals(classes) if classes is not None else None
    numbers = f"{scaling.scale!r}, {scaling.offset!r}, {names}, {order}, {preparation.bytes_as!r}"
    size = "" if preparation.resize is None else f", size={tuple(preparation.resize)}"
    fill = f", fill={preparation.fill!r}" if preparation.fill else ""
    return f"Preparation({literal(preparation.stored)}, {numbers}{size}{fill})"


def shapes(graph: Graph, names: Mapping[str, str]) -> str:
    """Source of a dictionary of the shapes of values, by what they are called."""
    return dictionary({told: repr(graph.type(name).shape) for name, told in names.items()})


def dictionary(entries: Mapping[str, str]) -> str:
    """Source of a dictionary, from its keys and the source of its values."""
    return "{" + ", ".join(f"{literal(name)}: {code}" for name, code in entries.items()) + "}"


def plan(program: Program, prefix: str) -> str:
    """Source of a plan's entry: its functions, and what memory they want."""
    parts = [f"{prefix}buffers", f"{prefix}forward", f"{program.arena_bytes}"]
    parts += [f"prepared={program.prepared_bytes}"] if program.prepared_bytes else []
    functions = (
        name for name in ("prepare", "backward", "update_statistics") if f"\ndef {name}(" in program.source
    )
    parts += [f"{name}={name}" for name in functions]
    parts += [f"costs={program.costs}"] if program.costs else []
    partials = {name: repr(shape) for name, shape in program.partials.items()}
    parts += [f"partials={dictionary(partials)}"] if partials else []
    constants = {name: array_source(array) for name, array in program.constants.items()}
    parts += [f"constants={dictionary(constants)}"] if constants else []
    names = {full: literal(name) for full, name in program.parameters.items() if name != full.replace(".", "_")}
    parts += [f"names={dictionary(names)}"] if names else []
    inside = ", ".join(parts)
    if len(inside) > LINE - 30:
        inside = "\n" + "".join(f"        {part},\n" for part in parts) + "    "
    return f"Plan({inside})"


def array_source(array: np.ndarray) -> str:
    """A small array as source."""
    return f"np.array({array.tolist()!r}, np.float32)"


def weights_source(weights: Mapping[str, np.ndarray], beside: str, embed: bool) -> str:
    """The function that loads the weights, and with `embed` the weights as text."""
    if not embed:
        return (
            "def load(path: str | None = None) -> Net:\n"
            '    """The network with the weights of an npz file (default: the one beside this file)."""\n'
            f"    with np.load(path or Path(__file__).with_name({literal(beside)}), allow_pickle=False) as file:\n"
            "        return Net(dict(file))"
        )
    text = base64.b64encode(packed(weights)).decode()
    lines = [text[start : start + LINE] for start in range(0, len(text), LINE)]
    return (
        'WEIGHTS = """\n' + "\n".join(lines) + '\n"""\n\n\n'
        "def load(path: str | None = None) -> Net:\n"
        '    """The network with the weights of an npz file (default: those of this file)."""\n'
        "    source = path or io.BytesIO(base64.b64decode(WEIGHTS))\n"
        "    with np.load(source, allow_pickle=False) as file:\n"
        "        return Net(dict(file))"
    )


def packed(weights: Mapping[str, np.ndarray]) -> bytes:
    """Weights as the bytes of an npz file."""
    file = io.BytesIO()
    arrays: dict[str, Any] = {name: values.astype(np.float32) for name, values in weights.items()}
    np.savez(file, **arrays)
    return file.getvalue()
