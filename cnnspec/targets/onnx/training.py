"""The standard's losses and optimisers, computed by our costs and by the update lines of our optimisers.

Where the two define a thing differently, the settings are chosen so that ours computes theirs: ONNX's Adam adds
epsilon before it corrects the second moment's beginning, ours after it, so ours gets an epsilon divided by that
correction; at T = 0 nothing is corrected, as after endlessly many steps.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import inf, prod, sqrt
from typing import Any

import numpy as np
from onnx import ModelProto, helper

from ...ir import Builder, Graph, data
from ...ir.leaves import Input
from ...ir.op import Op
from ...primitives.costs.cross_entropy import NegativeLogLikelihood
from ...record import record
from ...runtime.engine import Engine
from ...runtime.update import function, source
from ...settings.optimiser import Optimiser
from ...settings.optimisers.adam import Adam
from ...settings.optimisers.sgd import Sgd
from ...settings.optimisers.squares import AdaGrad
from ...words import WORDS
from ...words.costs import Cost
from .steps import Step, refuse, step
from .values import word

Array = np.ndarray
Arrays = dict[str, Array]
Infer = Callable[[ModelProto, Mapping[str, Array]], list[Array]]


def run(model: ModelProto, given: Mapping[str, Array], infer: Infer) -> list[Array] | None:
    """The outputs of a model that ends in a loss, or is one optimiser; None for any other."""
    last = model.graph.node[-1] if model.graph.node else None
    operator = None if last is None else OPERATORS.get(last.op_type)
    if last is None or operator is None:
        return None
    values = {**given, **before(model, given, infer)}
    only = step(last)
    if any(name not in values for name in only.inputs if name):
        return None
    made = operator(only, [values[name] if name else None for name in only.inputs])
    values |= dict(zip((name for name in last.output if name), made, strict=True))
    return [values[entry.name] for entry in model.graph.output]


def before(model: ModelProto, given: Mapping[str, Array], infer: Infer) -> dict[str, Array]:
    """The outputs of the network before the last step, as requested or as the step reads them."""
    *steps, last = model.graph.node
    made = {output for node in steps for output in node.output}
    asked = [*last.input, *(entry.name for entry in model.graph.output)]
    wanted = list(dict.fromkeys(name for name in asked if name in made))
    if not wanted:
        return {}
    front = ModelProto()
    front.CopyFrom(model)
    del front.graph.node[-1], front.graph.input[:], front.graph.output[:]
    read = {name for node in steps for name in node.input}
    front.graph.input.extend(entry for entry in model.graph.input if entry.name in read)
    floats = front.graph.input[0].type.tensor_type.elem_type
    front.graph.output.extend(helper.make_tensor_value_info(name, floats, ["n"]) for name in wanted)
    return dict(zip(wanted, infer(front, {name: given[name] for name in read if name in given}), strict=True))


# ---- losses ------------------------------------------------------------------------------------------


@record
class LogLikelihood(Cost):
    """Cross-entropy of a prediction that is a logarithm already, from any operator."""

    def primitive(self) -> Op:
        return NegativeLogLikelihood(self.weight)


def softmax_cross_entropy(step: Step, inputs: list[Any]) -> list[Array]:
    scores = batch(inputs[0])
    b = Builder()
    x = b.add(Input(data(*scores.shape[1:])), name="input")
    y = b.add(WORDS["logsoftmax"](), x, name="logsoftmax1")
    logarithms = outcome(b.graph((x,), (y,)), scores)
    cost = judged(step, [logarithms, *inputs[1:]])
    return [cost] if len(step.outputs) == 1 else [cost, logarithms.reshape(inputs[0].shape)]


def log_likelihood(step: Step, inputs: list[Any]) -> list[Array]:
    return [judged(step, [batch(inputs[0]), *inputs[1:]])]


def batch(scores: Array) -> Array:
    """Scores as vectors, sequences or images; of further axes only their number of pixels matters."""
    if scores.dtype not in (np.float32, np.float64):
        refuse("CNN504", case="type", type=scores.dtype)
    return scores if scores.ndim <= 4 else scores.reshape(*scores.shape[:2], -1)


def judged(step: Step, inputs: list[Any]) -> Array:
    """The loss of logarithms of shares, for targets that are classes; one for each pixel, their sum or their mean.

    A class's weight, and nothing for one that is ignored, is how much of it there is in the target.
    """
    logarithms, labels, *more = inputs
    classes, kind = logarithms.shape[1], logarithms.dtype
    weights = next((array for array in more if array is not None), np.ones(classes, kind))
    ignored = labels == step.attributes["ignore_index"] if "ignore_index" in step.attributes else np.zeros(1, bool)
    chosen = np.where(ignored, 0, labels)
    if chosen.size and not 0 <= chosen.min() <= chosen.max() < classes:
        refuse("CNN504", case="no class", step=step, classes=classes)
    share = np.where(ignored, 0, weights[chosen])
    targets = np.moveaxis(np.eye(classes, dtype=kind)[chosen] * share[..., None], -1, 1).reshape(logarithms.shape)
    b = Builder()
    x = b.add(Input(data(*logarithms.shape[1:])), name="input")
    reduction = step.get("reduction", "mean")
    if reduction == "none":
        return np.array(each_loss(b, x, logarithms, targets), kind).reshape(labels.shape)
    weight = float(labels.size if reduction == "sum" else labels.size / share.sum(dtype=float))
    engine = Engine(b.graph((x,), (x,)), (LogLikelihood(weight=weight),), Sgd(), dtype=kind.name)
    found, _ = engine.measure({"input": logarithms, f"{x}.target": targets})
    return np.array(found, kind)


def each_loss(b: Builder, x: str, logarithms: Array, targets: Array) -> Array:
    """For each pixel the sum over the classes of targets times logarithms, but for the sign."""
    many, *pixels = logarithms.shape[1:]
    t = b.add(Input(data(many, *pixels)), name="targets")
    y = b.add(WORDS["mul"](), x, t, name="product")
    y = b.add(word("reshape", (many, prod(pixels))), y, name="rows")
    y = b.add(WORDS["channelmean"](), y, name="mean")
    return -many * outcome(b.graph((x, t), (y,)), logarithms, targets)


def outcome(graph: Graph, *arrays: Array) -> Array:
    engine = Engine(graph, (), Sgd(), dtype=arrays[0].dtype.name)
    (made,) = engine.forward(dict(zip(graph.inputs, arrays, strict=True)))
    return np.array(made)


# ---- optimisers --------------------------------------------------------------------------------------


def stepped(optimiser: Optimiser, p: Array, g: Array, moments: Arrays, t: float, rate: float) -> None:
    """One step, on arrays that are changed in place."""
    kind = p.dtype.type
    scalars = {name: kind(value) for name, value in optimiser.scalars(t, rate).items()}  # type: ignore[arg-type]
    flat = {name: array.reshape(-1) for name, array in {"p": p, "g": g, **moments}.items()}
    function(optimiser.written(), source(optimiser))(
        t=np.empty_like(flat["p"]), u=np.empty_like(flat["p"]), **flat, **scalars
    )


def each(inputs: list[Any], kinds: int) -> tuple[float, int, list[list[Array]]]:
    """Rate, step, and for each tensor what belongs to it: itself, its gradient, its moments."""
    rate, count, *tensors = inputs
    many = len(tensors) // kinds
    belonging = [[np.array(tensors[k * many + i]) for k in range(kinds)] for i in range(many)]
    return float(np.asarray(rate).reshape(())), int(np.asarray(count).reshape(())), belonging


def outputs(found: list[list[Array]]) -> list[Array]:
    """Everything new: the tensors, then the first moments, then the second."""
    return [array for kind in zip(*found, strict=True) for array in kind]


def adam(step: Step, inputs: list[Any]) -> list[Array]:
    rate, count, tensors = each(inputs, 4)
    alpha, beta = step.get("alpha", 0.9), step.get("beta", 0.999)
    if step.get("norm_coefficient_post", 0.0):
        refuse("CNN504", case="shrinks", step=step)
    t = count or inf
    optimiser = Adam(
        beta1=alpha,
        beta2=beta,
        eps=step.get("epsilon", 0.0) / sqrt(1 - beta**t),
        weight_decay=step.get("norm_coefficient", 0.0),
    )
    for p, g, m, v in tensors:  # ours are kept without the factor (1 - beta)
        m /= 1 - alpha
        v /= 1 - beta
        stepped(optimiser, p, g, {"m": m, "v": v}, t, rate)
        m *= 1 - alpha
        v *= 1 - beta
    return outputs([[p, m, v] for p, _, m, v in tensors])


def adagrad(step: Step, inputs: list[Any]) -> list[Array]:
    rate, count, tensors = each(inputs, 3)
    optimiser = AdaGrad(
        lr_decay=step.get("decay_factor", 0.0),
        eps=step.get("epsilon", 0.0),
        weight_decay=step.get("norm_coefficient", 0.0),
    )
    for p, g, v in tensors:
        stepped(optimiser, p, g, {"v": v}, count + 1, rate)
    return outputs([[p, v] for p, _, v in tensors])


def momentum(step: Step, inputs: list[Any]) -> list[Array]:
    rate, count, tensors = each(inputs, 3)
    if count and step.get("beta", 1.0) != 1:
        refuse("CNN504", case="dampening", step=step)
    optimiser = Sgd(
        momentum=step.get("alpha"),
        nesterov=step.get("mode") == "nesterov",
        weight_decay=step.get("norm_coefficient", 0.0),
    )
    for p, g, m in tensors:
        stepped(optimiser, p, g, {"m": m}, count + 1, rate)
    return outputs([[p, m] for p, _, m in tensors])


OPERATORS: dict[str, Callable[[Step, list[Any]], list[Array]]] = {
    "SoftmaxCrossEntropyLoss": softmax_cross_entropy,
    "NegativeLogLikelihoodLoss": log_likelihood,
    "Adam": adam,
    "Adagrad": adagrad,
    "Momentum": momentum,
}
