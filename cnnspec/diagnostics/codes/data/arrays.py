"""Codes CNN408 to CNN413: shapes, counts, labels and types of arrays."""

from __future__ import annotations

from ..code import Code, Says

UNLABELLED = "fill it in, leave out rows without a label, or say `missing drop`"
FILL = "fill in what is missing, or say `missing drop` or `missing mean`"

ARRAYS: tuple[Code, ...] = (
    Code(
        "CNN408",
        "data-shape",
        """\
Images must be n x c x h x w, sequences n x c x w, vectors n x c, labels n; all images of a set, for training
and for test, must have one shape, and it must be the network's input. An archive with its channels last says
so by `axes nhwc`, one of grey images without a channel axis by `axes nhw`; where the sizes look so and the
spec does not tell the axes, that is asked for.""",
        how="Read an archive whose x has five axes with `source npz`.",
        says=(
            Says(
                "{name} has {count} axes where {wanted} are wanted",
                help="images have 3 (number, height, width), labels have 1",
                case="IDX",
            ),
            Says(
                "the labels of {source} have {axes} axes where 1 is wanted",
                help=(
                    "one class number for each image, or for each of its pixels; for regression targets, "
                    "store floats or say `target numbers`"
                ),
                case="labels",
            ),
            Says(
                "the targets of {source} have {axes} axes, and images {image}",
                help="a number or a row of numbers for each image, or as many axes as the images have",
                case="targets",
            ),
            Says("{name} has {has} to learn from and {other} {use}", case="parts"),
            Says(
                "the images of {part} have {axes} axes",
                help="an image is n x c x h x w, a sequence n x c x w, a vector n x c",
                case="image",
            ),
            Says("{prefix}x has {count} axes, and the data block says `axes {axes}`", case="block"),
            Says("x: the network takes {takes}, and x holds images of {has}", case="x"),
            Says("the network has {count} {what}s; give a dictionary with {names}", case="several"),
            Says(
                "`{name}` takes whole arrays, and values of this one are masked",
                help="fill them: `numpy.ma.filled(x, 0)`",
                case="masked",
            ),
            Says("`{name}` takes an array with an axis for the images, got {given!r:.40}", case="no axis"),
            Says("there is no array for the {what} `{name}`", help="give {names}", case="lacking"),
            Says("what is given for `{name}` is no array: {reason}", case="given"),
            Says(
                "{path} is taken for a picture, and the network takes {takes}",
                help="give an npy file",
                case="picture",
            ),
            Says(
                "{path} is {sizes}, and the network takes {takes}",
                help=(
                    "bring it to {height}x{width} pixels, or let `--fit` do it; where the data block of "
                    "its training said `resize {height}x{width}`, pictures of any size are"
                ),
                case="size",
            ),
            Says("{name} is no array: {reason}", case="array"),
            Says("the network takes {takes}, and {name} has {has}", case="trained"),
            Says("pictures are fitted to images of pixels, and the network takes {takes}", case="fitted"),
            Says("{array} holds {type} {shape}, which are no pictures", case="no pictures"),
            Says("x of {where} has {count} axes where {wanted} are wanted", case="axes"),
            Says(
                "x of {where} is {sizes}, which has its channels last",
                help="use `axes nhwc`, or `axes nchw` if these are {channels} channels of {height}x{width}",
                case="last",
            ),
            Says(
                "x of {where} is {sizes}, which has no axis of channels",
                help="use `axes nhw` for images of grey, or `axes ncw` if these are {channels} channels",
                case="no channels",
            ),
            Says("`{name}` takes numbers of shape (n, {sizes}), got {type} {shape}", case="numbers"),
            Says("x: {one} images for `{first}`, but {other} for `{name}`", case="counts"),
            Says("{array} holds {type} {shape}, and the network takes {takes}"),
            Says("the network takes {takes}, and {name} has {has}", help="use `input {has}`", case="input"),
            Says(
                "the network takes {takes}, and {name} has {has}",
                help="say `axes {axes}` after the file, if that is the order in which they are stored",
                case="input axes",
            ),
            Says(
                "the network takes {takes}, and {name} has {has}",
                help="use `input {has}`, and `reshape {takes}` as the first layer",
                case="input reshape",
            ),
            Says(
                "the network takes {takes}, and {name} has {has}",
                help="use `resize {sides}` behind the folder, or `input {has}`",
                case="input resize",
            ),
            Says(
                "{array} holds {type} {shape}, and the network takes {takes}",
                help="its channels are last: `numpy.moveaxis(x, -1, -{axes})` brings them to the front",
                case="channels last",
            ),
        ),
    ),
    Code(
        "CNN409",
        "data-counts-differ",
        """\
There is not one label for each image. Perhaps the files belong to different sets, or to different parts of one
(training images with test labels).""",
        how="Put the labels of the test images beside the training images, and read the folder with `source idx`.",
        says=(
            Says("{source} has {images} and {labels}", help="every image needs one label"),
            Says("{path} has {counts}: they belong together, one of each", case="several"),
        ),
    ),
    Code(
        "CNN410",
        "label-outside-classes",
        """\
A label is a whole number from 0 to one less than the number of classes, or from 1 to that number where no label of
any part is 0 (and `classes`, if said, is the largest). The message names the first image whose label is not, or
tells that the network has another number of outputs than the data have classes. Labels such as 100, 200, 300 need
to be numbered anew, or stored as texts.""",
        how="Read an archive that has a label -1 with `source npz`, or one with a label 10 and `classes 10`.",
        says=(
            Says(
                "the folder {name} in {folder} is none of {parts}",
                help="beside the folder train there are no others: rename it, or move it elsewhere",
                case="part",
            ),
            Says("{folder} has both {one} and {other}", help="keep one of them", case="twice"),
            Says(
                "the folder {name} in {folder} is not one of the classes",
                help="the classes are {classes}{more}",
                case="folder",
            ),
            Says(
                "the file {name} in {folder} is in none of the classes",
                help="move it into the folder of its class, or elsewhere",
                case="file",
            ),
            Says(
                "the labels of {name} name {found} classes, and the spec says `classes {classes}`",
                help="leave out `classes`: the names tell",
                case="names",
            ),
            Says(
                "{name} names classes, which are no regression targets",
                help="leave `target numbers` out",
                case="numbers",
            ),
            Says(
                "the labels of {name} {some}: classes count from 0 or from 1",
                help="number the classes from 0, or say `classes {classes}`",
                case="counted",
            ),
            Says(
                "{name} has more than {most:,} classes",
                help="perhaps another column holds the labels, or they are numbers: `target numbers`",
                case="many",
            ),
            Says(
                "{other} has the class `{strange}`, which {name} has not",
                help="to learn from there are {classes}",
                case="test",
            ),
            Says("label {label} of {part} is not a class", case="label"),
            Says("{prefix}y holds {answers} answers, and x {images} images", case="answers"),
            Says("y: {images} images, but {targets} targets for `{name}`", case="targets"),
            Says(
                "targets of shape {shape} do not fit {output}, which gives {gives} for each image",
                help="give classes as (n{places}), or numbers as (n{sizes})",
                case="shape",
            ),
            Says("targets must be numbers, got {type}", case="type"),
            Says("class {number} is not one of the {classes} that {output} tells apart", case="outside"),
            Says("targets of shape {shape} must be classes, whole numbers below {classes}", case="whole"),
            Says(
                "image {image} of {source} has label {label}, which is not a class", help="labels count from 0 or 1"
            ),
            Says(
                "image {image} of {source} has label {label}, which is not among the {count} classes",
                help="labels go from 0 to {last}, or from 1 to {count}",
                case="class",
            ),
            Says(
                "the network gives {gives} for each image, and {name} has {has}",
                help="end it in one place, such as by `gap`",
                case="one place",
            ),
            Says(
                "the network gives {gives} for each image, and {name} has {has}",
                help="end it in {count}x{places}, such as by `conv {count}x1x1`",
                case="places",
            ),
            Says(
                "every image of {name} is of one class, and there is nothing to tell apart",
                help="a source of classes has two at least",
                case="one class",
            ),
            Says(
                "the network has {outputs}, and {name} has {has}",
                help="end the network in `dense {wanted}`",
                case="dense",
            ),
            Says(
                "the network has {outputs}, and {name} has {has}",
                help="end the network in `conv {wanted}x1x1`",
                case="conv",
            ),
            Says(
                "the network has {outputs}, and {name} has {has}",
                help="end the network in `dense 2 -> softmax`, or in `dense 1 -> sigmoid`",
                case="two classes",
            ),
            Says(
                "the network has {outputs}, and {name} has {has}",
                help=(
                    "end the network in `dense {wanted}`, or store classes as whole numbers (of an npz), "
                    "or say `target classes` (of a csv)"
                ),
                case="one number",
            ),
            Says(
                "targets of `binary_cross_entropy` go from 0 (no) to 1 (yes), and number {number} for "
                "{output} is {target}",
                case="binary_cross_entropy",
            ),
            Says(
                "targets of `cross_entropy` are shares that add up to 1, and number {number} for "
                "{output} is {target}",
                help="for several labels of an image end in `-> sigmoid`",
                case="cross_entropy",
            ),
            Says(
                "targets of `hinge` are classes, and number {number} for {output} is {target}",
                help="give their numbers, or rows with a single 1",
                case="hinge",
            ),
            Says(
                "targets must be numbers, got texts",
                help="give the numbers of classes; `fit` takes their names with `prepare=True`",
                case="texts",
            ),
            Says(
                "class {number} is not one of the {classes} that {output} tells apart",
                help="count classes from 0: give y - 1",
                case="from one",
            ),
        ),
    ),
    Code(
        "CNN411",
        "data-not-finite",
        """\
A number of the data is NaN or infinite, or too large for float32. One of them makes every weight NaN within a
step. The message tells the place of the first.""",
        how="Read an archive whose x has a NaN with `source npz`.",
        says=(
            Says(
                "{noun} {number} of {part} has {value} at {place}",
                help="mend or leave out what is not a finite number",
            ),
            Says("{array} holds numbers that are not finite in float32", case="float32"),
            Says("{place}: {text} is not a finite number of float32", help=FILL, case="cell"),
            Says("{place}: {text} is not a finite number of float32", help=UNLABELLED, case="label"),
        ),
    ),
    Code(
        "CNN412",
        "data-type",
        """\
The data must be numbers: bytes, other whole numbers, or floats, the same for training and test; labels may be texts
as well. Arrays of Python objects are never read, since reading them can run code: `y.astype(str)` makes texts of
names.""",
        how="Read an archive whose y are Python objects with `source npz`.",
        says=(
            Says(
                "the labels of {array} are numbers, and others of the file are texts",
                help="store both in the same way",
                case="texts",
            ),
            Says("a label of {array} is not a text in UTF-8: {label!r}", case="UTF-8"),
            Says(
                "the {noun}s of {part} are of type {type}, not numbers",
                help="store bytes or floats",
                case="numbers",
            ),
            Says(
                "the numbers of {name} are of other types in training and {part}",
                help="store both in the same way",
                case="parts",
            ),
            Says("{array} is of type {type}, not numbers", help="store bytes or floats"),
            Says(
                "{array} is of type {type}, not numbers",
                help="save names or numbers of classes, `y.astype(str)`",
                case="labels",
            ),
        ),
    ),
    Code(
        "CNN413",
        "npz-arrays",
        """\
An npz archive must have the arrays `x` and `y`, or `x_train` and `y_train`; with them it may have `x_test` and
`y_test`, `x_val` and `y_val` (or `x_valid`, `x_validation`), images and labels. Others are passed over.""",
        how="Read an archive made by `np.savez(file, images=x, labels=y)` with `source npz`.",
        says=(
            Says("{where} has {arrays}, and neither {one} nor {other}", help="save it by `np.savez(file, {way})`"),
            Says(
                "{where} has {arrays}, and neither {one} nor {other}",
                help=(
                    'save it by `np.savez(file, x=images, y=labels)`, or name its arrays: `images "a"`, '
                    '`labels "b"`'
                ),
                case="named",
            ),
            Says(
                "{where} has {arrays}: {there} without {missing}",
                help="save it with {whole}, or without {all}",
                case="part",
            ),
            Says("{where} has no {name}, where the weights of {images} should be", case="weights"),
            Says("{name} has {arrays}, and neither x nor x_test", help="call the array of images x", case="asked"),
            Says("{name} has {arrays}, and no {lacking}", help="save it with {wanted}", case="lacking"),
            Says(
                "{name} has {part} arrays, but none for `{one}` and `{other}`",
                help="save all parts with the same arrays",
                case="pair",
            ),
        ),
    ),
)
