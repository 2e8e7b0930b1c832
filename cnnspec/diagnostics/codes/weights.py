"""Codes CNN45x and CNN46x: weights and checkpoints."""

from __future__ import annotations

from .code import Code, Says

ORDER = (
    "the layers of the spec must be those of the model, in their order; else save safetensors and `cnnspec map` it"
)
PARTIAL = "`--partial` takes what fits and leaves the rest as it is"
MAP = (
    "where only the names differ, write them down in a file and give it with `--map FILE`; `cnnspec map` begins one"
)
DAMAGED = (
    "the run's folder was edited or damaged: put back this file, or train anew from its weights with `--weights`"
)

WEIGHTS: tuple[Code, ...] = (
    Code(
        "CNN455",
        "weights-missing",
        """\
The file lacks tensors that the network needs. If it has them under other names, map the names (`--map`;
`cnnspec map SPEC FILE` prints a template). If the network has grown, `--partial` loads what there is and leaves
the rest as it was initialised.""",
        how="Weights of a network with one convolution, given to one with two.",
        says=(
            Says("{file} holds no parameter that fits", help=MAP, case="none"),
            Says("{file} lacks {arrays}", help=PARTIAL),
            Says("{file} lacks {arrays}", help=MAP, case="renamed"),
        ),
    ),
    Code(
        "CNN456",
        "weights-extra",
        """\
The file holds tensors that the network has no place for, so they would be dropped in silence. Map them to the
network's names (`--map`), or say that they may be passed over (`--partial`).""",
        how="Weights of a network with two convolutions, given to one with one.",
        says=(
            Says("{file} holds {arrays}, which the network has no place for", help=PARTIAL),
            Says("{file} holds {arrays}, which the network has no place for", help=MAP, case="renamed"),
        ),
    ),
    Code(
        "CNN457",
        "weights-mismatched",
        """\
A tensor of the right name has another shape than the network's: other filters, other kernels, other classes.
With `--partial` it is passed over, as when a network trained on 1000 classes goes on to ten.""",
        how="Weights of `dense 10` given to `dense 12`.",
        says=(Says("{file} does not fit: {arrays}", help=PARTIAL),),
    ),
    Code(
        "CNN458",
        "weights-not-finite",
        """\
The weights hold NaN or infinity, so every answer of the network would be one too. The training that wrote
them had diverged; use an earlier checkpoint.""",
        how="A safetensors file with a NaN in `conv1.weight`.",
        says=(Says("{file} holds {name} with {what} in it"),),
    ),
    Code(
        "CNN459",
        "weights-map",
        """\
A map of names is a text with a pair a line, the network's name and the file's, or a JSON object from the one to
the other; `#` begins a comment and `?` stands for no tensor. This one has a line of another form, a name that
the network does not have, or the same name twice.

    conv1.weight    features.0.weight     # 64x3x11x11""",
        how="A map that speaks of `conv9.weight` in a network with three convolutions.",
        says=(
            Says("{file} maps names to something else than names", case="values"),
            Says("{file} is not JSON: {reason}", case="JSON"),
            Says("the network has no parameter {ours}"),
            Says("a line has our name and theirs, not {words} words", case="words"),
            Says("{ours} has a `*`, and {theirs} has not one", case="star"),
            Says("{name} stands there twice", case="twice"),
        ),
    ),
    Code(
        "CNN467",
        "weights-layout",
        """\
torchvision and timm publish weights under names of their own. A file in which every name is one of a family that
is known (AlexNet, VGG, ResNet, SqueezeNet, MobileNetV2, DenseNet, GoogLeNet, ShuffleNetV2, EfficientNet, ConvNeXt)
loads without a map, where its layers, in the order of their computation, are the spec's in every shape. This file
is no such, or is of another network. `cnnspec map SPEC FILE` writes a map to start from.

Files of Keras (`.keras`, `.weights.h5`, `.h5`, or safetensors with its names) tell the order of all layers, or of
each kind of them, and load where each layer of the spec, in its order, can mean one of theirs only. Columns of a
dense layer behind an image are put into our order, channel after channel. A `bn` has to add the same number to its
variance: 0.001 is Keras' default, `bn eps 1e-3`.""",
        how="`--weights vgg16.safetensors --as torchvision` for a spec of ResNet-18.",
        says=(
            Says(
                "{file} does not hold this network as {layout} publishes it",
                help=(
                    "every layer must be there, in the order and the shapes of the spec; `cnnspec map` "
                    "shows where they part"
                ),
            ),
            Says(
                "{path} does not hold this network as Keras keeps it: for `{name}` {layers} could be meant",
                help=ORDER,
                case="several",
            ),
            Says(
                "{path} does not hold this network as Keras keeps it: for `{name}` of {sizes} there is {there}",
                help=ORDER,
                case="none",
            ),
            Says("{path} has layers that the network has not: {layers}", help=ORDER, case="more layers"),
            Says(
                "{path} cannot be told apart: `{one}` and `{other}` stand beside each other and are of one shape",
                help=ORDER,
                case="alike",
            ),
            Says(
                "{path}: `{name}` adds {here:g} to its variance, and {layer} of the file adds {there:g}",
                help="write `eps {there:g}`",
                case="eps",
            ),
            Says(
                "{path} has layers within the layer {name}, and lists them apart",
                help="save the weights of the inner model by itself",
                case="nested",
            ),
            Says("{path} has a layer {name!r} with {variables}, which no word has", case="variables"),
            Says("{path} has a layer {name!r} with numbers, which no word has", case="numbers"),
            Says(
                "{path} has {arrays} arrays of the layer {name!r}, and says not which they are",
                help="save the whole model, `model.save('net.keras')`, which says it",
                case="unnamed",
            ),
        ),
    ),
    Code(
        "CNN520",
        "keras-missing",
        """\
Weights that Keras wrote are HDF5, and the package h5py reads them, which is not among those that cnnspec
needs for itself. Install it by `pip install "cnnspec[keras]"`; or save the weights as
safetensors, under Keras' names.""",
        how="`--weights net.weights.h5` where h5py is not installed.",
        says=(
            Says(
                "{path} is of Keras, and its HDF5 is read by the package h5py, which is not there",
                help='install it by `pip install "cnnspec[keras]"`, or save the weights as safetensors',
            ),
        ),
    ),
    Code(
        "CNN460",
        "state-unusable",
        """\
To go on from a checkpoint takes a training state (`state/last.safetensors` of a run): parameters, moments of the
optimiser, counters, and how far the training was. This file is something else, such as weights, or the state of
another training or of another version of cnnspec. Weights alone can start a new training: `--weights`.""",
        how="`--resume` on a run whose state was replaced by its weights.",
        says=(
            Says("{path} holds a progress that cannot be read: {reason}", case="progress"),
            Says("{path} holds counters that cannot be: {reason}", case="counters"),
            Says("{path} lacks {name}", case="lacks"),
            Says("{path} holds {name}, which this training does not have", case="other"),
            Says("{path} holds {name} with NaN in it", case="NaN"),
            Says("{path} holds {name} as {there}, and this training has {here}", case="array"),
            Says(
                "{path} holds weights without the state of a training",
                help="to start anew from weights, use `--weights`",
                case="weights",
            ),
            Says(
                "{path} holds a state of version {version}",
                help="to start anew from weights, use `--weights`",
                case="version",
            ),
            Says(
                "the state of the training contradicts it: {done:,} epochs are done, and the training "
                "has {epochs:,}",
                help="a run goes on to as many epochs as are done, or more: `--epochs {done}`",
                case="epochs",
            ),
            Says(
                "the state of the training contradicts it: {done:,} batches with {seen:,} images are "
                "done of an epoch of {batches:,} with {images:,}",
                case="batches",
            ),
            Says("the state of the training contradicts it: epoch {best:,} is the best of {done:,}", case="best"),
        ),
    ),
    Code(
        "CNN461",
        "spec-changed",
        """\
Weights and states are stamped with the spec that they were made by, with what it imports and the settings in its
place (`--set`), and the copy in the run's folder is another one by now. A resumed training continues to the same
bits as one that was never stopped, and numbers are those of the network that was trained, so both need what it was.
The lines that differ are shown. Put the copy back as it was, or start a new run from the old one's weights:
`--weights runs/lenet-001/weights/last.safetensors`.""",
        how="`--resume` after a change to the spec in the run's folder.",
        says=(
            Says(
                "{path} belongs to images that were prepared otherwise than settings.json says", case="preparation"
            ),
            Says("{path} belongs to a run with {run}, and the settings say {settings}", case="settings"),
            Says(
                "{path} belongs to another spec",
                "{difference}",
                help="put the spec back as it was, or start anew with `--weights`",
            ),
        ),
    ),
    Code(
        "CNN462",
        "nothing-to-resume",
        """\
The folder holds no training state: it is no run's folder, or its run ended before the first checkpoint. A run
writes its first checkpoint before its first step.""",
        how="`--resume` on an empty folder.",
        says=(
            Says(
                "{path} holds no state to go on from ({state})",
                help=("give the folder of a run, such as runs/lenet-001; one that never took a step starts anew"),
            ),
            Says("{path} is not the folder of a run: it holds no weights", case="folder"),
        ),
    ),
    Code(
        "CNN463",
        "weights-without-spec",
        """\
The command needs the network that the weights belong to, and the file does not tell it: it was written by
another program. Weights that cnnspec writes hold the text of their spec.""",
        how="`cnnspec eval` on a safetensors file saved by PyTorch.",
        says=(
            Says(
                "{path} does not tell the spec that it belongs to",
                help="give its spec by `--spec FILE`, or a run's folder, or weights that cnnspec wrote",
            ),
        ),
    ),
    Code(
        "CNN464",
        "run-damaged",
        """\
A run's folder holds all that the run was made of: a copy of its spec, what that imports (`imports/`), every setting
(`settings.json`), a line an epoch (`results.csv`), and how it ended (`summary.json`). `eval`, `predict`, `trace`,
`report` and `--resume` read these and never today's files. One of them is missing, is no file, or says what it
cannot say; the message names the file, the place in it, and what is wrong. `cnnspec schema settings` and
`cnnspec schema summary` print what is wanted. Other files in the folder do no harm.""",
        how="`cnnspec eval` on a run whose `settings.json` was edited by hand.",
        says=(
            Says("{path} cannot be read: {reason}", help=DAMAGED),
            Says("{path} is not there", help=DAMAGED, case="missing"),
            Says("{path} is not a text in UTF-8", help=DAMAGED, case="UTF-8"),
            Says("{path} is not JSON: {reason}", help=DAMAGED, case="JSON"),
            Says("{path} is wrong at {place}: {fault}", help=DAMAGED, case="schema"),
            Says("{path} is not a table: {reason}", help=DAMAGED, case="table"),
            Says("{path} is empty or has another header than {names}", help=DAMAGED, case="header"),
            Says(
                "{path} has {fields} fields in line {line}, where {wanted} are wanted", help=DAMAGED, case="fields"
            ),
            Says("{path} has {field} as {name} in line {line}, which is no number", help=DAMAGED, case="number"),
            Says(
                "{path} is a link that leads out of the run's folder, and would be written to",
                help=DAMAGED,
                case="link",
            ),
            Says("{path} does not tell an error", help=DAMAGED, case="no error"),
            Says("{path} {what}", help=DAMAGED, case="spec"),
        ),
    ),
    Code(
        "CNN465",
        "run-locked",
        """\
A process is writing into the run's folder, and two that write there would spoil each other's results. The message
tells which process, on which machine, since when. The lock ends with its process, however that ends: what a killed
process has left behind (`lock.json`) locks nothing. `eval`, `predict`, `trace` and `report` only read and need not
wait.""",
        how="`--resume` twice at once on the same run.",
        says=(
            Says(
                "{path} is being written by {holder}",
                help=(
                    "wait until it has ended, or end it; its checkpoint can then be gone on from with `--resume`"
                ),
            ),
        ),
    ),
    Code(
        "CNN466",
        "data-changed",
        """\
The data that the spec names are not those that the run began with: there are more or fewer images, other classes,
or other numbers in them (by SHA-256; of a part beyond 64 MiB evenly chosen images). The run would go on as neither
the one nor the other training. Put the data back, begin a new run, or go on by `--accept-changed-data`: the epoch
that was under way begins anew, and the learning rate is that of the epoch, however many steps an epoch has now.""",
        how="`--resume` after images were added to the folder of the data.",
        says=(
            Says(
                "the data have changed: {changed}",
                help=(
                    "put the data back as they were, or go on by `--accept-changed-data`, with the rate "
                    "that the epoch has"
                ),
            ),
        ),
    ),
)
