"""Fixes are safe where they keep every number and name of the author, and unsafe otherwise."""

from __future__ import annotations

import random
import re
from pathlib import Path

import pytest

from cnnspec.checking import Configuration, examine
from cnnspec.checking.fixes import repair
from cnnspec.diagnostics import Diagnostic, Source
from cnnspec.lang.hints.fixes import edited
from cnnspec.lang.hints.safety import _vocabulary, same_word
from cnnspec.lang.hints.spelling import LOOKALIKE

HEAD, TAIL = "input 3x32x32\n", " -> dense 10 -> softmax\n"
ROOT = Path(__file__).parents[3]
CORPUS = sorted((ROOT / "tests" / "diagnostics" / "corpus").glob("*.cnn"))
SPECS = [path for path in sorted((ROOT / "specs").glob("*.cnn")) if path.stat().st_size < 1500]


def find(source: Source, fixes: bool = True) -> tuple[Diagnostic, ...]:
    return examine(source, Configuration(), CORPUS[0].parent, fixes=fixes).diagnostics


def repaired(text: str, unsafe: bool = False) -> str:
    source = Source("a.cnn", text)
    return repair(source, find(source), find, unsafe=unsafe).source.text


SAFE = {
    "conv 8x3x3 -> rellu": "conv 8x3x3 -> relu",
    "conv 8x3x3 -> leaky_relu 0.1": "conv 8x3x3 -> leaky_relu slope 0.1",
    "conv 8x3x3 -> leaky 0.1": "conv 8x3x3 -> leaky slope 0.1",
    "conv 8x3x3 -> LeakyReLU(0.2)": "conv 8x3x3 -> leaky slope 0.2",
    "conv 8x3x3 -> LeakyReLU(negative_slope=0.2)": "conv 8x3x3 -> leaky slope 0.2",
    "conv 8x3x3 -> ELU(0.5)": "conv 8x3x3 -> elu alpha 0.5",
    "conv 8x3x3 -> Dropout(0.5)": "conv 8x3x3 -> dropout 0.5",
    "MaxPool2d(2)": "maxpool 2",
    "conv 8x3x3 relu": "conv 8x3x3 -> relu",
    "conv 8x3x3 -> relu maxpol 2": "conv 8x3x3 -> relu -> maxpool 2",
    "conv 8x3x3 => relu": "conv 8x3x3 -> relu",
    "conv 8x3x3 -> -> relu": "conv 8x3x3  -> relu",
    "conv 8x3x3 -> relu)": "conv 8x3x3 -> relu",
    "conv 8 3 3": "conv 8x3x3",
    "conv 8, 3, 3": "conv 8x3x3",
    "conv 8 x 3 x 3": "conv 8x3x3",
    "conv 8×3×3 → relu": "conv 8x3x3 -> relu",
    "conv 8x3x3, pad 1": "conv 8x3x3 pad 1",
    "conv 8x3x3 pad=1": "conv 8x3x3 pad 1",
}
SAFE_BLOCKS = {
    "optimiser adam lr 1e-3": "train { optimiser adam lr 1e-3 }",
    "train { batch_size 32, epochs: 3 }": "train { batch_size 32 ; epochs 3 }",
    "train { cost cross_entropi }": "train { cost cross_entropy }",
    "train { optimiser sgd lr 0.1 schedule cosine }": "train { optimiser sgd lr 0.1 ; schedule cosine }",
    "data { source npz “a.npz” }": 'data { source npz "a.npz" }',
    "expect { parms <= 5M }": "expect { params <= 5M }",
}
UNSAFE = {
    "conv(8, 3, 3)": "conv 8x3x3",
    "Upsample(2)": "upsample 2",
    "conv 8*3*3": "conv 8x3x3",
    "conv 8x3": "conv 8x3x3",
    "conv 8x33x33": "conv 8x33x33 pad same",
    "conv 8x3x3 same": "conv 8x3x3 pad same",
    "conv 8x3x3\nrelu": "conv 8x3x3\n-> relu",
    "conv 8x3x3 bias none": "conv 8x3x3 bias off",
    "conv 8x3x3 -> rrelu": "conv 8x3x3 -> relu",
    "conv 8x3x3 -> relu -> gap 1": "conv 8x3x3 -> relu -> gap",
    "conv 8x3x3 bias off -> bn 8": "conv 8x3x3 bias off -> bn",
    "conv 8x3x3 -> bn": "conv 8x3x3 bias off -> bn",
    "maxpool 5": "maxpool 5 pad include",
    "dense 1O": "dense 10",
    "unpool 2": "upsample 2",
    "let w1 = 3\nlet w2 = {w1}\nconv {w1}x3x3": None,
}
UNSAFE_BLOCKS = {
    "train { optimiser nadam lr 1e-3 }": "train { optimiser adam lr 1e-3 }",
    "train { optimiser radam }": "train { optimiser adam }",
    "train { optimiser adam l2 0.1 }": "train { optimiser adam weight_decay 0.1 }",
    "train { precision float64 }": None,
    "train { cost mse }": "train { cost cross_entropy }",
    "data { source cifar100 }": "data { source cifar10 }",
    "data { source kmnist }": None,
    "data { augment vflip }": "data { augment flip }",
    'data { source npz "a.npz axes nhwc }': 'data { source npz "a.npz axes nhwc" }',
    "expect { accuracy >= 98 }": "expect { accuracy >= 98% }",
}


@pytest.mark.parametrize(("wrong", "right"), SAFE.items())
def test_a_safe_fix_of_layers(wrong: str, right: str) -> None:
    assert repaired(f"{HEAD}{wrong}{TAIL}") == f"{HEAD}{right}{TAIL}"


@pytest.mark.parametrize(("wrong", "right"), SAFE_BLOCKS.items())
def test_a_safe_fix_of_settings(wrong: str, right: str) -> None:
    text = f"{HEAD}gap{TAIL}"
    assert repaired(f"{text}{wrong}\n") == f"{text}{right}\n"


@pytest.mark.parametrize(("wrong", "likely"), UNSAFE.items())
def test_an_unsafe_fix_of_layers(wrong: str, likely: str | None) -> None:
    text = f"{HEAD}{wrong}{TAIL}"
    assert likely is None or repaired(text, unsafe=True) == f"{HEAD}{likely}{TAIL}"
    if "let" not in wrong:
        assert repaired(text) == text


@pytest.mark.parametrize(("wrong", "likely"), UNSAFE_BLOCKS.items())
def test_an_unsafe_fix_of_settings(wrong: str, likely: str | None) -> None:
    text = f"{HEAD}gap{TAIL}"
    assert repaired(f"{text}{wrong}\n") == f"{text}{wrong}\n"
    assert likely is None or repaired(f"{text}{wrong}\n", unsafe=True) == f"{text}{likely}\n"


@pytest.mark.parametrize("wrong", ["{widht}", "{w2}", "{Width}"])
def test_a_number_of_the_author_is_never_taken_for_another_one(wrong: str) -> None:
    text = f"{HEAD}let width = 4\nlet w1 = 3\nconv {wrong}x3x3 -> conv {{w1}}x{{width}}x3{TAIL}"
    assert repaired(text) == text


# ---- words of other systems ------------------------------------------------------------------------------

MEANS_THE_SAME = {
    "avgpool": {"avg_pool2d", "avgpool2d"}, "maxpool": {"max_pool2d", "maxpool2d"}, "upconv": {
    "conv_transpose2d", "convtranspose2d"}, "conv": {"conv1d", "conv2d", "convolution"}, "shuffle": {
    "channel_shuffle", "channelshuffle"}, "groupnorm": {"group_norm"}, "layernorm": {"layer_norm"}, "lrn": {
    "local_response_norm", "localresponsenorm"}, "bn": {"batch_norm", "batchnorm2d"}, "huber": {"huber_loss",
    "huberloss"}, "leaky": {"leaky_relu", "leaky_relu_", "leakyrelu"}, "swish": {"silu"}, "hardsigmoid": {
    "hard_sigmoid"}, "logsoftmax": {"log_softmax"}, "pad": {"zeropad2d"}, "step": {"heaviside"}, "add": {"sum"},
    "concat": {"cat", "concatenate"}, "mul": {"multiply", "prod"}, "optimiser": {"optimizer"},
    "stride": {"strided"}, "augment": {"argument"}, "normalise": {"normalize"}, "dense": {"linear"},
    "multistep": {"multisteplr"}, "lppool": {"lp_pool2d", "lppool2d"},
    "abs": {"absolute", "absolute_", "abs_"}, "sub": {"subtract", "sub_"}, "min": {"minimum"}, "pixelshuffle": {
    "pixel_shuffle"}, "pixelunshuffle": {"pixel_unshuffle"},
    "clip": {"clamp", "clamp_", "hardtanh", "hardtanh_", "clip_"},
}  # fmt: skip


def test_no_name_of_pytorch_becomes_a_word_of_another_meaning() -> None:
    torch = pytest.importorskip("torch")
    places = (torch, torch.nn, torch.nn.functional, torch.optim, torch.optim.lr_scheduler)
    names = {name for place in places for name in dir(place) if not name.startswith("_")}
    for name in names:
        plain = name.lower().removesuffix("_")
        taken = {own for own in _vocabulary() if same_word(name, own)} - {plain}
        assert all(name.lower() in MEANS_THE_SAME.get(own, ()) for own in taken), (name, taken)


@pytest.mark.parametrize("word", sorted(LOOKALIKE))
def test_what_looks_like_a_word_is_none(word: str) -> None:
    assert not any(same_word(word, own) for own in _vocabulary() - {word})


@pytest.mark.parametrize(
    ("written", "meant", "same"),
    [("desne", "dense", True), ("dens", "dense", True), ("softmaks", "softmax", True), ("Maxpool", "maxpool", True),
     ("max_pool", "maxpool", True), ("epoch", "epochs", True), ("optimizer", "optimiser", True),
     ("relo", "relu", False), ("nadam", "adam", False), ("float61", "float16", False), ("gelu6", "relu6", False),
     ("mea", "mae", False), ("flop", "flip", False), ("width", "widht", False)],
)  # fmt: skip
def test_what_is_a_slip(written: str, meant: str, same: bool) -> None:
    assert same_word(written, meant) is same


# ---- whatever the text -----------------------------------------------------------------------------------

NUMBER = re.compile(r"(?<![^\W\d])\d+(?:\.\d+)?(?:e-?\d+)?")
SLIPS = ["rellu", "sofmax", "conv2d", "Conv2d(3, 8, 3)", "nadam", "cifar100", "vflip", "1O", "8*3", "=", ",", "->",
         "relu", "leaky_relu 0.3", "LeakyReLU(0.2)", "\n", "stride=2", "strid 2", "pad", "maxpool 5", ")", "(", '"',
         "{w}", "dropout2d 0.5", "bias none", "8 3 3", "lr 0,1", "batch_size 3", "98", "as a", "@a"]  # fmt: skip


def numbers(text: str) -> list[str]:
    """The numbers of a text in its order, sizes taken apart."""
    return NUMBER.findall(re.sub(r"(?<=[\d}])\s*[xX×*,]\s*(?=[\d{])", " ", text))


def mutated(text: str, rng: random.Random) -> str:
    for _ in range(rng.randint(1, 3)):
        words = list(re.finditer(r"[^\s]+", text))
        word = rng.choice(words)
        slip, written = rng.choice(SLIPS), word[0]
        new = rng.choice((slip, f"{written} {slip}", written[:-1], written + written[-1], written.upper()))
        text = text[: word.start()] + new + text[word.end() :]
    return text


def held(text: str) -> int:
    """Hold every fix of a text to what is promised of it; how many safe ones there were."""
    source = Source("a.cnn", text)
    found = find(source)
    for diagnostic in found:
        if diagnostic.fix:
            assert diagnostic.applicability in ("safe", "unsafe")
            assert (diagnostic.code, diagnostic.message) not in {
                (left.code, left.message) for left in find(Source("a.cnn", edited(text, diagnostic.fix)), False)
            } or [d.message for d in found].count(diagnostic.message) > 1
        if diagnostic.safe:
            after = edited(text, diagnostic.fix)
            assert numbers(after) == numbers(text), (text, after)
            assert not set(re.findall(r"\w+", text.lower())) & LOOKALIKE - set(re.findall(r"\w+", after.lower()))
    fixed, applied, left = repair(source, found, find)
    assert numbers(fixed.text) == numbers(text), (text, fixed.text)
    if applied:
        assert sum(d.severity == "error" for d in left) <= sum(d.severity == "error" for d in found)
        assert repair(fixed, left, find).source.text == fixed.text
    return applied


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: path.stem)
def test_safe_fixes_of_the_corpus_keep_what_was_written(path: Path) -> None:
    held(path.read_bytes().decode("utf-8", "replace"))


@pytest.mark.parametrize("seed", range(4))
def test_safe_fixes_of_mutated_specs_keep_what_was_written(seed: int) -> None:
    rng = random.Random(seed)
    texts = [path.read_text(encoding="utf-8") for path in SPECS]
    assert sum(held(mutated(rng.choice(texts), rng)) for _ in range(40)) >= 5
