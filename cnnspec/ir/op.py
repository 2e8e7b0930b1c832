"""The base of ops: everything that the compiler asks of one.

A *word* is an op that an author can write (`conv`, `relu`); the fields of its dataclass are its syntax. Words make
up the graph that is checked, counted, drawn and exported. `decompose` turns a word into the *primitives* that the
plan is made of; a word whose own name is primitive enough (`relu`) stays as it is. A word that is made of other
words says so in `in_words`, and needs nothing else: plans and targets follow from those. Primitives know their
gradient (as further nodes), their value (`evaluate`, slow and obvious) and their lines of plan (`emit`, fast).

To add a word: a dataclass in its family's file in `words/`, an entry in `OPS` there, primitives in `primitives/`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, ClassVar, Generic, Protocol, TypeVar

from ..diagnostics import Span
from ..record import record
from .fields import Declared
from .geometry import ROW_BY_ROW, Geometry, Window
from .types import TensorType

Self = TypeVar("Self", bound="Op")

if TYPE_CHECKING:
    from numpy import ndarray as Array
    from typing_extensions import TypeVar as Defaulted

    Made = Defaulted("Made", bound="Op", covariant=True, default="Op")
else:
    Array = object  # in annotations alone: who checks a spec does not wait for NumPy
    Made = TypeVar("Made")


@record
class Parameter:
    """An array that a word owns.

    `type` has the axes of PyTorch's layout; `stored` their order in the plan's memory, after unfolding
    a folded channel axis. `init` is an initialiser's name, or a number to fill with; `fan_in` and
    `fan_out` count the inputs of one output and the outputs of one input. State that is not `trained`
    (`running_mean`) is changed by steps and saved, but has no gradient.
    """

    name: str
    type: TensorType
    init: str | float
    fan_in: int = 1
    fan_out: int = 1
    stored: tuple[str, ...] = ()
    trained: bool = True

    @property
    def unfolded(self) -> tuple[tuple[str, int], ...]:
        """Axes in PyTorch's order, with a folded channel axis taken apart."""
        axes: list[tuple[str, int]] = []
        for name, size in self.type.axes:
            axes += self.type.folded if name == "c" and self.type.folded else [(name, size)]
        return tuple(axes)

    @property
    def order(self) -> tuple[int, ...]:
        """The transposition from PyTorch's (unfolded) axes to the stored ones."""
        names = [name for name, _ in self.unfolded]
        return tuple(names.index(name) for name in self.stored or names)

    @property
    def stored_shape(self) -> tuple[int, ...]:
        sizes = [size for _, size in self.unfolded]
        return tuple(sizes[i] for i in self.order)


@record
class Op(Declared):
    """The base of all ops; see the module's text. Methods say what holds for most."""

    word: ClassVar[str] = ""  # what an author writes; empty for primitives that nobody writes
    family: ClassVar[str] = "primitive"
    example: ClassVar[str] = ""  # a chain that compiles and shows the word, for the reference and the tests
    on: ClassVar[str] = "3x12x12"  # the input that `example` is tried on
    join: ClassVar[bool] = False  # takes two or more inputs of equal standing: add, concat, ...
    aliases: ClassVar[tuple[str, ...]] = ()  # words of other systems that mean this one, for "did you mean"
    account: ClassVar[str] = "other"  # how its numbers come about: a kind of explain/explanation.py, and which
    can_alias: ClassVar[tuple[int, ...]] = ()  # inputs in whose memory the value may be made

    is_view: ClassVar[bool] = False  # the value is its input in other axes: no memory, no lines
    stateful: ClassVar[bool] = False  # changes state once a step, after all gradients
    layout_agnostic: ClassVar[bool] = False  # minds not how the pixels of a channel are arranged
    row_by_row: ClassVar[bool] = False  # makes each row of its image from that row of its images alone
    any_order: ClassVar[bool] = False  # minds not in which order a flattened image's numbers stand

    @property
    def fused_into_reader(self) -> bool:
        """Whether the value has no memory of its own: its one reader asks for it, a block of rows at a time."""
        return False

    def for_polyphase(self, *inputs: TensorType) -> Op | None:
        """The op that does the same on images in polyphase rows (primitives/convolution); None without one."""
        return self if self.layout_agnostic else None

    @property
    def row_geometry(self) -> Geometry | None:
        """How the rows of its image look at those of the first image it reads; None where it wants all of them."""
        return ROW_BY_ROW if self.layout_agnostic or self.row_by_row else None

    @property
    def rows_together(self) -> int:
        """How many rows of its image are made together; who makes some of them begins with such a piece."""
        return 1

    def for_rows(self, height: int, pad: tuple[int, int]) -> Op:
        """The op that makes so many rows of its image; `pad` is the padding left above and below them."""
        return self

    # ---- checking: no NumPy here -------------------------------------------------------------------

    def type(self, *inputs: TensorType) -> TensorType:
        """Type of the value, or a Fault that names the field to blame. Most ops keep their input's."""
        return inputs[0]

    def extras(self, *inputs: TensorType) -> Mapping[str, TensorType]:
        """Types of by-products that other nodes may read."""
        return {}

    def parameters(self, *inputs: TensorType) -> tuple[Parameter, ...]:
        """The arrays that the word owns, in PyTorch's names and layouts."""
        return ()

    def macs(self, *inputs: TensorType) -> int:
        """Multiply-adds for one image; additions and comparisons alone do not count."""
        return 0

    def flops(self, *inputs: TensorType) -> int:
        """Floating-point operations for one image: twice the multiply-adds, or one a number made."""
        return 2 * self.macs(*inputs) or self.type(*inputs).elements

    def window(self, *inputs: TensorType) -> Window | None:
        """How the outputs look at the input; None where each output sees what its input saw."""
        return None

    @property
    def looks_everywhere(self) -> bool:
        """Whether every output depends on the whole image (a dense layer, a global pool)."""
        return False

    # ---- compiling ---------------------------------------------------------------------------------

    def in_words(self, b: WordBuilder, *inputs: str) -> str | None:
        """Build the value of other words and return it; None for a word that is made of none.

        Plans and targets that have nothing of their own for this word take those. The last is added without a name.
        """
        return None

    @classmethod
    def has_primitives(cls) -> bool:
        """Whether `decompose` knows the way, or the word is a primitive itself; else it is what `in_words` says."""
        return cls.in_words is Op.in_words or cls.decompose is not Op.decompose or cls.emit is not Op.emit

    def decompose(self, node: Node, inputs: tuple[str, ...], b: Decomposer) -> str:
        """Build this word from primitives and return the value; `b.training` tells the mode."""
        return b.add(self, *inputs, name=node.name, like=node)

    def gradient(self, node: Node, dy: str, b: GraphBuilder) -> tuple[str | None, ...]:
        """Values of the gradient with respect to each input, given that of the output; None for none.

        Add nodes with `b.add(op, *values, name=f"{node.name}.dx", like=node)`.
        """
        raise AssertionError(f"{type(self).__name__} has no gradient")

    def evaluate(self, *inputs: Array) -> Array | tuple[Array, ...]:
        """The value by the definition, in (n, c, h, w) order: slow, obvious, an oracle for the plan.

        With extras: a tuple of the value and the extras in the order `extras` names them.
        """
        raise AssertionError(f"{type(self).__name__} has no definition")

    def renamed(self, source: str, of: tuple[int, ...], shape: tuple[int, ...]) -> str:
        """Source of the value as a view of its input, where the op `is_view`."""
        return source if of == shape else f"{source}.reshape{shape}"

    def emit(self, node: Node, e: PlanWriter) -> None:
        """Write the node's lines of plan."""
        raise AssertionError(f"{type(self).__name__} has no lines of plan")

    # ---- syntax ------------------------------------------------------------------------------------

    def changed(self: Self, **fields: object) -> Self:
        return dataclasses.replace(self, **fields)

    def written(self, explicit: bool = False) -> str:
        """The word as its author would write it; with every default where `explicit`."""
        from .fields import written

        return written(self, explicit)

    @classmethod
    def summary(cls) -> str:
        """The first sentence of the docstring: what the word does."""
        return (cls.__doc__ or "").strip().split("\n\n")[0].replace("\n", " ")


@record
class Slides(Op):
    """What primitives share that slide a window over an image."""

    geometry: Geometry

    @property
    def row_geometry(self) -> Geometry | None:
        return self.geometry

    def for_rows(self, height: int, pad: tuple[int, int]) -> Op:
        return self.changed(geometry=self.geometry.padded(pad))


NOTHING: Mapping[str, TensorType] = MappingProxyType({})


@dataclass(frozen=True)
class Node(Generic[Made]):
    """One application of an op; `Node[Conv]` is one of `conv`.

    name     how tables, messages, weights and the plan call it: `conv1`, `basic3.bn2`
    op       what is done
    inputs   the values it reads: a node's name, or `name:extra` for a by-product of that node
    type     type of its value
    extras   by-products that other nodes may read (`pool1:winners`), by name
    weights  the node whose parameters it uses: its own name, unless weights are shared
    span     the piece of the spec that it came from
    blocks   calls and repetitions it stands in, outermost first: ("basic3",)
    given    True where the author named it (`as`), so a pass must not rename it
    why      how it is computed and the reason, for the reader of a plan
    """

    name: str
    op: Made
    inputs: tuple[str, ...]
    type: TensorType
    extras: Mapping[str, TensorType] = field(default_factory=lambda: NOTHING)
    weights: str = ""
    span: Span | None = None
    blocks: tuple[str, ...] = ()
    given: bool = False
    why: str = ""

    def __init__(
        self,
        name: str,
        op: Made,
        inputs: tuple[str, ...],
        type: TensorType,
        extras: Mapping[str, TensorType] = NOTHING,
        weights: str = "",
        span: Span | None = None,
        blocks: tuple[str, ...] = (),
        given: bool = False,
        why: str = "",
    ) -> None:
        # what dataclass would write sets each field through a check, and a graph has thousands of nodes
        mine = self.__dict__
        mine["name"], mine["op"], mine["inputs"], mine["type"], mine["extras"] = name, op, inputs, type, extras
        mine["weights"], mine["span"], mine["blocks"] = weights, span, blocks
        mine["given"], mine["why"] = given, why

    @property
    def owner(self) -> str:
        return self.weights or self.name

    def __getstate__(self) -> dict[str, object]:
        return {**self.__dict__, "extras": dict(self.extras)}

    def __setstate__(self, state: dict[str, dict[str, TensorType]]) -> None:
        self.__dict__.update(state, extras=MappingProxyType(state["extras"]))


# ---- what ops are given to work with ---------------------------------------------------------------------


class GraphBuilder(Protocol):
    """What an op builds its gradient with: values by name, nodes added one at a time."""

    def type(self, value: str) -> TensorType: ...

    def add(self, op: Op, *inputs: str, name: str, like: Node | None = None) -> str:
        """Add a node, at the line of the spec that `like` came from, and return the name of its value."""
        ...


class WordBuilder(Protocol):
    """What a word is built of other words with."""

    def type(self, value: str) -> TensorType: ...

    def add(self, op: Op, *inputs: str, name: str = "") -> str:
        """Add a word, `name` within this one, and return its value; the last has none."""
        ...


class Decomposer(GraphBuilder, Protocol):
    """What a word is replaced by primitives with; `training` is the mode."""

    training: bool

    def learns(self, node: Node) -> bool:
        """Whether a word is being trained, which one that is frozen is not."""
        ...

    def parameter(self, node: Node, name: str) -> str:
        """The value of a word's parameter."""
        ...

    def update(self, state: str, value: str) -> None:
        """A training step moves this state."""
        ...

    def word(self, name: str) -> Node:
        """The node of the graph of words, which knows what it was made of."""
        ...


class PlanWriter(Protocol):
    """What an op writes its lines of plan with; `codegen/emit.py` is the one there is.

    `n` images are in this shard's plan, of a batch of `batch`, which so many `shards` learn from. Values are asked
    for by name and come as source; `seen` is where all shards see those that were shown to all, by name and order.
    """

    n: int
    batch: int
    shards: int
    seen: dict[tuple[str, str], str]

    def type(self, value: str) -> TensorType: ...

    def op(self, value: str) -> Op: ...

    def shape(self, value: str) -> tuple[int, ...]: ...

    def rows_shape(self, value: str) -> tuple[int, ...]: ...

    def pixel_count(self, value: str) -> int: ...

    def __getitem__(self, value: str) -> str: ...

    def rows(self, value: str) -> str: ...

    def pixels(self, value: str) -> str: ...

    def blocks(self, value: str) -> str: ...

    def matrix(self, value: str) -> str: ...

    def unfolded(self, value: str) -> str: ...

    # other arrays and numbers

    def view(self, suffix: str, code: str) -> str: ...

    def view_of(self, value: str, suffix: str, code: str) -> str: ...

    def scratch(
        self, suffix: str, shape: tuple[int, ...], dtype: str = "float", until_read: bool = False
    ) -> str: ...

    def filled(self, suffix: str, shape: tuple[int, ...], number: float) -> str: ...

    def partial_sums(self, value: str, suffix: str, shape: tuple[int, ...]) -> str: ...

    def shown(self, suffix: str, shape: tuple[int, ...]) -> str: ...

    def made_together(self, value: str) -> bool: ...

    def constant(self, suffix: str, array: Array) -> str: ...

    def number(self, value: float) -> str: ...

    def random_key(self, node: Node) -> str: ...

    def cost(self, node: Node) -> str: ...

    def call(self, function: Callable[..., object], *arguments: object, **named: object) -> None: ...

    def call_to(self, place: str, function: Callable[..., object], *arguments: object, **named: object) -> None: ...

    def call_last(self, function: Callable[..., object], *arguments: object, **named: object) -> None: ...

    def source(self, function: Callable[..., object], *arguments: object, **named: object) -> str: ...

    def zero(self, value: str) -> None: ...

    def count_correct(self, node: Node, p: str, t: str, labels: bool = False) -> None: ...

    def place(self, value: str, code: str) -> None: ...

    def barrier(self, why: str = "every shard has its sums") -> None: ...
