"""Calls of other systems as the language writes them: `nn.Conv2d(1, 32, 3)` is `conv 32x3x3`.

They are read by Python's own parser, which is asked for nothing but their shape: names, numbers, texts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from ....ir.fields import Choice, Declared, Switch, Text, settings, size_field
from ....settings.data import Data
from ....settings.train import Train
from ....words import WORDS
from ..spelling import MEANT, SWITCHES, VALUES, bare, elsewhere, first_setting, own_setting, own_word
from ..stated import ACTIVATIONS, FILTERS, KERNELS, first_size, reason, rebuilt

if TYPE_CHECKING:
    import ast

LONGEST = 400  # characters of a call that is read
NUMBER = re.compile(r"[+-]?[\d.]+(?:[eE][+-]?\d+)?")
# of calls in blocks: what is known without being said, what comes in which order, and under which other name
LEFT_OUT = frozenset(("parameters", "params", "optimizer", "optimiser", "opt", "t_max", "last_epoch", "verbose"))
OF_A_SET = frozenset(("root", "train", "download", "transform", "target_transform"))  # of datasets of torchvision
ORDER = {"step": ("every", "gamma"), "multistep": ("at", "gamma"), "exponential": ("gamma",), "crop": ("t_max", "")}
THEIRS = {
    ("step", "step_size"): "every",
    ("multistep", "milestones"): "at",
    ("crop", "padding"): "",
    ("rotate", "degrees"): "",
    ("rotate", "factor"): "",
}
SOURCES = frozenset(("source", "dataset"))
Written = str | bool | tuple | None  # numbers as they are written


class Variable(str):
    """The name of a value of a program."""


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
        return read_call(tree) if isinstance(tree, ast.Call) else None
    return None


def read_call(tree: ast.Call) -> Called | None:
    """A call of Python's tree, read; None where it holds more than values."""
    import ast

    with suppress(ValueError):
        if all(word.arg for word in tree.keywords):
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
    if isinstance(node, ast.Name):
        return Variable(node.id)
    if isinstance(node, ast.Attribute):
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
    path, _, last = call.name.rpartition(".")
    call = call if last[:1].isupper() else call._replace(given=_without_input(call.given, path))
    if last.lower() == "activation":  # Activation('relu')
        said = [*call.given, *(value for name, value in call.named.items() if name == "activation")]
        pointwise = own_word(plain(said[0]), WORDS) if len(said) == 1 else ""
        return pointwise if pointwise in WORDS else ""
    if last.lower().replace("_", "") == "separableconv2d":
        return _separable(call)
    word = layer_word(call.name)
    if not word:
        return ""
    if word == "reshape" and len(call.given) == 2 and "-1" in call.given:  # x.view(-1, 320)
        return "flatten"
    if word == "resize" and "scale_factor" in call.named:  # F.interpolate(x, scale_factor=2)
        word = "upsample"
    cls = WORDS[word]
    says_nothing = not (settings(cls) or first_size(cls))
    if says_nothing and call.given in (("1",), (("1", "1"),)):  # AdaptiveAvgPool2d(1), Softmax(1), Flatten(1)
        return word
    names = list(_order(last, word, len(call.given) + len(KERNELS.union(FILTERS) & set(call.named))))
    size, given = "", call.given
    ours = last == word and not path and not first_setting(cls)  # `conv(8, 3, 3)`: the word, and so the order
    if len(given) > len(names) and isinstance(given[-1], bool):
        given = given[:-1]  # ReLU(True), Dropout(0.5, True): computed in place
    if ours and given:
        size, names = "x".join(map(plain, given)), []
    elif len(given) > len(names):
        return ""
    told = dict(zip(names, given, strict=False)) | call.named
    own = settings(cls)
    written: list[tuple[str, str]] = []
    for name, value in told.items():
        known = own_setting(name, own)
        kind = own[known].metadata["kind"] if known in own else None
        text = plain(value)
        if isinstance(kind, Switch):
            text = SWITCHES.get(text.lower(), text)
        elif isinstance(kind, Choice):
            text = VALUES.get(text, text)
        elif last == "BatchNormalization" and known == "momentum" and NUMBER.fullmatch(text):
            text = f"{1 - float(text):.6g}"  # Keras and ONNX count what is kept
        written.append((name, text))
    if last.lower() in ("maxpooling2d", "averagepooling2d", "maxpooling1d", "averagepooling1d") and not written:
        size = "2"  # of Keras
    return rebuilt(cls, size, tuple(written), 1 if "1d" in last.lower() else 2)


def why_not(call: Called, word: str) -> str:
    """Why a call of a layer cannot be written as the language has it, where that is known; else empty."""
    if word in ("gap", "gmp") and call.given:
        return (
            f"`{word}` leaves one number of each channel; to several, `{'avg' if word == 'gap' else 'max'}pool K`"
        )
    own = settings(WORDS[word])
    reasons = (reason(WORDS[word], name) for name in call.named if own_setting(name, own) not in own)
    return next((why for why in reasons if why not in ("", "size")), "")


def layer_word(name: str) -> str:
    """The layer that a name says, with or without its path; empty where it says none.

    >>> layer_word("torch.nn.functional.max_pool2d"), layer_word("nn.Frob")
    ('maxpool', '')
    """
    last = name.rpartition(".")[2]
    layers = {word: cls for word, cls in WORDS.items() if not cls.join}
    word = own_word(last, layers)
    return word if word in layers else elsewhere(last, layers)


def _without_input(given: tuple[Written, ...], path: str) -> tuple[Written, ...]:
    """What a function is given without the value that it works on: `F.relu(x)`, `x.view(-1, 320)`."""
    first = given[0] if given else None
    return given[1:] if isinstance(first, Variable) or (path and first == "x") else given


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
    if not word and not all(NUMBER.fullmatch(plain(value)) for value in given):
        return ""  # transforms.Compose([...])
    sized = size_field(by_word[word]) if word else None
    order = ORDER.get(word, ("",) if sized is not None else ("lr",) if "lr" in own else tuple(own))
    written = [word or last]
    for name, value in (dict(zip(order, given, strict=False)) | call.named).items():
        known = own_setting(THEIRS.get((word, name.lower()), name), own)
        if name.lower() in LEFT_OUT or (setting in SOURCES and name.lower() in OF_A_SET):
            continue
        if not known or (known not in own and name == word):
            text = isinstance(sized.metadata["kind"], Text) if sized is not None else False
            written.insert(1, f'"{value}"' if text else plain(value))
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
