"""Random nets from a seed: chains, branches, taps and several outputs, of every word that fits."""

from __future__ import annotations

from random import Random

from oracles.nets import Everywhere, numbered

from cnnspec.diagnostics import Fault
from cnnspec.ir import Builder, Graph, data
from cnnspec.ir.fields import size_field
from cnnspec.ir.leaves import Input
from cnnspec.words import OPS, WORDS
from cnnspec.words.costs import COSTS, BinaryCrossEntropy, Cost, CrossEntropy, Mse
from cnnspec.words.pool import Pool

MOST = 400  # numbers of one image's value
# The words that a seed alone draws from stay these, so that its net is the same whatever is added to the language.
# A later word has nets of its own, which draw from these and from it.
PLAIN = [
    "gap",
    "gmp",
    "flatten",
    "relu",
    "relu6",
    "leaky",
    "prelu",
    "elu",
    "selu",
    "gelu",
    "swish",
    "hardswish",
    "mish",
    "sigmoid",
    "hardsigmoid",
    "tanh",
    "softplus",
    "softsign",
    "step",
    "logsoftmax",
    "bn",
    "layernorm",
    "scale",
]
SIZED = [
    "conv",
    "conv",
    "conv",
    "dwconv",
    "maxpool",
    "avgpool",
    "dense",
    "dense",
    "conv",
    "dwconv",
    "upconv",
    "maxpool",
    "avgpool",
    "minpool",
    "dense",
    "reshape",
    "pad",
    "crop",
    "upsample",
    "resize",
    "shuffle",
    "take",
    "maxout",
    "groupnorm",
    "lrn",
    "dropout",
    "droppath",
]
DRAWN = [
    {cost.word: cost for cost in COSTS}[word]
    for word in ["cross_entropy", "binary_cross_entropy", "mse", "mae", "huber", "hinge"]
]
LATER = [cls.word for cls in OPS if not cls.join and cls.word not in {*PLAIN, *SIZED, "softmax"}]
POSITIVE = ("log", "sqrt", "reciprocal")  # words for positive numbers
OFTEN = 20  # how many times a net's own word stands among those that it draws from


class Net:
    """A net that grows."""

    def __init__(self, seed: int, own: str = "") -> None:
        self.random = Random(f"{own} {seed}" if own else seed)
        mine, sized = [own] * OFTEN * bool(own), own and size_field(WORDS[own]) is not None
        self.plain, self.sized = PLAIN + mine * (not sized), SIZED + mine * bool(sized)
        self.b = Builder()
        shape = self.random.choice(["image", "image", "image", "sequence", "vector"])
        sides = {"image": 2, "sequence": 1, "vector": 0}[shape]
        kind = data(self.random.choice([1, 2, 3, 4]), *(self.random.randint(3, 8) for _ in range(sides)))
        self.b.add(Input(kind), name="input")
        self.values = [self.add(Everywhere(), "input")]

    def add(self, op, *values: str) -> str:
        return self.b.add(op, *values, name=numbered(self.b, op))

    def sizes(self, value: str, low: int, high: int) -> tuple[int, ...]:
        return tuple(self.random.randint(low, high) for _ in self.b.type(value).spatial)

    def window(self, value: str) -> dict:
        """Random settings of a sliding window."""
        pick = self.random.choice
        settings = {"pad": pick(["valid", "same", "include", 0, 1])}
        if self.random.random() < 0.5:
            settings["stride"] = pick([1, 2, self.sizes(value, 1, 2)])
        return settings

    def word(self, value: str):
        """A word that may fit a value."""
        pick, kind = self.random.choice, self.b.type(value)
        if self.random.random() < 0.4:
            return WORDS[pick(self.plain)]()
        name = pick(self.sized)
        cls = WORDS[name]
        if name in ("conv", "dwconv"):
            kernel = self.sizes(value, 1, 3)
            settings = self.window(value) | {"dilate": pick([1, 1, 2]), "bias": pick([True, False])}
            if name == "dwconv":
                return cls(kernel, **settings)
            return cls((pick([2, 4, 6]), *kernel), groups=pick([1, 1, 2]), **settings)
        if issubclass(cls, Pool):
            return cls(self.sizes(value, 1, 3) or (2,), **self.window(value))
        if name == "reshape":
            shape = list(kind.shape)
            self.random.shuffle(shape)
            return cls(tuple(shape))
        if name == "dense":
            return cls((self.random.randint(1, 6),))
        if name == "upconv":
            stride = pick([1, 2])
            return cls((pick([2, 4]), *self.sizes(value, 1, 3)), stride=stride, output_pad=stride - 1)
        if name in ("crop", "resize"):
            sizes = self.sizes(value, 2, 6) or (2,)
            return cls(sizes, mode=pick(["nearest", "bilinear"])) if name == "resize" else cls(sizes)
        if name in ("pixelshuffle", "pixelunshuffle"):
            down = name == "pixelunshuffle"
            fit = (f for f in (2, 3) if not any(n % f for n in kind.spatial)) if down else ()
            return cls(pick([1, *fit, *(f for f in (2,) if not down and kind["c"] % f ** len(kind.spatial) == 0)]))
        if name == "take":
            return cls(pick([1, 2]), start=pick([0, 1]))
        if name == "groupnorm":
            return cls((pick([1, 2]),))
        return cls(0.3) if name in ("dropout", "droppath") else cls(pick([1, 2, 3]))

    def grow(self) -> None:
        """One word more, or a join of the last value with what can be joined with it."""
        last = self.values[-1]
        if self.random.random() < 0.3:
            self.join(last)
            return
        for _ in range(20):
            try:
                made = self.unary(self.word(last), last)
            except Fault:
                continue
            self.values.append(made)
            return

    def unary(self, op, value: str) -> str:
        if op.word == "dense" and self.b.type(value).kind != "vector":
            value = self.add(WORDS["flatten"](), value)
        if op.word in POSITIVE:
            value = self.add(WORDS["clip"](low=0.5, high="none"), value)
        if op.word == "exp":
            value = self.add(WORDS["tanh"](), value)
        if op.type(self.b.type(value)).elements > MOST:
            raise Fault("", "too large for a test")
        return self.add(op, value)

    def join(self, last: str) -> None:
        pick, kind = self.random.choice, self.b.type(last)
        alike = [value for value in self.values if self.b.type(value).axes == kind.axes]
        others = [pick(alike), self.unary(pick([WORDS["relu"], WORDS["tanh"], WORDS["bn"]])(), pick(alike))]
        name = pick(["add", "mean", "max", "mul", "concat"])
        if name == "mul" and kind.spatial:
            gate = self.add(WORDS["sigmoid"](), self.add(WORDS["gap"](), pick(alike)))
            others.append(gate if self.random.random() < 0.5 else self.unit(gate, kind))
        inputs = [last, *others[: self.random.randint(1, len(others))]]
        if name == "mul":
            inputs = [last, others[-1]]
        self.random.shuffle(inputs)
        if name == "concat" and kind.elements * len(inputs) > MOST:
            name = "add"
        self.values.append(self.add(WORDS[name](), *inputs))

    def unit(self, gate: str, kind) -> str:
        return self.add(WORDS["reshape"]((kind["c"], *(1 for _ in kind.spatial))), gate)

    def end(self, value: str) -> tuple[str, type[Cost]]:
        """An output and the cost that judges it."""
        pick = self.random.choice
        cost = pick(DRAWN if self.b.type(value)["c"] > 1 else [BinaryCrossEntropy, Mse])
        if cost is CrossEntropy:
            if self.random.random() < 0.5:
                value = self.unary(WORDS["dense"]((pick([2, 5]),)), value)
            return self.add(WORDS["softmax"](), value), cost
        return (self.add(WORDS["sigmoid"](), value), cost) if cost is BinaryCrossEntropy else (value, cost)


def random_net(seed: int, own: str = "") -> tuple[Graph, tuple[Cost, ...]]:
    """A net and its costs: one output, or now and then two; `own` is a later word that it draws from too."""
    net = Net(seed, own)
    for _ in range(net.random.randint(2, 6)):
        net.grow()
    ends = [net.end(net.values[-1])]
    if net.random.random() < 0.2:
        ends.append(net.end(net.random.choice(net.values)))
    outputs = tuple(dict.fromkeys(value for value, _ in ends))
    costs = tuple(
        cost(of=value if len(outputs) > 1 else "", weight=net.random.choice([1.0, 0.5]))
        for value, cost in dict(reversed(ends)).items()
    )
    return net.b.graph(("input",), outputs), costs
