"""Random ONNX models of operators along axes: reductions, softmax, joins that repeat, cuts, moves."""

from __future__ import annotations

from math import prod
from random import Random

import numpy as np
from onnx import TensorProto, helper, numpy_helper

POINTWISE = ("Relu", "Abs", "Tanh", "Sigmoid", "Neg", "Exp", "Elu", "Softplus")
REDUCED = ("ReduceMean", "ReduceSum", "ReduceMax", "ReduceMin", "ReduceL1", "ReduceL2", "ReduceSumSquare",
           "ReduceLogSumExp")  # fmt: skip
BINARY = ("Add", "Sub", "Mul", "Max", "Min", "Div")


class Model:
    """A model that grows from x; `lead` axes of its values are the batch's."""

    def __init__(self, seed: int, lead: int, most: int = 4) -> None:
        self.random, self.lead = Random(seed), lead
        self.numbers = np.random.default_rng(seed)
        rank = self.random.randint(1 + lead, most)
        self.shape = tuple(self.random.randint(1, 4) for _ in range(rank))
        self.nodes: list = []
        self.arrays: list = []
        self.values = [("x", self.shape)]

    def array(self, values) -> str:
        name = f"k{len(self.arrays)}"
        self.arrays.append(numpy_helper.from_array(np.asarray(values), name))
        return name

    def add(self, kind: str, shape: tuple[int, ...], *inputs: str, **attributes) -> None:
        name = f"v{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [name], name=name, **attributes))
        self.values.append((name, shape))

    def grow(self) -> None:
        """One operator more, on the last value."""
        (x, shape), pick = self.values[-1], self.random.choice
        own = list(range(self.lead, len(shape)))
        kinds = ["point", "constant", "reshape"]
        if own:
            kinds += ["reduce", "softmax", "join", "join", "transpose", "slice", "norm", "pad"]
            kinds += ["concat"] if prod(shape) < 200 else []
        way = pick(kinds)
        axis = pick(own) if own else 0
        match way:
            case "point":
                self.add(pick(POINTWISE), shape, self.bounded(x, shape))
            case "constant":
                size = [pick([1, n]) if k >= self.lead else 1 for k, n in enumerate(shape)]
                size = size[self.random.randint(0, len(size)) :]
                self.add(pick(BINARY[:3]), shape, x, self.array(self.numbers.normal(size=size).astype("f4")))
            case "reshape":
                rest = prod(shape[self.lead :])
                first = pick([f for f in range(1, rest + 1) if rest % f == 0])
                made = (*shape[: self.lead], first, rest // first)
                self.add("Reshape", made, x, self.array(np.array((*[0] * self.lead, *made[self.lead :]))))
            case "reduce":
                axes = sorted(self.random.sample(own, self.random.randint(1, len(own))))
                kept = pick([0, 1])
                left = [1 if k in axes else n for k, n in enumerate(shape) if kept or k not in axes]
                if not left:
                    return
                named = [axis - len(shape) if pick([0, 1]) else axis for axis in axes]
                self.add(
                    pick(REDUCED), tuple(left), self.bounded(x, shape), self.array(np.array(named)), keepdims=kept
                )
            case "softmax":
                self.add(pick(("Softmax", "LogSoftmax")), shape, x, axis=axis)
            case "norm":
                size = shape[axis:]
                scale, shift = (self.array(self.numbers.normal(size=size).astype("f4")) for _ in range(2))
                self.add("LayerNormalization", shape, x, scale, shift, axis=axis, epsilon=0.1)
            case "join":
                fit = [(y, other) for y, other in self.values if self.together(shape, other)]
                y, other = pick(fit)
                pair = [(x, shape), (y, other)]
                self.random.shuffle(pair)
                kind = pick(BINARY)
                made = np.broadcast_shapes(shape, other)
                if kind == "Div":
                    (a, _), (b, size) = pair
                    self.add("Sigmoid", size, b)
                    pair = [(a, ()), self.values[-1]]
                self.add(kind, made, pair[0][0], pair[1][0])
            case "transpose":
                order = self.random.sample(own, len(own))
                made = (*shape[: self.lead], *(shape[k] for k in order))
                self.add("Transpose", made, x, perm=[*range(self.lead), *order])
            case "slice":
                start = self.random.randint(0, shape[axis] - 1)
                stride = pick([1, 1, 2])
                end = self.random.randint(start + 1, shape[axis])
                made = tuple(len(range(start, end, stride)) if k == axis else n for k, n in enumerate(shape))
                self.add("Slice", made, x, *(self.array(np.array([n])) for n in (start, end, axis, stride)))
            case "concat":
                fit = [(y, other) for y, other in self.values if in_a_row(shape, other, axis)]
                y, other = pick(fit)
                made = tuple(n + other[k] if k == axis else n for k, n in enumerate(shape))
                self.add("Concat", made, x, y, axis=axis)

    def bounded(self, x: str, shape: tuple[int, ...]) -> str:
        """The value between -1 and 1: exponentials of it stay small."""
        self.add("Tanh", shape, x)
        return self.values[-1][0]

    def together(self, a: tuple[int, ...], b: tuple[int, ...]) -> bool:
        """Whether two values broadcast, their batches on each other."""
        if self.lead and len(a) != len(b):
            return False
        try:
            return prod(np.broadcast_shapes(a, b)) < 400
        except ValueError:
            return False

    def built(self):
        name, shape = self.values[-1]
        opset = [helper.make_opsetid("", 18)]
        ends = [[name, shape], ["x", self.shape]]
        y, x = (helper.make_tensor_value_info(n, TensorProto.FLOAT, s) for n, s in ends)
        return helper.make_model(
            helper.make_graph(self.nodes, "g", [x], [y], self.arrays), opset_imports=opset, ir_version=8
        )


def in_a_row(a: tuple[int, ...], b: tuple[int, ...], axis: int) -> bool:
    """Whether two values may stand one after the other along an axis."""
    return len(a) == len(b) and all(m == n or k == axis for k, (m, n) in enumerate(zip(a, b, strict=True)))


def random_model(seed: int, lead: int, steps: int = 5):
    model = Model(seed, lead)
    while len(model.nodes) < steps:
        model.grow()
    return model.built()
