"""Specs that the tests of pictures are held to: each a different trouble for a drawing."""

from pathlib import Path

import numpy as np

from cnnspec.api import read_spec

SPECS = Path(__file__).parents[2] / "specs"

TEXTS = {
    "one line": "input 1x28x28\nconv 8x3x3 stride 1 -> relu -> maxpool 2 -> dense 10 -> softmax",
    "residual blocks": """
        block neck(c, s = 1) = add( conv {c}x1x1 bias off -> bn -> relu
          -> conv {c}x3x3 stride {s} pad 1 bias off -> bn -> relu -> conv {4*c}x1x1 bias off -> bn | id ) -> relu
        input 3x64x64
        conv 64x7x7 stride 2 pad 3 bias off -> bn -> relu -> maxpool 3 stride 2 pad 1
          -> conv 256x1x1 -> neck(64)*4 -> gap -> dense 1000 -> softmax""",
    "four branches": """
        block inc(a, b, c) = concat( conv {a}x1x1 -> relu | conv {b}x1x1 -> conv {c}x3x3 pad 1 -> relu
          | conv 16x1x1 -> conv {c}x5x5 pad 2 | maxpool 3 stride 1 pad 1 -> conv {a}x1x1 )
        input 3x64x64
        conv 16x7x7 stride 2 pad 3 -> maxpool 3 stride 2 pad 1 -> inc(64, 96, 128) -> inc(8, 9, 512)
          -> maxpool 2 -> gap -> dense 10 -> softmax""",
    "long skips": """
        input 1x40x40
        conv 8x3x3 pad 1 -> relu as a -> maxpool 2 -> conv 16x3x3 pad 1 -> relu as b -> maxpool 2
          -> conv 32x3x3 pad 1 -> relu -> conv 16x3x3 pad 1 -> add( id | @b -> maxpool 2 )
          -> conv 8x3x3 pad 1 -> concat( id | @a -> avgpool 4 ) -> conv 2x1x1 -> gap -> dense 2 -> softmax""",
    "a sequence": "input 3x128\nconv 8x5 -> relu -> maxpool 2 -> conv 16x3 dilate 2 -> gap -> dense 4 -> softmax",
    "vectors": "input 4\ndense 16 -> relu -> dense 13 -> tanh -> dense 3 -> softmax",
    "blocks in blocks": """
        block inner(c) = conv {c}x3x3 pad 1 -> relu
        block outer(c) = inner(c)*2 -> add( inner(c) | id )
        input 3x20x20
        outer(3) -> outer(3) -> maxpool 2 -> outer(3) -> dense 5 -> softmax""",
    "long names": """
        input 3x33x17
        conv 8x3x2 stride 2 pad same as a_very_long_name_that_does_not_fit_under_its_volume -> relu
          -> conv 8x3x3 pad include stride 2 dilate 1 groups 2 bias off -> bn -> relu -> dense 7 -> softmax""",
}


def graph(name):
    return read_spec(text=TEXTS[name]).graph


SMALL = {
    "bn and dropout": """
        input 2x9x8
        conv 4x3x2 stride 2 pad 1 bias off -> bn -> relu -> maxpool 2 stride 1
          -> dropout 40% -> dense 3 -> softmax""",
    "branches": """
        input 2x7x6
        conv 3x3x3 pad same -> tanh as t -> add( conv 3x1x1 -> sigmoid | id )
          -> concat( maxpool 2 | avgpool 2 ) -> gap -> dense 4 -> softmax""",
    "numbers": "input 5\ndense 4 -> tanh -> dense 2\ntrain { cost mse }",
}


PLAIN = {
    "filters": """
        input 4x9x8
        conv 6x3x2 stride 2x1 pad 1 groups 2 -> relu -> dwconv 3x3 dilate 2 pad 2 -> maxpool 3 stride 2 pad 1
          -> avgpool 2 stride 1 pad 1 -> dense 5 -> softmax""",
    "joins": """
        input 3x6x6
        add( conv 3x3x3 pad same | id ) -> max( id | tanh ) -> mean( id | relu )
          -> concat( id | minpool 3 stride 1 pad 1 ) -> mul( id | gap -> dense 6 -> sigmoid -> reshape 6x1x1 )
          -> shuffle 2 -> flatten -> dense 3 -> softmax""",
    "a sequence": TEXTS["a sequence"],
}


def every_word():
    """A network of many outputs, one for the example of each word that takes the usual image."""
    from cnnspec.words import OPS

    usual = [op for op in OPS if op.on == "3x12x12"]
    lines = ["input 3x12x12"]
    lines += [f"net {op.word}_net = @input -> {op.example}" for op in usual]
    costs = " ; ".join(f"cost mse of {op.word}_net" for op in usual)
    return "\n".join([*lines, f"train {{ {costs} }}"])


def batch(model, n=3, seed=0):
    """Images, answers, and a network whose running statistics are not what they began as."""
    generator = np.random.default_rng(seed)
    kinds = [model.graph.type(name) for name in (*model.graph.inputs, *model.graph.outputs)]
    x, y = (generator.normal(size=(n, *kind.shape)) for kind in kinds)
    if model.costs[0].word == "cross_entropy":
        y = generator.integers(0, kinds[1]["c"], n)
    for name in model.parameters:
        if "running_var" in name:
            model.parameters[name] = generator.uniform(0.5, 2, model.parameters[name].shape)
        elif "running" in name or "bn" in name:
            model.parameters[name] = generator.normal(size=model.parameters[name].shape)
    return x, y
