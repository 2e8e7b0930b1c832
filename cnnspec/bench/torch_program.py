"""A spec as a file of PyTorch that can be trained: the network, its cost, its optimiser, a random batch.

The network is what `cnnspec compile --emit torch` writes. In training it ends before the softmax or sigmoid
that its cost is made for, as people write it there; in use it gives what the spec's network gives.
"""

from __future__ import annotations

from dataclasses import replace

from ..diagnostics import Diagnostic, SpecError
from ..ir import Graph, TensorType
from ..ir.fields import settings
from ..lang import Spec
from ..passes.dead_code import eliminate_dead_code
from ..settings.optimiser import Optimiser
from ..settings.tuning import beyond
from ..targets.torch.module import torch_source
from ..words.costs import Cost, Hinge, Huber
from .subject import judged

MADE_FOR = {"cross_entropy": ("softmax", "logsoftmax"), "binary_cross_entropy": ("sigmoid",)}
ELSEWHERE = ("clip", "decay_norm")  # settings that are lines of the step, or refused before

STEP = '''
def step(net, optimiser, x, y):
    """One step of training."""
    optimiser.zero_grad()
    cost(net, x, y).backward()
'''
HALVES = '''
def step(net, optimiser, x, y):
    """One step of training, its convolutions and products of matrices in {precision}."""
    optimiser.zero_grad()
    with torch.autocast(x[0].device.type, torch.{precision}):
        total = cost(net, x, y)
    total.backward()
'''


def source(spec: Spec, training: bool, precision: str = "float32") -> str:
    """The file: `Net` and `batch(n)`, in training also `cost(net, x, y)`, `optimiser(net)` and `step(...)`."""
    graph = spec.graph
    if training and (more := beyond(spec.train)):
        unknown = ", ".join(f"`{one}`" for one in more)
        raise SpecError((Diagnostic.of("CNN314", case="step", unknown=unknown),))
    read = [(cost, name, before(graph, cost, name)) for cost, name in judged(spec)] if training else []
    if training:
        graph = eliminate_dead_code(replace(graph, outputs=tuple(dict.fromkeys(value for _, _, value in read))))
    text = torch_source(graph) + "\n\n"
    text += batch_source(graph, [target(cost, spec.graph.type(name)) for cost, name, _ in read])
    if not training:
        return text
    text += cost_source(spec.graph, graph.outputs, read)
    optimiser = spec.train.optimiser
    step = STEP if precision == "float32" else HALVES.format(precision=precision)
    text += f"\n\ndef optimiser(net):\n    return {optimiser_source(optimiser)}\n\n{step}"
    if optimiser.clip is not None:
        text += f"    nn.utils.clip_grad_norm_(net.parameters(), {optimiser.clip!r})\n"
    return text + "    optimiser.step()\n"


def before(graph: Graph, cost: Cost, name: str) -> str:
    """What PyTorch's function for a cost reads: the value before the activation that the cost is made for."""
    node = graph[name]
    return node.inputs[0] if node.op.word in MADE_FOR.get(cost.word, ()) else name


def target(cost: Cost, kind: TensorType) -> str:
    """Random answers for n images."""
    if cost.word in ("cross_entropy", "hinge"):
        return f"torch.randint({kind['c']}, {tuple_of(kind.spatial)})"
    if cost.word == "binary_cross_entropy":
        return f"torch.randint(2, {tuple_of(kind.shape)}).float()"
    return f"torch.randn{tuple_of(kind.shape)}"


def tuple_of(shape: tuple[int, ...]) -> str:
    return f"({', '.join(['n', *map(str, shape)])}{',' * (not shape)})"


def batch_source(graph: Graph, targets: list[str]) -> str:
    inputs = ", ".join(f"torch.randn{tuple_of(graph.type(name).shape)}" for name in graph.inputs)
    return f'def batch(n):\n    """Random inputs and answers."""\n    return [{inputs}], [{", ".join(targets)}]\n'


def cost_source(graph: Graph, outputs: tuple[str, ...], read: list[tuple[Cost, str, str]]) -> str:
    lines = ["", "", "def cost(net, x, y):", '    """The mean over the images of a batch."""']
    names = [f"z{k}" for k in range(len(outputs))]
    lines.append(f"    {', '.join(names)} = net(*x)")
    terms = []
    for k, (cost, name, value) in enumerate(read):
        code = loss(cost, graph, name, names[outputs.index(value)], f"y[{k}]", bare=value != name)
        terms.append(code if cost.weight == 1 else f"{cost.weight!r} * {code}")
    lines.append(f"    return {' + '.join(terms)}")
    return "\n".join(lines) + "\n"


def loss(cost: Cost, graph: Graph, name: str, z: str, y: str, bare: bool) -> str:
    """PyTorch's function for a cost; `bare` where z stands before the activation."""
    word, activation = cost.word, graph[name].op.word
    if word == "cross_entropy":
        smoothing = getattr(cost, "smoothing", 0.0)
        if bare:
            return f"F.cross_entropy({z}, {y}{f', label_smoothing={smoothing!r}' if smoothing else ''})"
        if not smoothing:
            return f"F.nll_loss({z}.clamp_min(torch.finfo({z}.dtype).tiny).log(), {y})"
    if word == "binary_cross_entropy":
        if bare:
            return f"F.binary_cross_entropy_with_logits({z}, {y})"
        if activation == "softmax":
            return f"F.binary_cross_entropy({z}, {y})"
    if word in ("mse", "mae", "huber"):
        function = {"mse": "mse_loss", "mae": "l1_loss", "huber": "huber_loss"}[word]
        more = f", delta={cost.delta!r}" if isinstance(cost, Huber) else ""
        return f"F.{function}({z}, {y}{more})"
    if isinstance(cost, Hinge) and graph.type(name).kind == "vector":
        return f"F.multi_margin_loss({z}, {y}, margin={cost.margin!r})"
    raise SpecError((Diagnostic.of("CNN314", case="cost", cost=cost.written(), activation=activation),))


def optimiser_source(ours: Optimiser) -> str:
    """PyTorch's optimiser with the same formula and settings, fused where PyTorch has a fused one."""
    if not ours.in_torch:
        raise SpecError((Diagnostic.of("CNN314", case="optimiser", word=ours.word),))
    values = {name: getattr(ours, name) for name in settings(type(ours)) if name not in ELSEWHERE}
    betas = [values.pop(name) for name in ("beta1", "beta2") if name in values]
    given = [f"{name}={value!r}" for name, value in values.items()]
    given += [f"betas={tuple(betas)!r}"] if betas else []
    given.append("fused=True" if ours.fused else "foreach=True")
    return f"torch.optim.{ours.in_torch}(net.parameters(), {', '.join(given)})"
