"""Commands that pages, workflows and help texts mention: each is one, and has the options that it is given."""

import re
import shlex
from pathlib import Path

import pytest

from cnnspec.cli import COMMANDS, program

ROOT = Path(__file__).parents[2]
WRITTEN = (
    ROOT / "README.md",
    *(ROOT / "grammar").glob("*.md"),
    *(ROOT / "grammar" / "editors").glob("*.md"),
    *(ROOT / "grammar" / "ci").iterdir(),
)
BEGINS = r"^[ \t]*(?:\$ |- |- run: )?(cnnspec [a-z]+(?: [^a-z\s].*| \S+\.cnn\b.*)?)$"
END = re.compile(r"\s+#|\s{3,}|\s[|]\s|\s&& |\s[|]{2}\s|;|\s>|$")  # of a command, within its line


def mentioned(text):
    """Commands in backticks, and those that begin a line."""
    found = re.findall(r"`(cnnspec [a-z][^`\n]*)`", text)
    found += re.findall(BEGINS, text, re.M)
    return [command[: END.search(command).start()] for command in found]


def wrong(text):
    """The commands of a text that are none, with what is none of it."""
    for command in mentioned(text):
        _, name, *rest = shlex.split(command)
        known = program.get_command(None, name)
        if known is None:
            yield command, name
            continue
        options = {option for param in known.params for option in (*param.opts, *param.secondary_opts)}
        for word in rest:
            option = word.partition("=")[0]
            if re.match(r"--?[a-z]", option) and option not in {*options, "--help", "-h"}:
                yield command, option


@pytest.mark.parametrize("path", WRITTEN, ids=lambda path: path.name)
def test_a_page_mentions_commands_that_there_are(path):
    assert not list(wrong(path.read_text(encoding="utf-8")))


@pytest.mark.parametrize("name", COMMANDS)
def test_a_help_mentions_commands_that_there_are(name):
    assert not list(wrong(program.get_command(None, name).help))


def test_mentions_are_found_and_judged():
    text = "so `cnnspec check --fixx .`\n\n    cnnspec rum a.cnn --set x=1 | head\n$ cnnspec check --strict  # no\n"
    assert mentioned(text)[1:] == ["cnnspec rum a.cnn --set x=1", "cnnspec check --strict"]
    assert list(wrong(text)) == [("cnnspec check --fixx .", "--fixx"), ("cnnspec rum a.cnn --set x=1", "rum")]
    assert sum(len(mentioned(path.read_text(encoding="utf-8"))) for path in WRITTEN) > 150
