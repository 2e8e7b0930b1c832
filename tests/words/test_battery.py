"""Every word in every way: the plan against the definitions, against differences, against PyTorch.

Words come by themselves, with the example that stands in their class; a grid of odd sizes follows. A new
word needs no line here, only one in `oracles/in_torch.py` where PyTorch has it.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from oracles.nets import spec
from oracles.trial import Trial, agrees_with_differences, agrees_with_evaluator, close

from cnnspec.codegen.evaluate import evaluate
from cnnspec.lang.lowering.costs import implied
from cnnspec.words import OPS

GRID = """
3x7x8: conv 4x3x2
3x7x8: conv 4x3x2 stride 2
3x7x8: conv 4x3x2 stride 3x2 pad 1
3x7x8: conv 4x3x2 stride 2 pad same
3x7x8: conv 4x3x2 stride 2 pad 0x1x2x1
3x7x8: conv 4x3x3 pad 2x0x0x1 -> relu -> conv 5x3x3 pad 1x0x1x1
17x5x8: conv 18x3x3 pad 0x2x1x1 -> conv 3x3x3 pad 1x0x2x0
3x9: conv 4x3 pad 2x0
3x7x8: conv 4x3x2 stride 3 pad include
3x7x8: conv 4x1x1 stride 2
3x7x8: conv 4x3x2 dilate 2
3x7x8: conv 4x3x2 dilate 2x3 pad same stride 2
4x7x8: conv 6x3x2 groups 2 pad 2x1
4x7x8: conv 6x3x2 groups 2 stride 2 dilate 2
3x7x8: conv 6x3x2 groups 3
3x7x8: conv 3x3x2 groups 3 stride 2 pad 1
3x7x8: conv 4x1x1
4x7x8: conv 6x1x1 groups 2
3x7x8: conv 4x3x2 bias off
17x5x6: conv 3x3x2 pad 1 -> conv 18x2x2
32x5x6: conv 4x3x2 groups 2 dilate 1x2
3x7x8: conv 4x7x8
3x3x3: conv 2x2x2 pad 3
20x6x8: conv 24x3x3 pad same -> relu -> conv 24x3x3 pad 1
3x9: conv 4x3 stride 2 pad 1 -> conv 4x2 dilate 2
4x9: conv 4x3 groups 2 pad same
3x7x8: dwconv 3x2
3x7x8: dwconv 3x2 stride 2 dilate 2 pad same
3x9: dwconv 3 stride 2 pad include
3x7x8: maxpool 2
3x7x8: maxpool 3x2 stride 2 pad 1
3x7x8: maxpool 3 stride 2 pad same
3x7x8: maxpool 2 pad 1x0x0x1
3x7x8: maxpool 3 stride 2 pad 2x0x1x0
3x9: minpool 3 pad 1x2
3x7x8: avgpool 3 stride 2 pad 1x0x0x2
3x7x8: avgpool 3 stride 2 pad 1x0x0x2 count_pad on
3x7x8: lppool 3 stride 2 pad 0x1x2x0
3x7x8: dwconv 3x2 pad 0x1x1x0
3x7x8: maxpool 3 pad include
3x7x8: maxpool 1 stride 2
3x9: maxpool 2
3x7x8: conv 4x3x2 -> relu -> maxpool 2
3x7x8: minpool 3 stride 2
3x9: minpool 3 stride 2
3x7x8: avgpool 2
3x7x8: avgpool 3 stride 2 pad 1
3x7x8: avgpool 3 stride 2 pad 1 count_pad on
3x7x8: avgpool 3x2 pad include
3x9: avgpool 3 stride 2 pad same
3x9: gap
3x7x8: lppool 2
3x7x8: lppool 3x2 stride 2x1 pad 1 p 3
3x7x8: lppool 3 stride 2 pad same p 1
3x9: lppool 3 pad include p 4
3x7x8: relu -> lppool 2 p 3
5: dense 4 -> tanh -> dense 3 bias off
3x5: dense 4
3x4x5: conv 3x2x2 -> bn
5: bn -> dense 3
3x5: bn
3x4x5: flatten -> bn -> dense 3
3x4x5: flatten -> relu -> dense 3
3x2x2: flatten -> softmax
3x4x5: softmax
3x4x5: flatten -> dropout 30% -> dense 3
3x5: dropout 30%
4x3x6: reshape 6x6x2 -> conv 3x2x2
4x6: reshape 2x3x4 -> conv 3x2x2
4x3x6: reshape 8x9 -> conv 3x2
4x3x6: reshape 72 -> bn
4x3x6: flatten -> reshape 6x4x3 -> bn
4x3x6: flatten -> relu -> reshape 4x3x6 -> bn
6: shuffle 3 -> dense 3
6x4: shuffle 2
3x4x5: add( id | relu | tanh )
3x4x5: add( id | id | relu | id )
4x3x4: add( flatten | reshape 2x4x6 -> flatten ) -> dense 3
3x2x2: concat( flatten | gap ) -> dense 3
3x4x5: concat( id | conv 2x1x1 | id )
3x5: concat( id | relu )
3x4x5: mul( id | tanh | relu )
3x4x5: mul( id | gap -> sigmoid )
3x4x5: mul( gap -> reshape 3x1x1 | id )
3x5: mul( id | gap )
3: mul( id | tanh )
3x1x1: mul( flatten | id )
3x4x5: max( id | tanh | conv 3x1x1 )
4: mean( id | tanh )
4x3x5: upconv 6x3x2 stride 2 groups 2
3x4x5: upconv 4x3x2 stride 3x2 pad 1 output_pad 1
3x4x5: upconv 4x2x2 dilate 2 bias off
3x5: upconv 4x3 stride 2
18x4x5: upconv 17x3x3 pad 1 -> upconv 3x2x2
3x4x5: pad 1x2 channels 2 -> bn
3x5: pad 2 -> conv 3x2
3x5x7: crop 4x4
3x7: crop 4
3x4x3: upsample 2x3
3x5: upsample 2
3x4x5: resize 7x3
3x4x5: resize 3x8 mode bilinear
3x5: resize 8 mode bilinear
3x4: gmp
5: layernorm
3x5: layernorm
6: groupnorm 2
6x5: groupnorm 3
3x4x5: flatten -> layernorm
3x4x5: groupnorm 1
5x3x3: lrn 4
5x4: lrn 3
3x4x5: droppath 30%
5: prelu
3x5: scale init 2
3x5: scale bias on
3x5: clip
3x4x5: clip low none high 0.5 -> dense 3
3x5: clip low -0.2 high none
3x5: hardsigmoid slope 0.2
4x5: hardsigmoid slope 0.5 offset 0.6
4: scale init 0.5 bias on
3x4x5: flatten -> prelu -> dense 3
4x5: upconv 4x3 groups 2 pad 1 dilate 2
3x4x5: upconv 2x1x1 stride 2
3x4x5: pad 0 channels 1
3x4x5: pad 1x0x2x3 channels 1
3x4x5: pad 2x1x0x4 mode reflect
3x4x5: pad 2x1 mode edge
3x5: pad 4x1 mode reflect
3x1x5: pad 3x2x1x0 mode edge
3x4x5: upsample 1x3 -> crop 3x9
3x4x5: resize 4x5 mode bilinear
3x5x4: conv 4x2x2 -> relu -> gmp
6x3x4: take 3 start 2 -> conv 2x2x2
6: take 3 start 3 -> dense 2
4x2x3: flatten -> take 5 start 7
6x5: maxout 3
6: maxout 2
4x2x3: flatten -> maxout 4
3x5: logsoftmax
3x2x2: flatten -> logsoftmax
4: gelu form tanh
3x5: gelu
3x4x5: gelu form tanh
3x4x5: elu alpha 0.5
5: celu
3x5: celu alpha 2.5
3x4x5: leaky slope 0.3
3x2x3: flatten -> lrn 4
3x4x5: flatten -> scale
3x4x5: flatten -> droppath 40%
3x4x5: conv 4x1x1 -> lrn 2 k 2 alpha 0.5 beta 1
3x4x5: layernorm eps 1e-3
3x7x8: maxpool 2 dilate 2
3x7x8: maxpool 3x2 stride 2 dilate 1x3 pad 1
3x7x8: minpool 2 stride 1 dilate 3 pad 2x1
3x7x8: avgpool 2 stride 2 dilate 3x2 pad 0x1x2x0
3x7x8: avgpool 2 stride 1 dilate 2 pad same count_pad on
3x9: lppool 3 stride 2 dilate 2 pad include p 3
3x7x8: lppool 2 dilate 3x2
3x7x8: conv 4x3x3 -> relu -> maxpool 2 dilate 2
3x5: channelmean -> dense 3
5: channelmean -> dense 2
3x2x3: flatten -> channelmax -> dense 2
3x5: channelmax
4x5x3: conv 3x2x2 -> channelmean
4x3x5: mul( channelmean -> sigmoid | id )
4x3x5: mul( id | channelmax | gap -> sigmoid )
4x5: mul( id | conv 1x1 -> sigmoid )
4x3x5: mul( id | conv 1x3x5 )
4: mul( id | dense 1 )
4x3x5: mul( gap -> dense 1 | id )
3x4x5: min( id | tanh | conv 3x1x1 )
3x4x5: sub( id | tanh | relu )
4: sub( id | tanh )
3x5: abs
3x4x5: conv 3x1x1 -> abs -> dense 2
8x3x2: conv 8x1x1 -> pixelshuffle 2
12x3x2: pixelshuffle 3x2 -> conv 2x2x2
6x4: pixelshuffle 3
2x4x6: pixelunshuffle 2x3 -> conv 3x1x1
2x4x6: conv 2x1x1 -> pixelunshuffle 2
2x6: pixelunshuffle 3 -> dense 2
18x3x2: pixelshuffle 3 -> pixelunshuffle 3
6: radixsoftmax 3
6x4: radixsoftmax 2
6x3x4: radixsoftmax 3 -> conv 2x1x1
3x2x2: flatten -> radixsoftmax 4
4x3x2: grn
4x5: grn eps 1e-3
3x5x7: conv 4x2x2 -> relu -> grn -> conv 2x1x1
3x5x7: resize 3x4 mode area
3x5x7: conv 3x1x1 -> resize 7x3 mode area
3x7: resize 3 mode area
3x4x5: resize 7x9 mode bilinear align_corners on
3x4x5: resize 1x3 mode bilinear align_corners on
3x5: resize 8 mode bilinear align_corners on
3x4x5: upconv 4x3x2 stride 2 pad 1x0x0x1
3x4x5: upconv 4x3x3 stride 3 pad 0x1x2x0 output_pad 1
3x5: upconv 4x3 stride 2 pad 1x0
3x4x5: concat( upconv 2x2x2 stride 2 | upsample 2 | resize 8x10 ) -> bn
"""

CASES = [*(f"{op.on}: {op.example}" for op in OPS), *GRID.strip().splitlines()]


@cache
def case(text: str) -> Trial:
    graph = spec(text)
    return Trial(graph, *costs(graph))


def costs(graph):
    return tuple(implied(graph, output)() for output in graph.outputs)


each_case = pytest.mark.parametrize("text", dict.fromkeys(CASES))


@each_case
def test_agrees_with_the_definitions(text):
    trial = case(text)
    agrees_with_evaluator(trial)
    graph = trial.engine.graph("show", trial.batch)
    found = evaluate(graph, {**trial.inputs, **trial.parameters})
    for node, value in zip(trial.words, graph.outputs, strict=True):
        close(trial.shown[node.name], found[value], node.name)


@each_case
def test_gradients_are_the_slopes(text):
    agrees_with_differences(case(text))


@each_case
def test_agrees_with_pytorch(text):
    pytest.importorskip("torch")
    from oracles import in_torch

    trial = case(text)
    cost, gradients = trial.learnt
    graph, arrays, parameters = trial.words, trial.arrays, trial.parameters
    wanted, gradients = in_torch.differentiate(graph, costs(graph), arrays, parameters, trial.masks)
    close(cost, wanted, "cost")
    for parameter, slope in gradients.items():
        close(gradients[parameter], slope, parameter)
    values = in_torch.shown(graph, arrays, parameters)
    for value, array in trial.shown.items():
        close(array, values[value], value)


@each_case
def test_shards_agree(text):
    """Costs and gradients do not depend on the shards, but for the masks of dropout."""
    trial = case(text)
    if trial.learnt and trial.masks:
        pytest.skip("each shard draws masks of its own")
    for shards in (2, 3):
        other = Trial(trial.words, *costs(trial.words), shards=shards)
        close(other.learnt[0], trial.learnt[0], "cost", 1e-12)
        for parameter, gradient in trial.learnt[1].items():
            close(other.learnt[1][parameter], gradient, parameter, 1e-12)


@pytest.mark.parametrize("cls", OPS, ids=lambda cls: cls.word)
def test_work_is_counted(cls):
    """A word costs something, or it only moves numbers."""
    trial = case(f"{cls.on}: {cls.example}")
    node = next(node for node in trial.words if isinstance(node.op, cls))
    types = trial.words.types(node)
    assert node.op.macs(*types) >= 0
    assert node.op.flops(*types) >= 2 * node.op.macs(*types)
    if node.op.flops(*types) == 0:
        given = np.concatenate([trial.shown[value].ravel() for value in node.inputs])
        assert np.isin(trial.shown[node.name], [*given, 0]).all()
