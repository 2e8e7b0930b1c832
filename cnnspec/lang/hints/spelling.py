"""Spellings: British and American ones are both read, and `fmt` writes the first.

Here stand too the names that other systems give to our settings: not read, but known to "did you mean" and to
what makes a fix safe (safety.py).
"""

from __future__ import annotations

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
    "label_smoothing": "smoothing",
    "dataset": "source",
    "val": "validation",
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
}

SWITCHES: dict[str, str] = {"true": "on", "yes": "on", "false": "off", "no": "off", "none": "off"}

# the setting that other systems take first and without its name: `LeakyReLU(0.2)`
FIRST: dict[str, str] = {"leaky": "slope", "elu": "alpha", "celu": "alpha"}
OTHER_FIRST = frozenset(("upsample", "lppool"))  # words of which they take something else first: a size, a power

# Words of other systems, plainly written, that look like one of ours or stand close to it, and mean something
# else. They may be suggested, but are never taken for a slip or for another spelling.
LOOKALIKE = frozenset((
    # layers and costs
    "rrelu", "crelu", "thresholdedrelu", "hardtanh", "hardshrink", "softshrink", "tanhshrink", "logsigmoid",
    "threshold", "binary", "softmin", "logsoftmin", "softmax2d", "maxunpool", "unpool", "pool",
    "fractionalmaxpool", "adaptiveavgpool2d", "adaptivemaxpool2d", "dropout1d", "dropout2d", "dropout3d",
    "alphadropout", "featuredropout", "spatialdropout", "gaussiandropout", "conv3d", "conv2dlstm", "convlstm",
    "fold", "unfold", "unflatten", "slice", "split", "chunk", "narrow", "stack", "gate", "gamma", "subtract",
    "minimum", "maximum", "dot", "interpolate", "layernorm2d", "instancenorm", "unitnorm", "rmsnorm", "nll",
    "l2", "svm", "categoricalhinge",
    # optimisers and schedules
    "nadam", "radam", "nadamw", "sgdw", "asgd", "adadelta", "rprop", "lamb", "lars", "ftrl",
    "adafactor", "sparseadam", "polynomial", "multistep", "plateau", "amsgrad",
    "centered", "constantlr", "exponentiallr", "onecyclelr", "steplr",
    # data and augmentations
    "cifar100", "emnist", "kmnist", "qmnist", "fashion", "svhn", "vflip", "hflip", "rotate", "shear",
    # settings
    "rate", "decay", "lrdecay", "clipnorm", "clipvalue", "earlystopping", "none", "mults",
))  # fmt: skip


def british(word: str) -> str:
    """The spelling that the language writes.

    >>> british("optimizer"), british("stride")
    ('optimiser', 'stride')
    """
    return AMERICAN.get(word, word)
