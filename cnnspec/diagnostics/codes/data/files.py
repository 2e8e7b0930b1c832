"""Codes CNN401 to CNN407: files of data, whether they are there and whole."""

from __future__ import annotations

from ..code import Code, Says

AGAIN = "fetch or copy the file again"

FILES: tuple[Code, ...] = (
    Code(
        "CNN401",
        "data-missing",
        """\
A file or folder that `source` names is not there, may not be read, or is something else: a named pipe or a device
in the place of a file, a file in the place of a folder. Nothing of it is read then. Paths in a spec start from the
folder of the spec. A source in a folder (`idx`, `images`) also needs its files under the names that the reference
tells.""",
        how='Say `data { source npz "nowhere.npz" }` and run the spec.',
        says=(
            Says("{path} cannot be read: {reason}"),
            Says("no file can be called {path!r}: it holds a NUL", case="NUL"),
            Says(
                "there is no {path}",
                help=(
                    "paths start from the folder of the spec; where the data lie elsewhere, name that "
                    "folder by `--data`"
                ),
                case="missing",
            ),
            Says("there is no home for the `~` of {path}", case="home"),
            Says("no file can be called {path!r}", case="name"),
            Says(
                "{folder} has no {missing}",
                help="the file may be called {missing}-idx{axes}-ubyte.gz, for example",
                case="file",
            ),
            Says("no folder can be called {folder!r}: {reason}", case="folder"),
        ),
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
        says=(
            Says(
                "{image} cannot be prepared as the data of {path} are: they are not there",
                help="give the data with --data, or leave --image out",
                case="image",
            ),
            Says(
                "{name} is not in {folder}, and fetching it failed: {reason}",
                help="put {files} from {address} into {folder}",
            ),
            Says(
                "{name} is not in {folder}, and without pooch it cannot be fetched",
                help='install it by `pip install "cnnspec[data]"`, or put {files} from {address} into {folder}',
                case="pooch",
            ),
        ),
    ),
    Code(
        "CNN403",
        "data-needs-extra",
        """\
Reading this source needs a package that is not installed: Pillow for `images`. It comes with the extra:
`pip install "cnnspec[data]"`.""",
        how='Run a spec with `data { source images "photos" }` where Pillow is not installed.',
        says=(
            Says(
                "reading {name} needs Pillow, which is not installed",
                help='install it by `pip install "cnnspec[data]"`',
            ),
        ),
    ),
    Code(
        "CNN404",
        "data-damaged",
        """\
A file ends before the numbers that its header tells of, goes on after them, or does not unpack. Most often a
copy or a download was interrupted: fetch the file again.""",
        how="Cut the last byte off an IDX file, and read it with `source idx`.",
        says=(
            Says("{name} is damaged: {reason}", help=AGAIN),
            Says("{name} has {bytes} bytes where {wanted:,} are due", help=AGAIN, case="bytes"),
            Says("{path} has no {name}", help="fetch the binary version again", case="member"),
            Says(
                "{name} is cut short: its header tells of {numbers} numbers, {bytes:,} bytes, and {follow} follow",
                help=AGAIN,
                case="short",
            ),
            Says(
                "{array} tells of {numbers} numbers, {bytes:,} bytes; {follows:,} follow", help=AGAIN, case="length"
            ),
            Says("{name} goes on after the {numbers} numbers that its header tells of", help=AGAIN, case="longer"),
            Says(
                "{name} is cut short: it has {bytes} of the 4 bytes that an IDX file begins with",
                help=AGAIN,
                case="begin",
            ),
            Says(
                "{name} is cut short: it has {bytes} of the {wanted} bytes that tell its sizes",
                help=AGAIN,
                case="sizes",
            ),
            Says("{name} is cut short: its gzip stream has no end", help=AGAIN, case="gzip"),
        ),
    ),
    Code(
        "CNN405",
        "data-other-format",
        """\
A file is not in the format that its source reads: an IDX file begins with two zero bytes, an npz file is a
zip archive of npy files, a table is text.""",
        how='Say `source npz "photo.png"`.',
        says=(
            Says("{name} is not an npz archive that can be read: {reason}", help=AGAIN, case="npz"),
            Says(
                "{array} is packed in a way that NumPy never uses",
                help="save it by `np.savez` or `np.savez_compressed`",
                case="packing",
            ),
            Says(
                "{name} is not an IDX file: it begins with {begin}",
                help="an IDX file of images begins with 00 00 08 03, one of labels with 00 00 08 01",
                case="IDX",
            ),
            Says("{name} is not an npy file of numbers: {reason}", help=AGAIN, case="npy"),
            Says("{name} is not a text in UTF-8{where}", help="save it in UTF-8", case="text"),
            Says(
                "{name} is not a text in UTF-8: it is a zip archive, as Excel's xlsx is",
                help="save it as CSV in UTF-8",
                case="zip",
            ),
            Says("{name} is not a text in UTF-8: it is packed by gzip", help="unpack it by `gunzip`", case="gzip"),
            Says("{name} is not a text in UTF-8: it looks like UTF-16", help="save it in UTF-8", case="UTF-16"),
            Says(
                "{name} is not a text in UTF-8: it is a Parquet file",
                help="save it as CSV in UTF-8",
                case="Parquet",
            ),
        ),
    ),
    Code(
        "CNN406",
        "data-checksum",
        """\
What was fetched is not what the set is known to be: its SHA-256 differs. Nothing of it was kept. Something
between here and the server may have answered in its place (a login page of the network, say).""",
        how="Fetch `source mnist` through a network that answers every request with a login page.",
        says=(
            Says(
                "{address}{name} has another checksum than it should have",
                help="try again later, or put {files} from {address} into {folder}",
            ),
        ),
    ),
    Code(
        "CNN407",
        "data-too-large",
        """\
The sizes that a file tells of would take more memory than is free, or more than the file could hold. Nothing
has been allocated. If the file is right, use fewer images (`limit` does not help here, since the whole file
is read) or smaller ones.""",
        how="Write 255 into the sizes of an npy header, and read the archive with `source npz`.",
        says=(
            Says("{array} claims to unpack to more than it can hold", help=AGAIN, case="unpacked"),
            Says("{name} in {path} has {bytes:,} bytes, more than {most:,}", help=AGAIN, case="member"),
            Says("{what} would take {needed}, and {free} are free", help="use fewer or smaller images"),
            Says("{what} would take {needed}, and {free} are free", help="make it smaller", case="one"),
            Says(
                "{what} would take {needed}, and {free} are free",
                help="import it where more memory is free",
                case="model",
            ),
            Says("standard input has more than {most:,} bytes", case="standard input"),
        ),
    ),
)
