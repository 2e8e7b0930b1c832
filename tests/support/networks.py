"""The networks that every target is held to: each word's example, some with structure, random ones, specs/."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np

from cnnspec.api import read_spec
from cnnspec.runtime.engine import Engine
from cnnspec.words import WORDS

ROOT = Path(__file__).parents[2]

STRUCTURES = {
    "branches": """
        input 3x9x10
        conv 4x3x3 -> add(conv 4x3x3 pad same -> relu | id) -> concat(id | relu | tanh) -> gap""",
    "taps": """
        input 2x8x8
        conv 4x3x3 pad 1 as e1 -> maxpool 2 -> conv 4x1x1 as e2
        @e1 -> avgpool 2 -> add(id | @e2) -> gap""",
    "blocks": """
        input 3x8x9
        block basic(c) = add(conv {c}x3x3 pad same bias off -> bn -> relu | id) -> relu
        conv 6x3x3 -> basic(6)*2 -> gap -> dense 3 -> softmax""",
    "odd pads": """
        input 2x11x10
        conv 3x3x2 stride 2 pad same -> conv 4x2x3 stride 3x2 pad include -> maxpool 2 pad include
          -> avgpool 3x2 stride 2 pad same -> dense 4""",
    "wide pads": """
        input 2x9x9
        conv 3x3x3 pad 2 dilate 2 -> maxpool 3 stride 2 pad 2 -> avgpool 3 stride 1 pad 2""",
    "each side": """
        input 2x7x8
        pad 1x2x0x3 mode reflect -> conv 3x3x3 pad 0x1x2x1 -> pad 0x1x2x0 -> conv 3x2x2 -> maxpool 2 pad 1x0x0x1
          -> pad 2x1 mode edge -> scale bias on -> avgpool 3 stride 2 pad 1x0x0x1 -> dwconv 3x3 pad 0x1x1x0""",
    "counted pads": """
        input 2x7x8
        conv 2x1x1 -> avgpool 3 stride 2 pad 1 count_pad on -> avgpool 2x3 stride 1 pad same count_pad on""",
    "two inputs": """
        input 2x6x6 as left
        input 2x6x6 as right
        net trunk = conv 4x3x3 -> bn -> relu
        concat(@left -> trunk | @right -> trunk) -> gap -> dense 2""",
    "two outputs": """
        input 2x6x6
        conv 4x3x3 -> relu as trunk
        net kind = @trunk -> gap -> dense 3 -> softmax
        net place = @trunk -> dense 4""",
    "sequence": """
        input 3x20
        conv 4x5 stride 2 pad same bias off -> bn -> relu -> maxpool 2 -> dwconv 3 pad 1 -> avgpool 3 -> dense 2""",
    "vector": """
        input 5
        dense 7 init lecun_normal -> bn -> sigmoid -> max(dense 4 init orthogonal | dense 4) -> softmax""",
    "gate": """
        input 4x5x6
        mul(conv 4x3x3 pad same | gap -> dense 4 -> sigmoid) -> mean(id | relu | tanh)""",
    "grouped": """
        input 4x7x7
        conv 8x3x2 groups 2 stride 2x1 dilate 1x2 init xavier_uniform -> minpool 2 pad same -> dwconv 1x2""",
    "awkward names": """
        input 3x5x5
        conv 4x3x3 as train -> conv 4x1x1 as lambda -> conv 4x1x1 as x -> bn as _parameters""",
}


def examples() -> dict[str, str]:
    """The example of every word, behind a layer with weights, so that a gradient has to come back through it."""
    return {word: f"input {op.on}\n{before(op.on)} -> {op.example}\n" for word, op in WORDS.items() if op.example}


def before(on: str) -> str:
    """A layer with weights that keeps the shape."""
    channels, *sides = on.split("x")
    return f"conv {'x'.join([channels, *'1' * len(sides)])}" if sides else f"dense {channels}"


def random_text(seed: int) -> str:
    """A network drawn by a seeded generator: chains, branches, strides, pads, groups."""
    draw = random.Random(seed)
    height, width = draw.randint(7, 12), draw.randint(7, 12)

    def sliding() -> str:
        parts = [f" stride {draw.choice(['2', '1x2', '2x1'])}"] if draw.random() < 0.3 else []
        parts += [f" pad {draw.choice(['same', 'include', '1', '1x0'])}"] if draw.random() < 0.6 else []
        return "".join(parts)

    def layer(kept: bool) -> str:
        """A layer; one that keeps height, width and channels where `kept`."""
        if kept:
            return draw.choice(
                ["relu", "tanh", "bn", "leaky slope 0.3", "conv 4x3x3 pad same", "dwconv 3x2 pad same"]
            )
        return draw.choice(
            [
                f"conv {draw.choice([4, 6])}x{draw.choice(['3x3', '2x3', '1x1'])}{sliding()}",
                f"dwconv {draw.choice(['3x3', '2x2'])}{sliding()}",
                f"maxpool 2{draw.choice(['', ' stride 1', ' pad include'])}",
                f"avgpool {draw.choice(['2', '3x2 stride 1 pad 1', '3 stride 2 pad same'])}",
                "relu",
                "sigmoid",
                "bn",
            ]
        )

    def branches() -> str:
        chains = [
            " -> ".join(layer(kept=True) for _ in range(draw.randint(1, 3))) for _ in range(draw.randint(1, 2))
        ]
        return f"{draw.choice(['add', 'concat', 'mean', 'mul'])}({' | '.join([*chains, 'id'])})"

    stages = [layer(False) for _ in range(draw.randint(1, 3))]
    stages += ["conv 4x1x1", branches()]
    stages += [layer(False) for _ in range(draw.randint(0, 2))]
    stages += [draw.choice(["gap -> dense 3", "dense 3 -> softmax", "dense 4 -> relu -> dense 2"])]
    return f"input 3x{height}x{width}\n{' -> '.join(stages)}\n"


def random_texts(count: int) -> dict[str, str]:
    """Some that compile; a pooling window may not fit what earlier ones left."""
    from cnnspec.diagnostics import SpecError

    found: dict[str, str] = {}
    seed = 0
    while len(found) < count:
        seed += 1
        try:
            graph_of(random_text(seed))
        except SpecError:
            continue
        found[f"random {seed}"] = random_text(seed)
    return found


def graph_of(text: str):
    return read_spec(text=text).graph


def values_for(graph, n=3, seed=1, dtype="float64"):
    """Numbers for every input."""
    generator = np.random.default_rng(seed)
    return {name: generator.normal(size=(n, *graph.type(name).shape)).astype(dtype) for name in graph.inputs}


def engine_for(graph, costs=(), dtype="float64", seed=5):
    """An engine whose parameters, running statistics too, are nothing special."""
    from cnnspec.settings.optimisers.sgd import Sgd

    engine = Engine(graph, costs, Sgd(), seed=seed, dtype=dtype)
    generator = np.random.default_rng(seed)
    for name, values in engine.parameters.items():
        if values.ndim == 1:  # what begins as zeros and ones
            engine.parameters[name] = values + generator.uniform(-0.3, 0.3, values.shape)
    return engine


def outputs_of(engine, given):
    """The engine's outputs, in the graph's order."""
    return [values.copy() for values in engine.forward(given)]
