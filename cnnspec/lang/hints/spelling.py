"""Spellings: British and American ones are both read, and `fmt` writes the first.

Here stand too the names that other systems give to our settings: not read, but known to "did you mean".
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


def british(word: str) -> str:
    """The spelling that the language writes.

    >>> british("optimizer"), british("stride")
    ('optimiser', 'stride')
    """
    return AMERICAN.get(word, word)
