"""Warnings of habits, of costs and rates, and of comments: CNN240 to CNN250."""

from __future__ import annotations

from ..code import Code, Says

HABITS: tuple[Code, ...] = (
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
        says=(Says("`{cost}` wants a `{wanted}` at the end, not a `{last}`"),),
        fixed_by=("lang.lowering.costs._warn",),
    ),
    Code(
        "CNN242",
        "softmax-twice",
        """\
A softmax of a softmax: its input lies between 0 and 1 already, so the largest share that it can give to one of ten
classes is 23 %, and its gradient nearly vanishes. A sigmoid before a softmax does the same.""",
        wrong="""\
input 1x28x28
dense 10 -> softmax -> softmax
""",
        right="""\
input 1x28x28
dense 10 -> softmax
""",
        severity="warning",
        says=(Says("`{word}` of a `{before}` makes every class nearly equal", help="leave one of them out"),),
    ),
    Code(
        "CNN243",
        "softmax-before-hinge",
        """\
The hinge cost wants scores without bounds, of which the right one should be a margin of 1 ahead. Shares of a
softmax lie between 0 and 1: the margin is out of reach, and the cost never ends pulling.""",
        wrong="""\
input 1x28x28
dense 10 -> softmax
train { cost hinge }
""",
        right="""\
input 1x28x28
dense 10
train { cost hinge }
""",
        severity="warning",
        says=(
            Says(
                "`hinge` wants scores, and a `{last}` leaves no room for its margin",
                help="end with the dense layer, or write `cost cross_entropy`",
            ),
        ),
    ),
    Code(
        "CNN244",
        "dense-after-dense",
        """\
A dense layer of a dense layer is one dense layer, whose weights are the product of the two: it can tell nothing
more, and costs more. An activation between them makes two of them. A narrow one between two wide ones is not
reported, since that saves weights.""",
        wrong="""\
input 1x28x28
dense 64 -> dense 10 -> softmax
""",
        right="""\
input 1x28x28
dense 64 -> relu -> dense 10 -> softmax
""",
        severity="warning",
        says=(
            Says(
                "two dense layers with nothing between them are one dense layer",
                help="put an activation between them: `-> relu ->`",
            ),
        ),
    ),
    Code(
        "CNN246",
        "dropout-before-bn",
        """\
Dropout changes the variance of what it thins out, in training and not afterwards. A batch normalisation right
behind it keeps the running variance of training, and normalises by a wrong one when the network is used (Li and
others, 2018). Put the dropout after it, or before the last layer.""",
        wrong="""\
input 1x28x28
conv 8x3x3 bias off -> dropout 50% -> bn -> relu -> dense 10 -> softmax
""",
        right="""\
input 1x28x28
conv 8x3x3 bias off -> bn -> relu -> dropout 50% -> dense 10 -> softmax
""",
        severity="warning",
        says=(
            Says(
                "`bn` learns the variance of what `dropout` thins out, and meets another when it is used",
                help="put the dropout after it",
            ),
        ),
    ),
    Code(
        "CNN247",
        "field-smaller-than-object",
        """\
`expect { receptive_field >= 60% }` says that what is to be recognised takes 60 % of a side of the image, and no
output of the last layer with pixels sees as much: it must tell the whole from parts. A budget in pixels,
`receptive_field >= 17`, is one that is missed or held (CNN605).""",
        wrong="""\
input 1x28x28
conv 8x3x3 -> relu -> gap -> dense 10 -> softmax
expect { receptive_field >= 60% }
""",
        right="""\
input 1x28x28
(conv 8x3x3 -> relu -> conv 8x3x3 -> relu -> maxpool 2)*2 -> gap -> dense 10 -> softmax
expect { receptive_field >= 50% }
""",
        severity="warning",
        says=(
            Says(
                "one output sees {field} of {side} pixels of a side, {percent:.3g} %, and an object takes {wanted}",
                help="more layers, larger kernels or strides see further; `cnnspec summary` lists the fields",
            ),
        ),
    ),
    Code(
        "CNN248",
        "channels-last",
        """\
The sizes of an input are channels, height, width, in this order. `28x28x1` has 28 channels of 28x1 pixels; Keras
would say `28x28x1` of what is `1x28x28` here.""",
        wrong="""\
input 28x28x1
flatten -> dense 10 -> softmax
""",
        right="""\
input 1x28x28
flatten -> dense 10 -> softmax
""",
        severity="warning",
        says=(Says("channels come first: {h}x{w}x{c} has {h} of them, and images of {w}x{c}"),),
        fixed_by=("lang.hints.habits.channels_last",),
    ),
    Code(
        "CNN250",
        "unused-ignore",
        """\
A comment `# cnnspec: ignore CODE` silences a code that finds nothing there: the reason for it has gone, or it
stands in another line. In a block that its own file does not call nothing is reported, since what a block warns of
is found where it is called.""",
        how="Write `relu   # cnnspec: ignore CNN231` where there is no bias before a `bn`.",
        severity="warning",
        says=(Says("{codes} {do} not occur here, so this comment silences nothing"),),
        fixed_by=("checking.comments.Comments.unused",),
    ),
)
