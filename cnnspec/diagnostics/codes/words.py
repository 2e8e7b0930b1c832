"""Codes CNN2xx: words and settings; from CNN230 on, warnings."""

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
`add`, `concat`, `mul`, `max` and `mean` join two branches or more, in parentheses and with `|` between
them. `id` is the branch that changes nothing.""",
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
    Code(
        "CNN230",
        "relu-before-softmax",
        """\
A softmax right after a relu: all negative evidence becomes zero, so classes that the layer speaks against
share the same score, and where all are negative nothing is learnt. Leave the relu out.""",
        wrong="""\
input 1x28x28
dense 10 -> relu -> softmax
""",
        right="""\
input 1x28x28
dense 10 -> softmax
""",
        severity="warning",
    ),
    Code(
        "CNN231",
        "bias-before-bn",
        """\
Batch normalisation subtracts the mean of each channel, and with it any bias that was added just before: the
bias costs memory and time and changes nothing. Write `bias off`.""",
        wrong="""\
input 1x28x28
conv 8x3x3 -> bn -> relu -> dense 10 -> softmax
""",
        right="""\
input 1x28x28
conv 8x3x3 bias off -> bn -> relu -> dense 10 -> softmax
""",
        severity="warning",
    ),
    Code(
        "CNN232",
        "mse-of-softmax",
        """\
The squared error of a softmax has a gradient that vanishes where the network is confidently wrong, so it
learns slowly or not at all. Cross-entropy is the cost that belongs to a softmax.""",
        wrong="""\
input 1x28x28
dense 10 -> softmax
train { cost mse }
""",
        right="""\
input 1x28x28
dense 10 -> softmax
train { cost cross_entropy }
""",
        severity="warning",
    ),
    Code(
        "CNN241",
        "classes-without-shares",
        """\
The data have classes, and the network ends in numbers that are no shares of them. Where no cost is stated, it would
be trained on the squared error, which learns classes slowly and badly; a cross-entropy that is stated would take
logarithms of numbers that may be negative. End the network in `softmax` (in `sigmoid` for one output, or for
several labels of an image): its cost is then the cross-entropy, computed with the softmax as one, so logits of any
size do. Whoever means the squared error of one-hot rows says `cost mse`.""",
        how="`input 1x28x28`, `dense 10` and `data { source digits }`: only a look at the data finds it.",
    ),
    Code(
        "CNN233",
        "classes-differ",
        """\
The output has more or fewer classes than the data have labels, and a run would be refused. Where `check` finds the
data it says so by an error, CNN410.""",
        wrong="""\
input 1x28x28
dense 12 -> softmax
data { source digits }
""",
        right="""\
input 1x28x28
dense 10 -> softmax
data { source digits }
""",
        severity="warning",
    ),
    Code(
        "CNN234",
        "pixels-unused",
        """\
Windows and strides leave rows or columns at the bottom or right of the input that reach no output. Where the
image is what it should be, `pad include` takes the rest in; otherwise another size comes out even.""",
        wrong="""\
input 1x28x28
maxpool 5 -> dense 10 -> softmax
""",
        right="""\
input 1x28x28
maxpool 5 pad include -> dense 10 -> softmax
""",
        severity="warning",
    ),
    Code(
        "CNN235",
        "stride-over-kernel",
        """\
The stride is larger than the kernel, so pixels between two windows are looked at by none of them. A 1x1
convolution that strides to match the shapes of a shortcut is meant so, and is not reported.""",
        wrong="""\
input 1x29x29
conv 8x2x2 stride 3 -> relu -> dense 10 -> softmax
""",
        right="""\
input 1x30x30
conv 8x3x3 stride 3 -> relu -> dense 10 -> softmax
""",
        severity="warning",
    ),
    Code(
        "CNN236",
        "top-heavy",
        """\
One layer holds more than nine tenths of a network's parameters, most often the first dense layer after
images that are still large. Pool more before it, or use `gap`.""",
        wrong="""\
input 3x64x64
conv 16x3x3 -> relu -> dense 512 -> relu -> dense 10 -> softmax
""",
        right="""\
input 3x64x64
conv 16x3x3 -> relu -> gap -> dense 512 -> relu -> dense 10 -> softmax
""",
        severity="warning",
    ),
    Code(
        "CNN237",
        "unused-name",
        """\
A `let`, a block, an import or a parameter is never used.""",
        wrong="""\
input 1x28x28
let width = 64
dense 10 -> softmax
""",
        right="""\
input 1x28x28
let width = 64
dense {width} -> relu -> dense 10 -> softmax
""",
        severity="warning",
    ),
    Code(
        "CNN238",
        "output-without-cost",
        """\
Costs are stated, and one of the outputs has none: what only it depends on never learns.""",
        wrong="""\
input 4
dense 8 -> relu as trunk
net kind = @trunk -> dense 3 -> softmax
net size = @trunk -> dense 1
train { cost cross_entropy of kind }
""",
        right="""\
input 4
dense 8 -> relu as trunk
net kind = @trunk -> dense 3 -> softmax
net size = @trunk -> dense 1
train { cost cross_entropy of kind ; cost mse of size weight 0.5 }
""",
        severity="warning",
    ),
    Code(
        "CNN239",
        "setting-repeated",
        """\
A setting is stated twice; the second one counts.""",
        wrong="""\
input 1x29x29
conv 8x3x3 stride 1 stride 2 -> relu -> dense 10 -> softmax
""",
        right="""\
input 1x29x29
conv 8x3x3 stride 2 -> relu -> dense 10 -> softmax
""",
        severity="warning",
    ),
    Code(
        "CNN240",
        "cost-without-its-activation",
        """\
Cross-entropy takes the logarithm of shares that add up to one, as `softmax` gives them, and binary
cross-entropy of numbers between 0 and 1, as `sigmoid` does. Of the plain output of a dense layer there is
no logarithm where it is negative.""",
        wrong="""\
input 1x28x28
dense 10
train { cost cross_entropy }
""",
        right="""\
input 1x28x28
dense 10 -> softmax
train { cost cross_entropy }
""",
        severity="warning",
    ),
)
