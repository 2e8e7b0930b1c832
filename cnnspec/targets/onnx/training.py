"""The standard's losses and optimisers, computed by our costs and by the update lines of our optimisers.

Where the two define a thing differently, the settings are chosen so that ours computes theirs: ONNX's Adam adds
epsilon before it corrects the second moment's beginning, ours after it, so ours gets an epsilon divided by that
correction; at T = 0 nothing is corrected, as after endlessly many steps.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import inf, sqrt
from typing import TYPE_CHECKING, Any

import numpy as np

from ...ir import Builder, data
from ...ir.leaves import Input
from ...ir.op import Op
from ...primitives.costs.cross_entropy import NegativeLogLikelihood
from ...record import record
from ...runtime.engine import Engine
from ...runtime.update import function, source
from ...settings.optimiser import Optimiser
from ...settings.optimisers import AdaGrad, Adam, Sgd
from ...words import WORDS
from ...words.costs import Cost, CrossEntropy
from .steps import Step, refuse, step

if TYPE_CHECKING:
    from onnx import ModelProto

Array = np.ndarray
Arrays = dict[str, Array]


def run(model: ModelProto, given: Mapping[str, Array]) -> list[Array] | None:
    """The outputs of a model that is a single loss or optimiser; None for any other."""
    if len(model.graph.node) != 1:
        return None
    only = step(model.graph.node[0])
    operator = OPERATORS.get(model.graph.node[0].op_type)
    return None if operator is None else operator(only, [given[name] if name else None for name in only.inputs])


# ---- losses ------------------------------------------------------------------------------------------


@record
class LogLikelihood(Cost):
    """Cross-entropy of a prediction that is a logarithm already, whoever made it."""

    def primitive(self) -> Op:
        return NegativeLogLikelihood(self.weight)


def softmax_cross_entropy(step: Step, inputs: list[Any]) -> list[Array]:
    cost = measured(step, inputs, "softmax", CrossEntropy)
    if len(step.outputs) == 1:
        return [cost]
    scores = batch(inputs[0])
    b = Builder()
    x = b.add(Input(data(*scores.shape[1:])), name="input")
    y = b.add(WORDS["logsoftmax"](), x, name="logsoftmax1")
    engine = Engine(b.graph((x,), (y,)), (), Sgd(), dtype=inputs[0].dtype.name)
    (made,) = engine.forward({"input": scores})
    return [cost, np.array(made).reshape(inputs[0].shape)]


def log_likelihood(step: Step, inputs: list[Any]) -> list[Array]:
    return [measured(step, inputs, "", LogLikelihood)]


def batch(scores: Array) -> Array:
    """Scores as vectors, sequences or images; of further axes only their number of pixels matters."""
    if scores.dtype not in (np.float32, np.float64):
        refuse("CNN504", case="type", type=scores.dtype)
    return scores if scores.ndim <= 4 else scores.reshape(*scores.shape[:2], -1)


def measured(step: Step, inputs: list[Any], word: str, cost: Any) -> Array:
    """The mean (or sum) over images and pixels of a cost, for targets that are classes."""
    scores, labels, *weights = inputs
    if any(array is not None for array in weights):
        refuse("CNN504", case="weighs", step=step)
    if "ignore_index" in step.attributes:
        refuse("CNN504", case="ignores", step=step)
    reduction = step.get("reduction", "mean")
    if reduction == "none":
        refuse("CNN504", case="sum", step=step)
    scores = batch(scores)
    targets = np.moveaxis(np.eye(scores.shape[1], dtype=scores.dtype)[labels], -1, 1).reshape(scores.shape)
    b = Builder()
    x = y = b.add(Input(data(*scores.shape[1:])), name="input")
    if word:
        y = b.add(WORDS[word](), x, name="output")
    weight = float(labels.size) if reduction == "sum" else 1.0
    engine = Engine(b.graph((x,), (y,)), (cost(weight=weight),), Sgd(), dtype=scores.dtype.name)
    found, _ = engine.measure({"input": scores, f"{y}.target": targets})
    return np.array(found, scores.dtype)


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
