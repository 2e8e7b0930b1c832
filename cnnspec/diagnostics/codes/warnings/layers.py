"""Warnings of layers, their sizes and names: CNN230 to CNN239, and CNN241."""

from __future__ import annotations

from ..code import Code, Says

LAYERS: tuple[Code, ...] = (
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
        says=(Says("`{word}` before a softmax throws away what speaks against a class"),),
        fixed_by=("lang.hints.warnings.relu_before_softmax",),
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
        says=(Says("the bias of `{word}` is taken away again by the `bn` after it"),),
        fixed_by=("lang.hints.warnings.bias_before_bn",),
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
        says=(Says("the squared error of a softmax learns slowly"),),
        fixed_by=("lang.lowering.costs._warn",),
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
        says=(
            Says(
                "nothing says how to tell {classes} apart: the network ends in `{word}`, and no cost is stated",
                help="end it with `-> {end}`; for the squared error say `cost mse`",
                case="implied",
            ),
            Says(
                "`{cost}` takes logarithms of shares, and the network ends in a plain `{word}`",
                help="end it with `-> {end}`: both are computed as one, from the `{word}`",
                case="plain",
            ),
        ),
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
        says=(Says("the output has {outputs} classes, and `{source}` has {classes}"),),
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
        says=(Says("no output sees {lost} of the {input} input", "its windows stop short of them"),),
        fixed_by=("lang.hints.warnings.pixels_unused",),
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
        says=(
            Says("a stride of {stride} leaves out pixels between windows of {kernel}"),
            Says(
                "a stride of {stride} leaves pixels between windows of {kernel} that no input reaches",
                case="upconv",
            ),
        ),
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
        says=(Says("`{name}` holds {percent} % of the parameters, {share}"),),
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
        says=(Says("`{name}` is never used"), Says("the parameter `{name}` is never used", case="parameter")),
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
        says=(Says("the output {output} has no cost"),),
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
        says=(Says("`{name}` is set twice; the second counts"),),
    ),
)
