"""What people write who think in Python: `padding='same'`, `stride (2, 2)`, `Conv2D(32, (3, 3))`.

Calls are read by Python's own parser, which is asked for nothing but their shape: names, numbers, texts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from ...diagnostics import Span
from ...ir.fields import Declared, Switch, Text, settings, size_field
from ...settings.data import Data
from ...settings.train import Train
from ...words import WORDS
from ..findings import Findings, replace
from ..parse.context import ErrorContext
from .spelling import APART, MEANT, SWITCHES, bare, elsewhere, first_setting, own_setting, own_word
from .stated import ACTIVATIONS, FILTERS, KERNELS, first_size, pattern, rebuilt

if TYPE_CHECKING:
    import ast

LONGEST = 400  # characters of a call that is read
LONGEST_MODEL = 4000  # and of a whole `Sequential`
PAIR = re.compile(r"""(?P<sign>\s*[=:]\s*|[^\S\n]+)(?P<value>'[^'\n]*'|"[^"\n]*"|\([\d \t,.]+\)|\[[\d \t,.]+\])""")
BETAS = re.compile(r"betas\s*[=:]?\s*[(\[]?\s*(?P<first>[\d.]+)[\s,]+(?P<second>[\d.]+)\s*,?\s*[)\]]?")
NUMBER = re.compile(r"[+-]?[\d.]+(?:[eE][+-]?\d+)?")
# of calls in blocks: what is known without being said, what comes in which order, and under which other name
LEFT_OUT = frozenset(("parameters", "params", "optimizer", "optimiser", "opt", "t_max", "last_epoch", "verbose"))
ORDER = {"step": ("every", "gamma"), "multistep": ("at", "gamma"), "exponential": ("gamma",), "crop": ("t_max", "")}
THEIRS = {
    ("step", "step_size"): "every",
    ("multistep", "milestones"): "at",
    ("crop", "padding"): "",
    ("rotate", "degrees"): "",
    ("rotate", "factor"): "",
}
Written = str | bool | tuple | None  # numbers as they are written


class Called(NamedTuple):
    """A call as Python reads it: the whole name, what stands without a name, and what has one."""

    name: str
    given: tuple[Written, ...]
    named: dict[str, Written]


def called(text: str) -> Called | None:
    """A call, read; None where the text is none, or holds more than values.

    >>> called("nn.Conv2d(1, 32, (3, 3), bias=False)")
    Called(name='nn.Conv2d', given=('1', '32', ('3', '3')), named={'bias': False})
    """
    if len(text) > LONGEST:
        return None
    import ast
    import warnings

    with suppress(SyntaxError, ValueError, RecursionError, MemoryError), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what looks wrong to Python
        tree = ast.parse(text.strip(), mode="eval").body
        if isinstance(tree, ast.Call) and all(word.arg for word in tree.keywords):
            given = tuple(_value(each) for each in tree.args)
            return Called(ast.unparse(tree.func), given, {str(w.arg): _value(w.value) for w in tree.keywords})
    return None


def _value(node: ast.AST) -> Written:
    """A value; a number is the text that it is written as, a name or a call its last name. Raises ValueError."""
    import ast

    if isinstance(node, ast.Constant) and isinstance(node.value, str | bool | None):
        return node.value
    if isinstance(node, ast.Constant) and isinstance(node.value, int | float):
        return repr(node.value)
    if isinstance(node, ast.Tuple | ast.List):
        return tuple(_value(each) for each in node.elts)
    if isinstance(node, ast.Name | ast.Attribute):
        return ast.unparse(node).rpartition(".")[2]
    if isinstance(node, ast.Call):  # `l2(0.01)`, `nn.ReLU()`, `model.parameters()`
        return ast.unparse(node.func).rpartition(".")[2]
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return f"-{_value(node.operand)}"
    raise ValueError


def plain(value: Written) -> str:
    """A value as the language writes it.

    >>> plain(("3", "3")), plain("same"), plain(True), plain("a/b.npz")
    ('3x3', 'same', 'on', '"a/b.npz"')
    """
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, tuple):
        return "x".join(map(plain, value))
    text = str(value)
    return text if NUMBER.fullmatch(text) or re.fullmatch(r"\w[\w.]*", text) else f'"{text}"'


def layer(call: Called) -> str:
    """A call of a layer as the language writes it; empty where it is none, or what it says is not known.

    >>> layer(called("nn.Conv2d(1, 32, 3, padding=1, bias=False)"))
    'conv 32x3x3 pad 1 bias off'
    >>> layer(called("Dense(10, activation='softmax')"))
    'dense 10 -> softmax'
    """
    last = call.name.rpartition(".")[2]
    if last.lower() == "activation":  # Activation('relu')
        pointwise = own_word(plain(call.given[0]), WORDS) if len(call.given) == 1 else ""
        return pointwise if pointwise in WORDS else ""
    if last.lower().replace("_", "") == "separableconv2d":
        return _separable(call)
    layers = {word: cls for word, cls in WORDS.items() if not cls.join}
    word = own_word(last, layers)
    word = word if word in layers else elsewhere(last, layers)
    if not word:
        return ""
    says_nothing = not (settings(layers[word]) or first_size(layers[word]))
    if says_nothing and call.given in (("1",), (("1", "1"),)):  # AdaptiveAvgPool2d(1), Softmax(1), Flatten(1)
        return word
    names = list(_order(last, word, len(call.given) + len(KERNELS.union(FILTERS) & set(call.named))))
    size = ""
    ours = last == word and not first_setting(layers[word])  # `conv(8, 3, 3)`: the word, and so the order
    if ours and call.given:
        size, names = "x".join(map(plain, call.given)), []
    elif len(call.given) > len(names):
        return ""
    told = dict(zip(names, call.given, strict=False)) | call.named
    own = settings(layers[word])
    written: list[tuple[str, str]] = []
    for name, value in told.items():
        known = own_setting(name, own)
        switch = known in own and isinstance(own[known].metadata["kind"], Switch)
        text = plain(value)
        written.append((name, SWITCHES.get(text.lower(), text) if switch else text))
    if last.lower() in ("maxpooling2d", "averagepooling2d", "maxpooling1d", "averagepooling1d") and not written:
        size = "2"  # of Keras
    return rebuilt(layers[word], size, tuple(written), 1 if "1d" in last.lower() else 2)


def nested(call: Called, setting: str) -> str:
    """A call of an optimiser, a cost or a schedule as the language writes it.

    Empty where the setting takes no words. What is not known keeps its name, and is told of when it is read.

    >>> nested(called("optim.SGD(model.parameters(), lr=0.1, nesterov=True)"), "optimizer")
    'sgd lr 0.1 nesterov on'
    >>> nested(called("StepLR(optimizer, step_size=10, gamma=0.1)"), "scheduler")
    'step every 10 gamma 0.1'
    """
    last = call.name.rpartition(".")[2]
    classes = [cls for block in (Train, Data) for cls in _classes(block, setting)]
    by_word = {cls.word: cls for cls in classes}
    if not by_word:
        return ""
    word = own_word(last, by_word) if own_word(last, by_word) in by_word else elsewhere(bare(last), by_word)
    word = word or next((own for own in MEANT.get(bare(last), ()) if own in by_word), "")
    own = settings(by_word[word]) if word else {}
    given = [value for value in call.given if str(value).lower() not in LEFT_OUT]
    sized = bool(word) and first_size(by_word[word])
    order = ORDER.get(word, ("",) if sized else ("lr",))
    written = [word or last]
    for name, value in (dict(zip(order, given, strict=False)) | call.named).items():
        known = own_setting(THEIRS.get((word, name.lower()), name), own)
        if name.lower() in LEFT_OUT:
            continue
        if not known:
            written.insert(1, plain(value))
        elif name == "betas" and "beta1" in own and isinstance(value, tuple) and len(value) == 2:
            written.append(f"beta1 {plain(value[0])} beta2 {plain(value[1])}")
        elif isinstance(value, tuple) and known == "at":
            written.append(f"at {', '.join(map(plain, value))}")
        else:
            written.append(f"{known} {plain(value)}")
    return " ".join(written)


def _classes(block: type[Declared], setting: str) -> tuple[type[Declared], ...]:
    """The words that a setting of a block takes; none where it takes no words."""
    own = settings(block)
    known = own_setting(setting, own)
    return getattr(own[known].metadata["kind"], "classes", ()) if known in own else ()


def _separable(call: Called) -> str:
    """A depthwise and a pointwise convolution, which Keras has as one; empty where one of them cannot be said."""
    told = dict(zip(("filters", "kernel_size", "stride", "pad"), call.given, strict=False)) | call.named
    filters, kernel = told.pop("filters", None), told.pop("kernel_size", None)
    after = {name: told.pop(name) for name in tuple(told) if name in ACTIVATIONS}
    first = rebuilt(WORDS["dwconv"], plain(kernel), tuple((name, plain(value)) for name, value in told.items()))
    last = tuple((name, plain(value)) for name, value in after.items())
    second = rebuilt(WORDS["conv"], f"{plain(filters)}x1x1", last)
    return f"{first} -> {second}" if filters and kernel and first and second else ""


def _order(written: str, word: str, count: int) -> Iterator[str]:
    """The names of what a call of another system gives by its order; PyTorch's `Conv2d` is Keras' `Conv2D`.

    PyTorch tells first what comes in: a convolution of fewer than three values, a dense layer of one, leave it out.
    """
    keras = written[:1].isupper() and (written.endswith("D") or written == "Dense")
    keras = keras or count < {"conv": 3, "upconv": 3, "dense": 2}.get(word, 0)
    if word in ("conv", "upconv"):
        yield from ("filters", "kernel_size", "stride", "pad") if keras else (
            "in_channels", "out_channels", "kernel_size", "stride", "pad", "dilation", "groups",
        )  # fmt: skip
    elif word == "dense":
        yield from ("units", "activation") if keras else ("in_features", "out_features", "bias")
    elif word == "groupnorm" and not keras:
        yield from ("num_groups", "num_features", "eps")
    elif word in ("bn", "layernorm") and not keras:
        yield from ("num_features", "eps", "momentum")
    elif WORDS[word].order:
        yield from WORDS[word].order
    elif first_size(WORDS[word]):
        yield "size"


def python_value(place: ErrorContext, findings: Findings) -> bool:
    """padding='same', strides=(2, 2), optimizer 'adam'"""
    if place.kind(-1) != "NAME" or place.text()[:1] not in tuple("=:'([\"`"):
        return False
    name = place.span(-1)
    found = PAIR.match(place.source.text, name.end)
    if not found:
        return False
    value = found["value"]
    inside = value[1:-1].strip().rstrip(",")
    if value[0] in "([":
        sizes = [part for part in re.split(r"[\s,]+", inside) if part]
        meant, kind = "x".join(sizes), "parentheses" if value[0] == "(" else "brackets"
    else:
        bare = re.fullmatch(r"[A-Za-z_]\w*", inside) and place.text(-1) not in _named_by_texts()
        meant, kind = inside if bare else f'"{inside}"', "quotes"
    sign = found["sign"].strip()
    without = " and ".join(filter(None, (f"`{sign}`" if sign else "", kind if not meant.startswith('"') else "")))
    if not without:
        return False  # single quotes alone, of a text
    span = Span(place.source, found.start("sign") + len(found["sign"]) - len(found["sign"].lstrip()), found.end())
    whole = Span(place.source, name.end, found.end())
    fix = replace(whole, f" {meant}", help=f"write `{place.text(-1)} {meant}`")
    findings.tell("CNN003", span, fix, case="Python", without=without)
    return True


def _named_by_texts() -> frozenset[str]:
    """The words and settings that a text in quotes follows."""
    found = {"import"}
    for block in (Train, Data):
        for name, field in settings(block).items():
            for cls in getattr(field.metadata["kind"], "classes", ()):
                sized = size_field(cls)
                if sized is not None and isinstance(sized.metadata["kind"], Text):
                    found |= {cls.word, name} if cls.word == name else {cls.word}
                found |= {own for own, f in settings(cls).items() if isinstance(f.metadata["kind"], Text)}
    return frozenset(found)


def both_betas(place: ErrorContext, findings: Findings) -> bool:
    """betas (0.9, 0.999)"""
    step = next((step for step in (-1, -2, -3) if place.text(step) == "betas" and place.kind(step) == "NAME"), 0)
    start = place.span(step).start
    found = BETAS.match(place.source.text, start) if step else None
    if not found:
        return False
    span = Span(place.source, start, found.end())
    meant = f"beta1 {found['first']} beta2 {found['second']}"
    findings.tell("CNN202", span, replace(span, meant), case="betas")
    return True


def python_model(place: ErrorContext, findings: Findings) -> bool:
    """model = nn.Sequential(nn.Conv2d(1, 8, 3), nn.ReLU())"""
    first = place.begun - place.number
    named = place.kind(first) == "NAME" and place.text(first + 1) == "="
    step = first + 2 * named
    if place.kind(step) not in ("NAME", "PATH") or place.kind(step + 1) != "LPAR" or place.braced:
        return False
    name = place.text(step)
    if bare(name) != "sequential":
        return False
    span = place.span(step)
    end = _closing(place.source.text, place.span(step + 1).start, LONGEST_MODEL)
    chain = _chain(place.source.text[span.start : end])
    fixes = [replace(Span(place.source, place.span(first).start, end), chain)] if chain else []
    findings.tell("CNN201", span, *fixes, case="apart", what="layer", word=name, why=APART["sequential"])
    return True


def _chain(text: str) -> str:
    """The layers of a `Sequential`, as the language writes them; empty where one of them is not known."""
    import ast

    with suppress(SyntaxError, ValueError, RecursionError, MemoryError):
        tree = ast.parse(text, mode="eval").body
        given = tree.args if isinstance(tree, ast.Call) else []
        parts = given[0].elts if len(given) == 1 and isinstance(given[0], ast.List | ast.Tuple) else given
        texts = [ast.unparse(part) for part in parts]
        layers = [text if text in WORDS else layer(call) if (call := called(text)) else "" for text in texts]
        return " -> ".join(layers) if all(layers) else ""
    return ""


def python_call(place: ErrorContext, findings: Findings) -> bool:
    """Conv2D(32, (3, 3), activation='relu'); optimizer Adam(lr=0.01)"""
    depth, step = 0, 0
    while place.number + step >= place.begun:
        depth += (place.kind(step) == "RPAR" and step < 0) - (place.kind(step) == "LPAR")
        if depth < 0 and place.kind(step - 1) in ("NAME", "PATH"):
            break
        depth = max(depth, 0)
        step -= 1
    else:
        return False
    start = place.span(step - 1).start
    end = _closing(place.source.text, place.span(step).start)
    call = called(place.source.text[start:end]) if end else None
    if call is None:
        return False
    span = Span(place.source, start, end)
    if place.braced:
        meant = nested(call, place.text(step - 2))
        case = "settings"
    else:
        meant = layer(call)
        case = "" if call.name in WORDS else "elsewhere"
    if not meant and not place.braced and bare(call.name) in APART:
        name = Span(place.source, start, start + len(place.text(step - 1)))
        findings.tell("CNN201", name, case="apart", what="layer", word=name.text, why=APART[bare(call.name)])
        return True
    if not meant and not place.braced:
        return False
    if not meant:
        findings.tell("CNN208", span, case=case, name=call.name)
        return True
    word = meant.split()[0]
    shown = pattern(WORDS[word]) if word in WORDS else word
    findings.tell("CNN208", span, replace(span, meant), case=case, name=call.name, word=word, pattern=shown)
    return True


def _closing(text: str, start: int, longest: int = LONGEST) -> int:
    """The end of a parenthesis that opens at `start`; 0 where it is not near."""
    depth, quote = 0, ""
    for at in range(start, min(len(text), start + longest)):
        character = text[at]
        if quote:
            quote = "" if character == quote else quote
        elif character in "'\"":
            quote = character
        else:
            depth += (character in "([") - (character in ")]")
            if not depth:
                return at + 1
    return 0
