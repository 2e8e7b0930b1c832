"""Codes CNN1xx: shapes."""

from __future__ import annotations

from .code import Code, Says

SHAPES: tuple[Code, ...] = (
    Code(
        "CNN101",
        "join-of-unequal-shapes",
        """\
`add`, `sub`, `max`, `min` and `mean` join branches of equal shape, `mul` also takes a gate of cx1x1 or 1xhxw, and
`concat` needs equal height and width. Nothing else is broadcast, cropped or projected in silence: a 1x1 convolution
in the shorter branch brings its channels to the same count, a stride its size.""",
        wrong="""\
input 3x12x12
add( conv 8x3x3 pad same | id ) -> relu -> dense 10 -> softmax
""",
        right="""\
input 3x12x12
add( conv 8x3x3 pad same | conv 8x1x1 ) -> relu -> dense 10 -> softmax
""",
        says=(
            Says("`{word}` needs branches of equal shape, got {first} and {other}", "this branch gives {other}"),
            Says(
                "`concat` needs branches of equal height and width, got {first} and {other}",
                "this branch gives {other}",
                case="concat",
            ),
            Says(
                "`mul` needs branches of equal shape, or a gate of {gates}; got {first} and {second}",
                "this branch gives {other}",
                case="gate",
            ),
        ),
        fixed_by=("lang.hints.candidates.equal_branches",),
    ),
    Code(
        "CNN102",
        "assertion-failed",
        """\
The shape at `::` is not the one that the author expects there. A `?` stands for any size.""",
        wrong="""\
input 1x28x28
conv 8x3x3 :: 8x28x28 -> relu -> dense 10 -> softmax
""",
        right="""\
input 1x28x28
conv 8x3x3 pad same :: 8x28x28 -> relu -> dense 10 -> softmax
""",
        says=(Says("the shape here is {found}", "expected {wanted}"),),
        fixed_by=("lang.lowering.lower.Lowering.check_shape",),
    ),
    Code(
        "CNN103",
        "kernel-too-large",
        """\
A kernel or window is larger than its input with its padding, so there is no place to put it. Earlier pools
and strides have made the image small: use fewer of them, a smaller kernel, or `pad same`.""",
        wrong="""\
input 1x10x10
conv 8x3x3 -> maxpool 4 -> conv 8x5x5 -> relu -> dense 10 -> softmax
""",
        right="""\
input 1x10x10
conv 8x3x3 -> maxpool 4 -> conv 8x5x5 pad same -> relu -> dense 10 -> softmax
""",
        says=(
            Says("a {kernel} {what} does not fit a {image} {kind}{padded}", "needs at least {need}, gets {image}"),
        ),
        fixed_by=("lang.hints.candidates.pad_same",),
    ),
    Code(
        "CNN104",
        "wrong-kind-of-input",
        """\
A word does not work on an input of this rank. Convolution and pooling need an image (`3x32x32`) or a
sequence (`3x128`); after `flatten`, `gap` or `dense` there is only a vector left.""",
        wrong="""\
input 1x28x28
dense 64 -> relu -> maxpool 2 -> dense 10 -> softmax
""",
        right="""\
input 1x28x28
maxpool 2 -> dense 64 -> relu -> dense 10 -> softmax
""",
        says=(
            Says(
                "`{word}` works on images and sequences, not on a vector of {found}",
                help="put it before `flatten`, `gap` or `dense`; `reshape CxHxW` makes an image of a vector",
            ),
            Says("`dense` works on a vector, not on {found}", help="put `flatten` before it", case="dense"),
        ),
    ),
    Code(
        "CNN105",
        "groups-do-not-divide",
        """\
`groups` splits channels and filters into equal parts, so it must divide both counts.""",
        wrong="""\
input 3x12x12
conv 8x3x3 -> relu -> conv 8x3x3 groups 3 -> dense 10 -> softmax
""",
        right="""\
input 3x12x12
conv 8x3x3 -> relu -> conv 8x3x3 groups 4 -> dense 10 -> softmax
""",
        says=(Says("{groups} groups do not divide {count} {what}", "{count} % {groups} = {rest}"),),
    ),
    Code(
        "CNN106",
        "size-does-not-divide",
        """\
A word splits an axis into equal parts, and the parts do not come out even: `shuffle` and `groupnorm` split
the channels, `maxout` too.""",
        wrong="""\
input 3x12x12
conv 10x3x3 -> shuffle 4 -> relu -> dense 10 -> softmax
""",
        right="""\
input 3x12x12
conv 12x3x3 -> shuffle 4 -> relu -> dense 10 -> softmax
""",
        says=(
            Says("{parts} groups do not divide {channels} channels", "{channels} % {parts} = {rest}"),
            Says(
                "{channels} channels do not come in pieces of {parts}",
                "{channels} % {parts} = {rest}",
                case="pieces",
            ),
            Says("{parts} parts do not divide {channels} channels", "{channels} % {parts} = {rest}", case="parts"),
            Says(
                "blocks of {parts} pixels do not divide {channels} channels",
                "{channels} % {parts} = {rest}",
                case="blocks",
            ),
            Says(
                "blocks of {parts} pixels do not divide a {side} of {count}",
                "{count} % {parts} = {rest}",
                case="pixels",
            ),
        ),
    ),
    Code(
        "CNN107",
        "nothing-left",
        """\
A word would cut away the whole image, or more of it than there is.""",
        wrong="""\
input 3x12x12
crop 8x8 -> crop 9x9 -> dense 10 -> softmax
""",
        right="""\
input 3x12x12
crop 9x9 -> crop 8x8 -> dense 10 -> softmax
""",
        says=(
            Says("padding of {pad} leaves nothing of the output", case="pad"),
            Says("a crop to {wanted} is larger than the {have} {kind}", case="crop"),
            Says(
                "there are {channels} channels, so {count} from number {start} on are not there",
                "{start} + {count} > {channels}",
                case="take",
            ),
        ),
    ),
    Code(
        "CNN108",
        "reshape-changes-count",
        """\
`reshape` gives the same numbers another shape, so both shapes must hold equally many.""",
        wrong="""\
input 4x6x6
reshape 8x6x6 -> dense 10 -> softmax
""",
        right="""\
input 4x6x6
reshape 16x3x3 -> dense 10 -> softmax
""",
        says=(Says("`reshape` to {made} needs {count} numbers, {given} has {have}", "{count} numbers"),),
    ),
    Code(
        "CNN109",
        "shared-weights-differ",
        """\
A net that is called twice has one set of weights, which must fit both inputs. A `block` has new weights in
each call.""",
        wrong="""\
input 4 as left
input 5 as right
net tower = dense 8 -> relu
concat( @left -> tower | @right -> tower ) -> dense 2 -> softmax
""",
        right="""\
input 4 as left
input 5 as right
block tower = dense 8 -> relu
concat( @left -> tower | @right -> tower ) -> dense 2 -> softmax
""",
        says=(
            Says(
                "one set of weights cannot serve both calls: {first} in the first, {here} here",
                help="use a `block`, which has new weights in each call",
            ),
        ),
    ),
    Code(
        "CNN110",
        "no-input-fits",
        """\
The file states no input, and of all the sizes that were tried none fits every layer. The message names the
layer that refuses the size which came furthest; `input CxHxW` shows the rest.""",
        wrong="""\
add( conv 4x3x3 | id ) -> dense 10 -> softmax
""",
        right="""\
add( conv 4x3x3 pad same | conv 4x1x1 ) -> dense 10 -> softmax
""",
        says=(Says("no input that was tried fits; with {tried}, {why}"),),
        fixed_by=("lang.lowering.inputs._none_fits",),
    ),
)
