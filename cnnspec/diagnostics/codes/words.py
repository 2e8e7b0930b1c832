"""Codes CNN201 to CNN229: words and settings."""

from __future__ import annotations

from .code import Code, Says

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
        says=(
            Says("there is no {what} called `{word}`"),
            Says("there is no {what} called `{word}`", help="there are {known}", case="few"),
            Says("there is no {what} called `{word}`", help="`cnnspec ops` lists them all", case="many"),
            Says(
                "there is no {what} called `{word}`",
                help="a block is defined by `block {word}(c) = ...`, and the file has none",
                case="no blocks",
            ),
            Says(
                "there is no {what} called `{word}`",
                help="a network is its layers with `->` between them: `conv 8x3x3 -> relu`",
                case="no calls",
            ),
            Says("there is no {what} called `{word}`", help="{why}", case="apart"),
            Says("`{word}` is a value, and a chain goes on from it with `@{word}`", case="value"),
            Says("there is no layer called `{word}`: a chain begins with its first layer", case="input"),
        ),
        fixed_by=(
            "lang.hints.foreign.lines.python_model",
            "lang.hints.unknown.unknown_word",
            "lang.hints.unknown.untapped",
        ),
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
        says=(
            Says("`{word}` has no setting `{name}`"),
            Says("the two betas are settings of their own", case="betas"),
            Says("`expect` knows no `{name}`", help="it knows {known}", case="quantity"),
            Says("a budget has no `{name}`", case="budget"),
            Says("`{word}` has no setting `{name}`", help="it belongs to `{other} {{ ... }}`", case="other block"),
            Says("`{word}` has no setting `{name}`", help="{why}", case="told"),
            Says(
                "`{word}` has no setting `{name}`", "it is part of the size", help="write `{pattern}`", case="size"
            ),
            Says("`{word}` has no setting `{name}`", "{why}", case="labelled"),
            Says("`{word}` has no setting `{name}`", "{why}", help="{why}", case="stated"),
            Says("`{word}` has no setting `{name}`", help="its settings are {listed}", case="listed"),
            Says("`{word}` has no setting `{name}`", help="`{word}` has no settings", case="none"),
        ),
        fixed_by=(
            "lang.hints.placed.belongs",
            "lang.hints.foreign.lines.both_betas",
            "lang.hints.stated.told_otherwise",
            "lang.hints.unknown.unknown_setting",
            "lang.lowering.blocks._budget",
            "lang.lowering.blocks._class",
        ),
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
        says=(
            Says("a repetition wants a whole number from 0, got {count:g}", case="repetition"),
            Says("`id` changes nothing and takes nothing", case="id"),
            Says("wants {wanted}, got {value}"),
            Says('wants one character, got "{separator}"', case="separator"),
            Says(
                "`columns` names those that are used, so `drop` has nothing to add",
                help="say one of them",
                case="drop",
            ),
            Says("wants {wanted}, got `{value}`", case="balance"),
            Says("`{quantity}` wants a number", case="number"),
            Says("`{quantity}` is a share of 1, and {bound:g} is more", case="share"),
            Says("`of` wants the name of a class, in quotes where it is no word", case="class"),
            Says("`{quantity}` is of the whole network, not of a value", case="network"),
            Says("a shape is compared with `==` or `!=`", case="relation"),
            Says("`shape` wants sizes joined by x, such as 8x26x26", case="shape"),
            Says("`{word}` takes no size", case="no size"),
            Says("`?` stands for any size, in the shapes that are expected after `::`", case="any size"),
            Says("`{setting}` wants {wanted}", case="word"),
            Says("a size is a whole number, not {number:g}", case="whole"),
            Says(
                "an input has at most three sizes, not {count}",
                help="`3x32x32` is an image, `3x128` a sequence, `4` a vector; the batch is never written",
                case="sizes",
            ),
            Says("a size of an input is a whole number from 1 to {largest}", case="side"),
            Says("`{quantity}` is not of a class", help="each class has {kinds} of its own", case="of a class"),
        ),
        fixed_by=(
            "lang.lowering.blocks._bound",
            "lang.lowering.declared._likely",
            "lang.lowering.declared._read_nested",
            "lang.lowering.declared._read_size",
        ),
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
        says=(
            Says("`{word}` needs a size: `{word} {pattern}`", help="{pattern}: {doc}"),
            Says("`{word}` needs `{name}`", help="`{name}`: {doc}", case="setting"),
        ),
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
        says=(
            Says("`{word}` takes {pattern}", "{numbers}", help="{pattern}: {doc}"),
            Says(
                "`{setting}` takes one number, or one each for height and width",
                "{given} numbers",
                case="each direction",
            ),
            Says("`{setting}` takes one number, or just one", "{given} numbers", case="one direction"),
            Says(
                "`{setting}` takes one number, one each for height and width, or for top, bottom, left and right",
                "{given} numbers",
                case="each side",
            ),
            Says("`{setting}` takes one number, or left and right", "{given} numbers", case="both sides"),
            Says("`{word}` on an image takes FxKxK, such as 8x3x3", "{given} numbers", case="filters image"),
            Says("`{word}` on a sequence takes FxK, such as 8x3", "{given} numbers", case="filters sequence"),
            Says("`{word}` on an image takes KxK, such as 3x3", "{given} numbers", case="kernel image"),
            Says("`{word}` on a sequence takes K, such as 3", "{given} numbers", case="kernel sequence"),
            Says("`{word}` on a sequence takes one number", "two numbers", case="one of a sequence"),
        ),
        fixed_by=("lang.hints.candidates.another_rank",),
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
        says=(
            Says(
                "nesterov looks ahead along a momentum, and there is none",
                help="use `sgd momentum 0.9 nesterov on`",
                case="nesterov",
            ),
            Says("`low` {low:g} is not below `high` {high:g}", case="bounds"),
            Says("padding lets a window meet no pixel: all that it looks at is outside", case="dilated"),
            Says("padding of {pad} lets a window of {extent} lie wholly outside the image", case="window"),
            Says("`channels` are of zeros: with a `mode` there are none", case="channels"),
            Says("`align_corners` is of a blend: it wants `mode bilinear`", case="align_corners"),
            Says(
                "`output_pad` must be smaller than the stride: those pixels would belong to the next kernel",
                case="output_pad",
            ),
            Says("`mode reflect` pads by less than the {kind} has", "{pad} pixels of {have}", case="reflect"),
        ),
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
        says=(
            Says(
                "`{word}` joins branches: `{word}(... | ...)`",
                help="write `{word}(conv 8x3x3 pad same | id)`: each branch reads what comes before",
            ),
            Says(
                "`{word}` joins two branches or more, separated by `|`",
                help="write `{word}(id | ...)`; `id` is what comes before",
                case="one branch",
            ),
        ),
        fixed_by=("lang.hints.syntax.name_without_value",),
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
        says=(
            Says(
                "`{name}` is a layer, and layers take no parentheses",
                "{why}",
                help="write `{pattern}`; a layer reads what comes before it",
            ),
            Says(
                "`{name}` is written `{word}`, and layers take no parentheses",
                "{why}",
                help="write `{pattern}`; a layer reads what comes before it",
                case="elsewhere",
            ),
            Says(
                "`{name}` takes its settings without parentheses",
                help="write a word, a space, and a value: `optimiser adam lr 0.001`",
                case="settings",
            ),
        ),
        fixed_by=("lang.hints.foreign.lines.python_call", "lang.hints.unknown.called_like_python"),
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
        says=(
            Says(
                "it is not said which output this cost judges", help="add `of` and one of {outputs}", case="which"
            ),
            Says("`{name}` is not an output", help="the outputs are {outputs}", case="no output"),
            Says("`{output}` has a cost already", case="second"),
            Says(
                "`{word}` tells classes apart, and there is only one",
                help="with one output for yes or no, end with `-> sigmoid` and use `binary_cross_entropy`",
                case="classes",
            ),
            Says("must be one of {outputs}", case="must be one"),
        ),
    ),
)
