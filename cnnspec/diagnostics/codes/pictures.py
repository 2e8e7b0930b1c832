"""Codes CNN55x and CNN613: pictures, pages, and what they are asked to show."""

from __future__ import annotations

from .code import Code, Says

PICTURES: tuple[Code, ...] = (
    Code(
        "CNN551",
        "picture-needs-extra",
        """\
A picture was asked for that another package draws: drawings as PNG files are made by matplotlib, which comes
with the extra `plot` (`pip install "cnnspec[plot]"`). Drawings as SVG, Mermaid or Graphviz, the page of a run,
reports and traces need nothing beyond cnnspec itself.
""",
        how="Run `cnnspec draw net.cnn -o net.png` where matplotlib is not installed.",
        says=(
            Says(
                "pictures of pixels need matplotlib, which is not installed",
                help='install it by `pip install "cnnspec[plot]"`, or write .svg, which needs nothing',
            ),
        ),
    ),
    Code(
        "CNN552",
        "no-such-value",
        """\
The network has no value of that name. Values are named by their word and number in the order of the text
(`conv1`, `relu2`), inside a block by its path (`basic3.conv1`), or by `as`; `cnnspec summary` lists them.
""",
        how="Run `cnnspec trace net.cnn --at conv9[0,0,0]` on a network with one convolution.",
        says=(
            Says("the network has no value `{name}`", help="there are {known}"),
            Says("the network has no value `{name}`", help="did you mean `{near}`?", case="near"),
        ),
    ),
    Code(
        "CNN553",
        "no-such-place",
        """\
A place is not inside the value that it names: `conv1[3,10,12]` is the pixel in row 10 and column 12 of
channel 3, all counted from 0, so a value of 8x26x26 ends at `conv1[7,25,25]`. A vector has one number in
the brackets, a sequence two, a parameter as many as its shape.
""",
        how="Run `cnnspec trace net.cnn --at conv1[8,0,0]` on a convolution with 8 filters.",
        says=(
            Says("`{place}` is not inside `{name}`, which is {shape}", help="its last number is {name}[{last}]"),
            Says("there are {images} test images, counted from 0; {number} is none", case="image"),
        ),
    ),
    Code(
        "CNN554",
        "gradient-differs",
        """\
The gradient that the plan computes differs from central differences, (cost(w + e) - cost(w - e)) / 2e, by
more than the limit. Both are computed in float64, so a correct gradient agrees to seven digits or more.
Where a parameter sits on a kink (relu at exactly 0, two equal values under a max pooling) the differences
are wrong, not the gradient: try another `--seed`. Otherwise cnnspec is at fault; please report it.
""",
        how="A defect of cnnspec raises it, or a limit that is too strict: `cnnspec gradcheck net.cnn --limit 0`.",
        says=(
            Says(
                "the gradient of {place} is {gradient:.10g}, the difference {difference:.10g}", "error {error:.1e}"
            ),
        ),
    ),
    Code(
        "CNN555",
        "too-large-to-look-at",
        """\
A trace or a report keeps every value of a network and the slope of the cost at each, in float64, all at
once. For this network and its image that is more than the memory that is free. Nothing was allocated.
Give a smaller input where the spec leaves it open (`--input 3x64x64`), or set it smaller in the spec.
""",
        how="Run `cnnspec report` on a U-Net for images of 572x572 on a machine with little memory.",
        says=(
            Says(
                "looking at every value needs {needed}, and {free} are free",
                help="look through a smaller input: --input 3x64x64",
            ),
        ),
    ),
    Code(
        "CNN613",
        "no-picture-of-such-data",
        """\
`cnnspec data -o batch.png` puts the images of a batch side by side, and the data are no images of one channel
(grey) or three (red, green, blue): they are vectors, sequences, or images of more channels. A page, `-o data.html`,
shows any data.
""",
        how="Run `cnnspec data table.cnn -o batch.png` on a spec whose source is a csv.",
        says=(
            Says(
                "a picture of the batch is of grey or coloured images, and {name} has {kind}",
                help="write a page: `-o data.html`",
            ),
        ),
    ),
)
