"""Codes CNN426 to CNN436: data that meet a network, or each other: preparations, augmentations, pairs, weights."""

from __future__ import annotations

from ..code import Code, Says

LEAVE = "leave `augment {augmentation}` out"

MEETING: tuple[Code, ...] = (
    Code(
        "CNN426",
        "numbers-of-another-kind",
        """\
What a trained network is given is prepared as its training data were, and numbers of another type are taken as
theirs only where there is one way to do it. A network trained on bytes takes whole numbers from 0 to 255, and
floats from 0 to 1 and booleans as bytes / 255. One trained on floats takes numbers of any type as they are, and
bytes where the training images lay between 0 and 1 (x / 255) or filled 0 to 255 (as they are). Floats that have
been prepared already are given to `cnnspec predict` with `--prepared`.""",
        how="Train on `source digits`, and ask `cnnspec predict` about an array of floats from -1 to 1.",
        says=(
            Says(
                "{array} holds {type} from {low:.6g} to {high:.6g}, and the network was trained on bytes",
                help=("store bytes, or floats from 0 to 1; floats as the network sees them go with `--prepared`"),
                case="bytes",
            ),
            Says("{array} holds {type}, not numbers", case="type"),
            Says(
                "{array} holds bytes, and the network was trained on {range}",
                help="store floats as the training data have them",
                case="floats",
            ),
            Says("{array} holds {type}, and `--prepared` is for floats as the network sees them", case="prepared"),
            Says(
                "{name} has {stored}, and the network was trained on {trained}",
                help="store {trained}, as the training data have them",
                case="data",
            ),
            Says(
                "{array} holds {type} from {low:.6g} to {high:.6g}, which are no pixels",
                help="pictures to be fitted are bytes, or floats from 0 to 1",
                case="pixels",
            ),
        ),
    ),
    Code(
        "CNN427",
        "preparation-unusable",
        """\
settings.json of a run, and the metadata of its weights, tell under `preparation` how images were prepared for the
network: its scale and offset, the sizes and names that belong to them (`cnnspec schema preparation`). The record
there is not one, or belongs to another network. Nothing is guessed in its place.""",
        how="Take `scale` out of `preparation` in settings.json of a run, and ask `cnnspec predict` about it.",
        says=(
            Says("the network takes {taken}, and {path} tells of {has}", case="other"),
            Says(
                "the preparation of images that {where} tells of cannot be used: {wrong}",
                help="train anew, or take the run as it was written",
            ),
        ),
    ),
    Code(
        "CNN428",
        "preparation-unknown",
        """\
`model.prepare` makes of images as they are stored what a network was trained on, and `model.classify` names the
classes that it was trained on. Weights of a run tell both; those of another program, or of a model that was trained
on arrays from Python, do not, and a network that was trained on numbers has no classes.""",
        how="Ask `prepare` of a model that has just been compiled.",
        says=(
            Says(
                "the model does not know how images are prepared for it",
                help="load weights of a run, or prepare them as the data that it is trained on",
            ),
            Says(
                "the network tells no classes apart, so it cannot name one",
                help="`predict` gives its outputs",
                case="no classes",
            ),
        ),
    ),
    Code(
        "CNN429",
        "classes-unknown",
        """\
The data that a trained network is tested on have classes that it was not trained on, or numbers where it knows
classes. Classes are matched by their names, so their order does not matter, and some may be missing.""",
        how="Evaluate a run with `--set data.source=...` naming a folder of pictures with another class.",
        says=(
            Says(
                "{name} has classes that the network was not trained on: {strange}", help="it knows {classes}{more}"
            ),
            Says("y has classes that `classes` does not name: {strange}", case="y"),
            Says("{name} has {has}, and the network was trained on {was}", case="kind"),
        ),
    ),
    Code(
        "CNN430",
        "augmentation-does-not-fit",
        """\
The data cannot be changed so: a vector has no pixels that could be moved, and a shift must be smaller than the
image.""",
        how='Say `data { source csv "iris.csv" ; augment flip }`.',
        says=(
            Says("`augment {word}` changes one image, and these belong together", help=LEAVE, case="several"),
            Says(
                "`augment {augmentation}` tells {ways} ways, and the data have {sides}",
                help="use `augment {word} {first}`",
                case="ways",
            ),
            Says(
                "`augment {augmentation}` could move an image of {image} out of sight",
                help="use less than {least}, such as `augment {word} {less}`",
                case="far",
            ),
            Says(
                "`augment {word}` {does} pixels, and the data are vectors of {numbers} numbers",
                help=LEAVE,
                case="vectors",
            ),
            Says("`augment {word}` is of images, and the data are sequences", help=LEAVE, case="sequences"),
            Says(
                "`augment {word}` would mix images that `{other}` has mixed already; one of them may",
                help=LEAVE,
                case="mixed",
            ),
            Says(
                "`augment {word}` makes shares of classes, and `hinge` takes classes alone",
                help="use `cost cross_entropy`",
                case="hinge",
            ),
            Says(
                "`augment {word}` {size} has {has} sides, and the data have {sides}",
                help="use `augment {word} {side}`",
                case="box",
            ),
            Says(
                "`augment {word}` {size} could hide all of an image of {image}",
                help="use less, such as `augment {word} {less}`",
                case="hidden",
            ),
            Says(
                "`augment {word}` is of red, green and blue, and the data have {channels}",
                help=LEAVE,
                case="colours",
            ),
            Says(
                "`augment {word}` direction {direction} is of images, and the data are sequences",
                help="use `flip`",
                case="direction",
            ),
            Says(
                "`augment {word}` moves pixels of images of {images}, and not those of answers of {answers}",
                help=LEAVE,
                case="answers",
            ),
        ),
    ),
    Code(
        "CNN431",
        "csv-categories",
        """\
A column of texts becomes a number for each of them, 1 for that of the row and 0 for the others, and this one has
more than 256: names, dates or whole sentences, from which nothing is learnt that holds for other rows. Leave it out
by `drop`, or put its texts into groups.""",
        how="Read a table with a column of 300 different names with `source csv`.",
        says=(
            Says(
                "{column} of {where} has more than {most} different texts",
                help='say `drop "{number}"` if they only name the rows, or put them into fewer groups',
            ),
        ),
    ),
    Code(
        "CNN432",
        "csv-category-unknown",
        """\
A row that a trained network is asked about, or tested on, has a text in a column of categories that no training
row had. There is no number of the input for it.""",
        how="Train on a table whose column `colour` says red and blue, and ask `cnnspec predict` about green.",
        says=(Says("{cell}: `{text}` is no category that training had", help="it had {known}{more}"),),
    ),
    Code(
        "CNN433",
        "csv-all-missing",
        """\
By `missing mean` the mean of the training rows stands in place of a number that is missing, and in this column not
one of them has a number.""",
        how="Empty a whole column of a table but for its name, and read it by `source csv` with `missing mean`.",
        says=(
            Says("no training row has a number in {column}, so there is no mean to put in", help="drop the column"),
        ),
    ),
    Code(
        "CNN434",
        "pair-incomplete",
        """\
Of `source pairs` each image has a mask, or a picture, of the same name in the other folder, endings aside; so each
file there has an image. One has none, or two files have one name.""",
        how="Put `a.png` into `photos`, nothing into `masks`, and read them with `source pairs`.",
        says=(
            Says(
                "{file} has no partner in {where}",
                help="the file there is called {name}, with any ending; or take this one out",
            ),
            Says(
                "{one} and {file} have one name: nothing tells which is of a pair",
                help="rename one of them, or take it out",
                case="one name",
            ),
        ),
    ),
    Code(
        "CNN435",
        "mask-colours",
        """\
Each colour of a mask is a class, and there are more than 256: the file was saved with loss (JPEG blurs the edges of
colours), or is a photo, which `kind pictures` makes regression targets. All masks must have numbers (grey,
palettes), or all of them colours.""",
        how='Say `source pairs "photos" targets "photos"` of photos in colour.',
        says=(
            Says(
                "{file} is no mask: with it there are more than {most} colours",
                help="save masks without loss, in few colours; for pictures say `kind pictures`",
            ),
            Says("{file} has {has}, and {first} has not", help="save all masks in one mode", case="mode"),
        ),
    ),
    Code(
        "CNN436",
        "weights-of-images",
        """\
`balance on` multiplies the cost of images so that each class has the same share of it, `balance "rare 5"` that of
the classes it names, and `weights "w"` of an npz that of each image by its number; with `oversample on` an epoch
takes them so much more often instead. Weights are numbers from 0, one for each image or class, not all of them 0;
classes are called as the data call them, and there must be some, one for each image.""",
        how='Say `balance "zebra 5"` of data that have no class of this name.',
        says=(
            Says("{weights} must be finite, from 0 on, and not all 0"),
            Says(
                "`balance` is of classes, and the answers of {name} are none, one for each image",
                help='weights of single images stand in an array of an npz: `weights "w"`',
                case="classes",
            ),
            Says(
                "`balance` weighs a class `{strange}`, and {name} has none of this name",
                help="the classes are {classes}{more}",
                case="class",
            ),
            Says("class_weight is of classes, and y holds none, one for each image", case="class_weight"),
            Says("all weights of x are 0", case="zero of x"),
            Says("all weights of the training images of {name} are 0", case="zero"),
            Says(
                "{weights} are {type} {shape}, and there are {count} images",
                help="a number for each image",
                case="shape",
            ),
            Says(
                "sample_weight: {images} images, but {weights} weights",
                help="a number for each image",
                case="sample_weight",
            ),
            Says(
                "class_weight is of one output's classes, and there are {outputs}",
                help="give `sample_weight`, a number for each image",
                case="class_weight of outputs",
            ),
            Says(
                "`oversample` goes by weights, and nothing says them",
                help="say `balance on`, or leave `oversample` out",
                case="oversample",
            ),
            Says(
                "`balance` is of one output's classes, and the network has {outputs} outputs",
                help='say what each image weighs in an array of the archive, `weights "w"`',
                case="outputs",
            ),
        ),
    ),
)
