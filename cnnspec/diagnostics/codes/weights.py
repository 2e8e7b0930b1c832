"""Codes CNN45x and CNN46x: weights and checkpoints."""

from __future__ import annotations

from .code import Code

WEIGHTS: tuple[Code, ...] = (
    Code(
        "CNN450",
        "weights-unreadable",
        "The file of weights is not there, is a folder or a device, or the system refuses to read it.",
        how="`cnnspec eval` with the name of a file that does not exist.",
    ),
    Code(
        "CNN451",
        "weights-not-safetensors",
        """\
Weights are read from safetensors files alone: a header of JSON and numbers, nothing that could run. This
file is something else, or its header is damaged. A file of torch.save or a pickle can run code when it is
loaded, so it is never opened; turn it into safetensors where it comes from:

    import torch, safetensors.torch
    safetensors.torch.save_file(torch.load("model.pt", weights_only=True), "model.safetensors")""",
        how="`--weights model.pt`.",
    ),
    Code(
        "CNN452",
        "weights-truncated",
        """\
The file is shorter than its own header says, as after a copy or a download that was cut off. Nothing was
loaded. Copy it again; a run's folder holds both `best` and `last`.""",
        how="A safetensors file without its last bytes.",
    ),
    Code(
        "CNN453",
        "weights-dtype",
        """\
A tensor's type of numbers is unknown, or it is whole numbers or booleans where weights belong. Weights may
be F64, F32, F16 or BF16; they are converted to the type that the model computes in.""",
        how="A safetensors file whose `conv1.weight` is I64.",
    ),
    Code(
        "CNN454",
        "weights-inconsistent",
        """\
The header contradicts itself or the file: a shape that does not fill its piece of the file, pieces that
overlap or leave gaps, offsets that run backwards, bytes that no tensor accounts for. Such a file was
damaged or made up; nothing is allocated for it. Or the numbers are not those that were written: files of cnnspec
carry a checksum of them (`crc32` in the metadata), so that a bit that turned on a disk is noticed.""",
        how="A header that tells of a tensor of 8x3x3x3 F32 and gives it 4 bytes.",
    ),
    Code(
        "CNN455",
        "weights-missing",
        """\
The file lacks tensors that the network needs. If it has them under other names, map the names (`--map`;
`cnnspec map SPEC FILE` prints a template). If the network has grown, `--partial` loads what there is and leaves
the rest as it was initialised.""",
        how="Weights of a network with one convolution, given to one with two.",
    ),
    Code(
        "CNN456",
        "weights-extra",
        """\
The file holds tensors that the network has no place for, so they would be dropped in silence. Map them to the
network's names (`--map`), or say that they may be passed over (`--partial`).""",
        how="Weights of a network with two convolutions, given to one with one.",
    ),
    Code(
        "CNN457",
        "weights-mismatched",
        """\
A tensor of the right name has another shape than the network's: other filters, other kernels, other classes.
With `--partial` it is passed over, as when a network trained on 1000 classes goes on to ten.""",
        how="Weights of `dense 10` given to `dense 12`.",
    ),
    Code(
        "CNN458",
        "weights-not-finite",
        """\
The weights hold NaN or infinity, so every answer of the network would be one too. The training that wrote
them had diverged; use an earlier checkpoint.""",
        how="A safetensors file with a NaN in `conv1.weight`.",
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
    ),
    Code(
        "CNN520",
        "keras-missing",
        """\
Weights that Keras wrote are HDF5, and the package h5py reads them, which is not among those that cnnspec
needs for itself. Install it by `pip install "cnnspec[keras]"`; or save the weights as
safetensors, under Keras' names.""",
        how="`--weights net.weights.h5` where h5py is not installed.",
    ),
    Code(
        "CNN460",
        "state-unusable",
        """\
To go on from a checkpoint takes a training state (`state/last.safetensors` of a run): parameters, moments of the
optimiser, counters, and how far the training was. This file is something else, such as weights, or the state of
another training or of another version of cnnspec. Weights alone can start a new training: `--weights`.""",
        how="`--resume` on a run whose state was replaced by its weights.",
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
    ),
    Code(
        "CNN462",
        "nothing-to-resume",
        """\
The folder holds no training state: it is no run's folder, or its run ended before the first checkpoint. A run
writes its first checkpoint before its first step.""",
        how="`--resume` on an empty folder.",
    ),
    Code(
        "CNN463",
        "weights-without-spec",
        """\
The command needs the network that the weights belong to, and the file does not tell it: it was written by
another program. Weights that cnnspec writes hold the text of their spec.""",
        how="`cnnspec eval` on a safetensors file saved by PyTorch.",
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
    ),
)
