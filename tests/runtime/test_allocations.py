"""A step that has run before takes no memory that grows with the batch: not for one word."""

from __future__ import annotations

import gc
import tracemalloc

import numpy as np
import pytest
from oracles.nets import spec
from oracles.trial import Trial
from sampled import sampled

from cnnspec.lang.lowering.costs import implied
from cnnspec.words import OPS
from cnnspec.words.costs import COSTS

ZOO = """3x12x16:
conv 8x3x3 pad 1 bias off -> bn -> swish -> dropout 20%
  -> add( conv 8x3x3 pad 1 groups 2 -> groupnorm 4 -> gelu -> droppath 20% | id ) -> maxpool 2 -> lrn 5
  -> concat( dwconv 3x3 pad 1 -> prelu | conv 8x1x1 -> layernorm -> mish | avgpool 3 stride 1 pad 1 -> elu )
  -> shuffle 3 -> upsample 2 -> crop 8x8 -> scale -> conv 8x3x3 dilate 2 pad same -> hardswish
  -> mul( id | gap -> dense 4 -> relu -> dense 8 -> sigmoid ) -> upconv 6x3x3 stride 2 -> maxout 2
  -> resize 9x7 mode bilinear -> reshape 7x9x3 -> pad 1 -> minpool 2 -> softplus -> dense 12 -> softsign
  -> dense 5 -> logsoftmax""".replace("\n", " ")


def taken(graph, costs, batch: int) -> int:
    """Bytes that a step takes at most beyond what there was before it, of three steps the fewest.

    Two steps warm up, the second is traced already: what a step keeps for the next one, and lets go of the one
    before, is counted on both sides then. Of three, since other threads of the process may take memory meanwhile.
    """
    trial = Trial(graph, *costs, batch=batch, dtype="float32", record=False)
    learn = trial.engine.learn
    learn(trial.arrays, 0.01)
    kept = np.setbufsize(64)  # NumPy's own, for numbers that it casts: by default they stop growing at 8192
    gc.disable()  # what others leave is not collected in the midst of a step
    try:
        tracemalloc.start()
        learn(trial.arrays, 0.01)
        steps = []
        for _ in range(3):
            tracemalloc.reset_peak()
            before, _ = tracemalloc.get_traced_memory()
            learn(trial.arrays, 0.01)
            steps.append(tracemalloc.get_traced_memory()[1] - before)
        return min(steps)
    finally:
        tracemalloc.stop()
        gc.enable()
        np.setbufsize(kept)


def does_not_grow(graph, costs, small_change: int = 3_500) -> None:
    """As much for 896 images more, but for Python's own small change; one number an image were 3,584 bytes.

    Both are batches for which the same methods are chosen: another method has other small change.
    """
    few, many = taken(graph, costs, 512), taken(graph, costs, 1408)
    assert many - few < small_change, f"{few} bytes for 512 images, {many} for 1408"


def test_of_a_net_of_many_words():
    """Its larger batch is made in twice as many pieces; two numbers an image were 7,168 bytes."""
    graph = spec(ZOO)
    does_not_grow(graph, (implied(graph, graph.outputs[0])(),), small_change=7_000)


@pytest.mark.parametrize("cls", sampled(OPS, 5, [cls.word for cls in OPS]))
def test_of_each_word(cls):
    graph = spec(f"{cls.on}: {cls.example}")
    does_not_grow(graph, (implied(graph, graph.outputs[0])(),))


@pytest.mark.parametrize("cls", sampled(COSTS, 3, [cls.word for cls in COSTS]))
@pytest.mark.parametrize("last", ["softmax", "sigmoid", "id"])
def test_of_each_cost(cls, last):
    """Merged with the activation before it, or alone."""
    does_not_grow(spec(f"3x4x5: conv 4x3x3 -> {last}"), (cls(),))
