"""`--input`: sizes of an input, and nothing else; every command that takes them refuses the rest as wrong usage."""

import click
import pytest

from cnnspec.cli import program, run
from cnnspec.cli.sizes import SIZES


def test_every_command_reads_an_input_in_the_same_way():
    context = click.Context(program)
    commands = [program.get_command(context, name) for name in program.list_commands(context)]
    takes = [each.type for command in commands for each in command.params if "--input" in each.opts]
    assert len(takes) > 8 and all(kind is SIZES for kind in takes)


@pytest.mark.parametrize("said", ["abc", "", "x", "0x3", "3x", "3x-4", "1x2x3x4", "1x99999999", "３x4", "1e3"])
def test_what_is_no_input_is_wrong_usage(said, tmp_path, capsys):
    (tmp_path / "net.cnn").write_text("conv 2x3x3 -> gap -> dense 2\n")
    assert run(["summary", str(tmp_path / "net.cnn"), "--input", said]) == 2
    assert "is no input: give its sizes, such as 1x28x28" in capsys.readouterr().err


@pytest.mark.parametrize("said", ["3x8x8", "1x03x4"])
def test_sizes_are_an_input(said, tmp_path, capsys):
    (tmp_path / "net.cnn").write_text("conv 2x3x3 -> gap -> dense 2\n")
    assert run(["summary", str(tmp_path / "net.cnn"), "--input", said]) == 0, capsys.readouterr().err
