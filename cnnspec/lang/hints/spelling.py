"""Spellings: British and American ones, and the names that other systems give to our words and settings.

All are read; `fmt --own-words` writes the language's own. What looks like one of them and means something else
(LOOKALIKE) is not read, but known to "did you mean" and to what makes a fix safe (safety.py).
"""

from __future__ import annotations

from collections.abc import Container, Hashable, Mapping
from functools import cache

from ...ir.fields import Declared, size_field

AMERICAN: dict[str, str] = {
    "optimizer": "optimiser",
    "normalize": "normalise",
    "color": "colour",
    "grayscale": "greyscale",
    "gray": "grey",
    "center": "centre",
    "initializer": "initialiser",
    "labeled": "labelled",
}

ELSEWHERE: dict[str, str] = {
    "as": "layout",  # of weights: `weights "file" as torchvision`
    "strides": "stride",
    "padding": "pad",
    "dilation": "dilate",
    "dilation_rate": "dilate",
    "group": "groups",
    "use_bias": "bias",
    "learning_rate": "lr",
    "rate": "lr",
    "batch_size": "batch",
    "batchsize": "batch",
    "num_epochs": "epochs",
    "epoch": "epochs",
    "random_seed": "seed",
    "loss": "cost",
    "criterion": "cost",
    "scheduler": "schedule",
    "lr_schedule": "schedule",
    "early_stopping": "patience",
    "alpha": "slope",
    "negative_slope": "slope",
    "epsilon": "eps",
    "approximate": "form",  # of GELU
    "label_smoothing": "smoothing",
    "dataset": "source",
    "val": "validation",
    "val_split": "validation",
    "validation_split": "validation",
    "augmentation": "augment",
    "parameters": "params",
    "mults": "macs",
    "acc": "accuracy",
    "loss_weight": "weight",
    "kernel_initializer": "init",
    "weight_init": "init",
    "l2": "weight_decay",
    "decay": "weight_decay",
    "clip_norm": "clip",
    "clipnorm": "clip",
    **dict.fromkeys(("gradient_clip", "grad_clip", "clip_grad_norm", "max_grad_norm", "gradient_clip_val"), "clip"),
    **dict.fromkeys(("bs", "minibatch", "mini_batch_size"), "batch"),
    **dict.fromkeys(("n_epochs", "num_epoch", "nb_epoch", "max_epochs"), "epochs"),
    **dict.fromkeys(("warmup_epochs", "num_warmup_epochs"), "warmup"),
    "beta_1": "beta1",
    "beta_2": "beta2",
    "step_size": "every",
    "milestones": "at",
    **dict.fromkeys(("image_size", "img_size", "target_size"), "resize"),
    "pretrained": "weights",
}

SWITCHES: dict[str, str] = {"true": "on", "yes": "on", "false": "off", "no": "off", "none": "off"}

# values that other systems spell otherwise
VALUES: dict[str, str] = {
    "he_normal": "kaiming_normal",
    "he_uniform": "kaiming_uniform",
    "kaiming_normal_": "kaiming_normal",
    "kaiming_uniform_": "kaiming_uniform",
    "glorot_normal": "xavier_normal",
    "glorot_uniform": "xavier_uniform",
    "fp32": "float32",
    "bf16": "bfloat16",
    "fp16": "float16",
    "half": "float16",
    "val_loss": "cost",
    "val_accuracy": "accuracy",
}

MEANT: dict[str, tuple[str, ...]] = {  # words of other systems, plainly written, that are near enough to be named
    **dict.fromkeys(
        ("crossentropy", "sparsecategoricalcrossentropy", "crossentropywithlogits"), ("cross_entropy",)
    ),
    **dict.fromkeys(("bce", "bcewithlogits", "binarycrossentropywithlogits"), ("binary_cross_entropy",)),
    "mse": ("mse",),
    **dict.fromkeys(("l1", "mae"), ("mae",)),
    "smoothl1": ("huber",),
    "multimargin": ("hinge",),
    **dict.fromkeys(("cosineannealinglr", "cosinedecay", "cosineannealing"), ("cosine",)),
    "exponentiallr": ("exponential",),
    "onecyclelr": ("onecycle",),
    "steplr": ("step",),
    **dict.fromkeys(("folder", "imagefolder", "directory", "imagedatasetfromdirectory"), ("images",)),
    **dict.fromkeys(("flip", "horizontalflip", "hflip", "fliplr"), ("flip",)),
    **dict.fromkeys(("rotation", "rotate"), ("rotate",)),
    **dict.fromkeys(("crop",), ("crop",)),
    **dict.fromkeys(("translation", "affine"), ("shift",)),
    **dict.fromkeys(("resizedcrop",), ("resized_crop",)),
    "erasing": ("cutout",),
    "zoom": ("scale",),
    "colorjitter": ("brightness",),
    "gaussiannoise": ("noise",),
}

RECURRENT = "recurrent layers are no part of the language: its networks are convolutional"
TOKENS = "attention over tokens is no part of the language: its networks are convolutional"
VOLUMES = "volumes are no part of the language: a value is an image, a sequence or a vector"
AUGMENTED = "images are changed where they are read: `data { augment flip }`"
APART: dict[str, str] = {  # layers of other systems, plainly written, that the language has not, and why
    **dict.fromkeys(
        ("lstm", "gru", "rnn", "simplernn", "lstmcell", "grucell", "bidirectional", "convlstm2d"),
        RECURRENT,
    ),
    **dict.fromkeys(
        ("embedding", "attention", "multiheadattention", "selfattention", "transformer", "transformerencoderlayer"),
        TOKENS,
    ),
    **dict.fromkeys(("conv3d", "maxpool3d", "avgpool3d", "maxpooling3d", "averagepooling3d", "upconv3d"), VOLUMES),
    **dict.fromkeys(
        ("randomflip", "randomrotation", "randomcrop", "randomzoom", "randomhorizontalflip", "randomtranslation"),
        AUGMENTED,
    ),
    **dict.fromkeys(("input", "inputlayer", "inputs"), "the first line says it: `input 1x28x28`"),
    **dict.fromkeys(("identity", "nop", "pass"), "leave it out; `id` is a branch that changes nothing"),
    **dict.fromkeys(
        ("dropout2d", "spatialdropout2d", "dropout1d", "spatialdropout1d"),
        "`dropout` makes single numbers zero, `droppath` the whole value of an image; there is none for channels",
    ),
    **dict.fromkeys(("rescaling", "normalize"), "pixels are read as numbers from 0 to 1; `data { normalise on }`"),
    **dict.fromkeys(("argmax", "topk"), "a network ends in `softmax`; `cnnspec predict` names the likeliest"),
    **dict.fromkeys(
        ("output", "outputs", "outputlayer"),
        "the end of a chain is its output; `net out = ...` names it",
    ),
    **dict.fromkeys(("view", "unsqueeze", "squeeze"), "another shape is `reshape CxHxW`, or `flatten`"),
    **dict.fromkeys(
        ("skip", "shortcut", "residual", "skipconnection"),
        "a value is named by `as a`, and added further on by `add(id | @a)`",
    ),
    **dict.fromkeys(
        ("compile", "fit", "evaluate", "summary", "backward", "zerograd"),
        "a spec says what is learnt in `train { ... }`; `cnnspec run net.cnn` trains it",
    ),
    **dict.fromkeys(("permute", "transpose"), "axes keep their order: channels, height, width"),
    **dict.fromkeys(
        ("sequential", "model", "modulelist"),
        "a network is its layers with `->` between them: `conv 8x3x3 -> relu`",
    ),
    "lambda": "a formula of one's own is no part of the language; `cnnspec ops` lists the words",
}

# Words of other systems, plainly written, that look like one of ours or stand close to it, and mean something
# else. They may be suggested, but are never taken for a slip or for another spelling.
LOOKALIKE = frozenset((
    # layers and costs
    "rrelu", "crelu", "thresholdedrelu", "hardshrink", "softshrink", "tanhshrink", "logsigmoid",
    "threshold", "binary", "softmin", "logsoftmin", "softmax2d", "maxunpool", "unpool", "pool",
    "fractionalmaxpool", "adaptiveavgpool2d", "adaptivemaxpool2d", "dropout1d", "dropout2d", "dropout3d",
    "alphadropout", "featuredropout", "spatialdropout", "gaussiandropout", "conv3d", "conv2dlstm", "convlstm",
    "fold", "unfold", "unflatten", "slice", "split", "chunk", "narrow", "stack", "gate", "gamma",
    "maximum", "dot", "interpolate", "layernorm2d", "instancenorm", "unitnorm", "rmsnorm", "nll",
    "l2", "svm", "categoricalhinge",
    # optimisers and schedules
    "nadam", "radam", "nadamw", "sgdw", "asgd", "adadelta", "rprop", "lamb", "lars", "ftrl",
    "adafactor", "sparseadam", "polynomial", "plateau", "amsgrad",
    "centered", "constantlr", "exponentiallr", "onecyclelr", "steplr",
    # data and augmentations
    "cifar100", "emnist", "kmnist", "qmnist", "fashion", "svhn", "vflip", "hflip", "shear",
    # settings
    "rate", "decay", "lrdecay", "clipnorm", "clipvalue", "earlystopping", "none", "mults",
))  # fmt: skip


def bare(name: str) -> str:
    """A word without what other systems put around it: `nn.BCELoss` is bce."""
    plain = name.rpartition(".")[2].lower().replace("_", "")
    for affix in ("random", "loss"):
        plain = plain.removeprefix(affix).removesuffix(affix)
    return plain


def own_setting(name: str, known: Container[str]) -> str:
    """The setting that a name says, among those that are known; the name itself where it says none of them.

    >>> own_setting("optimizer", ("optimiser", "cost")), own_setting("loss", ("optimiser", "cost"))
    ('optimiser', 'cost')
    >>> own_setting("stride", ("pad",)), own_setting("alpha", ("alpha", "slope"))
    ('stride', 'alpha')
    """
    if name in known:
        return name
    plain = name.lower()
    meant = AMERICAN.get(plain) or ELSEWHERE.get(plain, "")
    return meant if meant in known and plain.replace("_", "") not in LOOKALIKE else name


def own_word(name: str, known: Mapping[str, object]) -> str:
    """The word that a name says, among classes by their words; the name itself where it says none of them.

    `ReLU`, `Conv2d` and `batch_norm` say relu, conv and bn: capitals and underscores do not count.
    """
    if name in known:
        return name
    plain = name.lower().replace("_", "")
    if plain in LOOKALIKE:
        return name
    meant = AMERICAN.get(plain, plain)
    return meant if meant in known else elsewhere(plain, known) or name


def elsewhere(name: str, known: Mapping[str, object]) -> str:
    """The known word that another system calls so, or that is spelt so; empty where there is none."""
    plain = name.lower().replace("_", "")
    flat = plain[:-2] if plain.endswith(("1d", "2d")) and plain not in LOOKALIKE else plain
    for said in (plain, flat):
        for own, cls in known.items():
            if said == own.replace("_", "") or said in aliases(cls):
                return own
    return ""


def first_setting(cls: type[Declared]) -> str:
    """What other systems take first, without a name, of a word that has no size here: `LeakyReLU(0.2)`."""
    return cls.order[0] if cls.order and size_field(cls) is None else ""


def takes_other_first(cls: type[Declared]) -> bool:
    """Whether other systems, or some of them, give a word that has a size something else first."""
    return cls.order[:1] not in ((), ("size",)) and size_field(cls) is not None


@cache
def aliases(cls: Hashable) -> frozenset[str]:
    """The names of a word in other systems, plainly written."""
    return frozenset(alias.replace("_", "") for alias in getattr(cls, "aliases", ()))


def own_switch(name: str) -> str:
    """`on` or `off` for what says so elsewhere: `true`, `False`; any other name as it is."""
    return name if name.lower() == "none" else SWITCHES.get(name.lower(), name)
