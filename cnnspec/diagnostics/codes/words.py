"""Codes CNN201 to CNN229: words and settings."""

from __future__ import annotations

from .code import Code

WORDS: tuple[Code, ...] = (
    Code(
        "CNN201",
        "unknown-word",
        """\
There is no layer, cost, optimiser, schedule or source of this name. Nothing is skipped and nothing is
guessed; the nearest known word is named where there is one.""",
        wrong="""\
input 1x28x28
conv 8x3x3 -> relu -> maxpol 2 -> dense 10 -> softmax
""",
        right="""\
input 1x28x28
conv 8x3x3 -> relu -> maxpool 2 -> dense 10 -> softmax
""",
    ),
    Code(
        "CNN202",
        "unknown-setting",
        """\
A word has no setting of this name. `cnnspec ops conv` lists those that `conv` has.""",
        wrong="""\
input 1x29x29
conv 8x3x3 strid 2 -> relu -> dense 10 -> softmax
""",
        right="""\
input 1x29x29
conv 8x3x3 stride 2 -> relu -> dense 10 -> softmax
""",
    ),
    Code(
        "CNN203",
        "bad-value",
        """\
A setting or a size has a value that it does not take: out of its bounds, or of another kind.""",
        wrong="""\
input 1x28x28
conv 8x3x3 stride 0 -> relu -> dense 10 -> softmax
""",
        right="""\
input 1x28x28
conv 8x3x3 stride 1 -> relu -> dense 10 -> softmax
""",
    ),
    Code(
        "CNN204",
        "size-missing",
        """\
A word needs a size right after it: filters and kernel of `conv`, the window of `maxpool`, the outputs of
`dense`.""",
        wrong="""\
input 1x28x28
conv -> relu -> dense 10 -> softmax
""",
        right="""\
input 1x28x28
conv 8x3x3 -> relu -> dense 10 -> softmax
""",
    ),
    Code(
        "CNN205",
        "size-of-another-rank",
        """\
A size has another count of numbers than the word takes here. On an image, `conv` takes filters, kernel
height and kernel width; on a sequence, filters and kernel width.""",
        wrong="""\
input 1x28x28
conv 8x3 -> relu -> dense 10 -> softmax
""",
        right="""\
input 1x28x28
conv 8x3x3 -> relu -> dense 10 -> softmax
""",
    ),
    Code(
        "CNN206",
        "settings-contradict",
        """\
Two settings of a word contradict one another, or a setting makes no sense with the word's size.""",
        wrong="""\
input 1x28x28
conv 8x3x3 -> maxpool 2 pad 2 -> dense 10 -> softmax
""",
        right="""\
input 1x28x28
conv 8x3x3 -> maxpool 3 pad 1 -> dense 10 -> softmax
""",
    ),
    Code(
        "CNN207",
        "join-needs-branches",
        """\
`add`, `sub`, `concat`, `mul`, `max`, `min` and `mean` join two branches or more, in parentheses and with `|`
between them. `id` is the branch that changes nothing.""",
        wrong="""\
input 3x12x12
add( conv 3x3x3 pad same ) -> relu -> dense 10 -> softmax
""",
        right="""\
input 3x12x12
add( conv 3x3x3 pad same | id ) -> relu -> dense 10 -> softmax
""",
    ),
    Code(
        "CNN208",
        "layer-with-parentheses",
        """\
Layers are written without parentheses: the word, its size, its settings. Parentheses call a block.""",
        wrong="""\
input 1x28x28
conv(8, 3, 3) -> relu -> dense 10 -> softmax
""",
        right="""\
input 1x28x28
conv 8x3x3 -> relu -> dense 10 -> softmax
""",
    ),
    Code(
        "CNN209",
        "cost-misplaced",
        """\
A cost judges one output. `of` names it where there are several; no output has two costs, and what is not an
output has none.""",
        wrong="""\
input 4
dense 3 -> softmax
train { cost cross_entropy ; cost mse }
""",
        right="""\
input 4
dense 3 -> softmax
train { cost cross_entropy }
""",
    ),
)
