"""Codes CNN5xx: other formats, written and read."""

from __future__ import annotations

from .code import Code, Says

EXPORT: tuple[Code, ...] = (
    Code(
        "CNN501",
        "package-missing",
        """\
A format needs a package that is not installed. cnnspec itself needs none of them, so they are extras; the help
line names the one to install:

    pip install cnnspec[onnx]""",
        how="`cnnspec compile net.cnn --emit onnx` where the package onnx is not installed.",
        says=(
            Says("the package onnx is not installed", help="install the extra: pip install cnnspec[onnx]"),
            Says(
                "`--against torch-compile` needs a compiler of C++, and none is on the path",
                help="install g++ or clang++",
                case="compiler",
            ),
            Says(
                "`--against {baseline}` needs the package {package}, which is not installed",
                help="install it by `pip install {package}`",
                case="bench",
            ),
        ),
    ),
    Code(
        "CNN502",
        "onnx-unreadable",
        """\
The file is not an ONNX model, is damaged, or contradicts itself: an operator that reads what nothing makes,
weights of another shape than the operator needs. What onnx.checker found stands in the message. Nothing was
written.""",
        how="`cnnspec import` of a file that was cut short.",
        says=(
            Says("{step} cannot be computed: {reason}"),
            Says("{step} of a value with {rank} axes names others: {axes}", case="axes"),
            Says("{step} cannot make {sizes} of {wanted}", case="repeat"),
            Says("{step} notes a word that it is not: {word}", case="note"),
            Says("{reader} reads `{name}`, which nothing makes", case="nothing makes"),
            Says("{step} is malformed: {reason}", case="malformed"),
            Says("{step} has a {attribute} of {found} where {wanted} belongs", case="attribute"),
            Says("the model has {operators:,} operators; at most {most:,} are read", case="operators"),
            Says("cannot read {path}: {reason}", case="file"),
            Says("{path} is not an ONNX model, or is cut short", case="other"),
            Says("the model is not valid ONNX: {reason}", case="invalid"),
            Says("{step} notes no word of the language: {reason}", case="no word"),
        ),
    ),
    Code(
        "CNN503",
        "onnx-operator",
        """\
The model uses an operator for which the language has no word. A network is imported whole or not at all: nothing
is left out and nothing is approximated. `cnnspec ops` lists the words; if the operator stands in a part that you
can do without, cut that part off before the export, or import the longest part without one with `--partial`.""",
        how="`cnnspec import` of a model with a Fourier transform.",
        says=(
            Says("no word says what {step} does"),
            Says("no word says what makes {values}", case="values"),
            Says("no word says what {step} does, but as part of a global response normalisation", case="response"),
        ),
    ),
    Code(
        "CNN504",
        "onnx-form",
        """\
The operator has a word, but not in the form that the model uses, nor can that be made of several: a softmax or a
maximum over the images of a batch, padding by pixels of the other side, a shape that mixes images. The message
names the operator, the node and the form.""",
        how="`cnnspec import` of a model whose softmax goes over the batch.",
        says=(
            Says("{step} makes a constant of {numbers:.0g} numbers", case="large constant"),
            Says("{step} takes the numbers of an image in an order that no word gives", case="order of numbers"),
            Says("{step} flattens from axis {axis}, which mixes images or keeps axes", case="flatten"),
            Says("{step} moves numbers from one image to another", case="moved images"),
            Says("{step} takes the batch's axis away", case="no batch"),
            Says("{step} puts an axis before the batch's", case="before the batch"),
            Says("{step} moves the batch's axis", case="moved batch"),
            Says("{step} turns numbers into something other than floats", case="not floats"),
            Says("{step} rounds numbers to half precision; networks compute in float32 or float64", case="half"),
            Says("{step} changes the number of images", case="number of images"),
            Says("{step} pads by pixels of the other side ({mode})", case="wrapped padding"),
            Says("{step} pads the batch, or by more channels on one side than on the other", case="padded batch"),
            Says("{step} pads by {filler:g}; `pad` does by zeros", case="padding by a number"),
            Says("{step} takes a part for which there is no word", case="part"),
            Says("{step} splits along an axis that is not that of the channels", case="split axis"),
            Says("{step} splits {channels} channels into {sizes}", case="split"),
            Says("{step} changes the number of images or channels", case="resized batch"),
            Says("{step} chooses its size or its pixels in a way for which there is no word", case="resize"),
            Says("{step} blends pixels ({mode}) in a way for which there is no word", case="blend"),
            Says("{step} takes other pixels ({modes}) than `resize` does", case="nearest"),
            Says("{step} works on {kind}, which is no image", case="no image"),
            Says("{step} gives its value more axes", case="more axes"),
            Says("{step} has a target that is none of the {classes} classes", case="no class"),
            Says("{step} raises to a power other than 1, 2, 3, 4, a half, or minus those two", case="power"),
            Says("{step} works on a batch, and the model has none", case="no batch here"),
            Says("values of {sizes} and {wanted} numbers do not go together", case="unequal sizes"),
            Says(
                "{step} pads the channels, or by less than nothing, with pixels of the image ({mode})",
                case="padded channels",
            ),
            Says("{step} repeats other values than single pixels, for which there is no word", case="repeated"),
            Says("{step} leaves images out", case="images left out"),
            Says("{step} has pads {pads}; a word pads by nothing or more", case="pads"),
            Says("{step} slides over {kind}, which has another number of axes", case="slides"),
            Says("{step} pads what is padded already", case="padded twice"),
            Says(
                "{step} cuts off {cuts}, before and after each side, which no setting of `pad` means", case="cuts"
            ),
            Says("{step} has {setting} {value}, where `{word}` takes {least} to {most}", case="range"),
            Says("{step} counts some of its padding (ceil_mode with count_include_pad)", case="ceil_mode"),
            Says(
                "{step} pads by {pads}, before and after each side, which no setting of `pad` means", case="padding"
            ),
            Says("{step} works along other axes than those of the pixels, or of the channels", case="pooled axes"),
            Says(
                "{step} pads by {pads}, before and after each side, for which there is no word",
                case="padding without a word",
            ),
            Says("{step} computes with the number of images, which the model leaves open", case="batch size"),
            Says("{reader} is a constant, `{name}`, where a value of the network belongs", case="constant"),
            Says("{step} computes its {what}, which must be a constant", case="computed"),
            Says("the model goes on with numbers in one row, ({axes}), which `dense` alone reads", case="row"),
            Says(
                "the model goes on with axes in another order ({order}), for which there is no word",
                case="order of axes",
            ),
            Says("the model goes on with a value of {axes} axes; at most 4 have a meaning here", case="axes"),
            Says("{step}: {fault}", case="shape"),
            Says("{step} has a further output `{name}` that the network uses", case="further output"),
            Says("{step} adds to norms in another way than a global response normalisation", case="response"),
            Says("{step} computes with constants that are not finite", case="not finite"),
            Says(
                "{step} has a constant of {constant}, which gives its value more axes", case="constant, more axes"
            ),
            Says("{step} has a constant of {constant}, another number for each image", case="constant, each image"),
            Says(
                "{step} has a constant of {constant}, not one number for each channel",
                case="constant, each channel",
            ),
            Says("{step} has a constant of {constant}, which makes its value larger", case="constant, larger"),
            Says("{step} has a constant of {constant}, another number for each pixel", case="constant, each pixel"),
            Says("{step} makes a constant that is not computed beforehand", case="late constant"),
            Says("{step} adds a constant to several values at once", case="added constant"),
            Says("{step} divides by a value of the network, which no word does", case="quotient"),
            Says("{step} divides by zero", case="zero"),
            Says("{step} puts a constant beside a value of the network", case="joined constant"),
            Says(
                "{step} puts values one after the other along an axis that is not that of the channels",
                case="joined axis",
            ),
            Says("{step} has a constant that is not one number beside one value", case="one number"),
            Says("{step} normalises axes {first} to {rank} of (n, {sizes}) together", case="normalised axes"),
            Says("{step} works along an axis that is not that of the channels", case="channels"),
            Says("{step} is in its training mode, or not by channels", case="norm in training"),
            Says("{step} groups other numbers than those of neighbouring channels", case="groups"),
            Says(
                "{step} has an even size, whose odd channel is after each one, and before it in `lrn`",
                case="even lrn",
            ),
            Says("{step} is in its training mode", case="training"),
            Says(
                "{step} adds up along other axes than those of the pixels, or of the channels", case="summed axes"
            ),
            Says(
                "{step} multiplies along the last axis of {sizes}, which is not that of the channels",
                case="last axis",
            ),
            Says("{step} turns the images (transA)", case="transA"),
            Says("{step} adds another number to each image", case="each image"),
            Says("{step} multiplies by {axes} axes of weights", case="weights"),
            Says("{step} has alpha {slope:g}; the slope of `hardsigmoid` is above 0", case="alpha"),
            Says("{step} works along axis {axis}, which is not that of the channels", case="channels of an axis"),
            Says("{step} has {attribute} {found:g}, where `{name}` has {wanted:g}", case="setting"),
            Says("numbers of type {type}; networks compute in float32 or float64", case="type"),
            Says("{step} shrinks the tensors after its step, which no optimiser does", case="shrinks"),
            Says("{step} dampens the gradient in its momentum, which `sgd` does not", case="dampening"),
        ),
    ),
    Code(
        "CNN505",
        "onnx-input",
        """\
A network takes images (n, c, h, w), sequences (n, c, w) or vectors (n, c) of floating-point numbers, and all
sizes but that of the batch are known. This model's input has another form, or leaves a size open; then say what
it is:

    cnnspec import model.onnx --input 3x224x224 -o net.cnn""",
        how="`cnnspec import` of a model with input (n, 3, height, width).",
        says=(
            Says("the input {name} has no shape of the form {wanted}"),
            Says("the input {name} does not hold floating-point numbers", case="type"),
            Says("the model has no input", case="none"),
            Says("one shape was given, and the model has {inputs} inputs", case="several"),
            Says(
                "the model leaves the size of its input {name} open ({sizes})",
                help="say what it is: `--input 3x224x224`",
                case="open",
            ),
            Says("the input {name} of the model does not take {shape}", case="given"),
        ),
    ),
    Code(
        "CNN506",
        "not-sayable",
        """\
Each layer has its word, but their connections cannot be written down: branches nest deeper than 30 parentheses,
or layers share weights in another way than by a chain that is called several times (`net`).""",
        how="`cnnspec import` of a model in which two layers share a kernel and not the bias.",
        says=(
            Says("the network cannot be written down: {reason}"),
            Says("the network has a structure, or shares weights in a way, that no spec can state", case="other"),
            Says("the network's branches nest too deep to be written down", case="deep"),
        ),
    ),
    Code(
        "CNN507",
        "file-exists",
        """\
Importing would write over a spec or weights that are there already, and might be your own work: choose another
name, or say `--force`. A module of Python has its weights beside it, under its own name with `.npz`: what is there
and holds other arrays (the data, say) is not written over; nor is a `.safetensors` beside a module of JavaScript
that was not written for one.""",
        how="`cnnspec import model.onnx -o net.cnn` where net.cnn exists.",
        says=(
            Says("{path} is there already", help="choose another name with -o, or write over it with --force"),
            Says(
                "{path}, where the weights would go, is there already and holds something else",
                help="choose another name with -o, or let the module hold them itself with --embed",
                case="beside",
            ),
        ),
    ),
    Code(
        "CNN508",
        "onnx-opset",
        """\
An ONNX model says which version of the operators (opset) it is written in. `cnnspec compile --emit onnx` chooses
the lowest that has all of the network's, which is 13 for most; `--opset N` asks for another. Some words have no
operator in an old one (`layernorm` needs opset 17), and none is written for below 13 or for one that the installed
package onnx does not know yet.""",
        how="`cnnspec compile net.cnn --emit onnx -o net.onnx --opset 13` where the network has a `layernorm`.",
        says=(
            Says(
                "`{word}` needs opset {needs}, newer than opset {opset}",
                help="leave --opset out, or say --opset {needs} or newer",
            ),
            Says(
                "no network is written for opset {opset}",
                help="an opset from {lowest} to {newest}, which is the newest that the package onnx knows",
                case="none",
            ),
        ),
    ),
    Code(
        "CNN556",
        "no-javascript",
        """\
Nobody has written this word (or setting) in JavaScript yet, so no module is made: nothing is left out and nothing
is approximated. Every other target has it; `cnnspec compile --emit python` writes a module that needs NumPy
alone.""",
        how="`cnnspec compile net.cnn --emit js` of a word that came into the language after this target.",
        says=(Says("`{word}` cannot be written as JavaScript", help="`--emit python` knows every word"),),
    ),
    Code(
        "CNN509",
        "onnx-out-of-scope",
        """\
The model has layers that are no part of the language by decision: it describes convolutional networks for images,
sequences and vectors. Recurrent layers, attention over tokens (products of two values of the network) and networks
for volumes stay out. The convolutional part before or after them can be had with `cnnspec import --partial`.""",
        how="`cnnspec import` of a model with an LSTM.",
        says=(
            Says("{step} multiplies two values of the network; attention over tokens is no part of the language"),
            Says(
                "the input {name} is a batch of volumes; three-dimensional networks are no part of the language",
                case="volumes",
            ),
            Says("{step} is a recurrent layer; recurrent networks are no part of the language", case="recurrent"),
            Says("{step} is attention over tokens, which is no part of the language", case="attention"),
        ),
    ),
)
