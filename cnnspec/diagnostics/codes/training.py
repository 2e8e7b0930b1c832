"""Codes CNN301 to CNN306 and CNN322 to CNN325: training."""

from __future__ import annotations

from .code import Code, Says

CURE = "try a smaller `lr`, a `warmup` in the schedule, or `clip 1` in the optimiser"

TRAINING: tuple[Code, ...] = (
    Code(
        "CNN245",
        "unusual-learning-rate",
        """\
The learning rate is more than ten times above or below what the optimiser usually takes: `sgd` 0.001 to 0.1,
`adam` and `adamw` 0.0001 to 0.001, `rmsprop` 0.0001 to 0.01, `lion` 0.00001 to 0.0003. A rate that suits `sgd`
makes `adam` jump. It is reported for costs of classes, more above batches of 256, and no low rate where weights
are loaded or frozen.""",
        wrong="""\
input 1x28x28
dense 10 -> softmax
train { optimiser adam lr 0.1 }
""",
        right="""\
input 1x28x28
dense 10 -> softmax
train { optimiser adam lr 1e-3 }
""",
        severity="warning",
        says=(
            Says(
                "a learning rate of {rate:g} is high for {optimiser}, which usually takes {usual:g} or less",
                help="`cnnspec lr` finds one by a range test",
                case="high",
            ),
            Says(
                "a learning rate of {rate:g} is low for {optimiser}, which usually takes {usual:g} or more",
                help="`cnnspec lr` finds one by a range test",
                case="low",
            ),
        ),
    ),
    Code(
        "CNN249",
        "momentum-of-keras",
        """\
The momentum of `bn` is the share of a new batch in the running mean and variance, as in PyTorch: 0.1, usually.
Keras counts the share that is kept, so its 0.99 is 0.01 here. Above 0.5 the running values are those of the last
few batches.""",
        wrong="""\
input 1x28x28
conv 8x3x3 bias off -> bn momentum 0.99 -> relu -> dense 10 -> softmax
""",
        right="""\
input 1x28x28
conv 8x3x3 bias off -> bn momentum 0.01 -> relu -> dense 10 -> softmax
""",
        severity="warning",
        says=(
            Says("`bn momentum {written}` takes {momentum:.6g} of each new batch, and keeps {kept} of what was"),
        ),
        fixed_by=("lang.hints.habits.momentum_of_keras",),
    ),
    Code(
        "CNN301",
        "warmup-too-long",
        """\
The warm-up of a schedule is told in epochs, of which parts are allowed (`warmup 0.5`). One that lasts as
long as the training, or longer, never lets the schedule reach its full rate; most often steps were meant.
Divide the steps by the number of batches in an epoch, or take a tenth of the epochs.""",
        wrong="""\
input 1x28x28
conv 8x3x3 -> relu -> maxpool 2 -> dense 10 -> softmax
train { schedule cosine warmup 100 ; epochs 5 }
""",
        right="""\
input 1x28x28
conv 8x3x3 -> relu -> maxpool 2 -> dense 10 -> softmax
train { schedule cosine warmup 0.5 ; epochs 5 }
""",
        says=(
            Says(
                "a warm-up of {warmup:g} epochs does not end within {epochs:g}",
                "in epochs, of which parts are allowed",
                help="use `warmup {tenth:g}`, a tenth of the training",
            ),
        ),
    ),
    Code(
        "CNN302",
        "not-finite",
        """\
The cost, or a parameter, became NaN or infinite. The training stops at once; the parameters stay as they were
before the step, and the last checkpoint is kept. The message names the step and the first tensor, in the order
of the computation, that is not finite: images and targets mean the data; a layer means that its inputs or weights
grew too large; a gradient that the way back did.

What helps most often: a smaller learning rate, a warm-up (`schedule cosine warmup 0.5`), clipping the gradient
(`optimiser adam clip 1`), normalisation (`bn` after each convolution), inputs scaled to about 1.""",
        how="`optimiser sgd lr 1e6` on almost any network.",
        says=(
            Says("{name} holds {what} {when}", help=CURE),
            Says(
                "the cost is {what}: the {name} hold numbers that are not finite (number {number} of the batch)",
                help="mend the data",
                case="data",
            ),
            Says("the cost is {what}: {name} holds {kind}, from the update before", help=CURE, case="update"),
            Says("the cost is {what}: {name} is the first layer whose values hold {kind}", help=CURE, case="layer"),
            Says("the cost is {what}: the gradient of {name} holds {kind}", help=CURE, case="gradient"),
            Says(
                "the cost is {what}: every layer's values are finite, so it is the cost itself",
                help=CURE,
                case="cost",
            ),
        ),
    ),
    Code(
        "CNN303",
        "nothing-to-judge",
        """\
There is not one image to train on or to judge: the arrays are empty, or validation, test and limits left nothing
over. A mean over no images is no number. `model.predict` and `model.activations` of no images are no mistake, and
give arrays of length 0.""",
        how="`model.fit` or `model.evaluate` with empty arrays; `cnnspec eval` where the data say `test 0`.",
        says=(
            Says("there are no images to train on"),
            Says(
                "there are no {which}images in {data}",
                help=(
                    "keep some: `{part} 10%` of the source, or files of their own; `--part all` takes every image"
                ),
                case="part",
            ),
            Says("{prefix}x holds no images", case="given"),
            Says("{prefix}y is {y!r:.40}, no array", case="no array"),
            Says("x: there are no images, and a mean over none is no number", case="mean"),
        ),
    ),
    Code(
        "CNN304",
        "memory",
        """\
The predicted peak of a training step is more than what is free: on the machine, or within the limits that a
container or a scheduler sets. The training is refused before anything is allocated. Most of the memory is for
activations, which grow with the batch; the message names the largest batch that would do.""",
        how="A large network and a large batch on a small machine.",
        says=(
            Says(
                "training with batch {batch} needs {needed}, and {free} are free",
                help="use `batch {fitting}`, which needs {other}",
            ),
            Says(
                "{parameters:,} parameters with their gradients and moments need {needed}, and {free} are free",
                help="make the widest layer smaller; `cnnspec summary` shows it",
                case="parameters",
            ),
            Says(
                "the device's memory is full: {reason}",
                help="take a smaller `batch`, more devices, or `precision bfloat16`",
                case="device",
            ),
            Says(
                "training with batch {batch} needs {needed}, and {free} are free",
                help="not even `batch 1` fits: it needs {least}",
                case="no batch",
            ),
        ),
    ),
    Code(
        "CNN305",
        "cannot-write",
        """\
The system refused to write a file: the disk is full, the folder cannot be written to, or the disk reports a
fault. Files are written under another name first and then renamed, so what was there before is whole; the
training can go on from its last checkpoint with `--resume`.""",
        how="`--out` on a disk that is full.",
        says=(
            Says("cannot write {path}: {reason}"),
            Says("cannot write {path}: {reason}", help="make room on the disk", case="full"),
            Says("cannot write {path}: {reason}", help="make room: your quota is used up", case="quota"),
            Says(
                "cannot write {path}: {reason}",
                help="choose a folder that can be written to, with `--out`",
                case="read-only",
            ),
            Says(
                "cannot write {path}: {reason}",
                help="choose a folder that you may write to, with `--out`",
                case="permission",
            ),
            Says(
                "cannot write {path}: {reason}",
                help="the disk reports a fault: save to another one, with `--out`",
                case="disk",
            ),
        ),
    ),
    Code(
        "CNN306",
        "several-inputs-or-outputs",
        """\
A network with several inputs or outputs takes an array for each, by its name: `source npz` has them, or Python
gives them (`model.fit({"left": a, "right": b}, y)`). Other sources give one image and one answer at a time; so
does a network that is to answer its input itself.""",
        how="`cnnspec run` on a spec with two `input` statements and `source digits`.",
        says=(
            Says(
                "the network has {inputs} inputs and {outputs} outputs, and `source {source}` gives one of each",
                help="save an array for each by its name, and read them by `source npz`",
            ),
            Says(
                "a network that is to answer its input itself has one input and one output",
                help="leave `target itself` out, and save what each output is to answer",
                case="itself",
            ),
            Says(
                "of several inputs each must state its size",
                help="write `input 1x28x28 as left`, for example",
                case="sizes",
            ),
        ),
    ),
    Code(
        "CNN322",
        "out-of-memory",
        """\
The system refused to give more memory: the limits of a process (`ulimit -v`), of a container or of a job are
reached, or the machine has no more. Nothing that was written is lost: a run goes on from its last checkpoint with
`--resume`, on a machine with more memory or with fewer workers. A training's need is told before it begins, and
grows with its batch; `cnnspec summary` shows which layers need most.""",
        how="`ulimit -v 400000` before `cnnspec run` of a large network.",
        says=(
            Says(
                "memory ran out{said}",
                help=(
                    "allow more (`ulimit -v`, the container's or the job's limit); a smaller `batch` trains in less"
                ),
            ),
        ),
    ),
    Code(
        "CNN323",
        "unknown-part",
        """\
`freeze` and `rate` speak of layers by name: a layer (`conv1`), a block or a net with all that is in it
(`stage1`, `trunk`), or what `as` names. A name inside of another is told whole (`trunk.stage1`), and `*` in quotes
stands for any letters ("trunk.*"). What is named must have parameters: `relu as stem` names the relu alone, and
`(conv 8x3x3 -> relu) as stem` the convolution too. `cnnspec summary` lists the names.""",
        wrong="""\
input 1x28x28
conv 8x3x3 as stem -> relu -> maxpool 2 -> dense 10 -> softmax
train { freeze stm }
""",
        right="""\
input 1x28x28
conv 8x3x3 as stem -> relu -> maxpool 2 -> dense 10 -> softmax
train { freeze stem }
""",
        says=(
            Says("no layer, block or net is called `{name}`", help="`cnnspec summary` lists the names"),
            Says("no layer, block or net is called `{name}`", help="there are {several}", case="several"),
            Says(
                "`{name}` has no parameters",
                help="label more of the chain: `(conv 8x3x3 -> bn -> relu) as stem`",
                case="no parameters",
            ),
            Says("what `{name}` means has no parameters", case="none of these"),
        ),
        fixed_by=("lang.lowering.tuned._check_name",),
    ),
    Code(
        "CNN324",
        "nothing-learns",
        """\
Every layer with parameters is frozen when the training begins, so a step would change nothing. Leave out of
`freeze` what is to learn: most often the new head of a network whose other layers come from `--weights`.""",
        wrong="""\
input 1x28x28
conv 8x3x3 as stem -> relu -> maxpool 2 -> dense 10 as head -> softmax
train { freeze stem, head until 3 }
""",
        right="""\
input 1x28x28
conv 8x3x3 as stem -> relu -> maxpool 2 -> dense 10 as head -> softmax
train { freeze stem until 3 }
""",
        says=(
            Says(
                "every layer with parameters is frozen, so nothing learns",
                help="leave out the layers that are to learn, such as a new head",
            ),
        ),
    ),
    Code(
        "CNN325",
        "not-in-this-target",
        """\
Some settings of `train` speak of parts of a network (`freeze`, `rate`), or of more than one batch or one step
(`accumulate`, `ema`, `decay_norm off`). Training on both engines, `run` and `model.fit` follow them. A file that
trains by itself (`--emit python --train`) does not, and is refused rather than written without them.""",
        how="`cnnspec compile --emit python --train` on a spec whose `train` says `ema 0.99`.",
        says=(
            Says(
                "a file that trains by itself does not know {unknown}",
                help="leave that out, or write the file without --train",
            ),
        ),
    ),
)
