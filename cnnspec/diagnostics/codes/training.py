"""Codes CNN3xx: training."""

from __future__ import annotations

from .code import Code

TRAINING: tuple[Code, ...] = (
    Code(
        "CNN301",
        "warmup-too-long",
        """\
The warm-up of a schedule is told in epochs, of which parts are allowed (`warmup 0.5`). One that lasts as
long as the training, or longer, never lets the schedule reach its full rate; most often steps were meant.
Divide the steps by the number of batches in an epoch, or take a tenth of the epochs.""",
        wrong="""\
input 1x28x28
conv 8x3x3 -> relu -> maxpool 2 -> dense 10 -> softmax
train { schedule cosine warmup 100 ; epochs 5 }
""",
        right="""\
input 1x28x28
conv 8x3x3 -> relu -> maxpool 2 -> dense 10 -> softmax
train { schedule cosine warmup 0.5 ; epochs 5 }
""",
    ),
)
