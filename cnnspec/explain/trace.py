"""One number of a network, traced: what it was computed from, and how the cost's gradient reaches it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..ir import Graph
from ..words.pool import OfFormula
from .columns import aligned, beside, grid, number
from .derivatives import filter_kernels
from .explanation import Explanation, account, image_shape, moved_from
from .probe import Seen
from .receptive_field import receptive
from .trace_back import back, way_back
from .trace_place import SHOWN, Selection
from .trace_weight import trace_weight


def trace(graph: Graph, seen: Seen, parameters: dict[str, np.ndarray], place: Selection) -> str:
    """The account of a number, with the numbers that it was made of."""
    if place.weight:
        return trace_weight(graph, seen, parameters, place)
    return Trace(graph, seen, parameters, place).text()


class Trace:
    """Tells of one number of a value; lines are collected as they come."""

    def __init__(self, graph: Graph, seen: Seen, parameters: dict[str, np.ndarray], place: Selection) -> None:
        self.graph, self.seen, self.parameters, self.place = graph, seen, parameters, place
        self.node = place.node
        self.told: Explanation = account(graph, self.node)
        c, *pixel = place.index
        self.c, (self.i, self.j) = c, (*(0, 0), *pixel)[-2:]
        self.lines: list[str] = []

    def text(self) -> str:
        value = float(self.seen.values[self.node.name][0][self.place.index])
        written = self.node.op.written() if self.node.inputs else "input"
        self.say(f"{self.place} = {number(value)}")
        reads = f" of {', '.join(self.node.inputs)}" if self.node.inputs else ""
        where = f"    {self.node.span}" if self.node.span else ""
        self.say(f"  {written}{reads}{where}")
        if self.told.formula:
            self.say(f"  {self.told.formula}")
        self.sees()
        if self.node.inputs:
            self.say()
            getattr(self, self.told.kind)()
        self.backward()
        return "\n".join(self.lines).rstrip() + "\n"

    def say(self, line: str = "") -> None:
        self.lines.append(line.rstrip())

    def sees(self) -> None:
        """The receptive field."""
        for name in self.graph.inputs:
            reach = receptive(self.graph, name)
            box = reach[self.node.name].at(self.place.index) if self.node.inputs and reach else ()
            if any(a < b for a, b in box):
                axes = ("rows", "columns")[-len(box) :]
                ranges = [f"{axis} {a} to {b - 1}" for axis, (a, b) in zip(axes, box, strict=True)]
                self.say(f"  sees {' and '.join(ranges)} of {name}")

    def input(self, k: int = 0) -> np.ndarray:
        """An input's values as (c, h, w)."""
        name = self.node.inputs[k]
        return self.seen.values[name][0].reshape(image_shape(self.graph.type(name)))

    def parameter(self, name: str) -> np.ndarray:
        return self.parameters[f"{self.node.owner}.{name}"]

    # ---- forward, one method for each kind of account ------------------------------------------------

    def patch(self, channel: np.ndarray, pad: float) -> tuple[np.ndarray, np.ndarray]:
        """What the window meets of a map [h,w], and which of it is in the map."""
        d = self.told.detail
        found, inside = np.full(d["kernel"], pad), np.zeros(d["kernel"], bool)
        for u in range(d["kernel"][0]):
            for v in range(d["kernel"][1]):
                row, column = (
                    o * d["stride"][axis] - d["pad"][axis] + tap * d["dilate"][axis]
                    for axis, (o, tap) in enumerate(((self.i, u), (self.j, v)))
                )
                grown = row % d["grow"][0] == 0 and column % d["grow"][1] == 0
                row, column = row // d["grow"][0], column // d["grow"][1]
                if grown and 0 <= row < channel.shape[0] and 0 <= column < channel.shape[1]:
                    found[u, v], inside[u, v] = channel[row, column], True
        return found, inside

    def filter(self) -> None:
        """Patch, kernel and sum for each input channel, the largest first."""
        x, d = self.input(), self.told.detail
        share = len(x) // d["groups"]
        first = self.c // (self.node.type["c"] // d["groups"]) * share
        kernels = filter_kernels(self.parameter("weight"), self.c, d)
        parts = []
        for k in range(share):
            values, inside = self.patch(x[first + k], 0.0)
            parts.append((first + k, values, inside, kernels[k], values * kernels[k]))
        ranked = sorted(parts, key=lambda part: -abs(part[4].sum()))[:SHOWN]
        for channel, values, inside, kernel, products in sorted(ranked, key=lambda part: part[0]):
            self.say(f"  channel {channel}: patch × kernel = products, sum {number(products.sum())}")
            for row in beside([grid(values, inside), grid(kernel), grid(products, inside)], ["×", "="]):
                self.say(f"    {row}")
            self.say()
        self.add_up(
            [(f"channel {channel}", products.sum()) for channel, _, _, _, products in parts],
            [("bias", float(self.parameter("bias")[self.c]))] if d["bias"] else [],
        )

    def pick(self) -> None:
        """The window and its winner."""
        worst = -np.inf if self.told.detail["pick"] == "max" else np.inf
        values, inside = self.patch(self.input()[self.c], worst)
        best = values.argmax() if self.told.detail["pick"] == "max" else values.argmin()
        u, v = np.unravel_index(best, values.shape)
        for row in grid(values, inside, mark=(int(u), int(v))):
            self.say(f"    {row}")
        self.say(f"  the winner stands in row {u} and column {v} of the window: the gradient goes to it alone")

    def mean(self) -> None:
        values, inside = self.patch(self.input()[self.c], 0.0)
        for row in grid(values, inside):
            self.say(f"    {row}")
        count = values.size if self.told.detail["count_pad"] else int(inside.sum())
        self.say(f"  sum {number(values.sum())} / {count} = {number(values.sum() / count)}")

    def window(self) -> None:
        """The window, and the number that its formula makes of it."""
        assert isinstance(self.node.op, OfFormula)
        of = self.node.op.formula(self.graph.type(self.node.inputs[0]))
        values, inside = self.patch(self.input()[self.c], 0.0)
        for row in grid(values, inside):
            self.say(f"    {row}")
        total = float(of.evaluate(values.reshape(-1), inside.reshape(-1)))
        self.say(f"  the {of.name} of the window is {number(total)}")

    def all(self) -> None:
        """The strongest contributions."""
        x = self.seen.values[self.node.inputs[0]][0].reshape(-1)
        weights = self.parameter("weight")[self.c]
        products = x * weights
        order = np.argsort(-np.abs(products))
        self.say("  the strongest contributions: number, in × weight = product")
        rows = [
            [str(k), number(x[k]), "×", number(weights[k]), "=", number(products[k])] for k in order[: 2 * SHOWN]
        ]
        for line in aligned(rows):
            self.say(f"    {line}")
        rest = products[order[2 * SHOWN :]]
        others = [(f"the other {len(rest):,}", float(rest.sum()))] if len(rest) else []
        bias = [("bias", float(self.parameter("bias")[self.c]))] if self.told.detail["bias"] else []
        self.say()
        self.add_up([("these", float(products[order[: 2 * SHOWN]].sum())), *others], bias)

    def image(self) -> None:
        values = self.input()[self.c]
        if self.told.detail["pick"]:
            row, column = np.unravel_index(values.argmax(), values.shape)
            self.say(f"  the largest pixel is in row {row} and column {column}: {number(values.max())}")
        else:
            total = number(values.sum())
            self.say(f"  sum of the {values.size} pixels {total} / {values.size} = {number(values.mean())}")

    def point(self) -> None:
        rows = [[self.node.inputs[0], number(self.input()[self.c, self.i, self.j])]]
        for name in self.told.detail["parameters"]:
            rows.append([f"{self.node.owner}.{name}", number(self.of_channel(name))])
        self.table(rows)

    def of_channel(self, name: str) -> float:
        """The channel's number of a parameter, which may have one for all of them."""
        array = self.parameter(name).reshape(-1)
        return float(array[self.c if len(array) > 1 else 0])

    def join(self) -> None:
        self.table([[name, number(self.of_branch(k))] for k, name in enumerate(self.node.inputs)])

    def of_branch(self, k: int) -> float:
        """A branch's number at this place; a gate has one for each channel, or for each pixel."""
        x = self.input(k)
        return float(
            x[self.c if x.shape[0] > 1 else 0, self.i if x.shape[1] > 1 else 0, self.j if x.shape[2] > 1 else 0]
        )

    def concat(self) -> None:
        starts = self.told.detail["starts"]
        k = max(k for k, start in enumerate(starts) if start <= self.c)
        self.say(f"  channel {self.c - starts[k]} of {self.node.inputs[k]}")

    def move(self) -> None:
        before = self.graph.type(self.node.inputs[0])
        shapes = image_shape(before), image_shape(self.node.type)
        source = moved_from(self.told.detail, shapes[0], (self.c, self.i, self.j), shapes[1])
        if source is None:
            self.say("  padding: 0")
        else:
            index = [source[0], *source[3 - len(before.spatial) :]]
            self.say(f"  it is {self.node.inputs[0]}[{','.join(map(str, index))}]")

    def blend(self) -> None:
        x = self.input()[self.c]
        rows, columns = self.told.detail["rows"][self.i], self.told.detail["columns"][self.j]
        shares = [(y, z, a * b) for y, a in rows for z, b in columns]
        self.table([[f"row {y}, column {z}", number(x[y, z]), "×", number(share)] for y, z, share in shares])
        self.say(f"  sum {number(sum(x[y, z] * share for y, z, share in shares))}")

    def channels(self) -> None:
        """The channels of the pixel that count, the largest first."""
        x, d = self.input()[:, self.i, self.j], self.told.detail
        top = np.argsort(-x)[: 2 * SHOWN]
        rows = [["channel", "in"], *([str(k), number(x[k])] for k in top)]
        if d["word"] == "softmax":
            powers = np.exp(x - x.max())
            shares = powers / powers.sum()
            more = [["exp(in − max)", "of their sum"], *([number(powers[k]), number(shares[k])] for k in top)]
            rows = [[*row, *cells] for row, cells in zip(rows, more, strict=True)]
        self.table(rows)
        if d["word"] == "logsoftmax":
            sums = np.log(np.exp(x - x.max()).sum()) + x.max()
            self.say(f"  in {number(x[self.c])} − log of the sum {number(sums)} = {number(x[self.c] - sums)}")
        if d["word"] == "radixsoftmax":
            apart = x[self.c % d["step"] :: d["step"]]
            power, total = (np.exp(value - apart.max()) for value in (x[self.c], apart))
            self.say(f"  exp(in − max) {number(power)} / sum of {len(apart)}, {number(total.sum())}"
                     f" = {number(power / total.sum())}")  # fmt: skip
        if d["word"] == "channelmean":
            self.say(f"  sum {number(x.sum())} / {len(x)} = {number(x.mean())}")
        if d["word"] in ("maxout", "channelmax"):
            part = x[self.c * d["share"] : (self.c + 1) * d["share"]]
            first = self.c * d["share"]
            self.say(f"  the largest of channels {first} to {first + d['share'] - 1} = {number(part.max())}")
        if d["word"] == "lrn":
            first = max(0, self.c - d["size"] // 2)
            squares = float((x[first : self.c - d["size"] // 2 + d["size"]] ** 2).sum())
            base = d["k"] + d["alpha"] / d["size"] * squares
            self.say(f"  sum of squares {number(squares)}; {number(x[self.c])} / {number(base)}^{d['beta']:g}"
                     f" = {number(x[self.c] / base ** d['beta'])}")  # fmt: skip
        if d["word"] == "layernorm":
            self.standard(x[self.c], float(x.mean()), float(x.var()))

    def group(self) -> None:
        """Mean and variance of the group of channels."""
        x, groups = self.input(), self.told.detail["groups"]
        share = len(x) // groups
        part = x[self.c // share * share : (self.c // share + 1) * share]
        self.standard(x[self.c, self.i, self.j], float(part.mean()), float(part.var()))

    def response(self) -> None:
        """The norms of the channels, and the share of this one."""
        x, eps = self.input(), self.told.detail["eps"]
        norms = np.sqrt((x**2).sum(axis=(1, 2)))
        share = norms[self.c] / (norms.mean() + eps)
        value, weight, bias = x[self.c, self.i, self.j], self.of_channel("weight"), self.of_channel("bias")
        self.say(f"  norm {number(norms[self.c])} / (mean of the norms {number(norms.mean())} + {eps:g})"
                 f" = {number(share)}")  # fmt: skip
        self.say(f"  in {number(value)} + in × {number(share)} × weight {number(weight)} + bias {number(bias)}"
                 f" = {number(value + value * share * weight + bias)}")  # fmt: skip

    def standard(self, x: float, mean: float, var: float) -> None:
        """A number made standard, then scaled and shifted."""
        weight, bias = self.of_channel("weight"), self.of_channel("bias")
        self.say(f"  in {number(x)}, mean {number(mean)}, variance {number(var)}")
        z = (x - mean) / np.sqrt(var + self.told.detail["eps"])
        self.say(f"  {number(z)} × weight {number(weight)} + bias {number(bias)} = {number(z * weight + bias)}")

    def other(self) -> None:
        for name in self.node.inputs:
            array = self.seen.values[name][0]
            self.say(
                f"    {name}: {array.size:,} numbers, mean {number(array.mean())}, spread {number(array.std())}"
            )

    def table(self, rows: list[list[str]]) -> None:
        self.lines += [f"    {line}" for line in aligned(rows)]

    def add_up(self, parts: Sequence[tuple[str, float]], bias: Sequence[tuple[str, float]]) -> None:
        """Terms, a rule, and their sum."""
        if len(parts) > 2 * SHOWN:
            largest = sorted(parts, key=lambda part: -abs(part[1]))[: 2 * SHOWN]
            others = [part for part in parts if part not in largest]
            parts = [part for part in parts if part in largest]
            parts = [*parts, (f"the other {len(others)} channels", sum(value for _, value in others))]
        terms = [*parts, *bias]
        rows = [[name, number(value)] for name, value in terms]
        rows.append(["sum", number(sum(value for _, value in terms))])
        lines = aligned(rows)
        for line in lines[:-1]:
            self.say(f"  {line}")
        self.say(f"  {'-' * max(map(len, lines))}")
        self.say(f"  {lines[-1]}")

    # ---- backward ------------------------------------------------------------------------------------

    def backward(self) -> None:
        """The slope of the cost at this number, and at the values between it and the cost."""
        derivative = float(self.seen.gradients[self.node.name][0][self.place.index])
        self.say()
        self.say(f"backward: the cost is {number(self.seen.cost)}; d cost / d {self.place} = {number(derivative)}")
        self.lines += back(self.graph, self.seen, self.parameters, self.node, (self.c, self.i, self.j))
        self.say()
        self.lines += [f"  {line}" for line in way_back(self.graph, self.seen, self.node)]
