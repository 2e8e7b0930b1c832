"""Codes CNN4xx: data and weights."""

from __future__ import annotations

from .code import Code

DATA: tuple[Code, ...] = (
    Code(
        "CNN401",
        "data-missing",
        """\
A file or folder that `source` names is not there, may not be read, or is something else: a named pipe or a device
in the place of a file, a file in the place of a folder. Nothing of it is read then. Paths in a spec start from the
folder of the spec. A source in a folder (`idx`, `images`) also needs its files under the names that the reference
tells.""",
        how='Say `data { source npz "nowhere.npz" }` and run the spec.',
    ),
    Code(
        "CNN402",
        "data-not-fetched",
        """\
A well-known set (mnist, fashion_mnist, cifar10) lies neither in the folder given by `--data`, nor in
`$CNNSPEC_DATA`, nor in the user's cache, and could not be fetched: pooch is not installed, or there is no
network. Install the extra `cnnspec[data]`, or put the files, whose names and address the message tells, into
the folder yourself. `source digits` needs neither.""",
        how="Say `data { source mnist }` and run the spec with `--data` at an empty folder, without a network.",
    ),
    Code(
        "CNN403",
        "data-needs-extra",
        """\
Reading this source needs a package that is not installed: Pillow for `images`. It comes with the extra:
`pip install "cnnspec[data]"`.""",
        how='Run a spec with `data { source images "photos" }` where Pillow is not installed.',
    ),
    Code(
        "CNN404",
        "data-damaged",
        """\
A file ends before the numbers that its header tells of, goes on after them, or does not unpack. Most often a
copy or a download was interrupted: fetch the file again.""",
        how="Cut the last byte off an IDX file, and read it with `source idx`.",
    ),
    Code(
        "CNN405",
        "data-other-format",
        """\
A file is not in the format that its source reads: an IDX file begins with two zero bytes, an npz file is a
zip archive of npy files, a table is text.""",
        how='Say `source npz "photo.png"`.',
    ),
    Code(
        "CNN406",
        "data-checksum",
        """\
What was fetched is not what the set is known to be: its SHA-256 differs. Nothing of it was kept. Something
between here and the server may have answered in its place (a login page of the network, say).""",
        how="Fetch `source mnist` through a network that answers every request with a login page.",
    ),
    Code(
        "CNN407",
        "data-too-large",
        """\
The sizes that a file tells of would take more memory than is free, or more than the file could hold. Nothing
has been allocated. If the file is right, use fewer images (`limit` does not help here, since the whole file
is read) or smaller ones.""",
        how="Write 255 into the sizes of an npy header, and read the archive with `source npz`.",
    ),
    Code(
        "CNN408",
        "data-shape",
        """\
Images must be n x c x h x w, sequences n x c x w, vectors n x c, labels n; all images of a set, for training
and for test, must have one shape, and it must be the network's input. An archive with its channels last says
so by `axes nhwc`, one of grey images without a channel axis by `axes nhw`; where the sizes look so and the
spec does not tell the axes, that is asked for.""",
        how="Read an archive whose x has five axes with `source npz`.",
    ),
    Code(
        "CNN409",
        "data-counts-differ",
        """\
There is not one label for each image. Perhaps the files belong to different sets, or to different parts of one
(training images with test labels).""",
        how="Put the labels of the test images beside the training images, and read the folder with `source idx`.",
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
    ),
    Code(
        "CNN411",
        "data-not-finite",
        """\
A number of the data is NaN or infinite, or too large for float32. One of them makes every weight NaN within a
step. The message tells the place of the first.""",
        how="Read an archive whose x has a NaN with `source npz`.",
    ),
    Code(
        "CNN412",
        "data-type",
        """\
The data must be numbers: bytes, other whole numbers, or floats, the same for training and test; labels may be texts
as well. Arrays of Python objects are never read, since reading them can run code: `y.astype(str)` makes texts of
names.""",
        how="Read an archive whose y are Python objects with `source npz`.",
    ),
    Code(
        "CNN413",
        "npz-arrays",
        """\
An npz archive must have the arrays `x` and `y`, or `x_train` and `y_train`; with them it may have `x_test` and
`y_test`, `x_val` and `y_val` (or `x_valid`, `x_validation`), images and labels. Others are passed over.""",
        how="Read an archive made by `np.savez(file, images=x, labels=y)` with `source npz`.",
    ),
    Code(
        "CNN414",
        "no-images",
        """\
There is not a single image, or row of a table, in one of the parts, or in the folder of a class to learn
from.""",
        how="Read a table that has a header and no rows with `source csv`.",
    ),
    Code(
        "CNN415",
        "image-unreadable",
        """\
A file in a folder of images cannot be read: it is damaged, larger than 64 million pixels, has 32 bits a channel, or
is in another format than PNG, JPEG, BMP, PPM, WebP, GIF or TIFF. Other files do not belong in the folders of the
classes, except documents (`.txt`, `.json`, ...) and those whose names begin with a dot.""",
        how="Call a text `cat.png`, put it into a folder of a class, and read it with `source images`.",
    ),
    Code(
        "CNN416",
        "image-sizes-differ",
        """\
All images must have one height and width. `resize 32x32` after the folder brings them to one.""",
        how="Put images of two sizes into a folder of a class, and read it with `source images`.",
    ),
    Code(
        "CNN417",
        "csv-value",
        """\
A row of a table has another number of columns than the others, a cell is not a number, or a label is missing:
empty, `?`, `nan` in any case, or another text that pandas takes for missing (`NA`, `N/A`, `null`, `None`). The
message tells row and column, both counted from 1, the header included.""",
        how="Leave a cell empty, and read the table with `source csv`.",
    ),
    Code(
        "CNN418",
        "csv-column",
        """\
The table has no such column, or no column beside that of the labels. Columns are named by the first row, or by
their number from 1. Whether the first row names the columns is noticed: it does where a text stands above numbers,
and does not where numbers stand above numbers or a text is found again below. Where these contradict each other,
`header on` or `header off` must say it. A column without a name is refused, since most often it only counts the
rows: `drop` leaves it out.""",
        how='Say `source csv "iris.csv" label "colour"` where no column is called so.',
    ),
    Code(
        "CNN420",
        "class-name",
        """\
A text of the data cannot be the name of a class: it is not Unicode (the name of a folder in another encoding), or
has more than 200 characters, which labels do not have. Names of classes stand in every run's folder.""",
        how="Name the folder of a class in Latin-1, by `mkdir $'caf\\xe9'`, and read it with `source images`.",
    ),
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
    ),
    Code(
        "CNN427",
        "preparation-unusable",
        """\
settings.json of a run, and the metadata of its weights, tell under `preparation` how images were prepared for the
network: its scale and offset, the sizes and names that belong to them (`cnnspec schema preparation`). The record
there is not one, or belongs to another network. Nothing is guessed in its place.""",
        how="Take `scale` out of `preparation` in settings.json of a run, and ask `cnnspec predict` about it.",
    ),
    Code(
        "CNN428",
        "preparation-unknown",
        """\
`model.prepare` makes of images as they are stored what a network was trained on, and `model.classify` names the
classes that it was trained on. Weights of a run tell both; those of another program, or of a model that was trained
on arrays from Python, do not, and a network that was trained on numbers has no classes.""",
        how="Ask `prepare` of a model that has just been compiled.",
    ),
    Code(
        "CNN429",
        "classes-unknown",
        """\
The data that a trained network is tested on have classes that it was not trained on, or numbers where it knows
classes. Classes are matched by their names, so their order does not matter, and some may be missing.""",
        how="Evaluate a run with `--set data.source=...` naming a folder of pictures with another class.",
    ),
    Code(
        "CNN430",
        "augmentation-does-not-fit",
        """\
The data cannot be changed so: a vector has no pixels that could be moved, and a shift must be smaller than the
image.""",
        how='Say `data { source csv "iris.csv" ; augment flip }`.',
    ),
    Code(
        "CNN431",
        "csv-categories",
        """\
A column of texts becomes a number for each of them, 1 for that of the row and 0 for the others, and this one has
more than 256: names, dates or whole sentences, from which nothing is learnt that holds for other rows. Leave it out
by `drop`, or put its texts into groups.""",
        how="Read a table with a column of 300 different names with `source csv`.",
    ),
    Code(
        "CNN432",
        "csv-category-unknown",
        """\
A row that a trained network is asked about, or tested on, has a text in a column of categories that no training
row had. There is no number of the input for it.""",
        how="Train on a table whose column `colour` says red and blue, and ask `cnnspec predict` about green.",
    ),
    Code(
        "CNN433",
        "csv-all-missing",
        """\
By `missing mean` the mean of the training rows stands in place of a number that is missing, and in this column not
one of them has a number.""",
        how="Empty a whole column of a table but for its name, and read it by `source csv` with `missing mean`.",
    ),
    Code(
        "CNN434",
        "pair-incomplete",
        """\
Of `source pairs` each image has a mask, or a picture, of the same name in the other folder, endings aside; so each
file there has an image. One has none, or two files have one name.""",
        how="Put `a.png` into `photos`, nothing into `masks`, and read them with `source pairs`.",
    ),
    Code(
        "CNN435",
        "mask-colours",
        """\
Each colour of a mask is a class, and there are more than 256: the file was saved with loss (JPEG blurs the edges of
colours), or is a photo, which `kind pictures` makes numbers to meet. All masks must have numbers (grey, palettes),
or all of them colours.""",
        how='Say `source pairs "photos" targets "photos"` of photos in colour.',
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
    ),
)
