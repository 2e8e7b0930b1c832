"""A spec as a file of TensorFlow that can be trained: the network, its cost, its optimiser, a random batch.

Channels last, as TensorFlow wants them on processors; what a word becomes stands in `tensorflow_words`.

    SHAPES                     the parameters' shapes; convolutions keep theirs as (h, w, c, f)
    net(w, x, training)        the outputs; w: the parameters by name, as `tf.Variable`
    cost(w, x, y), step(...)   in training
    as_here(name, array)       a parameter of ours, [f,c,h,w] or [o,c], in TensorFlow's order
"""

from __future__ import annotations

from dataclasses import replace

from ..diagnostics import Diagnostic, SpecError
from ..ir import Graph, TensorType
from ..ir.leaves import Input
from ..ir.op import Parameter
from ..lang import Spec
from ..passes.dead_code import eliminate_dead_code
from ..settings.optimiser import Optimiser
from ..settings.optimisers.adam import Adam
from ..settings.optimisers.sgd import Sgd
from ..settings.tuning import beyond
from ..targets.names import variables
from ..words.conv import DwConv
from ..words.costs import Cost, CrossEntropy
from .subject import judged
from .tensorflow_words import refused, written
from .torch_program import before

RESERVED = ("tf", "w", "x", "y", "training", "np")

HEAD = '''"""A network for TensorFlow, written by `cnnspec bench --against tensorflow`."""

import math

import tensorflow as tf


def parameters(dtype="float32"):
    """Random weights by name; factors one."""
    made = {name: tf.ones(shape) for name, shape in SHAPES.items()}
    for name, shape in SHAPES.items():
        if len(shape) > 1:
            made[name] = tf.random.normal(shape, stddev=1 / math.sqrt(math.prod(shape[:-1])))
    return {name: tf.Variable(tf.cast(array, dtype), trainable=name not in STATE) for name, array in made.items()}


def as_here(name, array):
    """A parameter of another program, [f,c,h,w] or [o,c], in the order that this one keeps."""
    if array.ndim == 4:
        return array.transpose(2, 3, 0, 1) if name in DEPTHWISE else array.transpose(2, 3, 1, 0)
    return array.T


def as_ours(name, array):
    """The backward pass."""
    if array.ndim == 4:
        return array.transpose(2, 3, 0, 1) if name in DEPTHWISE else array.transpose(3, 2, 0, 1)
    return array.T


def batch_norm(w, name, x, training, eps, momentum):
    """As Keras computes it; what it has seen in training is kept."""
    if not training:
        mean, var = w[name + ".running_mean"], w[name + ".running_var"]
    else:
        mean, var = tf.nn.moments(x, list(range(len(x.shape) - 1)))
        for part, value in ((".running_mean", mean), (".running_var", var)):
            w[name + part].assign_add(momentum * (value - w[name + part]))
    return tf.nn.batch_normalization(x, mean, var, w[name + ".bias"], w[name + ".weight"], eps)


def channel_norm(w, name, x, eps):
    mean, var = tf.nn.moments(x, [-1], keepdims=True)
    return tf.nn.batch_normalization(x, mean, var, w[name + ".bias"], w[name + ".weight"], eps)


def gelu(x):
    """tf.nn.gelu, whose constants are rounded to float32 for any x."""
    return 0.5 * x * (1 + tf.math.erf(x * tf.constant(0.5**0.5, x.dtype)))


def gelu_by_tanh(x):
    return 0.5 * x * (1 + tf.tanh(tf.constant((2 / math.pi) ** 0.5, x.dtype) * (x + 0.044715 * x**3)))


def drop(x, rate, training, shape=None):
    return tf.nn.dropout(x, rate, noise_shape=shape) if training and rate else x


def channel_shuffle(x, groups):
    n, h, w, c = x.shape
    return tf.reshape(tf.transpose(tf.reshape(x, (n, h, w, groups, c // groups)), (0, 1, 2, 4, 3)), (n, h, w, c))


def channels_first(x):
    return tf.transpose(x, (0, 3, 1, 2)) if len(x.shape) == 4 else x

'''


def source(spec: Spec, training: bool) -> str:
    """The file; refuses what has no like in TensorFlow, or none that is written here."""
    graph = spec.graph
    if training and (more := beyond(spec.train)):
        names = ", ".join(f"`{one}`" for one in more)
        raise SpecError((Diagnostic.of("CNN314", case="TensorFlow step", unknown=names),))
    read = [(cost, name, before(graph, cost, name)) for cost, name in judged(spec)] if training else []
    if training:
        graph = eliminate_dead_code(replace(graph, outputs=tuple(dict.fromkeys(value for _, _, value in read))))
    for name in graph.inputs:
        if graph.type(name).kind == "sequence":
            raise SpecError((Diagnostic.of("CNN314", case="sequences"),))
    text = [
        HEAD,
        *tables(graph),
        "",
        *network(graph),
        "",
        *batch(graph, [(c, spec.graph.type(n)) for c, n, _ in read]),
    ]
    if training:
        text += ["", *costs(graph.outputs, read), "", *step(spec.train.optimiser)]
    return "\n".join(text) + "\n"


def tables(graph: Graph) -> list[str]:
    """The parameters: their shapes, which of them are not trained, which are depthwise."""
    shapes: dict[str, tuple[int, ...]] = {}
    state, depthwise = [], []
    for node in graph:
        for parameter in node.op.parameters(*graph.types(node)):
            name = f"{node.owner}.{parameter.name}"
            deep = isinstance(node.op, DwConv)
            shapes[name] = order(parameter, deep)
            state += [] if parameter.trained else [name]
            depthwise += [name] if deep else []
    return [f"SHAPES = {shapes!r}", f"STATE = {set(state) or ()!r}", f"DEPTHWISE = {set(depthwise) or ()!r}", ""]


def order(parameter: Parameter, depthwise: bool) -> tuple[int, ...]:
    shape = parameter.type.shape
    if len(shape) == 4:
        f, c, h, w = shape
        return (h, w, f, c) if depthwise else (h, w, c, f)
    return shape[::-1]


def network(graph: Graph) -> list[str]:
    names = variables([node.name for node in graph], RESERVED)
    lines = ["", "def net(w, x, training):", f"    {', '.join(names[name] for name in graph.inputs)}, = x"]
    for node in graph:
        if not isinstance(node.op, Input):
            code = written(graph, node, [names[value] for value in node.inputs])
            lines.append(f"    {names[node.name]} = {code}")
    return [*lines, f"    return {', '.join(names[name] for name in graph.outputs)},", ""]


def sizes(kind: TensorType, channels: bool = True) -> str:
    """The shape of n such values, channels last."""
    axes = [*kind.spatial, kind["c"]] if channels else list(kind.spatial)
    return f"({', '.join(['n', *map(str, axes)])}{',' * (not axes)})"


def batch(graph: Graph, targets: list[tuple[Cost, TensorType]]) -> list[str]:
    x = [f"tf.random.normal({sizes(graph.type(name))})" for name in graph.inputs]
    y = []
    for cost, kind in targets:
        if isinstance(cost, CrossEntropy):
            y.append(f"tf.random.uniform({sizes(kind, False)}, 0, {kind['c']}, 'int32')")
        elif cost.word == "binary_cross_entropy":
            y.append(f"tf.cast(tf.random.uniform({sizes(kind)}) > 0.5, 'float32')")
        else:
            y.append(f"tf.random.normal({sizes(kind)})")
    return ["", "def batch(n):", f"    return [{', '.join(x)}], [{', '.join(y)}]", ""]


def costs(outputs: tuple[str, ...], read: list[tuple[Cost, str, str]]) -> list[str]:
    terms = []
    for k, (cost, name, value) in enumerate(read):
        code = loss(cost, f"z[{outputs.index(value)}]", f"y[{k}]", bare=value != name)
        terms.append(f"{cost.weight!r} * tf.reduce_mean({code})")
    return ["", "def cost(w, x, y):", "    z = net(w, x, True)", f"    return {' + '.join(terms)}", ""]


def loss(cost: Cost, z: str, y: str, bare: bool) -> str:
    if isinstance(cost, CrossEntropy) and bare:
        if not cost.smoothing:
            return f"tf.nn.sparse_softmax_cross_entropy_with_logits({y}, {z})"
        smoothed = f"{1 - cost.smoothing!r} * tf.one_hot({y}, {z}.shape[-1], dtype={z}.dtype)"
        return f"tf.nn.softmax_cross_entropy_with_logits({smoothed} + {cost.smoothing!r} / {z}.shape[-1], {z})"
    if cost.word == "binary_cross_entropy" and bare:
        return f"tf.nn.sigmoid_cross_entropy_with_logits({y}, {z})"
    if cost.word in ("mse", "mae"):
        return f"{'tf.square' if cost.word == 'mse' else 'tf.abs'}({z} - {y})"
    raise SpecError((Diagnostic.of("CNN314", case="TensorFlow cost", cost=cost.written()),))


UPDATES = {
    "sgd": "ResourceApplyGradientDescent(var=v.handle, alpha=rate, delta=g)",
    "momentum": "ResourceApplyMomentum(var=v.handle, accum=m[0].handle, lr=rate, grad=g, {0})",
    "adam": """ResourceApplyAdam(
            var=v.handle, m=m[0].handle, v=m[1].handle, lr=rate, grad=g, {0},
            beta1_power=beta1**t, beta2_power=beta2**t,
        )""",
}


def step(optimiser: Optimiser) -> list[str]:
    """One step, its update by TensorFlow's own kernels; `optimiser_state`: variables, their moments, the steps."""
    word = optimiser.word
    if word not in ("sgd", "adam", "adamw"):
        raise refused(f"the optimiser `{word}`")
    update, count, names = UPDATES["sgd"], 0, {"rate": optimiser.lr}
    if isinstance(optimiser, Sgd) and optimiser.momentum:
        names["momentum"] = optimiser.momentum
        update, count = UPDATES["momentum"].format(f"momentum=momentum, use_nesterov={optimiser.nesterov}"), 1
    elif isinstance(optimiser, Adam):
        names |= {"beta1": optimiser.beta1, "beta2": optimiser.beta2, "epsilon": optimiser.eps}
        update, count = UPDATES["adam"].format("beta1=beta1, beta2=beta2, epsilon=epsilon"), 2
    lines = ["", "def optimiser(w):", "    trained = [v for v in w.values() if v.trainable]"]
    lines += [f"    optimiser_state = [[tf.Variable(tf.zeros_like(v)) for _ in range({count})] for v in trained]"]
    lines += ["    return trained, optimiser_state, tf.Variable(0.0, dtype=trained[0].dtype)", "", ""]
    lines += ["def step(w, optimiser_state, x, y):", "    trained, remembered, steps = optimiser_state"]
    lines += ["    with tf.GradientTape() as tape:", "        value = cost(w, x, y)"]
    lines += ["    gradients = tape.gradient(value, trained, unconnected_gradients='zero')"]
    decay = optimiser.weight_decay
    if decay and word != "adamw":
        lines.append(f"    gradients = [g + {decay!r} * v for g, v in zip(gradients, trained)]")
    if optimiser.clip is not None:
        lines.append(f"    gradients, _ = tf.clip_by_global_norm(gradients, {optimiser.clip!r})")
    lines += ["    t = steps.assign_add(1)"]
    lines += [f"    {name} = tf.constant({value!r}, t.dtype)" for name, value in names.items()]
    lines.append("    for v, m, g in zip(trained, remembered, gradients):")
    if decay and word == "adamw":
        lines.append(f"        v.assign_sub({optimiser.lr * decay!r} * v)")
    return [*lines, f"        tf.raw_ops.{update}", "    return value", ""]
