"""Settings of other systems that our words say otherwise: in their size, by a layer of its own, or not at all.

conv 8 kernel_size 3 activation relu      ->  conv 8x3x3 -> relu
dropout p 0.5                             ->  dropout 0.5
"""

from __future__ import annotations

from contextlib import suppress

from ...diagnostics import Span
from ...ir.fields import Declared, Switch, is_required, settings, size_field
from ...words import WORDS
from ..findings import Findings, Proposal, replace
from ..parse.tree import Attr, Hole, Name, Number, Quote, Sizes, Value
from .spelling import SWITCHES, own_setting, own_word

FILTERS = frozenset(("filters", "out_channels", "num_filters", "nb_filter", "channels"))
COUNTS = FILTERS.union((
    "units", "out_features", "output_dim",
    "size", "pool_size", "scale_factor", "factor", "scale",
    "num_groups", "output_size", "target_shape", "shape", "window",
))  # fmt: skip
PROBABILITIES = frozenset(("rate", "p", "prob", "drop_prob", "keep_prob"))
KERNELS = frozenset(("kernel_size", "kernel", "kernel_shape", "ksize", "k", "filter_size"))
ACTIVATIONS = frozenset(("activation", "act", "nonlinearity", "activation_fn", "activation_layer"))
KNOWN_ALREADY = {
    **dict.fromkeys(
        ("in_channels", "in_features", "num_features", "input_dim", "input_channels", "normalized_shape", "nin"),
        "what comes in is known from the layer before",
    ),
    **dict.fromkeys(
        ("inplace", "memory_format", "data_format", "dtype", "device", "trainable"),
        "how it is computed is not said in a spec",
    ),
    **dict.fromkeys(("dim", "axis"), "it is always over the channels"),
    **dict.fromkeys(("start_dim", "end_dim"), "everything but the batch becomes one vector"),
    **dict.fromkeys(
        ("affine", "track_running_stats", "center"),
        "`bn` always learns a scale and a shift, and keeps running means",
    ),
    **dict.fromkeys(
        ("kernel_regularizer", "bias_regularizer", "activity_regularizer", "weight_decay"),
        "a penalty belongs to the optimiser: `optimiser adam weight_decay 1e-4`",
    ),
    **dict.fromkeys(("input_shape", "input_size"), "the first line says it: `input 1x28x28`"),
    "padding_mode": "padding is always of zeros",
}
ENLARGED = dict.fromkeys(
    (("upsample", "mode"), ("upsample", "interpolation"), ("upsample", "align_corners")),
    "`upsample` repeats pixels; blending is `resize HxW mode bilinear`",
)
NAMES = frozenset(("name", "label"))


def _rest(text: str) -> str:
    """What a share leaves of 1; empty for what is no share.

    >>> _rest("0.8"), _rest("keep")
    ('0.2', '')
    """
    with suppress(ValueError):
        return f"{1 - float(text):.6g}"
    return ""


def first_size(cls: type[Declared]) -> bool:
    """Whether a word has a size."""
    return size_field(cls) is not None


def told_otherwise(
    cls: type[Declared], word: Name, size: Value | Quote | None, attrs: tuple[Attr, ...], findings: Findings
) -> bool:
    """Report settings of a layer that another system has and that ours says otherwise; all of them at once."""
    if cls.word not in WORDS:
        return False
    own = settings(cls)
    foreign = [attr for attr in attrs if own_setting(attr.name.text, own) not in own]
    said = [(attr, why) for attr in foreign if (why := reason(cls, attr.name.text))]
    if not said:
        return False
    first, why = said[0]
    whole = word.span.to(attrs[-1].span)
    whole = Span(
        whole.source, whole.start, whole.end + (whole.source.text[whole.end : whole.end + 1] in ("'", '"'))
    )
    written = tuple((attr.name.text, _unquoted(cls, attr)) for attr in attrs)
    proposals: list[Proposal] = []
    for rank in (2, 1):
        text = rebuilt(cls, size.span.text if size else "", written, rank)
        if text and replace(whole, text) not in proposals:
            proposals.append(replace(whole, text, sure=False))
    case = "size" if why == "size" else "labelled" if proposals else "stated"
    findings.forget(whole, "CNN003", "CNN011")
    findings.tell(
        "CNN202",
        first.name.span,
        *proposals,
        case=case,
        word=word.text,
        name=first.name.text,
        why=why,
        pattern=pattern(cls),
    )
    return True


def reason(cls: type[Declared], name: str) -> str:
    """Why a word has no such setting, where another system has it; empty where none has."""
    sized = size_field(cls)
    if sized is not None and name in COUNTS | KERNELS | (PROBABILITIES if _drops(cls) else frozenset()):
        return "size"
    if name in ACTIVATIONS:
        return "an activation is a layer of its own"
    return (
        "a name is given by `as`"
        if name in NAMES
        else ENLARGED.get((cls.word, name)) or KNOWN_ALREADY.get(name, "")
    )


def _drops(cls: type[Declared]) -> bool:
    """Whether the size of a word is a probability."""
    sized = size_field(cls)
    return sized is not None and sized.metadata["pattern"] == "P"


def pattern(cls: type[Declared]) -> str:
    """How a word is written: itself and the letters of its size, as in `conv FxKxK`."""
    sized = size_field(cls)
    return cls.word if sized is None else f"{cls.word} {sized.metadata['pattern']}"


def told(value: Value | Quote) -> str:
    """A value as it stands in the text, without quotes; one that was read otherwise as it was read."""
    if isinstance(value, Name | Quote):
        return value.text
    if isinstance(value, Sizes):
        return "x".join(str(item.value) if isinstance(item, Number) else _open(item) for item in value.items)
    return value.span.text


def _open(item: Hole | None) -> str:
    return "?" if item is None else item.span.text


def _unquoted(cls: type[Declared], attr: Attr) -> str:
    own = settings(cls)
    name = own_setting(attr.name.text, own)
    text = told(attr.value)
    switch = name in own and isinstance(own[name].metadata["kind"], Switch)
    return SWITCHES.get(text.lower(), text) if switch else text


def rebuilt(cls: type[Declared], size: str, told: tuple[tuple[str, str], ...], rank: int = 2) -> str:
    """A layer as the language writes it, of settings as another system names them; empty where one is not known.

    >>> rebuilt(WORDS["conv"], "8", (("kernel_size", "3"), ("strides", "2"), ("activation", "relu")))
    'conv 8x3x3 stride 2 -> relu'
    """
    own = settings(cls)
    sized = size_field(cls)
    filters, kernel, after, settings_text = "", "", "", ""
    for name, text in told:
        ours = own_setting(name, own)
        if ours in own:
            settings_text += f" {ours} {text}"
        elif sized is not None and name in KERNELS and sized.metadata["pattern"].startswith("F"):
            kernel = text
        elif sized is not None and name in FILTERS and size and sized.metadata["pattern"].startswith("F"):
            filters = text
        elif sized is not None and name in COUNTS | KERNELS:
            size = size or text
        elif name in PROBABILITIES and _drops(cls):
            size = size or (_rest(text) if name == "keep_prob" else text)
        elif (cls.word, name) in ENLARGED and text == "nearest":
            pass
        elif name in ACTIVATIONS:
            activation = own_word(text, WORDS)
            if activation not in WORDS and text.lower() not in ("linear", "none", "identity"):
                return ""
            after += f" -> {activation}" if activation in WORDS else ""
        elif name in NAMES:
            after = f" as {text}{after}" if text.isidentifier() else after
        elif name not in KNOWN_ALREADY:
            return ""
    if kernel and not size:
        return ""
    if kernel and "x" in size:  # conv 8x3x3 kernel_size 3
        kernel = "" if kernel in size.split("x", 1)[1] else kernel
    if filters and size.count("x") == 1:  # conv 3x3 filters 8
        size = f"{filters}x{size}"
    if kernel:
        size = f"{size}x{kernel}" if "x" in kernel or rank == 1 else f"{size}x{kernel}x{kernel}"
    if sized is not None and sized.metadata["pattern"] == "KxK" and size.isdigit() and rank == 2:
        size = f"{size}x{size}"
    if sized is not None and not size and is_required(sized):
        return ""
    return f"{cls.word}{' ' * bool(size)}{size}{settings_text}{after}"
