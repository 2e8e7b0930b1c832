"""Codes CNN414 to CNN420: images and tables as they are read, and the names of classes."""

from __future__ import annotations

from ..code import Advice, Code, Says

HEADER = "say `header on` if it names the columns, `header off` if it is data"
UNLABELLED = "fill it in, leave out rows without a label, or say `missing drop`"
FILL = "fill in what is missing, or say `missing drop` or `missing mean`"

CONTENTS: tuple[Code, ...] = (
    Code(
        "CNN414",
        "no-images",
        """\
There is not a single image, or row of a table, in one of the parts, or in the folder of a class to learn
from.""",
        how="Read a table that has a header and no rows with `source csv`.",
        says=(
            Says("{name} is empty: {sizes} numbers"),
            Says(
                "{folder} has no folder of a class in it",
                help="put the images of each class into a folder of its own",
                case="folders",
            ),
            Says("{folder} has no image in it", help="remove it, or put {part} images in", case="part"),
            Says("{folder} has no image in it", help="put images of the class into it, or remove it", case="class"),
            Says("{name} has no rows", case="rows"),
            Says("{folder} has nothing in it that could be asked about", help="that are {endings}", case="asked"),
            Says("{name} is empty", case="table"),
            Says("{name} is empty: 0x{columns} numbers", case="no columns"),
            Says("{folder} has no image in it", help="put some into it, or remove it", case="pair"),
            Says("standard input is empty", case="standard input"),
        ),
    ),
    Code(
        "CNN415",
        "image-unreadable",
        """\
A file in a folder of images cannot be read: it is damaged, larger than 64 million pixels, has 32 bits a channel, or
is in another format than PNG, JPEG, BMP, PPM, WebP, GIF or TIFF. Other files do not belong in the folders of the
classes, except documents (`.txt`, `.json`, ...) and those whose names begin with a dot.""",
        how="Call a text `cat.png`, put it into a folder of a class, and read it with `source images`.",
        says=(
            Says("{path} cannot be read: {reason}", help="take it out of the folder"),
            Says(
                "{path} is a folder within a class",
                help="images lie in the folders of their classes themselves",
                case="folder",
            ),
            Says(
                "{path} has {size} pixels; {most:,} are the most that is read",
                help="make it smaller, or take it out of the folder",
                case="pixels",
            ),
            Says("{path} has 32 bits a channel", help="save it with 8 or 16", case="bits"),
            Says("{path} is not an image that can be read", help="the formats are {formats}", case="format"),
            Says("{folder} lies too deep: more than {most} folders", case="deep"),
        ),
    ),
    Code(
        "CNN416",
        "image-sizes-differ",
        """\
All images must have one height and width. `resize 32x32` after the folder brings them to one.""",
        how="Put images of two sizes into a folder of a class, and read it with `source images`.",
        says=(Says("{file} is {has}, and {first} is {wanted}", help="use `resize {wanted}`"),),
        advice=(Advice("network", "use `resize {size}` behind the folder, the size that the network takes"),),
    ),
    Code(
        "CNN417",
        "csv-value",
        """\
A row of a table has another number of columns than the others, a cell is not a number, or a label is missing:
empty, `?`, `nan` in any case, or another text that pandas takes for missing (`NA`, `N/A`, `null`, `None`). The
message tells row and column, both counted from 1, the header included.""",
        how="Leave a cell empty, and read the table with `source csv`.",
        says=(
            Says(
                "label {number} of {array} is `{text}`: it is missing",
                help="leave out what has no label, or give the class another name",
                case="text",
            ),
            Says("line {line} of {name} cannot be read: {reason}", case="row"),
            Says("line {line} of {where} has {columns} columns, and the first has {first}", case="width"),
            Says("line {line} of {where} has {columns} columns, and the network takes {wanted}", case="kept"),
            Says(
                "{place}: `{text}` is not a number",
                help="mend it; if the column names categories, say so by `categories`",
            ),
            Says("{place}: `{text}` is not a number", help="write {comma}, with a point", case="comma"),
            Says("{place}: `{text}` is not a number", help=FILL, case="missing"),
            Says("{place}: the cell is empty", help=FILL, case="empty"),
            Says("{place}: `{text}` stands for what is missing", help=FILL, case="category"),
            Says("{place}: `{text}` is not a number", help=UNLABELLED, case="no label"),
            Says("{place}: the cell is empty", help=UNLABELLED, case="empty label"),
            Says(
                "{place}: the label is empty",
                help="leave out rows without a label, or say `missing drop`",
                case="empty class",
            ),
            Says(
                "{place}: `{text}` stands for a label that is missing",
                help="leave out rows without a label, or say `missing drop`; if it is a class, rename it",
                case="missing class",
            ),
        ),
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
        says=(
            Says("{where} has no column {column}", help="it has {width} columns: {has}"),
            Says(
                "{where} has one column, and a label needs numbers beside it",
                help="columns are parted by a comma; otherwise say `separator`",
                case="one",
            ),
            Says(
                "the first row of {where} has no number, and stands above numbers",
                help="if it names the columns, leave out `header off`",
                case="header off",
            ),
            Says(
                "column {column} of {where} has no name",
                help="name it in the first row; if it only counts the rows, as pandas writes them without "
                '`index=False`, say `drop "{column}"`',
                case="unnamed",
            ),
            Says("of {where} no column is left to learn from", help="drop fewer", case="none left"),
            Says("`{setting}` names no column", help="name some, or leave it out", case="empty"),
            Says(
                "column {column} of {where} is the label, and `columns` names it to learn from",
                help="leave it out there, or say which is the `label`",
                case="label",
            ),
            Says(
                "columns {columns} of {where} are both called {name}",
                help="say the number of the column",
                case="alike",
            ),
            Says("{where} has no column {column}", help="training had {names}{more}", case="kept"),
            Says("{where} has other columns than training: {columns}", case="others"),
            Says("{where} has several columns called {name}", case="twice"),
            Says("the first row of {where} counts the columns, or is numbers", help=HEADER, case="counts"),
            Says("the first row of {where} may be one of names or one of data", help=HEADER, case="either"),
        ),
    ),
    Code(
        "CNN420",
        "class-name",
        """\
A text of the data cannot be the name of a class: it is not Unicode (the name of a folder in another encoding), or
has more than 200 characters, which labels do not have. Names of classes stand in every run's folder.""",
        how="Name the folder of a class in Latin-1, by `mkdir $'caf\\xe9'`, and read it with `source images`.",
        says=(
            Says("{name!a} cannot be the name of a class: it is not Unicode", help="rename it in UTF-8"),
            Says(
                "`{begin}...` cannot be the name of a class: it has {characters:,} characters",
                help="perhaps another column holds the labels",
                case="long",
            ),
        ),
    ),
)
