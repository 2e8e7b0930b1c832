"""The formula of an optimiser, written once as lines of NumPy, as a function of JavaScript.

    np.multiply(m, beta1, out=m)
    np.add(m, g, out=m)                       m[i] = m[i] * beta1 + g[i];
    np.sqrt(v, out=t)                  ->     p[i] = p[i] - m[i] / (Math.sqrt(v[i]) + eps);
    np.add(t, eps, out=t)
    np.divide(m, t, out=t)
    np.subtract(p, t, out=p)

What is computed stays the same, number by number: only what is read once stands where it is read.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from ...settings.optimiser import Optimiser
from .translate import bindable

LINE = re.compile(r"np\.(\w+)\((.*), out=(\w+)\)")
WORD = re.compile(r"(?<![\w.])[A-Za-z_]\w*\b(?!\.)")  # a name of the formula, not of Math.sqrt
SUM, PRODUCT, ALONE = 1, 2, 3  # how tightly an expression binds
BETWEEN = {"multiply": ("*", PRODUCT), "divide": ("/", PRODUCT), "add": ("+", SUM), "subtract": ("-", SUM)}
CALLED = {name: f"Math.{name}" for name in ("sqrt", "abs", "sign")} | {"maximum": "Math.max", "minimum": "Math.min"}
SCRATCH = ("t", "u")


class Made(NamedTuple):
    """An expression, and how tightly it binds."""

    text: str
    rank: int = ALONE

    def beside(self, rank: int) -> str:
        return self.text if self.rank >= rank else f"({self.text})"


class Line(NamedTuple):
    """A line of NumPy: a function, what it reads, and where the value goes."""

    function: str
    read: tuple[str, ...]
    to: str

    def made(self, operands: list[Made]) -> Made:
        if self.function in CALLED:
            return Made(f"{CALLED[self.function]}({', '.join(one.text for one in operands)})")
        sign, rank = BETWEEN[self.function]
        left, right = operands
        return Made(f"{left.beside(rank)} {sign} {right.beside(rank + 1)}", rank)


def parsed(line: str) -> Line:
    found = LINE.fullmatch(line)
    assert found and found[1] in (*CALLED, *BETWEEN), f"no JavaScript for {line}"
    return Line(found[1], tuple(found[2].split(", ")), found[3])


def assignments(lines: list[Line]) -> list[tuple[str, str]]:
    """What is assigned, in this order, to what: whole expressions."""
    found: list[tuple[str, str]] = []
    waiting: dict[str, Made] = {}

    def assign(name: str) -> None:
        value = waiting.pop(name)
        for other in [other for other, made in waiting.items() if name in WORD.findall(made.text)]:
            if other in waiting:
                assign(other)  # it reads what the name is still
        found.append((name, value.text))

    for k, line in enumerate(lines):
        for name in dict.fromkeys(line.read):
            stays = name == line.to or read_here_alone(name, lines[k:])
            if name in waiting and (line.read.count(name) > 1 or not stays):
                assign(name)
        operands = [waiting.pop(name, Made(name)) for name in line.read]
        waiting[line.to] = line.made(operands)
    while waiting:
        name = next(iter(waiting))
        if name in SCRATCH:
            del waiting[name]
        else:
            assign(name)
    return found


def read_here_alone(name: str, lines: list[Line]) -> bool:
    """Whether nothing but the first of some lines reads what a name is."""
    if name not in SCRATCH:
        return False
    for line in lines[1:]:
        if name in line.read:
            return False
        if name == line.to:
            return True
    return True


def update(optimiser: Optimiser) -> str:
    """The function that moves all parameters, number by number."""
    scalars = [*optimiser.scalars(1, 1.0), *(["scale"] if optimiser.clip is not None else [])]
    arrays = ("p", "g", *optimiser.moments)
    made = assignments([parsed(line) for line in optimiser.lines()])
    declared = sorted({name for name, _ in made} & set(SCRATCH))
    moments = taken_apart(optimiser.moments) if optimiser.moments else "moments"
    text = [
        f"/** {optimiser.written()}: moves all parameters p, by their gradients g and its own moments. */",
        f"function update(p, g, {moments}, {taken_apart(scalars)}) {{",
        f"  for (let {', '.join(['i = 0', *declared])}; i < p.length; i++) {{",
    ]

    def spelled(name: str) -> str:
        return f"{local(name)}[i]" if name in arrays else local(name)

    for name, value in made:
        text.append(f"    {spelled(name)} = {WORD.sub(lambda found: spelled(found[0]), value)};")
    return "\n".join([*text, "  }", "}"])


def local(name: str) -> str:
    """A name of the formula in the function, which counts by i."""
    return "i_" if name == "i" else bindable(name)


def taken_apart(names: Iterable[str]) -> str:
    """The pattern that binds the values of an object: `{ rate, new: new_ }`."""
    return f"{{ {', '.join(name if local(name) == name else f'{name}: {local(name)}' for name in names)} }}"
