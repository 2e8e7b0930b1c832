"""Settings outside of their block, of the other block, or of a word that a setting takes: `train { lr 0.01 }`."""

from __future__ import annotations

from functools import cache

from ...diagnostics import Edit, Span
from ...ir.fields import Declared, Shape, Sizes, settings, size_field
from ...ir.nested import Nested
from ...settings.data import SOURCES as SOURCE_CLASSES
from ...settings.data import Data
from ...settings.train import Train
from ...words import WORDS
from ..findings import Findings, Proposal, replace
from ..parse.context import ErrorContext
from ..parse.tree import Attr, Setting
from .spelling import own_setting, own_word
from .stated import told

SOURCES: dict[str, type[Declared]] = {cls.word: cls for cls in SOURCE_CLASSES}
BLOCK_NAMES = {  # of settings, in other systems
    **dict.fromkeys(("training", "fit", "trainer", "solver", "hyperparameters", "learn", "compile"), "train"),
    **dict.fromkeys(("dataset", "datasets", "dataloader", "loader"), "data"),
    **dict.fromkeys(("assert", "budget", "budgets", "require", "expects"), "expect"),
}
BLOCKS = {"train": Train, "data": Data}
ELSEWHERE_SAID: dict[tuple[str, str], str] = {  # what is said otherwise, or elsewhere
    **dict.fromkeys(
        (("train", "metrics"), ("train", "metric")),
        "a run measures what its data allow; `expect { accuracy >= 98% }` holds it to a bound",
    ),
    **dict.fromkeys(
        (("train", "device"), ("train", "gpu"), ("train", "cuda"), ("train", "backend")),
        "where it runs is told to the command: `cnnspec run net.cnn --engine jax`",
    ),
    ("train", "callbacks"): "there are settings for them: `patience 5`, `checkpoint every 1`, `schedule cosine`",
    **dict.fromkeys((("train", "verbose"), ("train", "log")), "a run prints a line of each epoch; leave it out"),
    **dict.fromkeys(
        (("train", "num_workers"), ("train", "workers"), ("data", "num_workers"), ("train", "threads")),
        "it is told to the command: `cnnspec run net.cnn --workers 4`",
    ),
    **dict.fromkeys(
        (("data", "split"), ("data", "train_split"), ("data", "test_size"), ("data", "val_size")),
        "write `validation 20%`, the share of the training images that is kept back",
    ),
    **dict.fromkeys(
        (("data", "transform"), ("data", "transforms")),
        "write `augment flip`, one line for each; `normalise` for numbers",
    ),
    **dict.fromkeys(
        (("data", "path"), ("data", "folder"), ("data", "dir"), ("data", "directory"), ("data", "root")),
        'write `source images "photos"`, or another source: idx, npz, pairs, csv',
    ),
    ("train", "steps"): "write `epochs`, which count how often every image is seen",
    ("train", "lr_scheduler"): "write `schedule cosine`, or another of constant, step, multistep, exponential",
    **dict.fromkeys(
        (("train", "max_steps"), ("train", "iterations"), ("train", "max_iter"), ("train", "num_steps")),
        "write `epochs`, which count how often every image is seen",
    ),
    **dict.fromkeys(
        (("train", "amp"), ("train", "mixed_precision"), ("train", "fp16"), ("train", "half")),
        "write `precision float16`, or bfloat16",
    ),
    **dict.fromkeys(
        (("train", "mixup"), ("train", "cutmix"), ("train", "augment")), "write `data { augment mixup 0.2 }`"
    ),
    ("train", "dropout"): "it is a layer of the chain: `dropout 50%`",
    **dict.fromkeys(
        (("train", "save_best"), ("train", "save_best_only"), ("train", "restore_best_weights")),
        "the best weights are kept where there is a validation; `best off` keeps the last",
    ),
    **dict.fromkeys(
        (("train", "regularizer"), ("train", "regularization"), ("train", "l1"), ("train", "l2_reg")),
        "a penalty of the weights belongs to the optimiser: `optimiser adam weight_decay 1e-4`",
    ),
    ("train", "pin_memory"): "there is nothing to pin; leave it out",
    **dict.fromkeys(
        (("data", "rescale"), ("data", "scale"), ("data", "normalization")),
        "pixels are read as numbers from 0 to 1; `normalise on` brings them to mean 0 and variance 1",
    ),
    **dict.fromkeys(
        (("data", "test"), ("data", "test_split")),
        "a source brings its own test images, or the source says where: `images`, `npz` and `csv` take `test`",
    ),
    **dict.fromkeys(
        (("train", "label_smoothing"), ("train", "smoothing")),
        "it belongs to the cost: `cost cross_entropy smoothing 0.1`",
    ),
    ("data", "batch_size"): "write `train { batch 64 }`",
    ("train", "early_stop"): "write `patience 5`",
}


@cache
def sized_settings() -> frozenset[str]:
    """The settings that take a number for each direction."""
    found = set()
    for cls in (*WORDS.values(), *_nested()):
        for name, field in settings(cls).items():
            kind = field.metadata["kind"]
            if isinstance(kind, Sizes | Shape) or isinstance(getattr(kind, "other", None), Sizes):
                found.add(name)
    return frozenset(found)


def override_of(name: str, value: str) -> str:
    """The override that sets what a name says, of a block or of a word that its settings take; empty for none.

    >>> override_of("learning_rate", "0.1"), override_of("epochs", "3")
    ('train.optimiser.lr=0.1', 'train.epochs=3')
    """
    for block, cls in BLOCKS.items():
        own = settings(cls)
        if own_setting(name, own) in own:
            return f"{block}.{own_setting(name, own)}={value}"
    for block, cls in BLOCKS.items():
        for setting, field in settings(cls).items():
            kind = field.metadata["kind"]
            takers: list[type[Declared]] = [one for one in getattr(kind, "classes", ()) if _takes(one, name)]
            if takers and not field.metadata.get("repeat"):
                return f"{block}.{setting}.{own_setting(name, settings(takers[0]))}={value}"
    return ""


def setting_of(word: str) -> str:
    """The setting of a block that takes a word: `optimiser` of `adam`, `source` of `mnist`; empty for none.

    >>> setting_of("adam"), setting_of("rotate"), setting_of("frob")
    ('optimiser', 'augment', '')
    """
    for block in BLOCKS.values():
        for setting, field in settings(block).items():
            by_word = {cls.word: cls for cls in getattr(field.metadata["kind"], "classes", ())}
            if own_word(word, by_word) in by_word and word not in settings(block):
                return setting
    return ""


def of_a_nested_word(name: str) -> bool:
    """Whether a setting is one of an optimiser, a schedule, a source, and of no block."""
    own = any(own_setting(name, settings(block)) in settings(block) for block in BLOCKS.values())
    return not own and any(_takes(cls, name) for cls in _nested())


@cache
def _nested() -> tuple[type[Declared], ...]:
    """The words that the settings of the blocks take."""
    kinds = [field.metadata["kind"] for block in BLOCKS.values() for field in settings(block).values()]
    return tuple(cls for kind in kinds for cls in getattr(kind, "classes", ()))


def said_elsewhere(place: ErrorContext, findings: Findings) -> bool:
    """callbacks=[EarlyStopping()], metrics ['accuracy'], target input"""
    first = place.tokens[place.begun]
    if not place.braced or first.type != "NAME" or place.text() not in ("=", "[", ":", "(", "input"):
        return False
    if place.text() == "input" and place.text(-1) in ("target", "targets"):  # of an autoencoder
        here, wanted = place.span(), "expected labels, numbers or itself"
        findings.tell("CNN001", here, replace(here, "itself"), token=place.text(), wanted=wanted)
        return True
    opened = next((str(token) for token in reversed(place.tokens[: place.begun]) if token.type == "OPEN"), "")
    block = opened.rstrip("{ \t\r\n")
    why = ELSEWHERE_SAID.get((block, str(first)), "")
    if why:
        at = Span(place.source, first.start_pos, first.end_pos)
        findings.tell("CNN202", at, case="told", word=block, name=first, why=why)
    return bool(why)


MOST = 32  # lines of a block that are looked at together


def block_of(name: str) -> str:
    """The block, `train` or `data`, that a setting belongs to or that a word is; empty for others."""
    if name in ("train", "data", "expect"):
        return name
    for block in (Train, Data):
        if own_setting(name, settings(block)) in settings(block) and name not in WORDS:
            return block.word
    return ""


def report_outside(block: str, word: Span, line: Span, findings: Findings) -> None:
    """Report a setting, or the word of a block, that stands outside of braces."""
    within = (line.text.removeprefix(block) if word.text == block else line.text).strip()
    if block == "data" and own_word(within, SOURCES) in SOURCES:
        within = f"source {within}"
    fix = replace(line, f"{block} {{ {within} }}") if within and "->" not in within else None
    findings.tell("CNN003", word, *([fix] if fix else []), case="outside", word=word.text, block=block)


def belongs(cls: type[Declared], attr: Attr, lines: tuple[Setting, ...], findings: Findings) -> bool:
    """train { lr 0.01 }: report a setting that belongs to the other block, or to a word that a setting takes.

    Where a block has very many lines, each is told by itself, and none of the others is moved along.
    """
    lines = lines if len(lines) <= MOST else ()
    name, own = attr.name.text, settings(cls)
    value = told(attr.value)
    other: type[Declared] = next((block for word, block in BLOCKS.items() if word != cls.word), cls)
    if own_setting(name, settings(other)) in settings(other):
        findings.tell("CNN202", attr.name.span, case="other block", word=cls.word, name=name, other=other.word)
        return True
    taken = setting_of(name)
    if taken in own:  # adam lr 0.001
        at = Span(attr.span.source, attr.name.span.start, attr.name.span.start)
        fix = replace(at, f"{taken} ", help=f"write `{taken} {name}`")
        findings.tell("CNN202", attr.name.span, fix, case="told", word=cls.word, name=name, why=fix.help)
        return True
    unknown = [line for line in lines if own_setting(line.name.text, own) not in own]
    for setting, field in own.items():
        kind = field.metadata["kind"]
        if not isinstance(kind, Nested) or field.metadata.get("repeat"):
            continue
        stated = next((line for line in lines if own_setting(line.name.text, own) == setting), None)
        word = told(stated.value) if stated else getattr(field.default, "word", "")
        first = kind.by_word.get(own_word(word, kind.by_word))
        takers: list[type[Declared]] = [
            taker for taker in (first, *kind.classes) if taker is not None and _takes(taker, name)
        ]
        if not takers:
            continue
        taker = max(takers, key=lambda taker: sum(_takes(taker, line.name.text) for line in unknown))
        theirs = own_setting(name, settings(taker))
        fixes: list[Proposal] = []
        help = f"it is a setting of the {setting} `{taker.word}`"
        if attr.span.source.name == "--set":
            help = f"it belongs to the {setting}: `--set {cls.word}.{setting}.{theirs}={value}`"
        elif stated is None:
            moved = [line for line in unknown if _takes(taker, line.name.text) and line.size is None]
            said = " ".join(f"{own_setting(line.name.text, settings(taker))} {told(line.value)}" for line in moved)
            said = said or f"{theirs} {value}"
            help = f"it belongs to the {setting}: `{setting} {taker.word} {said}`"
            if moved and not size_field(taker):
                edits = [Edit(moved[0].span, f"{setting} {taker.word} {said}")]
                edits += [Edit(line.span, "") for line in moved[1:]]
                fixes.append(Proposal(help, tuple(edits), sure=False))
        elif first is not None and taker is first:
            end = Span(stated.span.source, stated.span.end, stated.span.end)
            moving = (Edit(end, f" {theirs} {value}"), Edit(attr.span, ""))
            help = f"it belongs to the {setting}: `{setting} {taker.word} {theirs} {value}`"
            fixes.append(Proposal(help, moving))
        findings.tell("CNN202", attr.name.span, *fixes, case="told", word=cls.word, name=name, why=help)
        return True
    return False


def _takes(cls: type[Declared], name: str) -> bool:
    return own_setting(name, settings(cls)) in settings(cls)
