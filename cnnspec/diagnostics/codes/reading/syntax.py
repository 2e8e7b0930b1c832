"""Codes CNN001 to CNN007, CNN011 and CNN012: what stands where the language has no place for it."""

from __future__ import annotations

from ..code import Code, Says

SYNTAX: tuple[Code, ...] = (
    Code(
        "CNN001",
        "syntax-error",
        """\
Something stands where the language has no place for it. A chain is layers with `->` between them; a layer
is its word, its size, and settings that are pairs of a name and a value. One such error is reported for
each statement; reading goes on with the next.""",
        wrong="""\
input 1x28x28
conv 8x3x3 -> -> relu -> dense 10 -> softmax
""",
        right="""\
input 1x28x28
conv 8x3x3 -> relu -> dense 10 -> softmax
""",
        says=(
            Says("`{token}` cannot stand here", "{wanted}"),
            Says("a tap is `@` and the name of a value", case="tap"),
            Says("a repetition is written with `*`", case="times"),
            Says(
                "values are added by a join",
                help="write `add(... | @name)`, each branch on what comes before the parenthesis",
                case="sum",
            ),
            Says("the language has no lists", help="a chain is layers with `->` between them", case="list"),
            Says("the language has no `{keyword}`", help="{instead}", case="Python"),
            Says(
                "a layer is not assigned to `{name}`",
                help="layers follow one another with `->`; `as` names a value, `net` a chain",
                case="assigned",
            ),
            Says("a layer reads what comes before it", case="applied"),
            Says("`=` is missing", case="no equals"),
            Says("a chain is named by `net {name} =`", case="net"),
            Says("a repetition has one `*`", case="one times"),
            Says(
                "there is no block `{name}`",
                help="the blocks of settings are `train`, `data` and `expect`",
                case="block",
            ),
            Says("the chain of a {head} follows `=`", case="colon"),
            Says("a chain begins with its first layer, and reads the input by itself", case="input"),
            Says("the name comes before the shape", case="shape"),
            Says("braces make a number of arithmetic, and this is arithmetic", case="arithmetic"),
            Says("a call takes numbers, and chains behind `|`", case="call"),
            Says(
                "`|` stands between the branches of a join",
                help="name the join before its parenthesis: add, sub, concat, mul, max, min or mean",
                case="bar",
            ),
            Says("this `{text}` closes nothing", case="closes"),
            Says("a repetition is written after what is repeated", help="write `(...)*{count}`", case="count"),
            Says("`{sign}` is not `=`", case="equals"),
            Says("`{token}` cannot stand in arithmetic", case="in a hole"),
            Says("a number is named by `let {name} =`", case="let"),
            Says("no layer follows this arrow", case="after an arrow"),
            Says("a chain begins with a layer, not with an arrow", case="before an arrow"),
            Says("the arithmetic in this hole ends too early", case="end of a hole"),
            Says("`{sign}` is not an arrow", case="arrow"),
            Says("the line ends too early", "{wanted}", case="line"),
            Says("a chain stands without braces", help="{how}", case="braces"),
            Says("the language has no `{keyword}`", case="keyword"),
            Says("{why}", case="definition"),
            Says("this {head} has no name", help="{how}", case="no name"),
            Says("a value is named by `as`", case="as"),
            Says("what begins here stands in a line of its own", case="new line"),
            Says("a branch is missing here", case="no branch"),
            Says("branches have one `|` between them", case="two bars"),
            Says("a path stands in quotes", help='write `import "{path}"`', case="quoted"),
            Says("a layer is its word, its whole size, then its settings by name", case="paper"),
            Says("a budget compares: <=, >=, ==, < or >", case="compare"),
        ),
        fixed_by=(
            "lang.hints.foreign.definitions._parameter",
            "lang.hints.foreign.definitions.head_of_definition",
            "lang.hints.foreign.definitions.keyword_of_others",
            "lang.hints.foreign.papers._tell",
            "lang.hints.placed.said_elsewhere",
            "lang.hints.signs.applied",
            "lang.hints.signs.bars",
            "lang.hints.signs.sum_of_values",
            "lang.hints.signs.braces_around_chain",
            "lang.hints.signs.brackets",
            "lang.hints.signs.colon",
            "lang.hints.signs.count_without_sign",
            "lang.hints.signs.input_as_layer",
            "lang.hints.signs.named_layer",
            "lang.hints.syntax.arrow_alone",
            "lang.hints.syntax.braces_in_arithmetic",
            "lang.hints.syntax.chain_in_call",
            "lang.hints.signs.closes_nothing",
            "lang.hints.syntax.name_after_shape",
            "lang.hints.syntax.other_arrow",
            "lang.hints.syntax.other_equals",
            "lang.hints.syntax.pair_with_sign",
            "lang.hints.foreign.definitions.budget",
            "lang.hints.foreign.definitions.named_otherwise",
            "lang.hints.unknown.block_of_settings",
            "lang.hints.unknown.misread",
        ),
    ),
    Code(
        "CNN002",
        "missing-arrow",
        """\
Two layers stand side by side without `->`. A name and a value after a layer are a setting of it, so
`relu maxpool 2` reads as a setting `maxpool` of `relu`, which has none.""",
        wrong="""\
input 1x28x28
conv 8x3x3 -> relu maxpool 2 -> dense 10 -> softmax
""",
        right="""\
input 1x28x28
conv 8x3x3 -> relu -> maxpool 2 -> dense 10 -> softmax
""",
        says=(Says("an arrow is missing before `{name}`"),),
        fixed_by=("lang.hints.syntax.missing_arrow", "lang.hints.unknown.unknown_setting"),
    ),
    Code(
        "CNN003",
        "not-a-pair",
        """\
Settings are pairs of a name and one value with a space between them: `stride 2 pad same`. There is no `=`
and no comma, a name without a value means nothing, and in a block a new line or `;` stands between two
settings.""",
        wrong="""\
input 1x29x29
conv 8x3x3 stride=2 -> relu -> dense 10 -> softmax
""",
        right="""\
input 1x29x29
conv 8x3x3 stride 2 -> relu -> dense 10 -> softmax
""",
        says=(
            Says("a setting is a name and a value, without `{sign}`"),
            Says("what belongs to `{block}` stands in braces", help="write `{block} {{ ... }}`", case="colon"),
            Says("there is no comma between {what}", case="comma"),
            Says(
                "the setting `{name}` has no value",
                help="a size comes first, then settings with their values",
                case="value",
            ),
            Says("a path stands in quotes", case="path"),
            Says("the branches of a join are separated by `|`", case="branches"),
            Says("`{name}` is no setting of `{word}`; it is one of its own", case="own"),
            Says("a setting is a name and a value, without {without}", case="Python"),
            Says("`{name}` takes one value", help="put `;` or a new line before the next setting", case="one"),
            Says(
                "`{word}` is not a layer; what belongs to `{block}` stands in braces",
                help="write `{block} {{ ... }}`",
                case="outside",
            ),
        ),
        fixed_by=(
            "lang.hints.placed.report_outside",
            "lang.hints.foreign.lines.python_value",
            "lang.hints.syntax.bare_path",
            "lang.hints.syntax.comma",
            "lang.hints.syntax.name_without_value",
            "lang.hints.syntax.pair_with_sign",
            "lang.hints.unknown.called_like_python",
            "lang.hints.unknown.unknown_setting",
            "lang.lowering.declared._nothing_more",
            "lang.lowering.declared._read_clause",
        ),
    ),
    Code(
        "CNN004",
        "never-closed",
        """\
A parenthesis or a brace opens and does not close before the next statement begins, or before the end of
the file. What follows is read as if it had been closed there.""",
        wrong="""\
input 3x12x12
add( conv 3x3x3 pad same | id -> relu -> dense 10 -> softmax
""",
        right="""\
input 3x12x12
add( conv 3x3x3 pad same | id ) -> relu -> dense 10 -> softmax
""",
        says=(
            Says("the text in quotes is never closed", case="quotes"),
            Says("`{bracket}` is never closed", "its `{missing}` is missing"),
        ),
        fixed_by=("lang.hints.characters.open_string", "lang.parse.layout._never_closed"),
    ),
    Code(
        "CNN005",
        "not-a-number",
        """\
Something begins like a number and goes on as none: a letter O in place of a zero, a capital X in a size, a
unit that does not exist. Numbers may end in k, M, G, B, kB, MB, GB, KiB, MiB, GiB or %.""",
        wrong="""\
input 1x28x28
conv 8x3x3 -> relu -> dense 1O -> softmax
""",
        right="""\
input 1x28x28
conv 8x3x3 -> relu -> dense 10 -> softmax
""",
        says=(
            Says("`{text}` is not a number"),
            Says("`{text}` is not a number", "`{unit}` is not a unit", case="unit"),
            Says("`{text}` is not a number here", "{why}", case="form"),
        ),
        fixed_by=(
            "lang.hints.characters.letter_for_digit",
            "lang.hints.characters.letters_for_number",
            "lang.hints.foreign.numbers.number_of_others",
        ),
    ),
    Code(
        "CNN006",
        "number-too-large",
        """\
A number is larger than 1e15, or has more digits than anyone means. No network has such a size; the bound
keeps a file from making this program run out of memory.""",
        wrong="""\
input 1x28x28
let w = 10000000 * 10000000 * 10000000
dense {w} -> softmax
""",
        right="""\
input 1x28x28
let w = 10
dense {w} -> softmax
""",
        says=(
            Says("the result is larger than {largest}"),
            Says("{shown} is too large a number", help="numbers end at {largest}", case="written"),
        ),
    ),
    Code(
        "CNN007",
        "nested-too-deep",
        """\
Parentheses stand within parentheses more than 30 deep. Give the inner part a name: `block name = ...`.""",
        wrong="input 4\n" + "(" * 31 + "dense 2" + ")" * 31 + " -> softmax\n",
        right="input 4\n" + "(" * 30 + "dense 2" + ")" * 30 + " -> softmax\n",
        says=(
            Says("parentheses are nested deeper than {most}"),
            Says("blocks and parentheses are nested deeper than {most}", case="blocks"),
        ),
    ),
    Code(
        "CNN011",
        "strange-character",
        """\
A character that the language does not use outside of comments and quotes: a control character, a space that
is not one, a dash or an arrow that a word processor made of `->`, an `×` for an `x`.""",
        wrong="""\
input 1x28x28
conv 8x3x3 → relu -> dense 10 -> softmax
""",
        right="""\
input 1x28x28
conv 8x3x3 -> relu -> dense 10 -> softmax
""",
        says=(Says("the language does not use the character {character}"),),
        fixed_by=("lang.hints.characters.strange_character",),
    ),
    Code(
        "CNN012",
        "spaces-in-size",
        """\
A size is written without spaces: `8x3x3`. With spaces, `x 3` reads as a setting called `x`.""",
        wrong="""\
input 1x28x28
conv 8 x 3 x 3 -> relu -> dense 10 -> softmax
""",
        right="""\
input 1x28x28
conv 8x3x3 -> relu -> dense 10 -> softmax
""",
        says=(
            Says("the numbers of a size are joined by x"),
            Says("a size is written without spaces", case="spaces"),
            Says("the size of an input is numbers joined by x", case="input"),
        ),
        fixed_by=(
            "lang.hints.characters.letter_for_digit",
            "lang.hints.characters.strange_character",
            "lang.hints.signs.brackets",
            "lang.hints.signs.input_as_layer",
            "lang.hints.syntax._joined",
            "lang.hints.unknown.spaced_size",
        ),
    ),
)
