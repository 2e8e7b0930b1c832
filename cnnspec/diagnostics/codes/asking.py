"""Codes CNN475 to CNN484: what a trained network is asked about, and what it is taken elsewhere as."""

from __future__ import annotations

from .code import Code, Says

ASKING: tuple[Code, ...] = (
    Code(
        "CNN475",
        "drawing-empty",
        """\
`cnnspec predict --fit` looks for strokes that differ from the paper, which is what most of the picture's border is.
All of this picture is of one grey, so there is nothing to be centred and scaled.""",
        how="Train on `source digits`, and ask `cnnspec predict --fit` about a white picture.",
        says=(Says("nothing is drawn in {picture}: all of it is of one grey"),),
    ),
    Code(
        "CNN476",
        "no-mask",
        """\
`cnnspec predict --masks` writes the class of each pixel. The network gives one answer for a whole image, or numbers
that are no classes: a mask is what comes out of a network of images that ends in a softmax, or in one sigmoid.""",
        how="Ask `cnnspec predict --masks out` about a network that ends in `dense 10 -> softmax`.",
        says=(
            Says(
                "the network gives {gives} for each image, and a mask is a class for each pixel",
                help="masks are for networks that end in a softmax, or one sigmoid, of images",
            ),
        ),
    ),
)
