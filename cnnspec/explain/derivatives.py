"""The partial derivatives of the numbers of a word by one number of an input, and why one is zero.

For each kind of explanation a method gives the parts: the numbers of the reader that depend on the number at
(c, i, j), each with its derivative. The gradient of that number is the sum over the parts of gradient × derivative.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import prod
from typing import Any, NamedTuple

import numpy as np

from ..ir import Graph, Node
from ..ir.expression import X, differentiate, evaluate
from ..primitives.activation import Activation
from ..words.pool import OfFormula
from .columns import number
from .explanation import account, image_shape, moved_from, shuffled
from .probe import Seen

Pixel = tuple[int, int, int]


class PartialDerivative(NamedTuple):
    """A number of the reader, at (c, i, j), its derivative, and the reason of a derivative of 0."""

    place: Pixel
    derivative: float
    why: str = ""


def parts(
    graph: Graph, seen: Seen, parameters: dict[str, np.ndarray], reader: Node, which: int, place: Pixel
) -> list[PartialDerivative]:
    """The parts of one reader, whose input number `which` is the value that the number stands in."""
    return PartialDerivatives(graph, seen, parameters, reader, which, place).parts()


class PartialDerivatives:
    """The parts of one reader; a method for each kind of account."""

    def __init__(
        self, graph: Graph, seen: Seen, parameters: dict[str, np.ndarray], reader: Node, which: int, place: Pixel
    ) -> None:
        self.reader, self.which, self.place = reader, which, place
        told = account(graph, reader)
        self.kind, self.detail = told.kind, told.detail
        self.types = graph.types(reader)
        self.shapes = [image_shape(kind) for kind in self.types]
        self.shape, self.made = self.shapes[which], image_shape(reader.type)
        self.inputs = [
            seen.values[name][0].reshape(shape) for name, shape in zip(reader.inputs, self.shapes, strict=True)
        ]
        self.x = self.inputs[which]
        self.values = seen.values[reader.name][0].reshape(self.made)
        own = f"{reader.owner}."
        self.own = {name.removeprefix(own): array for name, array in parameters.items() if name.startswith(own)}

    def parts(self) -> list[PartialDerivative]:
        return list(getattr(self, self.kind)())

    def windows(self) -> Iterable[tuple[int, int, int, int]]:
        """The outputs (i, j) whose window meets the number, and the tap (u, v) that does."""
        for i, u in self._meeting(0):
            for j, v in self._meeting(1):
                yield i, j, u, v

    def _meeting(self, axis: int) -> list[tuple[int, int]]:
        """Tap u meets the number in output (grow · y + pad - u · dilate) / stride, where that is whole."""
        d, found = self.detail, []
        for u in range(d["kernel"][axis]):
            at = self.place[1 + axis] * d["grow"][axis] + d["pad"][axis] - u * d["dilate"][axis]
            k, rest = divmod(at, d["stride"][axis])
            if not rest and 0 <= k < self.made[1 + axis]:
                found.append((k, u))
        return found

    def patch(self, i: int, j: int) -> tuple[np.ndarray, np.ndarray]:
        """What the window of output (i, j) meets of the number's channel, and which of it is inside."""
        d, channel = self.detail, self.x[self.place[0]]
        found, inside = np.zeros(d["kernel"]), np.zeros(d["kernel"], bool)
        for u, v in np.ndindex(*d["kernel"]):
            row = i * d["stride"][0] - d["pad"][0] + u * d["dilate"][0]
            column = j * d["stride"][1] - d["pad"][1] + v * d["dilate"][1]
            if 0 <= row < channel.shape[0] and 0 <= column < channel.shape[1]:
                found[u, v], inside[u, v] = channel[row, column], True
        return found, inside

    def filter(self) -> Iterable[PartialDerivative]:
        c, groups = self.place[0], self.detail["groups"]
        group_channels, filters = self.shape[0] // groups, self.made[0] // groups
        met = list(self.windows())
        for f in range(c // group_channels * filters, (c // group_channels + 1) * filters):
            kernel = filter_kernels(self.own["weight"], f, self.detail)[c % group_channels]
            for i, j, u, v in met:
                yield PartialDerivative((f, i, j), float(kernel[u, v]))

    def pick(self) -> Iterable[PartialDerivative]:
        c, sign = self.place[0], 1 if self.detail["pick"] == "max" else -1
        for i, j, u, v in self.windows():
            found, inside = self.patch(i, j)
            is_maximum = int(np.where(inside, sign * found, -np.inf).argmax()) == u * found.shape[1] + v
            yield PartialDerivative((c, i, j), float(is_maximum), "another number of its window was chosen")

    def mean(self) -> Iterable[PartialDerivative]:
        for i, j, _, _ in self.windows():
            inside = self.patch(i, j)[1]
            yield PartialDerivative(
                (self.place[0], i, j), 1 / (inside.size if self.detail["count_pad"] else int(inside.sum()))
            )

    def window(self) -> Iterable[PartialDerivative]:
        assert isinstance(self.reader.op, OfFormula)
        of = self.reader.op.formula(self.types[0])
        for i, j, u, v in self.windows():
            found, inside = self.patch(i, j)
            slopes = of.derivatives(found.reshape(-1), inside.reshape(-1)).reshape(found.shape)
            yield PartialDerivative((self.place[0], i, j), float(slopes[u, v]))

    def all(self) -> Iterable[PartialDerivative]:
        k = int(np.ravel_multi_index(self.place, self.shape))
        return (PartialDerivative((o, 0, 0), float(row[k])) for o, row in enumerate(self.own["weight"]))

    def image(self) -> Iterable[PartialDerivative]:
        c, i, j = self.place
        size = self.shape[1] * self.shape[2]
        if not self.detail["pick"]:
            return [PartialDerivative((c, 0, 0), 1 / size)]
        is_maximum = int(self.x[c].argmax()) == i * self.shape[2] + j
        return [PartialDerivative((c, 0, 0), float(is_maximum), "another pixel is the largest")]

    def point(self) -> Iterable[PartialDerivative]:
        x, op = float(self.x[self.place]), self.reader.op
        if isinstance(op, Activation):
            derivative = float(evaluate(differentiate(op.formula(X)), x=np.array(x)))
            made = number(float(self.values[self.place]))
            return [
                PartialDerivative(self.place, derivative, f"{op.word} is flat here: of {number(x)} it makes {made}")
            ]
        own = {n: float(a.reshape(-1)[self.place[0] if a.size > 1 else 0]) for n, a in self.own.items()}
        derivative = own.get("weight", 1.0)
        if op.word == "bn":
            derivative /= float(np.sqrt(own["running_var"] + self.detail["eps"]))
        if op.word == "prelu" and x > 0:
            derivative = 1.0
        return [PartialDerivative(self.place, derivative)]

    def join(self) -> Iterable[PartialDerivative]:
        c, i, j = self.place
        word, count = self.detail["join"], len(self.inputs)
        if word in ("add", "sub", "mean"):
            derivative = {"add": 1.0, "sub": -1.0 if self.which else 1.0, "mean": 1 / count}[word]
            return [PartialDerivative(self.place, derivative)]
        whole = prod(self.shape[1:]) == 1 and prod(self.made[1:]) > 1  # a gate has one number for several
        pixels = list(np.ndindex(*self.made[1:])) if whole else [(i, j)]
        channels = range(self.made[0]) if self.shape[0] < self.made[0] else [c]
        return [self._joined(word, (k, *pixel)) for k in channels for pixel in pixels]

    def _joined(self, word: str, at: Pixel) -> PartialDerivative:
        c, i, j = at
        places = [tuple(k if n > 1 else 0 for k, n in zip((c, i, j), x.shape, strict=True)) for x in self.inputs]
        values = [float(x[place]) for x, place in zip(self.inputs, places, strict=True)]
        if word in ("max", "min"):
            is_maximum = values.index(max(values) if word == "max" else min(values)) == self.which
            return PartialDerivative(
                at, float(is_maximum), f"another branch is {'larger' if word == 'max' else 'smaller'}"
            )
        others = prod(value for k, value in enumerate(values) if k != self.which)
        return PartialDerivative(at, others, "what it is multiplied by is 0")

    def concat(self) -> Iterable[PartialDerivative]:
        c, i, j = self.place
        return [PartialDerivative((c + self.detail["starts"][self.which], i, j), 1.0)]

    def move(self) -> Iterable[PartialDerivative]:
        c, i, j = self.place
        if self.detail["how"] == "same":
            at = np.unravel_index(np.ravel_multi_index(self.place, self.shape), self.made)
            return [PartialDerivative((int(at[0]), int(at[1]), int(at[2])), 1.0)]
        if self.detail["how"] == "pixels":
            return [PartialDerivative(shuffled(self.detail["factors"], self.detail["back"], self.place), 1.0)]
        if self.detail["how"] == "channels":
            return [PartialDerivative((to, i, j), 1.0) for to, of in enumerate(self.detail["channels"]) if of == c]
        pixels = ((c, *pixel) for pixel in np.ndindex(*self.made[1:]))
        return [
            PartialDerivative(at, 1.0)
            for at in pixels
            if moved_from(self.detail, self.shape, at, self.made) == self.place
        ]

    def blend(self) -> Iterable[PartialDerivative]:
        c, y, x = self.place
        for i, rows in enumerate(self.detail["rows"]):
            for j, columns in enumerate(self.detail["columns"]):
                share = sum(a for k, a in rows if k == y) * sum(b for k, b in columns if k == x)
                if share:
                    yield PartialDerivative((c, i, j), share)

    def channels(self) -> Iterable[PartialDerivative]:
        c, i, j = self.place
        x, y, d = self.x[:, i, j], self.values[:, i, j], self.detail
        shares = np.exp(x - x.max())
        shares /= shares.sum()
        if d["word"] == "layernorm":
            return [
                PartialDerivative((k, i, j), derivative)
                for k, derivative in enumerate(self._standard(x, c, np.arange(len(x))))
            ]
        if d["word"] == "softmax":
            derivatives = y * ((np.arange(len(y)) == c) - y[c])
        elif d["word"] == "logsoftmax":
            derivatives = (np.arange(len(y)) == c) - shares[c]
        elif d["word"] == "radixsoftmax":
            near = (np.arange(len(y)) - c) % d["step"] == 0
            derivatives = np.where(near, y * ((np.arange(len(y)) == c) - y[c]), 0)
            return [PartialDerivative((int(k), i, j), float(derivatives[k])) for k in np.flatnonzero(near)]
        elif d["word"] == "channelmean":
            derivatives = np.array([1 / len(x)])
        elif d["word"] in ("maxout", "channelmax"):
            first = c // d["share"] * d["share"]
            is_maximum = first + int(x[first : first + d["share"]].argmax()) == c
            return [PartialDerivative((c // d["share"], i, j), float(is_maximum), "another channel is larger")]
        else:
            return [
                PartialDerivative((k, i, j), self._lrn(x, k, c))
                for k in range(len(x))
                if self._lrn(x, k, c) is not None
            ]
        return [PartialDerivative((k, i, j), float(derivative)) for k, derivative in enumerate(derivatives)]

    def _lrn(self, x: np.ndarray, k: int, c: int) -> Any:
        """How x[k] / (k + alpha / size · Σ x²)^beta changes with x[c]; None where c is not among its channels."""
        d = self.detail
        first = k - d["size"] // 2
        if not first <= c < first + d["size"]:
            return None
        squares = float((x[max(0, first) : first + d["size"]] ** 2).sum())
        base = d["k"] + d["alpha"] / d["size"] * squares
        around = d["beta"] * x[k] / base * 2 * d["alpha"] / d["size"] * x[c]
        return float((float(k == c) - around) / base ** d["beta"])

    def group(self) -> Iterable[PartialDerivative]:
        share = self.shape[0] // self.detail["groups"]
        first = self.place[0] // share * share
        part = self.x[first : first + share]
        at = int(np.ravel_multi_index((self.place[0] - first, *self.place[1:]), part.shape))
        channels = first + np.repeat(np.arange(share), prod(part.shape[1:]))
        derivatives = self._standard(part.reshape(-1), at, channels)
        places = ((first + c, i, j) for c, i, j in np.ndindex(*part.shape))
        return [PartialDerivative(place, derivative) for place, derivative in zip(places, derivatives, strict=True)]

    def response(self) -> Iterable[PartialDerivative]:
        """x[k] + x[k] · share[k] · w[k], where share = norm / (eps + mean norm) changes with every number."""
        c, norms = self.place[0], np.sqrt((self.x**2).sum(axis=(1, 2)))
        total, weight = norms.mean() + self.detail["eps"], self.own["weight"].reshape(-1)
        share = norms / total
        grows = float(self.x[self.place]) / norms[c] if norms[c] else 0.0  # how norm[c] changes with the number
        shares = ((np.arange(len(norms)) == c) - share / len(norms)) / total * grows
        derivatives = self.x * (weight * shares)[:, None, None]
        derivatives[self.place] += 1 + share[c] * weight[c]
        return [PartialDerivative((k, i, j), float(derivatives[k, i, j])) for k, i, j in np.ndindex(*self.made)]

    def _standard(self, x: np.ndarray, at: int, channels: np.ndarray) -> list[float]:
        """How w · (x[k] - mean) / σ changes with x[at], for every k: w / σ · (δ - 1/n - z[k] z[at] / n)."""
        sigma = float(np.sqrt(x.var() + self.detail["eps"]))
        z = (x - x.mean()) / sigma
        derivatives = ((np.arange(len(x)) == at) - (1 + z * z[at]) / len(x)) / sigma
        found: list[float] = (derivatives * self.own["weight"].reshape(-1)[channels]).tolist()
        return found


def filter_kernels(weight: np.ndarray, f: int, detail: dict) -> np.ndarray:
    """The kernels [c,u,v] of filter f as its window meets the input; of a transposed one, flipped."""
    if detail["flipped"]:  # (c, f / groups, u, v)
        channels, share = weight.shape[:2]
        group = f // share
        part = weight.reshape(detail["groups"], channels // detail["groups"], share, *weight.shape[2:])
        kernels = part[group, :, f - group * share]
        kernels = kernels[(slice(None), *[slice(None, None, -1)] * (kernels.ndim - 1))]
    else:
        kernels = weight[f]
    return kernels.reshape(len(kernels), *detail["kernel"])
