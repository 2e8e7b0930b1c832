"""Nets for tests, from a line of the language each."""

from __future__ import annotations

from dataclasses import dataclass

from cnnspec.diagnostics import Source
from cnnspec.ir import Builder, Graph, TensorType
from cnnspec.lang import read
from cnnspec.words import Op, Parameter


def spec(text: str, *, everywhere: bool = True) -> Graph:
    """The graph of `3x7x8: conv 4x3x2 -> relu`, after a word that makes the gradient of the input visible."""
    given, _, network = text.partition(":")
    reading = read(Source("test.cnn", f"input {given}\n{network}\n"), fixes=False)
    assert reading.spec is not None, [str(diagnostic) for diagnostic in reading.diagnostics]
    words = reading.spec.graph
    b = Builder()
    moved = {}
    for node in words:
        inputs = tuple(moved[value] for value in node.inputs)
        moved[node.name] = b.add(node.op, *inputs, name=node.name, weights=node.weights)
        if not inputs and everywhere:
            moved[node.name] = b.add(Everywhere(), node.name, name=f"{node.name}.each")
    return b.graph(words.inputs, tuple(moved[value] for value in words.outputs))


def numbered(b: Builder, op: Op) -> str:
    return f"{op.word}{1 + sum(node.op.word == op.word for node in b.nodes.values())}"


@dataclass(frozen=True)
class Everywhere(Op):
    """A word of the tests: every pixel times a learnt number of its own.

    Put first, it makes the gradient with respect to the input part of a gradient that is looked at:
    dw[c,i,j] = sum over images of x * dx.
    """

    word = "everywhere"

    def parameters(self, x: TensorType) -> tuple[Parameter, ...]:
        order = {1: ("c",), 2: ("c", "w"), 3: ("h", "c", "w")}[len(x.axes)]
        return (Parameter("weight", TensorType(x.axes, batched=False), 1.0, stored=order),)

    def decompose(self, node, inputs, b) -> str:
        return b.add(TimesEach(), *inputs, b.parameter(node, "weight"), name=node.name, like=node)


@dataclass(frozen=True)
class TimesEach(Op):
    """x * w, a number for each pixel."""

    def type(self, x: TensorType, w: TensorType) -> TensorType:
        return x

    def gradient(self, node, dy, b):
        x, w = node.inputs
        dw = b.add(SumOfProducts(b.type(w)), x, dy, name=f"{node.name}.dw", like=node)
        return b.add(TimesEach(), dy, w, name=f"{node.name}.dx", like=node), dw

    def evaluate(self, x, w):
        return x * w

    def emit(self, node, e) -> None:
        x, w = node.inputs
        each = e.view("each", f"{e[w]}.reshape({(*e.shape(x)[:-1], 1)})")
        e.line(f"np.multiply({e[x]}, {each}, out={e[node.name]})")


@dataclass(frozen=True)
class SumOfProducts(Op):
    """The sum over the images of x * dy."""

    made: TensorType

    def type(self, x: TensorType, dy: TensorType) -> TensorType:
        return self.made

    def evaluate(self, x, dy):
        return (x * dy).sum(axis=0)

    def emit(self, node, e) -> None:
        x, dy = node.inputs
        part = e.scratch("part", e.shape(x))
        out = e.view("sums", f"{e[node.name]}.reshape({e.shape(x)[:-1]})")
        e.line(f"np.multiply({e[x]}, {e[dy]}, out={part})")
        e.line(f"np.add.reduce({part}, axis=-1, out={out})")
