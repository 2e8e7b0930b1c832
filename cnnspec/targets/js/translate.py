"""Schedules, and the numbers that optimisers take, written once in Python, as functions of JavaScript.

    def rate(self, step, total):                      function cosineRate(step, total) {
        warm = round(self.warmup * total)      ->       let warm = roundHalfEven(0.5 * total);
        return self.lr * step / warm                      return 0.002 * step / warm;
                                                      }

Settings (`self.lr`) become their values, methods and functions of the module functions of their own. Only what
such formulas need is known here: assignments of names, `return`, `if` without `else`, arithmetic, comparisons by
order, by `is`, `and`, `or`, `not`, `a if b else c`, dictionaries (`**` too), a `sum` over a setting, and
FUNCTIONS. All else is an error of ours that names it. A name that JavaScript keeps for itself ends in an
underscore there: `new_`.
"""

from __future__ import annotations

import ast
import inspect
import math
import textwrap
from collections.abc import Callable

FUNCTIONS = {
    "sqrt": "Math.sqrt", "exp": "Math.exp", "log": "Math.log", "cos": "Math.cos",
    "max": "Math.max", "min": "Math.min", "abs": "Math.abs", "round": "roundHalfEven",
}  # fmt: skip
OPERATORS: dict[type, str] = {
    ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=",
    ast.And: "&&", ast.Or: "||", ast.Is: "===", ast.IsNot: "!==", ast.Not: "!", ast.USub: "-",
}  # fmt: skip
# the reserved words of modules (ECMAScript, 12.7.2), the names that strict code cannot bind, and those used here
RESERVED = (
    "await", "break", "case", "catch", "class", "const", "continue", "debugger", "default", "delete", "do", "else",
    "enum", "export", "extends", "false", "finally", "for", "function", "if", "implements", "import", "in",
    "instanceof", "interface", "let", "new", "null", "package", "private", "protected", "public", "return",
    "static", "super", "switch", "this", "throw", "true", "try", "typeof", "var", "void", "while", "with", "yield",
    "arguments", "eval", "Math", "NaN", "Infinity", "undefined",
)  # fmt: skip


def functions(*methods: Callable[..., object]) -> str:
    """Bound methods, and all that they call."""
    made: dict[str, str] = {}
    todo: list[Callable[..., object]] = [*methods]
    while todo:
        one = todo.pop(0)
        if name_of(one) not in made:
            made[name_of(one)] = Function(one, todo).source()
    return "\n\n".join(made.values())


def name_of(function: Callable[..., object]) -> str:
    """`cosineRate` of a method, `wave` of a function."""
    of = getattr(function, "__self__", None)
    name = named(function.__name__)
    return name if of is None else f"{of.word}{name[:1].upper()}{name[1:]}"


def named(name: str) -> str:
    """`steps_per_epoch` as `stepsPerEpoch`."""
    first, *rest = name.strip("_").split("_")
    return bindable(first + "".join(map(str.capitalize, rest)))


def bindable(name: str) -> str:
    """The name itself, or `new_` of `new`, which JavaScript cannot bind."""
    return f"{name}_" if name in RESERVED else name


class Function:
    """One function; what it calls is added to `todo`."""

    def __init__(self, function: Callable[..., object], todo: list[Callable[..., object]]) -> None:
        self.function, self.todo = function, todo
        self.of = getattr(function, "__self__", None)
        (tree,) = ast.parse(textwrap.dedent(inspect.getsource(function))).body
        assert isinstance(tree, ast.FunctionDef)
        self.tree = tree
        self.bound: dict[str, object] = {}  # names that stand for numbers
        self.known: list[str] = []
        self.declared([argument.arg for argument in tree.args.args if argument.arg != "self"])

    def source(self) -> str:
        title = (inspect.getdoc(self.function) or self.tree.name).split("\n")[0]
        head = f"/** {title} */\nfunction {name_of(self.function)}({', '.join(map(named, self.known))}) {{"
        lines = self.block(self.tree.body[1:] if ast.get_docstring(self.tree) else self.tree.body)
        return "\n".join([head, *lines, "}"])

    def block(self, body: list[ast.stmt]) -> list[str]:
        """Statements, up to the first that always returns."""
        lines = []
        for part in body:
            lines += [f"  {line}" for line in self.statement(part)]
            taken = part.body[-1] if isinstance(part, ast.If) and self.settled(part.test) else part
            if isinstance(taken, ast.Return):
                break
        return lines

    def statement(self, tree: ast.stmt) -> list[str]:
        match tree:
            case ast.Return(value) if value is not None:
                return [f"return {self.expression(value)};"]
            case ast.Assign([ast.Name(name)], value):
                made = self.expression(value)
                return [f"{self.declared([name])}{named(name)} = {made};"]
            case ast.Assign([ast.Tuple(names)], ast.Tuple(values)):
                found = [name.id for name in names if isinstance(name, ast.Name)]
                made = ", ".join(map(self.expression, values))
                return [f"{self.declared(found)}[{', '.join(map(named, found))}] = [{made}];"]
            case ast.If(test, body, []):
                settled = self.settled(test)
                if settled is not None:
                    return [line[2:] for line in self.block(body)] if settled else []
                known = [*self.known]
                inner = self.block(body)
                self.known = known  # what is declared in braces ends with them
                return [f"if ({self.expression(test)}) {{", *inner, "}"]
        raise AssertionError(f"no JavaScript for {ast.unparse(tree)}")

    def declared(self, names: list[str]) -> str:
        fresh = not set(names) <= {*self.known}
        self.known += names
        for name in names:
            same = [other for other in self.known if other != name and named(other) == named(name)]
            assert not same, f"no JavaScript for {name} beside {same[0]}: both are {named(name)}"
        return "let " * fresh

    def settled(self, test: ast.expr) -> bool | None:
        """What a condition on settings alone comes to; None for others."""
        parts = [*ast.walk(test)]
        names = {part.id for part in parts if isinstance(part, ast.Name)}
        if names - {"self"} or any(isinstance(part, ast.Call) for part in parts):
            return None
        return bool(eval(ast.unparse(test), {"self": self.of}))

    def expression(self, tree: ast.expr) -> str:
        match tree:
            case ast.Constant(value):
                return constant(value)
            case ast.Name(name) if name in self.bound:
                return constant(self.bound[name])
            case ast.Name(name) if name in self.known:
                return named(name)
            case ast.Name("pi"):
                return "Math.PI"
            case ast.Attribute(ast.Name("self"), name):
                return constant(getattr(self.of, name))
            case ast.BinOp(left, ast.FloorDiv(), right):
                return f"Math.floor({self.beside(left, 2)} / {self.beside(right, 3)})"
            case ast.BinOp(left, ast.Pow(), right):
                return f"Math.pow({self.expression(left)}, {self.expression(right)})"
            case ast.BinOp(left, operator, right):
                rank = rank_of(tree)
                return f"{self.beside(left, rank)} {sign(operator)} {self.beside(right, rank + 1)}"
            case ast.UnaryOp(operator, value):
                return f"{sign(operator)}{self.beside(value, 3)}"
            case ast.BoolOp() if self.settled(tree) is not None:
                return constant(eval(ast.unparse(tree), {"self": self.of}))
            case ast.BoolOp(operator, values):
                return f" {sign(operator)} ".join(self.beside(value, 1) for value in values)
            case ast.Compare(left, [operator], [right]):
                return f"{self.beside(left, 1)} {sign(operator)} {self.beside(right, 1)}"
            case ast.IfExp(test, body, orelse):
                settled = self.settled(test)
                if settled is not None:
                    return self.expression(body if settled else orelse)
                return f"{self.expression(test)} ? {self.expression(body)} : {self.expression(orelse)}"
            case ast.Dict([], []):
                return "{}"
            case ast.Dict(keys, values):
                pairs = zip(keys, values, strict=True)
                return f"{{ {', '.join(self.pair(key, value) for key, value in pairs)} }}"
            case ast.Call(ast.Name("sum"), [ast.GeneratorExp(part, [generator])], []):
                return self.sum(part, generator)
            case ast.Call(function, arguments, []):
                return f"{self.called(function)}({', '.join(map(self.expression, arguments))})"
        raise AssertionError(f"no JavaScript for {ast.unparse(tree)}")

    def sum(self, part: ast.expr, generator: ast.comprehension) -> str:
        """A sum over a setting of several numbers, term by term; a condition counts 1 where it holds."""
        match generator.target, generator.iter, generator.ifs:
            case ast.Name(name), ast.Attribute(ast.Name("self"), setting), []:
                terms = []
                for value in getattr(self.of, setting):
                    self.bound[name] = value
                    terms.append(f"+({self.expression(part)})")
                return f"({' '.join(terms).replace(' +(', ' + +(') or 0})"
        raise AssertionError(f"no JavaScript for {ast.unparse(generator)}")

    def beside(self, tree: ast.expr, rank: int) -> str:
        """An operand, in parentheses where it binds less tightly than its neighbour."""
        made = self.expression(tree)
        return f"({made})" if rank_of(tree) < rank else made

    def pair(self, key: ast.expr | None, value: ast.expr) -> str:
        if key is None:
            return f"...{self.expression(value)}"
        assert isinstance(key, ast.Constant) and isinstance(key.value, str)
        return f"{key.value}: {self.expression(value)}"

    def called(self, tree: ast.expr) -> str:
        match tree:
            case ast.Name(name) if name in FUNCTIONS:
                return FUNCTIONS[name]
            case ast.Attribute(ast.Name("self"), name):
                function = getattr(self.of, name)
            case ast.Name(name) if inspect.isfunction(self.function.__globals__.get(name)):
                function = self.function.__globals__[name]
            case _:
                raise AssertionError(f"no JavaScript for {ast.unparse(tree)}")
        self.todo.append(function)
        return name_of(function)


def sign(operator: ast.AST) -> str:
    assert type(operator) in OPERATORS, f"no JavaScript for the operator {type(operator).__name__}"
    return OPERATORS[type(operator)]


def rank_of(tree: ast.expr) -> int:
    """How tightly an expression binds."""
    match tree:
        case ast.BinOp(_, ast.Add() | ast.Sub(), _):
            return 1
        case ast.BinOp(_, ast.Mult() | ast.Div(), _):
            return 2
        case ast.IfExp() | ast.BoolOp() | ast.Compare():
            return 0
    return 3


def constant(value: object) -> str:
    """A number, a truth, or nothing."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    assert isinstance(value, (int, float)) and math.isfinite(value), f"no JavaScript for {value!r}"
    return repr(value)
