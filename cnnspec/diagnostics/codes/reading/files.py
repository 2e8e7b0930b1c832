"""Codes CNN008 to CNN010, CNN013 to CNN015 and CNN596: files as wholes."""

from __future__ import annotations

from ..code import Advice, Code, Says

FILES: tuple[Code, ...] = (
    Code(
        "CNN008",
        "too-large",
        """\
The file is longer than 256,000 characters or 32,000 words and signs, or its repetitions and blocks expand to
more than 20,000 layers. Most often a repetition has a few digits too many.""",
        wrong="""\
input 4
(dense 4 -> tanh)*1000000000000 -> softmax
""",
        right="""\
input 4
(dense 4 -> tanh)*10 -> softmax
""",
        says=(
            Says("more than {most} branches are joined here", case="branches"),
            Says("the file is longer than {most} characters"),
            Says("the file has more than {most} words and signs", case="tokens"),
            Says("more than {most} files are imported", case="files"),
            Says("files {most} deep are imported", case="deep"),
            Says("more than {most} characters are imported", case="imported"),
            Says("this expands to more than {most} layers", case="layers"),
            Says("this expands to more than {most} steps", case="steps"),
        ),
    ),
    Code(
        "CNN009",
        "unreadable-file",
        """\
A file cannot be opened: it is not there, it is a folder, a loop of links, or may not be read.""",
        how="Check a file without the right to read it, or a link that points at itself.",
        says=(Says("{name} cannot be read: {reason}"),),
        advice=(Advice("text", "a spec that is a text, and no file, is given as `text=`"),),
    ),
    Code(
        "CNN010",
        "not-utf-8",
        """\
A file is not a text in UTF-8. Save it as UTF-8 in the editor; a byte order mark at its beginning does not
matter, nor do the line ends of Windows.""",
        how="Check a file that holds the byte 0xff.",
        says=(
            Says(
                "the file is not a text in UTF-8",
                "the byte 0x{byte:02x}",
                help="it looks like UTF-16: save it as UTF-8",
                case="UTF-16",
            ),
            Says("the file is not a text in UTF-8", "the byte 0x{byte:02x}", help="save it as UTF-8"),
        ),
    ),
    Code(
        "CNN013",
        "import-not-found",
        """\
The file that `import` names is not there. Its path is relative to the folder of the file that imports it.""",
        wrong="""\
import "there-is-no-such-file.cnn"
input 1x28x28
dense 10 -> softmax
""",
        right="""\
input 1x28x28
dense 10 -> softmax
""",
        says=(
            Says("there is no file {name} among those that were kept", case="kept"),
            Says('"{text}" is a loop of links', case="links"),
            Says("there is no file {name}"),
            Says("{why}", case="unreadable"),
        ),
    ),
    Code(
        "CNN014",
        "import-outside",
        """\
An imported file lies outside of what a spec may read: the project, which is the nearest folder upwards with
`.git` or with a pyproject.toml that has `[tool.cnnspec]`; where there is none, the folder in which the
command runs, or, for a spec that lies elsewhere, that of the spec. Every command holds to the same rule.""",
        wrong="""\
import "../../../elsewhere.cnn"
input 1x28x28
dense 10 -> softmax
""",
        right="""\
input 1x28x28
dense 10 -> softmax
""",
        says=(
            Says(
                '"{text}" is outside of the folder that may be read',
                help=("imports lie below the folder with .git or [tool.cnnspec], or else where the command runs"),
            ),
        ),
    ),
    Code(
        "CNN015",
        "import-cycle",
        """\
A file imports itself, directly or through others. Move what both need into a third file.""",
        how='Write `import "b.cnn"` in a.cnn and `import "a.cnn"` in b.cnn.',
        says=(Says("the file imports itself: {ring}"),),
    ),
    Code(
        "CNN596",
        "another-language",
        """\
A part of the file, or the whole of it, is written in another language: a program in Python that builds a network
with Keras or PyTorch or lists its layers, a configuration of Darknet, a text of Caffe, JSON or YAML, a list or a
table of Markdown. It is told of once, and what it says is not read. Where a program is followed to its end, and
where each line of a list is a layer, the fix is the spec that says the same.""",
        wrong="""\
input 1x28x28
x = layers.Conv2D(8, 3, activation="relu")(inputs)
x = layers.Flatten()(x)
outputs = layers.Dense(10, activation="softmax")(x)
""",
        right="""\
input 1x28x28
conv 8x3x3 -> relu -> flatten -> dense 10 -> softmax
""",
        says=(Says("this is {what}, and no spec", help="{how}"),),
        fixed_by=("lang.hints.foreign.found._tell",),
    ),
)
