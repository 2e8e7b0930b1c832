"""The tree: a file as its author wrote it, with a span for everything.

Nothing is resolved here: a hole is still an expression, a word still a name. Named tuples, because they
are immutable and cost nothing at start-up.
"""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

from ...diagnostics import Source, Span


class Name(NamedTuple):
    """A word, a setting, a block, a value: `conv`, `stride`, `lenet.stem`."""

    text: str
    span: Span


class Number(NamedTuple):
    """A number with its unit resolved: `60k` is 60000, `10%` is 0.1. None where it could not be read."""

    value: int | float | None
    span: Span


class Quote(NamedTuple):
    """A text in quotes, without them."""

    text: str
    span: Span


# ---- arithmetic ------------------------------------------------------------------------------------------


class Variable(NamedTuple):
    """The name of a `let` or of a block's parameter, within an expression."""

    name: str
    span: Span


class Operation(NamedTuple):
    """Operands with operators of equal rank between them, to be taken from left to right."""

    first: Expr
    rest: tuple[tuple[str, Expr], ...]
    span: Span


class Negative(NamedTuple):
    """`-x`, or `--x`, ..."""

    signs: int
    operand: Expr
    span: Span


class Function(NamedTuple):
    """`min(a, b)`, `round(x)`."""

    name: Name
    arguments: tuple[Expr, ...]
    span: Span


Expr: TypeAlias = Number | Variable | Operation | Negative | Function


class Hole(NamedTuple):
    """`{2*w}`: a number to be computed. The expression is None where it could not be read."""

    expr: Expr | None
    span: Span


class Sizes(NamedTuple):
    """`8x3x3`, `{w}x3x3`, `?x14x14`; None stands for `?`."""

    items: tuple[Number | Hole | None, ...]
    span: Span


class Listed(NamedTuple):
    """Values with commas between them: `stem, stage1`."""

    items: tuple[Number | Hole | Sizes | Name | Quote, ...]
    span: Span


Value: TypeAlias = Number | Hole | Sizes | Name | Quote | Listed
Size: TypeAlias = Number | Hole | Sizes

# ---- chains ----------------------------------------------------------------------------------------------


class Attr(NamedTuple):
    """A setting of a word: `stride 2`."""

    name: Name
    value: Value

    @property
    def span(self) -> Span:
        return self.name.span.to(self.value.span)


class Layer(NamedTuple):
    """A word with its size and settings: `conv 8x3x3 stride 2`."""

    word: Name
    size: Size | None
    attrs: tuple[Attr, ...]
    span: Span


class Arg(NamedTuple):
    """An argument of a call: `64`, or `s = 2`."""

    name: Name | None
    value: Expr


class Call(NamedTuple):
    """A block called with arguments, `basic(64, s = 2)`, and with chains behind bars: `gated(8 | conv 8x3x3)`."""

    name: Name
    arguments: tuple[Arg, ...]
    span: Span
    chains: tuple[Chain, ...] = ()


class Join(NamedTuple):
    """`add(a | b)`: each branch gets the same input, the results are joined."""

    word: Name
    branches: tuple[Chain, ...]
    span: Span


class Group(NamedTuple):
    """A chain in parentheses."""

    chain: Chain
    span: Span


class Tap(NamedTuple):
    """`@e1`: an earlier value."""

    name: str
    span: Span


Term: TypeAlias = Layer | Call | Join | Group | Tap


class Stage(NamedTuple):
    """A term with what may follow it: `(relu)*3 as e1 :: 16x?x?`."""

    term: Term
    times: Number | Hole | None
    label: Name | None
    expected: Size | None
    span: Span


class Chain(NamedTuple):
    """Stages with arrows between them."""

    stages: tuple[Stage, ...]

    @property
    def span(self) -> Span:
        return self.stages[0].span.to(self.stages[-1].span)


# ---- statements ------------------------------------------------------------------------------------------


class Import(NamedTuple):
    """`import "lenet.cnn" as lenet`."""

    path: Quote
    name: Name | None
    span: Span


class Let(NamedTuple):
    """`let w = 64`."""

    name: Name
    value: Expr
    span: Span


class Param(NamedTuple):
    """A parameter of a block, with its default if it has one."""

    name: Name
    default: Expr | None


class Block(NamedTuple):
    """`block basic(c, s = 1) = chain`: a recipe; every call makes new weights."""

    name: Name
    params: tuple[Param, ...]
    chain: Chain
    span: Span
    chains: tuple[Name, ...] = ()  # names that stand for the chains of a call


class Net(NamedTuple):
    """`net head = chain`: a further named chain, and an output unless another chain goes on from it.

    A net that is called like a layer (`@left -> tower`) is instead one set of weights, shared by all of its
    calls; a block makes new ones in each.
    """

    name: Name
    chain: Chain
    span: Span


class Input(NamedTuple):
    """`input 3x32x32 as rgb`."""

    size: Size
    name: Name | None
    span: Span


class Setting(NamedTuple):
    """A line of `train` or `data`: `optimiser adam lr 1e-3`, `source npz "file"`."""

    name: Name
    value: Value
    size: Size | Quote | None
    attrs: tuple[Attr, ...]
    span: Span


class Settings(NamedTuple):
    """`train { ... }` or `data { ... }`."""

    word: Name
    settings: tuple[Setting, ...]
    span: Span


class Check(NamedTuple):
    """A line of `expect`: `params <= 62k`, `shape @conv1 == 6x28x28`, `recall of cat >= 80%`."""

    name: Name
    tap: Tap | None
    of: Attr | None
    relation: str
    value: Value
    span: Span


class Expect(NamedTuple):
    """`expect { ... }`."""

    checks: tuple[Check, ...]
    span: Span


Statement: TypeAlias = Import | Let | Block | Net | Input | Settings | Expect | Chain


class Part(NamedTuple):
    """A piece of a file that says the same wherever it stands: a statement, or the next lines of a long chain.

    start      offset of its first token (of the first part: 0); it ends where the next part starts
    begins     the type of its first token; `ARROW` where it goes on with the chain of the part before
    statement  what stands there; of a chain, the stages that stand there
    comments   those up to the next part
    tokens     how many it has, separators included
    """

    start: int
    begins: str
    statement: Statement
    comments: tuple[Span, ...]
    tokens: int


class Cut(NamedTuple):
    """A text that was read without a mistake, in parts: another version of it need not be read anew (parts.py)."""

    text: str
    parts: tuple[Part, ...]

    @property
    def cost(self) -> int:
        """What reading it is counted as: its tokens."""
        return sum(part.tokens for part in self.parts)


class File(NamedTuple):
    """A whole file; comments are kept beside the tree, by their spans.

    `lost` are the names in statements that could not be read: what they would define is not known. `cut` is the
    text in parts or, where it has mistakes, that of the last version that had none.
    """

    source: Source
    statements: tuple[Statement, ...]
    comments: tuple[Span, ...]
    lost: frozenset[str] = frozenset()
    whole: bool = True  # False where something could not be read
    cut: Cut | None = None
