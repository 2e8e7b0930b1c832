"""`train { ... }`: how a network is trained."""

from __future__ import annotations

from typing import ClassVar

from ..ir.fields import Choice, Count, Declared, Names, Number, Switch, Text, required, setting, size
from ..ir.nested import Clause, Nested
from ..record import record
from ..words.costs import COSTS, Cost
from .data import repeated
from .optimiser import Optimiser
from .optimisers import OPTIMISERS
from .optimisers.adam import Adam
from .schedules import SCHEDULES, Constant, Schedule

LAYOUTS = ("torchvision", "timm", "keras")


@record
class Every(Declared):
    """A checkpoint every so many epochs, of which the last few are kept."""

    word: ClassVar[str] = "every"
    size: int = size(Count(), "N", "epochs from one checkpoint to the next")
    keep: int = setting(Count(1, 1000), 1, "how many of the last checkpoints are kept")


@record
class Weights(Declared):
    """A file of weights that a run begins with: ours, or torchvision's, timm's or Keras' of the same network."""

    word: ClassVar[str] = "weights"
    file: str = size(Text(), '"file"', "a file in safetensors or of Keras, from the spec's folder on")
    layout: str | None = setting(Choice(LAYOUTS), None, "who must have published it; without, it is noticed")
    partial: bool = setting(Switch(), False, "load what fits, such as all but a new head")


@record
class Freeze(Declared):
    """Layers, blocks or nets that keep their parameters; a `bn` among them normalises by its running statistics."""

    word: ClassVar[str] = "freeze"
    names: tuple[str, ...] = size(
        Names(), "NAME, ...", 'layers, blocks, nets, labels, or patterns such as "stage*"'
    )
    until: int | None = setting(Count(), None, "how many epochs are done when they learn again; without, never")


@record
class Rate(Declared):
    """A learning rate of their own for some layers, blocks or nets."""

    word: ClassVar[str] = "rate"
    factor: float = size(Number(0, open_low=True), "R", "what the learning rate is multiplied by")
    of: tuple[str, ...] = required(Names(), 'layers, blocks, nets, labels, or patterns such as "stage*"')


@record
class Train(Declared):
    """How the network is trained; every setting has a default, so the block may be left out."""

    word: ClassVar[str] = "train"

    cost: tuple[Cost, ...] = repeated(
        Nested(COSTS), "what is minimised, once for each output (default: by the last word)"
    )
    optimiser: Optimiser = setting(Nested(OPTIMISERS), Adam(), "how a step moves the parameters")
    schedule: Schedule = setting(Nested(SCHEDULES), Constant(), "how the learning rate changes")
    batch: int = setting(Count(), 64, "images a step")
    epochs: int = setting(Count(0), 5, "how often every image is seen")
    seed: int = setting(Count(0, 2**32 - 1), 0, "all chance comes from it")
    shards: int | None = setting(
        Count(1, 1024), None, "fixed parts that a batch is cut into (default: one a worker)"
    )
    precision: str = setting(
        Choice(("float32", "bfloat16", "float16")), "float32", "what layers compute in; halves want `--engine jax`"
    )
    best: str = setting(Choice(("accuracy", "cost")), "accuracy", "what `weights/best` is the best of")
    patience: int | None = setting(Count(), None, "epochs without a better one until training stops")
    checkpoint: Every | None = setting(
        Nested((Every,)), None, "checkpoints beside the last one and the best: `every 5 keep 3`"
    )
    weights: Weights | None = setting(Clause((Weights,)), None, "what a run begins with: a file of weights")
    freeze: tuple[Freeze, ...] = repeated(Clause((Freeze,)), "what does not learn: `freeze stem, stage1 until 5`")
    rate: tuple[Rate, ...] = repeated(Clause((Rate,)), "a part's share of the learning rate: `rate 0.1 of trunk`")
    accumulate: int = setting(
        Count(1, 4096), 1, "parts that a batch is computed in, one after the other, for a part's memory"
    )
    ema: float | None = setting(
        Number(0, 1, open_high=True),
        None,
        "share that an average of the parameters keeps at a step; it is what is used",
    )
