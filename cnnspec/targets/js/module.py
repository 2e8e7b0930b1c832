"""The text of a module: its plans, the kernels that they call, what runs them, and the network's own tables."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping
from dataclasses import replace
from textwrap import wrap
from typing import TYPE_CHECKING

from ...codegen.names import Names
from ...ir import Graph
from ...ir.leaves import Target
from ...ir.owned import parameters_of
from ...lang import Spec
from ...passes import run
from ...passes.activation_gradients import every_gradient
from ...passes.dead_code import drop_outputs, eliminate_dead_code
from ...passes.decompose import attach_costs, decompose_inference, decompose_training
from ...passes.differentiate import differentiate
from ...passes.fold_norm import fold_norm
from ...passes.fuse_cross_entropy import fuse_softmax_cross_entropy
from ...passes.fuse_norm import fuse_norm
from ...passes.hoist_pooling import hoist_pooling
from ...primitives.activation import Activation, ActivationGradient
from ...primitives.formula_windows import Formulated
from ...quoting import script_comment, script_literal
from ...settings.data import weighing
from ...settings.optimiser import Optimiser
from ...settings.tuning import beyond
from ...words.composed import spell_out
from ..rows import columns, script_source
from . import augmentations, pointwise, translate, window_formula
from .bundle import used
from .emit import MARGIN, Emitter, Lines, function
from .lines import known, unmade, write
from .preparing import fed, prepared
from .update import update

if TYPE_CHECKING:
    import numpy as np

    from ...data.preparation import Preparation

USE = (decompose_inference, eliminate_dead_code, fold_norm, hoist_pooling, eliminate_dead_code, fuse_norm)
LEARN = (
    decompose_training,
    fuse_softmax_cross_entropy,
    hoist_pooling,
    eliminate_dead_code,
    fuse_norm,
    differentiate,
    eliminate_dead_code,
)
MEASURE = (
    decompose_inference,
    fuse_softmax_cross_entropy,
    drop_outputs,
    eliminate_dead_code,
    fold_norm,
    hoist_pooling,
    eliminate_dead_code,
    fuse_norm,
)
LOOK = (decompose_inference, every_gradient, eliminate_dead_code)
LOOK_FORWARD = (decompose_inference, eliminate_dead_code)
WRITTEN_FOR = {"written for": "a JavaScript module"}  # metadata of weights
LINE = 116  # characters of a line


def module_source(
    spec: Spec,
    weights: Mapping[str, np.ndarray],
    *,
    train: bool = False,
    look: bool = False,
    beside: str = "net.safetensors",
    embed: bool = False,
    script: bool = False,
    preparation: Preparation | None = None,
    prepares: bool = False,
    dtype: str | None = "float32",
) -> str:
    """The module's text; see the docstring of this package for what it exports.

    With the `preparation` of its images it can prepare them; it begins with that where it `prepares`.

    `beside` is the safetensors file that holds the weights, unless they are embedded, as `dtype` (None: their own).
    With `script` it is no module but a classic script that defines `network`, for a page that is opened from the
    file system.
    """
    for setting in (*beyond(spec.train), *weighing(spec.data)) if train else ():
        raise pointwise.refused(setting)
    steps = look and spec.train.cost and not beyond(spec.train)  # what a step of the optimiser would make
    graph = spell_out(spec.graph, known)
    names = Names()
    owned = {full: (names[full], parameter) for full, parameter in parameters_of(graph).items()}
    emitters = {"use": emitted(run(graph, USE), names)}
    if train:
        judged = attach_costs(graph, spec.train.cost)
        emitters["learn"] = emitted(run(judged, LEARN), names)
        emitters["measure"] = emitted(run(judged, MEASURE), names)
    if look:
        emitters["look"] = looking(spec, names)
    plans = [plan_source(name, e, spec.graph) for name, e in emitters.items()]
    rows = [
        f"    [{script_literal(full)}, {script_literal(id)}, {list(p.type.shape)}, {truth(p.trained)}],"
        for full, (id, p) in owned.items()
    ]
    tables = [
        "const TABLES = {",
        "  parameters: [ // name, what plans call it, shape, whether it is trained",
        *rows,
        "  ],",
        f"  plans: {{ {', '.join(f'{name}: {name.upper()}' for name in emitters)} }},",
        f"  deepest: {max(e.deepest for e in emitters.values())}, // the longest sum in a product of matrices",
        *(training(spec) if train else stepping(spec) if steps else []),
        *(prepared(preparation, prepares) if preparation else []),
        "};",
    ]
    kind = "Network"
    for more in ["learning"] * train + ["looking"] * look:
        kind = f"{more}({kind})"
    own = ["\n".join(tables), ending(kind, beside, embed, script, preparation)]
    code = [*plans, *activations(emitters.values(), "\n".join(plans))]
    code += [*(formulas(spec) if train else step_formulas(spec) if steps else []), *own]
    text = [
        heading(spec, emitters, beside, embed, script, preparation, prepares),
        title("the plan"),
        *code[: -len(own)],
    ]
    text += [title("kernels, and what runs the plan"), used(code), title("the network"), own[0]]
    text += [f"const WEIGHTS =\n{weights_text(weights, dtype)};"] if embed else []
    text += [own[1]]
    whole = "\n\n".join(part.strip("\n") for part in text) + "\n"
    return f"const network = (() => {{\n{whole}}})();\n" if script else whole


def emitted(graph: Graph, parameters: Names, keep: bool = False) -> Emitter:
    e = Emitter(graph, parameters, keep)
    e.run(write, unmade)
    return e


def looked_at(spec: Spec) -> Graph:
    """The graph with its cost (of a part of a network there is none), every word that was written an output."""
    graph = spell_out(spec.graph, known)
    judged = attach_costs(graph, spec.train.cost) if spec.train.cost else graph
    return replace(judged, outputs=tuple(spec.graph.nodes))


def looking(spec: Spec, parameters: Names) -> Emitter:
    """The plan that keeps every value, and every gradient where there is a cost."""
    passes = LOOK if spec.train.cost else LOOK_FORWARD
    return emitted(run(looked_at(spec), passes), parameters, keep=True)


def looked_at_size(spec: Spec) -> int:
    """How many numbers looking at one image takes: every value and every gradient."""
    e = looking(spec, Names())
    return e.size + e.beside_size


def plan_source(name: str, e: Emitter, words: Graph) -> str:
    """A plan: where its arrays lie, and its functions."""
    graph = e.graph
    targets = [node.name for node in graph if isinstance(node.op, Target)]
    outputs = words.nodes if name == "look" else words.outputs
    lines = [f"/** {TITLES[name]} */", f"const {name.upper()} = {{"]
    lines += table("inputs", [(value, value) for value in graph.inputs], e)
    if graph.outputs:
        lines += table("outputs", zip(outputs, graph.outputs, strict=False), e)
    if targets:
        lines += table("targets", [(value.removesuffix(".target"), value) for value in targets], e)
    both_ways = name in ("learn", "look") and bool(graph.cost)
    if name == "look" and both_ways:
        lines += table("gradients", zip(outputs, graph.outputs[len(outputs) :], strict=True), e)
    lines += [
        f"  arena: {e.size}, // numbers of one image",
        f"  beside: {e.beside_size}, // numbers that do not grow with the batch",
        f"  columns: {e.scratch}, // numbers of the columns of one row of windows, of one image",
        f"  flipped: {e.flipped}, // numbers of the kernels that are flipped",
        "  arrays: ({ floats, bytes, fixed, wide }) => ({ // where each begins, how long it is for one image",
    ]
    for array, place in e.places().items():
        code = f"    {array}: {place.kind}({place.offset}, {place.size}),"
        lines.append(f"{code:<{MARGIN}} {script_comment(place.shape)}")
    lines += ["  }),"]
    before, forward, backward = split(e, both_ways, keep=name == "look")
    if before:
        lines += function("prepare(room, b, p)", before)
    costs = ("return { cost, correct };", "let cost = 0, correct = [0, 0];") if targets else ("", "")
    lines += function("forward(room, b, p, n, random)", forward, *costs)
    if both_ways:
        lines += function("backward(room, b, p, g, n)", backward)
    if e.statistics_updates:
        lines += ["  settle(b, p, n) {", *(f"    {code};" for code in e.statistics_updates), "  },"]
    return "\n".join([*lines, "};"])


TITLES = {
    "use": "The network in use: images in, outputs out.",
    "learn": "A training step: the cost of a batch, and its gradient from the last layer to the first.",
    "measure": "The cost of a batch, as the network is in use.",
    "look": "The network to look at: every value, and the gradient of the cost at each.",
}


def split(e: Emitter, both_ways: bool, keep: bool = False) -> tuple[list[Lines], list[Lines], list[Lines]]:
    """The parts that depend on parameters alone (with `keep` none), those up to the cost, and those after it."""
    if keep and not both_ways:
        return [], e.parts, []
    if not both_ways:
        known = [part for part in e.parts if part.node.name in e.known]
        return known, [part for part in e.parts if part.node.name not in e.known], []
    early = set(list(e.graph.nodes)[: list(e.graph.nodes).index(e.graph.cost) + 1])
    forward = [part for part in e.parts if part.node.name in early]
    return [], forward, [part for part in e.parts if part.node.name not in early]


def table(name: str, rows: Iterable[tuple[str, str]], e: Emitter) -> list[str]:
    """Values by the names that an author knows: what b calls them, and their shapes."""
    cells = [
        f"[{script_literal(word)}, {script_literal(e[value].removeprefix('b.'))}, {list(e.type(value).shape)}]"
        for word, value in rows
    ]
    if len(cells) == 1:
        return [f"  {name}: [{cells[0]}],"]
    return [f"  {name}: [", *(f"    {cell}," for cell in cells), "  ],"]


def activations(emitters: Iterable[Emitter], plans: str) -> list[str]:
    """The functions of formulas, of a number or of a window, and of their gradients that some plans call."""
    found: dict[str, str] = {}
    for e in emitters:
        for node in e.graph:
            op = node.op.activation if isinstance(node.op, ActivationGradient) else node.op
            if isinstance(op, Activation):
                found |= pointwise.functions(op)
            elif isinstance(op, Formulated):
                found |= window_formula.functions(op.formula)
    return [text for name, text in found.items() if f" {name}(" in plans]


def formulas(spec: Spec) -> list[str]:
    """How a step moves the parameters, and the learning rate of each."""
    optimiser, schedule = spec.train.optimiser, spec.train.schedule
    return [update(optimiser), translate.functions(optimiser.scalars, schedule.rate)]


def step_formulas(spec: Spec) -> list[str]:
    """How a first step moves a parameter, at the spec's own learning rate."""
    optimiser = spec.train.optimiser
    return [update(optimiser), translate.functions(optimiser.scalars)]


def stepping(spec: Spec) -> list[str]:
    """The settings of a step."""
    optimiser = spec.train.optimiser
    return [f"  training: {{ // {optimiser.written()}", *_of_optimiser(optimiser), "  },"]


def _of_optimiser(optimiser: Optimiser) -> list[str]:
    return [
        f"    lr: {optimiser.lr!r},",
        f"    clip: {'null' if optimiser.clip is None else repr(optimiser.clip)},",
        f"    moments: [{', '.join(map(script_literal, optimiser.moments))}],",
        "    update,",
        f"    scalars: {translate.name_of(optimiser.scalars)},",
    ]


def training(spec: Spec) -> list[str]:
    """The settings of a training."""
    train, optimiser = spec.train, spec.train.optimiser
    images = spec.graph.type(spec.graph.inputs[0])
    changes = ", ".join(augmentations.source(change, images) for change in spec.data.augment)
    return [
        f"  training: {{ // {optimiser.written()}; {train.schedule.written()}",
        f"    batch: {train.batch},",
        f"    epochs: {train.epochs},",
        *_of_optimiser(optimiser),
        f"    rate: {translate.name_of(train.schedule.rate)},",
        f"    augment: [{changes}],",
        "  },",
    ]


def ending(kind: str, beside: str, embed: bool, script: bool, preparation: Preparation | None = None) -> str:
    """What the module exports."""
    export = "" if script else "export "
    given = "WEIGHTS.length ? fromBase64(WEIGHTS) : null" if embed else "null"
    lines = [
        "/** The network with the weights of a safetensors file, given as bytes"
        + (" (without: those of this file). */" if embed else ". */"),
        f"{export}function create(weights = {given}, options = {{}}) {{",
        f"  return new ({kind})(TABLES, weights, options);",
        "}",
    ]
    rows = script_source(preparation, export)
    lines += ["", *rows] if rows else []
    if script:
        return "\n".join([*lines, "", f"return {{ create{', encode, FIELDS' if rows else ''} }};"])
    where = "" if embed else f" ?? await readBeside(new URL({script_literal(beside)}, import.meta.url))"
    default = "in this file" if embed else "beside this file"
    lines += [
        "",
        f"/** The same with the weights {default}, unless others are given. */",
        "export async function load({ weights, ...options } = {}) {",
        f"  return create(weights{where}, options);",
        "}",
    ]
    return "\n".join(lines)


def heading(
    spec: Spec,
    emitters: Mapping[str, Emitter],
    beside: str,
    embed: bool,
    script: bool,
    preparation: Preparation | None,
    prepares: bool,
) -> str:
    """What the file is, and how it is used."""
    graph = spec.graph
    ins, outs = (
        ", ".join(f"{name} {graph.type(name)}" for name in names) for names in (graph.inputs, graph.outputs)
    )
    own = spec.source.name.replace("\\", "/").split("/")[-1]
    where = "in this file" if embed else f"beside it, in {beside}"
    file = script_literal(f"./{beside.removesuffix('.safetensors')}.js")
    open_it = (
        "const net = network.create();" if script else f"import {{ load }} from {file}; const net = await load();"
    )
    order = "" if preparation and prepares else ", channels first"
    lines = [
        f"{own}, written by cnnspec: needs nothing else. Its weights are {where}.",
        "",
        f"    {open_it}",
        f"    net.predict(images)    // {ins} -> {outs}, one image behind the other{order}",
    ]
    if columns(preparation):
        lines.append("    encode(rows)           // rows of a table, with texts, as images")
    if "learn" in emitters:
        lines.append("    net.learn(images, targets)    // a training step; its cost")
    if "look" in emitters:
        lines.append("    net.look(images, targets); net.value(name); net.gradient(name)")
    if preparation and prepares:
        lines += ["", *wrap(fed(preparation), LINE - 4)]
    elif preparation:
        lines.append(f"    net.prepare(images)    // {preparation.wants()}")
    lines += ["", "Values lie as x[c][h][w][n] in plans, the n images that are given together innermost."]
    return "\n".join(map(script_comment, lines))


def title(text: str) -> str:
    return f"// ---- {text} " + "-" * (LINE - 9 - len(text))


def truth(value: bool) -> str:
    return "true" if value else "false"


def packed(weights: Mapping[str, np.ndarray], dtype: str | None = "float32") -> bytes:
    """Weights as the bytes of a safetensors file; without a `dtype` in their own."""
    from ...train import tensors

    arrays = {name: values.astype(dtype or values.dtype) for name, values in weights.items()}
    return b"".join(bytes(piece) for piece in tensors.contents(arrays, WRITTEN_FOR))


def weights_text(weights: Mapping[str, np.ndarray], dtype: str | None = "float32") -> str:
    """Weights as a literal in base64, over several lines; where there are none, an empty one to be filled in."""
    text = base64.b64encode(packed(weights, dtype)).decode() if weights else ""
    lines = [text[start : start + LINE] for start in range(0, len(text), LINE)] or [""]
    return " +\n".join(f'  "{line}"' for line in lines)
