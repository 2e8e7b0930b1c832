"""Layers as papers and their figures write them: `3x3 conv, 64, /2`, `conv3-64`, `2x2 max pooling`, `1000-d fc`.

A piece of a line, between arrows, is read as phrases that name layers and as what says their sizes, in any order.
What holds anything else, or is what the language says already but for commas, is not told of here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from ....diagnostics import Span
from ....ir.fields import settings, size_field
from ....words import WORDS
from ...findings import Findings, replace
from ...parse.context import ENDS, ErrorContext
from ..spelling import own_word

LONGEST = 120  # characters of a piece that is read
LAYERS = {word: cls for word, cls in WORDS.items() if not cls.join}
PIECE = re.compile(
    r"(?P<stride>/ ?(?P<by>\d+)\b)|(?P<size>\d+(?:x\d+)+)|(?P<features>\d+)-?d\b"
    r"|\b(?P<short>[sp]) ?=? ?(?P<so>\d+)\b|(?P<number>\d+(?:\.\d+)?%?(?![\w.]))"
    r"|(?P<name>[a-z]+\d?(?=d\b)d|[a-z_]+)|(?P<sign>(?<=\w)-(?=\w)|(?<=\s)@(?=\s)|[,=()\[\]:]|\s+)",
    re.ASCII,
)
BOUNDS = re.compile(r"->|[|;{}#\n]|\bas\b")
SHORT = {"s": "stride", "p": "pad"}
PHRASES = {
    **dict.fromkeys(("convolution", "convolutional"), "conv"),
    **dict.fromkeys(("maxpooling", "maxpool"), "maxpool"),
    **dict.fromkeys(("avgpooling", "averagepooling", "averagepool", "meanpooling", "meanpool"), "avgpool"),
    **dict.fromkeys(("globalavgpooling", "globalaveragepooling", "globalaveragepool"), "gap"),
    **dict.fromkeys(("globalavgpool", "globalpooling", "globalpool"), "gap"),
    **dict.fromkeys(("globalmaxpooling", "globalmaxpool"), "gmp"),
    **dict.fromkeys(("batchnormalisation",), "bn"),
    **dict.fromkeys(("fullyconnected",), "dense"),
    **dict.fromkeys(("depthwiseconv", "depthwiseconvolution", "convdw"), "dwconv"),
    **dict.fromkeys(("deconvolution", "transposedconv", "transposedconvolution"), "upconv"),
}
UNITS = frozenset(("filters", "channels", "kernels", "maps", "units", "neurons", "nodes", "outputs", "with", "of"))
NUMBERED = re.compile(r"\b([a-z]+)\d+(?=[\s:,]+\d+x\d)", re.ASCII)  # `conv1` of a table, before a size
OF_A_CODE = ("CNN201", "CNN202", "CNN203", "CNN204", "CNN205", "CNN207")  # of a layer that is written wrongly


@dataclass
class Written:
    """A layer of a piece: its word, the sizes that are said of it, its settings."""

    word: str
    apart: bool = False  # said by several words: `max pool`
    sizes: list[str] = field(default_factory=list)
    settings: dict[str, str] = field(default_factory=dict)

    @property
    def most(self) -> int:
        """How many sizes it takes, of those that papers say apart."""
        return 0 if size_field(LAYERS[self.word]) is None else 2 if self.word in ("conv", "upconv") else 1

    def text(self, close: bool) -> str:
        """The layer as the language writes it; empty where what is said is not enough. `close`: `conv3-64`."""
        size = " ".join(self.sizes)
        stride = self.settings.get("stride", "")
        if self.most == 2:
            size = _filters_first(self.sizes, close)
        elif self.word == "avgpool" and not size and not stride:
            return "gap" if self.apart else ""
        elif self.word == "maxpool" and not size:
            size = stride or ("2" if self.apart else "")
            self.settings.pop("stride", None)
        if self.most and (not size or " " in size):
            return ""
        if any(name not in settings(LAYERS[self.word]) for name in self.settings):
            return ""
        return " ".join([self.word, *([size] if size else []), *(f"{k} {v}" for k, v in self.settings.items())])


def _filters_first(sizes: list[str], close: bool) -> str:
    """The size of a convolution: `64` and `3x3` are 64x3x3, and so are `3` and `64` of `conv3-64`."""
    if len(sizes) == 1:
        return sizes[0] if sizes[0].count("x") == 2 else ""
    plain = [size for size in sizes if "x" not in size]
    kernel = [size for size in sizes if size.count("x") == 1]
    if len(plain) == len(kernel) == 1 and plain[0].isdigit():
        return f"{plain[0]}x{kernel[0]}"
    if len(plain) == 2 and close:
        return f"{plain[1]}x{plain[0]}x{plain[0]}"
    return ""


def layers_of(text: str) -> str:
    """A piece of a line as the language writes it; empty where it says so already, or where it cannot be told.

    >>> layers_of("7x7 conv, 64, /2"), layers_of("conv3-64"), layers_of("3x3 conv, 64, BN, ReLU")
    ('conv 64x7x7 stride 2', 'conv 64x3x3', 'conv 64x3x3 -> bn -> relu')
    >>> layers_of("global average pooling"), layers_of("2x2 max pool, stride 2"), layers_of("1000-d fc, softmax")
    ('gap', 'maxpool 2x2 stride 2', 'dense 1000 -> softmax')
    >>> layers_of("conv 8x3x3 stride 2"), layers_of("conv 8x3x3, relu"), layers_of("conv 8 3 3")
    ('', '', '')
    """
    if len(text) > LONGEST:
        return ""
    plain = NUMBERED.sub(r"\1", text.lower().replace("×", "x"))
    layers: list[Written] = []
    before = Written("id")  # what is said before the first layer, or before the next one
    names: list[str] = []
    waiting = ""  # the setting whose value comes next
    told: list[str] = []

    def named() -> bool:
        """Take the names so far as layers; whether they are."""
        for word, apart in _phrases(names):
            layers.append(Written(word, apart))
            takes = layers[-1].most
            layers[-1].sizes += before.sizes[:takes]
            del before.sizes[:takes]
            layers[-1].settings |= before.settings
            before.settings.clear()
        done = not names or bool(_phrases(names))
        names.clear()
        return done

    at = 0
    while at < len(plain):
        match = PIECE.match(plain, at)
        if not match:
            return ""
        at = match.end()
        kind, said = match.lastgroup, match[0].strip()
        if said and (kind != "sign" or said not in ",="):
            told.append(said)
        if said in UNITS:
            continue
        if match["name"]:
            if waiting == "pad" and said in ("same", "valid"):
                before_or_last(layers, before).settings["pad"], waiting = said, ""
                continue
            setting = {"strides": "stride", "padding": "pad"}.get(said, said)
            if setting in ("stride", "pad"):
                if not named():
                    return ""
                waiting = setting
            else:
                names.append(said)
            continue
        if match["sign"]:
            if said in (",", "(", ")", "[", "]") and not named():
                return ""
            continue
        if not named():
            return ""
        here = before_or_last(layers, before)
        if match["stride"] or match["short"] or waiting:
            name = "stride" if match["stride"] else waiting or SHORT[match["short"]]
            here.settings[name] = match["by"] or match["so"] or said
            waiting = ""
            continue
        value = match["features"] or said
        if layers and len(here.sizes) >= here.most:
            lacking = next((each for each in reversed(layers) if len(each.sizes) < each.most), None)
            here = lacking or before
        here.sizes.append(value)
    if not named() or waiting or not layers or before.sizes or before.settings:
        return ""
    close = bool(re.search(r"[a-z]\d+-\d+$", plain.strip()))
    texts = [layer.text(close) for layer in layers]
    found = " -> ".join(texts) if all(texts) else ""
    return "" if found.replace(" ->", "").split() == [own_word(each, LAYERS) for each in told] else found


def before_or_last(layers: list[Written], before: Written) -> Written:
    """What a setting belongs to: the last layer, or the one that is yet to come."""
    return layers[-1] if layers else before


def _phrases(names: list[str]) -> list[tuple[str, bool]]:
    """The layers that names say, each with whether several of them say it; none where one says nothing."""
    found: list[tuple[str, bool]] = []
    at = 0
    while at < len(names):
        for count in range(min(4, len(names) - at), 0, -1):
            word = _layer("".join(names[at : at + count]))
            if word:
                found.append((word, count > 1))
                at += count
                break
        else:
            if names[at] not in ("layer", "layers", "pooling") or not found:
                return []
            at += 1
    return found


def _layer(name: str) -> str:
    """The layer that a name says, as papers or other systems have it; empty for none."""
    name = name.removesuffix("layer") if name != "layer" else ""
    word = PHRASES.get(name, "") or own_word(name, LAYERS)
    return word if word in LAYERS else ""


def piece_around(source_text: str, at: int) -> tuple[int, int]:
    """Where the piece of a line begins and ends in which an offset stands: between arrows, bars, parentheses."""
    start = source_text.rfind("\n", 0, at) + 1
    end = source_text.find("\n", at)
    end = len(source_text) if end < 0 else end
    for bound in BOUNDS.finditer(source_text, start, end):
        if bound.end() <= at:
            start = bound.end()
        elif bound.start() >= at:
            end = bound.start()
            break
    start = _unopened(source_text, start, end)
    depth = 0
    for number in range(start, end):
        depth += (source_text[number] == "(") - (source_text[number] == ")")
        if depth < 0:
            end = number
            break
    while start < end and source_text[start].isspace():
        start += 1
    while end > start and source_text[end - 1].isspace():
        end -= 1
    return start, end


def _unopened(text: str, start: int, end: int) -> int:
    """The place after the last parenthesis that is opened and not closed again before the end."""
    depth = 0
    for number in range(end - 1, start - 1, -1):
        depth += (text[number] == ")") - (text[number] == "(")
        if depth < 0:
            return number + 1
    return start


def as_in_papers(place: ErrorContext, findings: Findings) -> bool:
    """3x3 conv, 64, /2; max-pool 2; conv 64 @ 3x3"""
    if place.braced or place.at(0) is None:
        return False
    return _tell(place.source.text, place.span(-1 if place.kind() in ENDS else 0), findings)


def layer_as_in_papers(layer: Span, findings: Findings) -> bool:
    """avg pool 2, FC-4096: report a layer that parses and is none, in the place of what was found there.

    Where that proposes a change already, it stays.
    """
    return not findings.proposes(layer) and _tell(layer.source.text, layer, findings)


def _tell(text: str, at: Span, findings: Findings) -> bool:
    start, end = piece_around(text, at.start)
    meant = layers_of(text[start:end]) if start <= at.start <= end else ""
    if not meant:
        return False
    whole = Span(at.source, start, end)
    findings.forget(whole, *OF_A_CODE)
    findings.tell("CNN001", whole, replace(whole, meant), case="paper")
    return True
