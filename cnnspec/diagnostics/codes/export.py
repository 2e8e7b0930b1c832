"""Codes CNN5xx: other formats, written and read."""

from __future__ import annotations

from .code import Code

EXPORT: tuple[Code, ...] = (
    Code(
        "CNN501",
        "package-missing",
        """\
A format needs a package that is not installed. cnnspec itself needs none of them, so they are extras; the help
line names the one to install:

    pip install cnnspec[onnx]""",
        how="`cnnspec compile net.cnn --emit onnx` where the package onnx is not installed.",
    ),
    Code(
        "CNN502",
        "onnx-unreadable",
        """\
The file is not an ONNX model, is damaged, or contradicts itself: an operator that reads what nothing makes,
weights of another shape than the operator needs. What onnx.checker found stands in the message. Nothing was
written.""",
        how="`cnnspec import` of a file that was cut short.",
    ),
    Code(
        "CNN503",
        "onnx-operator",
        """\
The model uses an operator for which the language has no word. A network is imported whole or not at all: nothing
is left out and nothing is approximated. `cnnspec ops` lists the words; if the operator stands in a part that you
can do without, cut that part off before the export, or import the longest part without one with `--partial`.""",
        how="`cnnspec import` of a model with a Fourier transform.",
    ),
    Code(
        "CNN504",
        "onnx-form",
        """\
The operator has a word, but not in the form that the model uses: a softmax over another axis than the channels,
padding that differs from side to side as no setting of `pad` does, a product with a constant, a shape that mixes
images. The message names the operator, the node and the form.""",
        how="`cnnspec import` of a model whose softmax goes over the width.",
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
    ),
    Code(
        "CNN506",
        "not-sayable",
        """\
Each layer has its word, but their connections cannot be written down: branches nest deeper than 30 parentheses,
or layers share weights in another way than by a chain that is called several times (`net`).""",
        how="`cnnspec import` of a model in which two layers share a kernel and not the bias.",
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
    ),
    Code(
        "CNN556",
        "no-javascript",
        """\
Nobody has written this word (or setting) in JavaScript yet, so no module is made: nothing is left out and nothing
is approximated. Every other target has it; `cnnspec compile --emit python` writes a module that needs NumPy
alone.""",
        how="`cnnspec compile net.cnn --emit js` of a word that came into the language after this target.",
    ),
    Code(
        "CNN509",
        "onnx-out-of-scope",
        """\
The model has layers that are no part of the language by decision: it describes convolutional networks for images,
sequences and vectors. Recurrent layers, attention over tokens (products of two values of the network) and networks
for volumes stay out. The convolutional part before or after them can be had with `cnnspec import --partial`.""",
        how="`cnnspec import` of a model with an LSTM.",
    ),
)
