"""Codes CNN9xx: the command itself, its arguments and our own faults."""

from __future__ import annotations

from .code import Code, Says

IGNORE = "write `# cnnspec: ignore CNN231`"
BASELINE = "write it by `cnnspec check --write-baseline {place}`"

FAULTS: tuple[Code, ...] = (
    Code(
        "CNN901",
        "internal-error",
        """\
cnnspec itself failed while it worked on this file. Nothing is said about the file: it may be right or
wrong. Please report it with the file, or the smallest piece of it that shows the fault, and the output
of the same command under `CNNSPEC_TRACEBACK=1`.
""",
        how="A defect of cnnspec raises it; no spec should.",
        says=(
            Says("cnnspec itself failed: {fault}", help="{how}"),
            Says("the process that checked {name} died", help="{how}", case="died"),
        ),
    ),
    Code(
        "CNN902",
        "interrupted",
        """\
The check was interrupted (Ctrl-C, or a signal) before every file had been looked at. What was found so
far is reported; files that are not named were not checked.
""",
        how="Press Ctrl-C while many files are checked.",
        says=(Says("interrupted after {files}"),),
    ),
    Code(
        "CNN903",
        "unusable-path",
        """\
A path of the command cannot be used: there is nothing of that name, or it is a folder without a `.cnn` or
`.cnn.json` file below it, or it cannot be written with `--fix`. In a folder, what `.gitignore` names is
left out, and so are folders whose name begins with a dot; a file that is named itself is always checked.
""",
        how="Run `cnnspec check no-such-file.cnn`.",
        says=(
            Says("there is no file or folder {path}"),
            Says("cannot write {path}: {reason}", case="write"),
            Says(
                "no .cnn or .cnn.json file in {where}",
                help=("files that .gitignore or `exclude` leave out are checked when they are named themselves"),
                case="empty",
            ),
        ),
    ),
    Code(
        "CNN904",
        "bad-usage",
        """\
The command was called with an option that it does not have, or with a value that the option does not
take. The message names it; `cnnspec COMMAND --help` lists what there is.
""",
        how="Run `cnnspec check --select CNN000 net.cnn`.",
        says=(Says("{message}"),),
    ),
    Code(
        "CNN905",
        "bad-configuration",
        """\
The table `[tool.cnnspec]` of a `pyproject.toml` could not be used: the file is not TOML, or the table
has an unknown key, or a value of the wrong kind, or a code that does not exist. Nothing is guessed, since
a misspelt key would otherwise silently check less than its author wanted.

    [tool.cnnspec]
    ignore = ["CNN231"]            # codes or their beginnings: "CNN2" is all of CNN2xx
    select = ["CNN1", "CNN2"]      # report only these (and what keeps a file from being read)
    strict = true                  # warnings fail too
    exclude = ["drafts/"]          # patterns as in .gitignore, for files found in folders
""",
        how='Write `ignroe = ["CNN231"]` under `[tool.cnnspec]` in pyproject.toml.',
        says=(
            Says("the baseline {path} cannot be used: it cannot be read: {why}", help=BASELINE, case="baseline"),
            Says("the baseline {path} cannot be used: it is no JSON: {why}", help=BASELINE, case="baseline JSON"),
            Says("the baseline {path} cannot be used: {why}", help=BASELINE, case="baseline schema"),
            Says("cannot read {path}: {reason}", case="unreadable"),
            Says("not a TOML file: {reason}", case="TOML"),
            Says("`cnnspec` under [tool] wants a table", case="table"),
            Says("`{key}` wants a list of texts", case="texts"),
            Says("`strict` wants true or false", case="strict"),
            Says("unknown key `{key}`", help="did you mean `{near}`?", case="near"),
            Says("unknown key `{key}`", help="the keys are {known}", case="unknown"),
            Says("`{key}` names {unknown}, and no code begins so", case="code"),
        ),
    ),
    Code(
        "CNN906",
        "bad-ignore-comment",
        """\
A comment `# cnnspec: ignore CODE` names no code, or one that does not exist, so it silences nothing.
At the end of a line the comment silences its codes on that line; alone on a line, in the whole file.
What keeps a file from being read (CNN0xx) cannot be silenced.
""",
        how="Write `# cnnspec: ignore CNN999` at the end of a line.",
        severity="warning",
        says=(
            Says("a comment for cnnspec that says nothing it knows", help=IGNORE, case="other"),
            Says("names no code", help=IGNORE, case="none"),
            Says("there is no code {name}", help=IGNORE, case="unknown"),
            Says("{name} cannot be silenced", help=IGNORE, case="kept"),
        ),
    ),
    Code(
        "CNN907",
        "output-refused",
        """\
What a command says on standard output could not be written: the disk that it is led to is full, or standard output
is closed, or its terminal is gone. What the command wrote into files is there; a run trains on to its end, and its
folder holds everything.
""",
        how="Run `cnnspec summary net.cnn > /dev/full`.",
        says=(Says("standard output cannot be written to: {reason}"),),
    ),
)
