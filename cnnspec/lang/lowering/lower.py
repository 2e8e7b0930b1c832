"""Lowering: from the tree to the graph of words, with names, shapes and spans.

A mistake leaves a value that is None. What is built on it is still read, so that its own mistakes are
found, but never typed: consequences stay silent.
"""

from __future__ import annotations

from itertools import islice
from typing import NamedTuple

from ...diagnostics import Fault, Label, Span
from ...ir import Builder
from ...ir.op import Op
from ...words import WORDS
from ..findings import Findings, replace
from ..hints.spelling import own_word
from ..parse.tree import Call, Chain, Group, Hole, Join, Layer, Name, Number, Sizes, Stage, Tap, Term
from ..work import A_STEP
from .alike import Layers, ReadLayer, bare
from .arguments import bind, bind_chains, unknown
from .declared import BAD, evaluated
from .names import Numbers, Recipe
from .refused import explained, origin, present, unknown_layer, unread_layer, without_settings
from .scope import Passed, Scope, Value

LAYERS = {word: cls for word, cls in WORDS.items() if not cls.join}
MOST_NODES = 20_000
MOST_BRANCHES = 256
MOST_STEPS = 50_000  # also counts what makes no node, such as blocks of blocks of `id`
MOST_WRONG = 100  # times that a repetition with a mistake is read on, for the names of what follows
A_LONG_NAME = 16  # letters of a value's name that take as long as a token
DEEPEST_CALL = 30
DEEPEST_TERM = 60  # calls, joins and parentheses together: every level takes some frames of Python's stack


class Assertion(NamedTuple):
    """`:: 16x?x?`: a value, and the shape that is expected of it."""

    value: str
    wanted: tuple[int | None, ...]
    span: Span


class TooMuch(Exception):
    """The file expands to more than anyone can mean, or has more mistakes than are reported."""


class Lowering:
    """Builds the graph of one file. `types` may be asked for no value that is None or MISSING."""

    def __init__(self, findings: Findings) -> None:
        self.findings = findings
        self.builder = Builder()
        self.steps = self.depth = 0
        self.begun = findings.work.spent
        self.outermost: Span | None = None  # the repetition or call that is being expanded
        self.calls: set[int] = set()  # the recipes that are being read, by identity
        self.instances: dict[int, int] = {}  # how often each net has been called
        self.reading = 0  # which of the file's chains is being read
        self.taps: list[tuple[int, str]] = []  # values that chains go on from, with the number of the chain
        self.parameters_used: dict[int, set[str]] = {}
        self.assertions: list[Assertion] = []
        self.parts: dict[str, tuple[str, ...]] = {}  # by label, what was made in the stage that bears it
        self.made: dict[str, int] = {}  # by value, the number of the chain that made it
        self.layers = Layers(findings)
        self.unknown: set[int] = set()  # layers of no known word, reported before
        self.strays: set[int] = set()  # taps that lead nowhere, reported before

    # ---- chains ----------------------------------------------------------------------------------

    def chain(
        self, chain: Chain, value: Value, scope: Scope, first: bool = True, label: Name | None = None
    ) -> Value:
        """The value of a chain; `label` names its last stage, unless that has a name of its own.

        `first` where nothing stands before it that a tap would throw away.
        """
        last = len(chain.stages) - 1
        for i, stage in enumerate(chain.stages):
            value = self.stage(stage, value, scope, first and i == 0, label if i == last else None)
        return value

    def stage(self, stage: Stage, value: Value, scope: Scope, first: bool, label: Name | None = None) -> Value:
        own, count = stage.label, self.count(stage, scope)
        if own is not None:
            label = own if self.free(own, scope) else None
        outermost, before = self.outermost, len(self.builder.nodes)
        if count != 1:
            self.outermost = outermost or stage.span
        for i in range(count):
            value = self.term(stage.term, value, scope, first and i == 0, label if count == 1 else None)
            if value is None and i >= MOST_WRONG:
                break
        self.outermost = outermost
        if own is not None:
            scope.values[own.text] = value
            scope.places[own.text] = own.span
            self.parts[scope.path + own.text] = tuple(
                islice(reversed(self.builder.nodes), len(self.builder.nodes) - before)
            )
        if stage.expected is not None:
            self.check_shape(stage.expected, value, scope)
        return value

    def count(self, stage: Stage, scope: Scope) -> int:
        """How often a stage stands there; 1 where that could not be read."""
        if stage.times is None:
            return 1
        count = evaluated(stage.times, scope.numbers, self.findings)
        if count is BAD:
            return 1
        if isinstance(count, float) and count.is_integer():
            count = int(count)
        if not isinstance(count, int) or count < 0:
            self.findings.tell("CNN203", stage.times.span, case="repetition", count=count)
            return 1
        return count

    def free(self, label: Name, scope: Scope) -> bool:
        """Whether `as` may give this name; a repetition gives it again each time."""
        earlier = scope.places.get(label.text)
        if earlier is None and scope.path + label.text in self.builder.nodes:
            earlier = self.builder.nodes[scope.path + label.text].span
        elif earlier == label.span:
            return True
        if earlier is None:
            return True
        first = Label(earlier, f"`{label.text}` is this one")
        self.findings.tell("CNN019", label.span, case="value", related=(first,), name=label.text)
        return False

    def term(self, term: Term, value: Value, scope: Scope, first: bool, label: Name | None) -> Value:
        self.steps += 1
        self.findings.work.add(A_STEP)
        if self.findings.full:
            raise TooMuch
        much = self.findings.work.spent - self.begun > A_STEP * MOST_STEPS  # long names and arithmetic count, too
        if much or len(self.builder.nodes) > MOST_NODES:
            case, most = ("layers", MOST_NODES) if len(self.builder.nodes) > MOST_NODES else ("steps", MOST_STEPS)
            self.findings.tell("CNN008", self.outermost or term.span, case=case, most=most)
            raise TooMuch
        if isinstance(term, Tap):
            return self.tap(term, scope, first)
        if self.depth >= DEEPEST_TERM:
            self.findings.tell("CNN007", term.span, case="blocks", most=DEEPEST_TERM)
            return None
        self.depth += 1
        if isinstance(term, Layer):
            value = self.layer(term, value, scope, label)
        elif isinstance(term, Join):
            value = self.join(term, value, scope, label)
        elif isinstance(term, Group):
            value = self.chain(term.chain, value, scope, first, label)
        else:
            value = self.call(term.name, term, value, scope, label)
        self.depth -= 1
        return value

    # ---- layers ----------------------------------------------------------------------------------

    def layer(self, layer: Layer, value: Value, scope: Scope, label: Name | None) -> Value:
        word = layer.word
        if word.text in scope.chains:
            return self.passed(word, layer, value, scope, label)
        if word.text in scope.module.recipes:
            return self.call(word, layer, value, scope, label)
        if word.text == "id":
            without_settings(layer, self.findings)
            return value
        cls = WORDS.get(own_word(word.text, LAYERS))
        if cls is None or cls.join:
            if id(layer) not in self.unknown:  # once is enough: a repetition comes here again and again
                self.unknown.add(id(layer))
                unknown_layer(layer, scope, LAYERS, self.findings)
            return None
        read = self.layers.read(layer, cls, scope.numbers)
        op, x = read.op, present(value, layer.span, self.findings)
        if op is None or x is None:
            if op is None:
                unread_layer(layer, self.findings)
            scope.numbered(cls.word)  # the names of later values do not depend on this mistake
            return None
        if cls.word == "dense" and self.builder.type(x).kind != "vector":
            flat = self.builder.free_name(scope.numbered("flatten"))
            x = self.builder.add(bare("flatten"), x, name=flat, span=layer.span, blocks=scope.blocks)
        return self.add(op, (x,), scope, layer.span, label, read)

    def add(
        self, op: Op, inputs: tuple[str, ...], scope: Scope, span: Span, label: Name | None, read: ReadLayer
    ) -> Value:
        """Add a node; None, and a finding, where the op refuses its inputs."""
        builder = self.builder
        name = builder.free_name(scope.path + label.text if label else scope.numbered(op.word))
        self.findings.work.add(len(name) // A_LONG_NAME)
        weights, given = "", label is not None
        try:
            if scope.owner != scope.path:
                weights = self.shared(op, inputs, scope.owner + name.removeprefix(scope.path))
            self.made[name] = self.reading
            return builder.add(op, *inputs, name=name, span=span, blocks=scope.blocks, given=given, weights=weights)
        except Fault as fault:
            from ..hints.candidates import Refused, candidates

            kinds = [builder.type(value) for value in inputs]
            node, spans = builder.nodes[inputs[0]], read.at(span)
            origin = None if node.inputs else node.span
            likely = candidates(fault, Refused(op, span, spans, kinds, origin))
            self.findings.add(explained(fault, op, inputs, spans, builder), *likely)
            return None

    def shared(self, op: Op, inputs: tuple[str, ...], owner: str) -> str:
        """The owner of a node's weights in a later call of a net; empty where it has none."""
        types = [self.builder.type(value) for value in inputs]
        op.type(*types)  # the shape rule comes first: it may have a Fault of its own
        mine = op.parameters(*types)
        first = self.builder.nodes.get(owner)
        if not mine or first is None:
            return ""
        theirs = op.parameters(*(self.builder.type(value) for value in first.inputs))
        for own, other in zip(mine, theirs, strict=True):
            if own.type != other.type:
                raise Fault.of("CNN109", first=other.type, here=own.type)
        return owner

    # ---- joins, taps -----------------------------------------------------------------------------

    def join(self, join: Join, value: Value, scope: Scope, label: Name | None) -> Value:
        if len(join.branches) > MOST_BRANCHES:
            self.findings.tell("CNN008", join.word.span, case="branches", most=MOST_BRANCHES)
            return None
        values = [self.chain(branch, value, scope) for branch in join.branches]
        if len(values) < 2:
            self.findings.tell("CNN207", join.span, case="one branch", word=join.word.text)
            return None
        known = [present(v, branch.span, self.findings) for v, branch in zip(values, join.branches, strict=True)]
        inputs = tuple(v for v in known if v is not None)
        if len(inputs) < len(known):
            scope.numbered(join.word.text)
            return None
        spans = {"": join.word.span}
        spans |= {f"input{i}": branch.stages[-1].span for i, branch in enumerate(join.branches)}
        op = bare(join.word.text)
        return self.add(op, inputs, scope, join.span, label, ReadLayer(op, spans, join.span.start, 0))

    def tap(self, tap: Tap, scope: Scope, first: bool) -> Value:
        if not first:
            self.findings.tell("CNN025", tap.span, name=tap.name)
        for around in scope:
            value = around.values.get(tap.name, around.path + tap.name)
            if tap.name in around.values or value in self.builder.nodes:
                if isinstance(value, str):
                    self.taps.append((self.reading, value))
                return value
        if tap.name.partition(".")[0] in scope.module.file.lost:
            return None
        if id(tap) not in self.strays:
            from ..hints.unknown import unknown_value

            self.strays.add(id(tap))
            unknown_value(tap, scope, list(self.builder.nodes), self.findings)
        return None

    # ---- calls -----------------------------------------------------------------------------------

    def call(self, name: Name, call: Call | Layer, value: Value, scope: Scope, label: Name | None) -> Value:
        if name.text in scope.chains:
            return self.passed(name, call, value, scope, label)
        recipe = scope.module.recipes.get(name.text)
        if recipe is None:
            assert isinstance(call, Call)
            if scope.module.may_define(name.text) or name.text in scope.module.clashing:
                return None
            from ..hints.unknown import called_like_python

            called_like_python(call, scope.module.recipes, self.findings)
            return None
        scope.module.called.add(name.text)
        numbers = bind(recipe, call, scope.numbers, self.findings)
        chains = bind_chains(recipe, call, self.findings)
        if len(self.calls) >= DEEPEST_CALL or id(recipe) in self.calls:
            if id(recipe) in self.calls:
                self.findings.tell("CNN021", name.span, name=name.text)
            else:
                self.findings.tell("CNN021", name.span, case="deep", name=name.text, deepest=DEEPEST_CALL)
            return None
        inner = self.instance(recipe, numbers, scope, label)
        if chains:
            calls = frozenset(self.calls)
            inner.chains = {name: Passed(chain, scope, calls) for name, chain in chains.items()}
        before = len(self.findings)
        outermost, self.outermost = self.outermost, self.outermost or call.span
        value = self.body(recipe, value, inner)
        self.outermost = outermost
        if len(self.findings) > before:
            self.findings.trace(before, Label(call.span, _called(numbers, recipe)))
        return value

    def body(self, recipe: Recipe, value: Value, inner: Scope) -> Value:
        self.calls.add(id(recipe))
        value = self.chain(recipe.chain, value, inner)
        self.calls.remove(id(recipe))
        self.parameters_used.setdefault(id(recipe), set()).update(inner.numbers.used)
        return value

    def passed(self, name: Name, term: Call | Layer, value: Value, scope: Scope, label: Name | None) -> Value:
        """A chain that a block was called with, each time with new weights: `f` in `block gated(c | f) = ...`."""
        scope.numbers.used.add(name.text)
        plain = not (term.arguments or term.chains if isinstance(term, Call) else term.size or term.attrs)
        if not plain:
            self.findings.tell("CNN020", term.span, case="chain", name=name.text)
            return None
        chain, outer, calls = scope.chains[name.text]
        own = label.text if label else scope.numbered(name.text)[len(scope.path) :]
        if chain is None or outer is None:
            return None
        inner = Scope(
            outer.module,
            outer.numbers,
            f"{scope.path}{own}.",
            f"{scope.owner}{own}.",
            (*scope.blocks, own),
            outer=outer,
            chains=outer.chains,
        )
        within, self.calls = self.calls, set(calls)
        value = self.chain(chain, value, inner)
        self.calls = within
        return value

    def read_only(self, recipe: Recipe) -> None:
        """Read a block for its mistakes alone: nothing of it is built."""
        name = f"{recipe.name.text}."
        chains = {name.text: Passed(None, None, frozenset()) for name in recipe.chains}
        self.body(recipe, None, Scope(recipe.module, unknown(recipe), name, name, chains=chains))

    def instance(self, recipe: Recipe, numbers: Numbers, scope: Scope, label: Name | None) -> Scope:
        """The scope of one call. Every call of a net but the first uses the weights of the first."""
        if recipe.shared:
            net = recipe.name.text
            count = self.instances[id(recipe)] = self.instances.get(id(recipe), 0) + 1
            name = net if count == 1 else f"{net}_{count}"
            return Scope(recipe.module, numbers, f"{name}.", f"{net}.", (*scope.blocks, name))
        name = label.text if label else scope.numbered(recipe.name.text)[len(scope.path) :]
        path, owner = f"{scope.path}{name}.", f"{scope.owner}{name}."
        return Scope(recipe.module, numbers, path, owner, (*scope.blocks, name))

    # ---- assertions ------------------------------------------------------------------------------

    def check_shape(self, expected: Number | Hole | Sizes, value: Value, scope: Scope) -> None:
        """`:: 16x14x14`: the shape that the author expects here."""
        wanted = evaluated(expected, scope.numbers, self.findings)
        if wanted is BAD or not isinstance(value, str):
            return
        wanted = wanted if isinstance(wanted, tuple) else (wanted,)
        self.assertions.append(Assertion(value, wanted, expected.span))
        found = self.builder.type(value)
        if len(wanted) == len(found.shape) and all(
            want in (None, have) for want, have in zip(wanted, found.shape, strict=True)
        ):
            return
        made = origin(value, self.builder)
        right = replace(expected.span, str(found), help=f"the shape is `{found}`")
        shown = "x".join("?" if size is None else str(size) for size in wanted)
        related = (made,) if made else ()
        self.findings.tell("CNN102", expected.span, right, related=related, found=found, wanted=shown)


def _called(numbers: Numbers, recipe: Recipe) -> str:
    given = [param.name.text for param in recipe.params]
    shown = ", ".join(f"{name} = {numbers.own[name]}" for name in given)
    return f"called here with {shown}" if shown else "called here"
