"""Programs in Python that build a network: the spec that says the same.

    x = layers.Conv2D(8, 3)(inputs)
    y = layers.ReLU()(x)                 conv 8x3x3 -> add(relu | id)
    outputs = layers.add([y, x])

A value of the program is the chain that leads to it. Two chains that are joined have what they begin with in
common, and the rest of each is a branch. What cannot be followed (a loop, a function of one's own, a layer with
weights that is used twice) leaves the program without a spec.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable
from itertools import takewhile

from ....ir.op import Op
from ....words import WORDS
from ..spelling import bare, elsewhere, own_setting, own_word
from .calls import layer, nested, plain, read_call

Chain = tuple[str, ...]
JOINS = {word: cls for word, cls in WORDS.items() if cls.join}
SIGNS: dict[type[ast.operator], str] = {ast.Add: "add", ast.Mult: "mul", ast.Sub: "sub"}
MADE_OF_LAYERS = frozenset(("sequential", "modulelist"))
WITHOUT_LAYER = frozenset(("identity", "input", "inputlayer", "rescaling"))
LEARNING = {word for word, cls in WORDS.items() if cls.parameters is not Op.parameters}  # what has weights
WIDEST = 100  # columns of a line of the spec


class Unfollowed(Exception):
    """A part of a program whose meaning is not known."""


def spec_of(tree: ast.Module, with_input: bool) -> str:
    """The spec that a program stands for, with its input where that is told and wanted; empty for none.

    >>> spec_of(ast.parse("x = Conv2D(8, 3)(x)\\ny = add([x, relu(x)])"), False)
    'conv 8x3x3 -> add(id | relu)\\n'
    """
    program = Program()
    try:
        program.follow(tree.body)
        chain = program.result
        if not chain:
            return ""
    except (Unfollowed, RecursionError):
        return ""
    if program.ends_in_softmax and chain[-1] not in ("softmax", "logsoftmax"):
        chain = (*chain, "softmax")  # which PyTorch's cost holds
    head = [f"input {program.input}"] if program.input and with_input else []
    said = " ; ".join(f"{name} {value}" for name, value in program.settings.items())
    last = [f"train {{ {said} }}"] if said else []
    return "".join(f"{each}\n" for each in (*head, *_lines(chain), *last))


def in_order(tree: ast.Module) -> str:
    """The layers that a program makes and does not join, one after the other; empty where it is not that alone.

    >>> in_order(ast.parse("self.conv1 = nn.Conv2d(1, 8, 3)\\nself.fc = nn.Linear(5408, 10)"))
    'conv 8x3x3 -> dense 10\\n'
    """
    program = Program()
    chain: list[str] = []
    try:
        for statement in tree.body:
            match statement:
                case ast.Assign(targets=[ast.Name() | ast.Attribute()], value=ast.Call() as call):
                    chain += program.layer(call)
                case ast.Expr(value=ast.Tuple(elts=calls)):
                    chain += [text for call in calls for text in program.layer(call)]
                case ast.Expr(value=ast.Call() as call):
                    chain += program.layer(call)
                case _:
                    return ""
    except (Unfollowed, RecursionError):
        return ""
    return "".join(f"{each}\n" for each in _lines(tuple(chain)))


def _lines(chain: Chain) -> list[str]:
    """A chain in lines."""
    lines: list[str] = []
    line = ""
    for number, text in enumerate(chain):
        arrow = " -> " if line else "  -> " if number else ""
        if line and len(line + arrow + text) > WIDEST:
            lines, line, arrow = [*lines, line], "", "  -> "
        line += arrow + text
    return [*lines, line] if line else lines


class Program:
    """What is known of a program up to a statement: its values, its layers, what it says of the training."""

    def __init__(self) -> None:
        self.values: dict[str, Chain] = {}
        self.layers: dict[str, Chain | None] = {}
        self.used: set[str] = set()
        self.settings: dict[str, str] = {}
        self.input = ""
        self.ends_in_softmax = False
        self.result: Chain = ()

    def follow(self, body: Iterable[ast.stmt], within: bool = False) -> None:
        """Follow statements; `within` those of a function, where a loop is part of what is computed."""
        for statement in body:
            match statement:
                case ast.ClassDef():
                    functions = {each.name: each for each in statement.body if isinstance(each, ast.FunctionDef)}
                    for name in ("__init__", "forward", "call"):
                        if name in functions:
                            self.follow(functions[name].body, within=True)
                case ast.FunctionDef():
                    self.follow(statement.body, within=True)
                case ast.Assign(targets=[ast.Name() | ast.Attribute() as target], value=value):
                    self.assign(ast.unparse(target), value)
                case ast.AugAssign(target=ast.Name(id=name), op=op, value=value) if within:
                    self.values[name] = self.result = self.value(ast.BinOp(ast.Name(name), op, value))
                case ast.Return(value=ast.expr() as value):
                    name = ast.unparse(value)
                    self.result = (self.layers.get(name) or ()) if name in self.layers else self.value(value)
                case ast.Expr(value=ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr="add")) as call):
                    self.layers[name] = self.result = (self.layers.get(name) or ()) + self.layer(call.args[0])
                case ast.Expr(value=ast.Call() as call):
                    self.training(call)
                case ast.For() | ast.While() | ast.If() | ast.AugAssign() if within:
                    raise Unfollowed

    def assign(self, target: str, value: ast.expr) -> None:
        """`x = layers.Conv2D(8, 3)(x)`, `self.conv = nn.Conv2d(1, 8, 3)`, `model = Model(inputs, outputs)`."""
        constructs = isinstance(value, ast.Call) and not isinstance(value.func, ast.Call)
        last = ast.unparse(value.func).rpartition(".")[2] if constructs and isinstance(value, ast.Call) else ""
        if not isinstance(value, ast.Call) or not last[:1].isupper():
            self.values[target] = self.result = self.value(value)
        elif last == "Input":
            self.input = _input(value) or self.input
            self.values[target] = ()
        elif last == "Model" and len(value.args) + len(value.keywords) >= 2:
            self.result = self.value([*value.args, *(word.value for word in value.keywords)][1])
        elif not self.told_of_training(value):
            try:
                self.layers[target] = self.layer(value)
            except Unfollowed:
                self.layers[target] = None
            if bare(last) in MADE_OF_LAYERS:
                self.result = self.layer(value)

    def value(self, node: ast.expr) -> Chain:
        """The chain that leads to a value; a name that nothing was given to is the input."""
        match node:
            case ast.Name(id=name) if name not in self.layers:
                return self.values.get(name, ())
            case ast.BinOp(left=left, op=op, right=right) if type(op) in SIGNS:
                return self.joined(SIGNS[type(op)], [left, right])
            case ast.Call(func=ast.Call() as made, args=[ast.List(elts=branches)]):
                return self.joined(_join(made), branches)
            case ast.Call(func=ast.Call() as made, args=[before]):
                return self.value(before) + self.layer(made)
            case ast.Call(func=func, args=[before]) if (name := ast.unparse(func)) in self.layers:
                return self.value(before) + self.again(name)
            case ast.Call(args=[ast.List(elts=branches) | ast.Tuple(elts=branches), *_]) if _join(node):
                return self.joined(_join(node), branches)
            case ast.Call(func=ast.Attribute(value=ast.Name(id=name) as before)) if name in self.values:
                return self.value(before) + self.layer(node)  # x.view(-1, 320)
            case ast.Call(func=ast.Attribute(value=ast.Name(id="x"))):
                return self.layer(node)
            case ast.Call(args=[before, *rest]):  # F.relu(x)
                return self.value(before) + self.layer(ast.Call(node.func, [ast.Name(""), *rest], node.keywords))
        raise Unfollowed

    def joined(self, word: str, branches: list[ast.expr]) -> Chain:
        """Values that are joined: what they begin with, and a join of the rest of each."""
        chains = [self.value(branch) for branch in branches]
        common = tuple(
            parts[0] for parts in takewhile(lambda parts: len(set(parts)) == 1, zip(*chains, strict=False))
        )
        if not word or len(chains) < 2:
            raise Unfollowed
        rests = " | ".join(" -> ".join(chain[len(common) :]) or "id" for chain in chains)
        return (*common, f"{word}({rests})")

    def again(self, name: str) -> Chain:
        """The layers that a program has given a name, where they may be used once more."""
        chain = self.layers[name]
        if chain is None or (name in self.used and {text.split()[0] for text in chain} & LEARNING):
            raise Unfollowed
        self.used.add(name)
        return chain

    def layer(self, node: ast.expr) -> Chain:
        """The layers that a call makes."""
        if not isinstance(node, ast.Call):
            raise Unfollowed
        name = bare(ast.unparse(node.func))
        self.input = self.input or _input(node)
        if name in MADE_OF_LAYERS:
            parts = node.args[0].elts if len(node.args) == 1 and isinstance(node.args[0], ast.List) else node.args
            return tuple(text for part in parts for text in self.layer(part))
        if name in WITHOUT_LAYER:
            return ()
        call = read_call(node)
        text = layer(call) if call else ""
        if not text:
            raise Unfollowed
        return tuple(text.split(" -> "))

    def told_of_training(self, node: ast.Call) -> bool:
        """`optimizer = optim.SGD(model.parameters(), lr=0.1)`, `criterion = nn.CrossEntropyLoss()`."""
        call = read_call(node)
        for setting in ("optimiser", "cost") if call else ():
            said = nested(call, setting) if call else ""
            if said and said.split()[0] != ast.unparse(node.func).rpartition(".")[2]:
                self.settings[setting] = said
                self.ends_in_softmax |= said.startswith("cross_entropy")
                return True
        return False

    def training(self, node: ast.Call) -> None:
        """`model.compile(optimizer="adam", loss="mse")`, `model.fit(x, y, epochs=5)`."""
        if not isinstance(node.func, ast.Attribute) or node.func.attr not in ("compile", "fit"):
            return
        for word in node.keywords:
            own = own_setting(word.arg or "", ("optimiser", "cost", "epochs", "batch"))
            if isinstance(word.value, ast.Call) and own in ("optimiser", "cost"):
                call = read_call(word.value)
                said = nested(call, own) if call else ""
            elif isinstance(word.value, ast.Constant):
                said = plain(str(word.value.value))
            else:
                continue
            if own in ("optimiser", "cost", "epochs", "batch") and said:
                self.settings[own] = said.replace("sparse_categorical_crossentropy", "cross_entropy")


def _join(node: ast.Call) -> str:
    """The join that a call is; empty for none."""
    last = ast.unparse(node.func).rpartition(".")[2]
    word = own_word(last, JOINS)
    return word if word in JOINS else elsewhere(last, JOINS)


def _input(node: ast.Call) -> str:
    """The size of the input that a call tells, channels first: `Input(shape=(28, 28, 1))`; empty for none."""
    named = {word.arg: word.value for word in node.keywords}
    shape = named.get("input_shape") or (
        named.get("shape") or (node.args[0] if node.args else None)
        if ast.unparse(node.func).rpartition(".")[2] == "Input"
        else None
    )
    sizes = (
        [each.value for each in shape.elts if isinstance(each, ast.Constant)]
        if isinstance(shape, ast.Tuple)
        else []
    )
    if not isinstance(shape, ast.Tuple) or len(sizes) != len(shape.elts) or not 1 <= len(sizes) <= 3:
        return ""
    return "x".join(map(str, (sizes[-1], *sizes[:-1])))
