"""Codes CNN016 to CNN030: the names and numbers of a file, its chains and its calls."""

from __future__ import annotations

from .code import Code, Says

NAMES: tuple[Code, ...] = (
    Code(
        "CNN016",
        "unknown-number",
        """\
A name in a hole, a `let` or an argument is neither a `let` before it nor a parameter of the block. The
functions of arithmetic are min, max, round, ceil and floor.""",
        wrong="""\
input 1x28x28
let width = 32
dense {widht} -> relu -> dense 10 -> softmax
""",
        right="""\
input 1x28x28
let width = 32
dense {width} -> relu -> dense 10 -> softmax
""",
        says=(
            Says("no `let` and no parameter is called `{name}`", case="near"),
            Says("no `let` and no parameter is called `{name}`", help="write `let {name} = ...` before it"),
            Says("`{name}` is not a function", help="there are {functions}", case="function"),
        ),
        fixed_by=("lang.lowering.arithmetic._function", "lang.lowering.arithmetic._variable"),
    ),
    Code(
        "CNN017",
        "arithmetic",
        """\
An arithmetic that has no result: a division by zero, or a function with the wrong count of numbers.""",
        wrong="""\
input 1x28x28
let parts = 0
dense {64 // parts} -> relu -> dense 10 -> softmax
""",
        right="""\
input 1x28x28
let parts = 2
dense {64 // parts} -> relu -> dense 10 -> softmax
""",
        says=(
            Says("a division by zero", "this is 0"),
            Says("`{name}` takes one number, not {count}", case="function"),
        ),
    ),
    Code(
        "CNN018",
        "unknown-value",
        """\
No value before this one has the name. Values are called by `as`, by the name of their net or input, or by
their word and number (`conv1`); a block sees its own values only.""",
        wrong="""\
input 3x12x12
conv 3x3x3 pad same as first -> relu -> add( id | @frist ) -> dense 10 -> softmax
""",
        right="""\
input 3x12x12
conv 3x3x3 pad same as first -> relu -> add( id | @first ) -> dense 10 -> softmax
""",
        says=(
            Says("no value is called `{name}`"),
            Says("no value before this is called `{name}`", case="before"),
            Says(
                "no value before this is called `{name}`",
                help="a value is tapped after it is made, never before",
                case="later",
            ),
            Says("no value is called `{name}`", help="the outputs are {outputs}", case="output"),
            Says(
                "no value is called `{name}`",
                help="the outputs are {outputs}; was `{close}` meant?",
                case="near output",
            ),
        ),
        fixed_by=("lang.hints.unknown.unknown_value", "lang.lowering.blocks._place"),
    ),
    Code(
        "CNN019",
        "name-taken",
        """\
A name is given twice, or is a word of the language. Values, blocks, nets and numbers each need a name of
their own.""",
        wrong="""\
input 1x28x28
let w = 32
let w = 64
dense {w} -> relu -> dense 10 -> softmax
""",
        right="""\
input 1x28x28
let w = 64
dense {w} -> relu -> dense 10 -> softmax
""",
        says=(
            Says("`{name}` is defined twice"),
            Says("`{name}` is a word of the language already", case="word"),
            Says("`{name}` names another value already", case="value"),
            Says("two parameters are called `{name}`", case="parameter"),
            Says("two inputs are called `{name}`", help="write `input ... as name`", case="input"),
        ),
    ),
    Code(
        "CNN020",
        "arguments",
        """\
A block is called with arguments that do not fit its parameters: too many, too few, or by a name that it
does not have. Parameters with a default may be left out.""",
        wrong="""\
input 1x29x29
block body(c, s = 1) = conv {c}x3x3 stride {s} -> relu
body(8, 2, 3) -> dense 10 -> softmax
""",
        right="""\
input 1x29x29
block body(c, s = 1) = conv {c}x3x3 stride {s} -> relu
body(8, 2) -> dense 10 -> softmax
""",
        says=(
            Says("`{name}` takes {wanted}, not {given}", help="it is called `{name}({head})`"),
            Says("`{name}` is called with parentheses: `{name}({head})`", case="layer"),
            Says("`{name}` has no parameter `{parameter}`", case="parameter"),
            Says("`{parameter}` is given twice", case="twice"),
            Says("`{name}` needs a value for `{parameter}`", help="it is called `{name}({head})`", case="missing"),
            Says(
                "`{name}` takes {wanted} behind `|`, not {given}",
                help="it is called `{name}({head})`",
                case="chains",
            ),
            Says("`{name}` takes {wanted} behind `|`, not {given}", case="no chains"),
            Says("`{name}` stands for a chain and takes nothing", case="chain"),
        ),
        fixed_by=("lang.lowering.arguments.bind",),
    ),
    Code(
        "CNN021",
        "endless-call",
        """\
A block calls itself, directly or through others; nothing in the language would end that. For a fixed count
there is repetition: `name(64)*3`.""",
        wrong="""\
input 4
block deep = dense 4 -> tanh -> deep
deep -> softmax
""",
        right="""\
input 4
block deep = dense 4 -> tanh
deep*3 -> softmax
""",
        says=(Says("`{name}` calls itself"), Says("`{name}` is more than {deepest} calls deep", case="deep")),
    ),
    Code(
        "CNN022",
        "no-start",
        """\
A chain begins with a layer, but in a file with several inputs it is not clear which of them the layer reads.
Begin it with `@name`.""",
        wrong="""\
input 4 as left
input 4 as right
dense 8 -> relu -> dense 2 -> softmax
""",
        right="""\
input 4 as left
input 4 as right
concat( @left | @right ) -> dense 8 -> relu -> dense 2 -> softmax
""",
        says=(
            Says(
                "it is not said which input this chain begins with",
                help="begin it with `@name ->`, the name of an input or of an earlier value",
            ),
        ),
    ),
    Code(
        "CNN023",
        "second-chain",
        """\
A second chain begins without saying where: only the first one reads the input. If it goes on from the line
above, an arrow is missing; if it is another branch of the network, it begins with `@name` or is a `net`.""",
        wrong="""\
input 1x28x28
conv 8x3x3 -> relu
maxpool 2 -> dense 10 -> softmax
""",
        right="""\
input 1x28x28
conv 8x3x3 -> relu
  -> maxpool 2 -> dense 10 -> softmax
""",
        says=(
            Says(
                "a second chain begins here, and does not say where",
                help="begin it with `@name ->`, the name of a value",
            ),
        ),
        fixed_by=("lang.lowering.network._start",),
    ),
    Code(
        "CNN024",
        "no-network",
        """\
The file has no chain of layers, so there is nothing to check or to train. `check` takes a file of blocks and
numbers alone as a library for others, and finds nothing wrong with that.""",
        wrong="input 1x28x28\n",
        right="input 1x28x28\ndense 10 -> softmax\n",
        says=(Says("there is no chain of layers here"),),
    ),
    Code(
        "CNN025",
        "tap-within-chain",
        """\
`@name` begins a chain or a branch. Within a chain it would throw away what comes before it; to use both,
join them.""",
        wrong="""\
input 3x12x12
conv 3x3x3 pad same as c -> relu -> @c -> dense 10 -> softmax
""",
        right="""\
input 3x12x12
conv 3x3x3 pad same as c -> relu -> add( id | @c ) -> dense 10 -> softmax
""",
        says=(
            Says(
                "`@{name}` stands in the middle of a chain, where what comes before it would be lost",
                help="join the two: `concat(id | @{name})`",
            ),
        ),
    ),
    Code(
        "CNN026",
        "bad-override",
        """\
A text of `--set` is not `train.name=value` or `data.name=value`. Its value is written as in the file:
`--set "train.optimiser=adam lr 1e-3"`.""",
        how="Run any spec with `--set epochs`.",
        says=(
            Says(
                "an override is written `train.name=value`, `data.name=value`, or `name=value` of a `let`",
                help="for example `--set {form}`",
            ),
            Says("the spec has no `let {name}`", help="did you mean `{near}`?", case="near"),
            Says("the spec has no `let {name}`", help="a setting is `--set {form}`", case="unknown"),
        ),
    ),
    Code(
        "CNN027",
        "bad-graph",
        """\
A file called *.cnn.json is not a network as `cnnspec compile --emit json` writes it. The path tells where:
`/nodes/3/settings/stride` is the stride of the fourth node.""",
        how="Check a file net.cnn.json that holds `{}`.",
        says=(Says("the file is not JSON", "{error}", case="JSON"), Says("{path}: {what}", "in this file")),
    ),
    Code(
        "CNN028",
        "name-of-a-parameter",
        """\
A value is called as a parameter of another layer is: the weights of `basic1` are `basic1.weight`, and so is what
a block that is called `basic1` names `weight`. Give the layer, the block's call or the value another name.""",
        wrong="""\
input 4
block basic = dense 4 -> tanh as weight
dense 4 as basic1 -> relu -> basic -> dense 2 -> softmax
""",
        right="""\
input 4
block basic = dense 4 -> tanh as weight
dense 4 as first -> relu -> basic -> dense 2 -> softmax
""",
        says=(Says("`{name}` is what {whose} called", help="give one of the two another name, with `as`"),),
    ),
    Code(
        "CNN029",
        "foreign-comment",
        """\
A comment begins with `#` and ends with its line. `//`, `/* */`, `--`, `%` and three quotes begin comments in
other languages.""",
        wrong="""\
input 1x28x28   // of digits
dense 10 -> softmax
""",
        right="""\
input 1x28x28   # of digits
dense 10 -> softmax
""",
        says=(
            Says("`{sign}` does not begin a comment"),
            Says("`{sign}` does not begin a comment, and is never closed", help="use `#`", case="open"),
        ),
        fixed_by=("lang.hints.comments.end_of_comment",),
    ),
    Code(
        "CNN030",
        "number-without-braces",
        """\
The name of a number, of a `let` or of a block's parameter, stands in braces wherever a number is wanted:
`conv {w}x3x3`, `dense {2*w}`, `(...)*{n}`. Without them it reads as a word or a setting.""",
        wrong="""\
let n = 2
input 4
(dense 4 -> relu)*n -> dense 2 -> softmax
""",
        right="""\
let n = 2
input 4
(dense 4 -> relu)*{n} -> dense 2 -> softmax
""",
        says=(Says("a number's name stands in braces: `{meant}`"),),
        fixed_by=("lang.hints.signs._in_braces", "lang.hints.unknown.misread"),
    ),
)
