"""Stretches of a text that are written in another language, each told of as one mistake.

Line by line they would be a heap of messages, none of which says the one thing that is wrong.
"""

from __future__ import annotations

import re
from contextlib import suppress
from typing import TYPE_CHECKING

from ....diagnostics import Source, Span
from ...findings import Findings, Proposal, replace
from .calls import layer_word
from .listed import listed

if TYPE_CHECKING:
    import ast

LONGEST = 20_000  # characters of a text that is looked at
MOST_TRIED = 20  # readings of a text by Python's parser
WIDEST = 120  # characters of a network that a help line shows
CHAIN = "a network is layers with `->` between them: `conv 8x3x3 -> relu -> dense 10 -> softmax`"
THROUGH_ONNX = f"{CHAIN}; one that other programs hold comes through ONNX: `cnnspec import net.onnx -o net.cnn`"
KEY = r"(?:- +)*[\w.-]+ *:(?: .*)?"
FORMATS = (  # of whole files
    ("a configuration of Darknet", r"\[(?:net|network|convolutional)\](?:\n(?:\[\w+\]|\w+ *=.*))+"),
    ("a text of Caffe", r"(?:name *: *.*\n)?(?:layers?|input_param|input\w* *:) *[\s\S]*\{[\s\S]*\}"),
    ("XML", r"<[?!\w][\s\S]*>"),
    ("YAML", rf"(?:---\n)?{KEY}(?:\n(?:{KEY}|- .*))*\n(?:- .*|{KEY})"),
    ("a list of settings", r"\[[\w.\"]+\](?:\n\[[\w.\"]+\]|\n\w+ *=.*)+"),
)
BEGINS = re.compile(
    r"(?:import +\w|from +[\w.]+ +import\b|class +\w+.*:|def +\w+ *\(|@\w|return\b|with +\w"
    r"|(?:self\.)?\w+ *\+?= *[A-Za-z_][\w.]*\(|[A-Za-z_]\w*(?:\.\w+)+ *\(|[A-Z]\w*\()"
)


def foreign(source: Source, findings: Findings) -> tuple[Span, ...]:
    """The stretches of a text that another language wrote, having reported each."""
    text = source.text
    if len(text) > LONGEST:
        return ()
    whole = Span(source, len(text) - len(text.lstrip()), len(text.rstrip()))
    what = _format(whole.text)
    if what:
        _tell(whole, what, THROUGH_ONNX, findings)
        return (whole,)
    found = []
    for span, tree in _programs(source):
        from .programs import in_order, spec_of

        spec = spec_of(tree, not re.search(r"^\s*input\b", text[: span.start] + text[span.end :], re.MULTILINE))
        how = "the same network as a spec" if spec else "its layers, one after the other"
        spec = spec or in_order(tree)
        fixes = [_instead(span, each, how) for each in (spec, f"-> {spec}")]
        _tell(span, "Python", CHAIN, findings, *(fixes if spec else []))
        found.append(span)
    for span, what, spec in listed(source):
        if not any(other.start <= span.start < other.end for other in found):
            _tell(span, what, CHAIN, findings, *([_instead(span, spec, "the same as a chain")] if spec else []))
            found.append(span)
    return tuple(found)


def _instead(span: Span, spec: str, how: str) -> Proposal:
    """Propose to write a spec in the place of a stretch, and show the beginning of it."""
    shown = " ".join(spec.split())
    shown = shown if len(shown) <= WIDEST else f"{shown[:WIDEST].rpartition(' -> ')[0]} -> ..."
    return replace(span, spec.rstrip("\n"), help=f"{how}: `{shown}`", sure=False)


def _tell(span: Span, what: str, help: str, findings: Findings, *fixes: Proposal) -> None:
    """Report a stretch at its first line."""
    first = Span(span.source, span.start, span.start + len(span.text.partition("\n")[0].rstrip()))
    findings.tell("CNN596", first, *fixes, what=what, how=help)


def _format(text: str) -> str:
    """What a whole text is written in, where it is the file of another program; empty for none."""
    import json

    if text[:1] in ("{", "["):
        with suppress(ValueError, RecursionError):
            json.loads(text)
            return "JSON"
    lines = [line.strip() for line in re.sub(r"(?m)(?:^|\s)[#;].*$", "", text).splitlines()]
    bare = "\n".join(line for line in lines if line)
    if "->" in text:
        return ""
    several = bare.count("\n") > 1
    return next((what for what, pattern in FORMATS if several and re.fullmatch(pattern, bare)), "")


def _programs(source: Source) -> list[tuple[Span, ast.Module]]:
    """The stretches of lines that Python reads and that are statements of a program, not lines of a spec."""
    import ast
    import textwrap
    import warnings

    lines = source.text.splitlines(keepends=True)
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line))
    found: list[tuple[Span, ast.Module]] = []
    at = tried = 0
    while at < len(lines) and tried < MOST_TRIED:
        if not BEGINS.match(lines[at].lstrip()):
            at += 1
            continue
        end = len(lines)
        tree = None
        while tree is None and end > at and tried < MOST_TRIED:
            tried += 1
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    tree = ast.parse(textwrap.dedent("".join(lines[at:end])))
            except SyntaxError as error:
                end = min(end - 1, at + (error.lineno or 1) - 1)
            except (ValueError, RecursionError, MemoryError):
                break
        body = list(tree.body) if tree else []
        while body and not _of_a_program(body[-1]):
            body.pop()
        if tree is None or not (len(body) > 1 or _computes(body)):
            at += 1
            continue
        end = at + (body[-1].end_lineno or 1)
        whole = Span(source, starts[at], starts[end])
        inner = Span(
            source, whole.start + len(whole.text) - len(whole.text.lstrip()), whole.start + len(whole.text.rstrip())
        )
        found.append((inner, ast.Module(body, [])))
        at = end
    return found


def _of_a_program(statement: ast.stmt) -> bool:
    """Whether a statement that Python reads is one of a program: `relu` is a layer, `Res(8)` may be a block."""
    import ast

    if not isinstance(statement, ast.Expr):
        return True
    value = statement.value
    calls = value.elts if isinstance(value, ast.Tuple) else [value]  # `nn.ReLU(),` of a list
    return all(
        isinstance(call, ast.Call) and (not isinstance(call.func, ast.Name) or layer_word(call.func.id))
        for call in calls
    )


def _computes(body: list[ast.stmt]) -> bool:
    """Whether one statement computes a value of another: `x = Conv2D(8, 3)(x)`, `x = F.relu(self.conv1(x))`."""
    import ast

    for statement in body:
        match statement:
            case ast.ClassDef() | ast.FunctionDef():
                return True
            case ast.Assign(targets=[ast.Name(id="net" | "input" | "block")], value=ast.Call()):
                return True  # words of the language, which read on otherwise
            case ast.Assign(value=ast.Call(func=ast.Call())):
                return True
            case ast.Assign(value=ast.Call(func=func, args=[ast.Name() | ast.Call(), *_])):
                return ast.unparse(func).rpartition(".")[2].islower()
            case ast.Assign(value=ast.Call(func=ast.Attribute(value=ast.Name(id="x")))):
                return True
            case ast.Expr(value=ast.Call(func=ast.Attribute(attr="add" | "append"), args=[ast.Call()])):
                return True
            case ast.Assign(value=ast.Call(func=func)):  # self.conv1 = nn.Conv2d(1, 8, 3)
                path, _, last = ast.unparse(func).rpartition(".")
                return bool((path or last[:1].isupper()) and layer_word(last))
    return False
