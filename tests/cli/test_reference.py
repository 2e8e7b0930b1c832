"""`explain`, `ops`, `schema`, `completion`, `--version`: what the command says of itself."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import click
import jsonschema
import pytest

import cnnspec as package
from cnnspec.cli import COMMANDS, ELSEWHERE, program
from cnnspec.cli.schema import schemas
from cnnspec.diagnostics.codes import CODES
from cnnspec.reference import words as reference
from cnnspec.words import OPS

ROOT = Path(__file__).parents[2]


def test_every_command_can_be_loaded_and_says_what_it_does():
    for name, entry in COMMANDS.items():
        command = program.get_command(None, name)
        assert command is not None and command.help, name
        assert entry.summary.endswith("."), name


@pytest.mark.parametrize("name", ["train", "Fit", "lint", "export", "init"])
def test_the_command_that_another_tool_calls_otherwise_is_named(cnnspec, name):
    found = cnnspec(name, "net.cnn")
    assert found.code == 2
    assert f"it is `cnnspec {ELSEWHERE[name.lower()]}`" in found.err


def test_what_other_tools_call_a_command_is_none_of_ours():
    assert not set(ELSEWHERE) & set(COMMANDS)
    assert all(meant.partition(" ")[0] in COMMANDS or meant.startswith("--") for meant in ELSEWHERE.values())


def test_a_file_in_a_command_s_place_is_told_the_commands(cnnspec):
    found = cnnspec("net.cnn")
    assert found.code == 2
    assert "`cnnspec run net.cnn` trains it, `cnnspec check net.cnn` checks it" in found.err


@pytest.mark.parametrize("wrong", ["serv3", "clean", "frobnicate"])
def test_what_is_no_slip_of_a_command_names_none(cnnspec, wrong):
    assert "`cnnspec --help` lists the commands" in cnnspec(wrong).err


OPTIONS = {
    ("--gpu",): "--engine",
    ("--device", "cuda"): "--engine",
    ("--batch-size", "8"): "--batch",
    ("--batch_size", "8"): "--batch",
    ("-e", "3"): "--epochs",
    ("--learning-rate", "0.1"): "--lr",
    ("--num-workers", "2"): "--workers",
    ("--optimizer", "sgd"): "--set train.optimiser=...",
    ("--weight-decay", "1e-4"): "--set train.optimiser.weight_decay=...",
    ("--patience", "3"): "--set train.patience=...",
    ("--epcohs", "3"): "--epochs",
}


@pytest.mark.parametrize(("wrong", "right"), OPTIONS.items())
def test_an_option_of_another_tool_is_told_ours(cnnspec, wrong, right):
    found = cnnspec("run", "net.cnn", *wrong)
    assert found.code == 2
    assert f"Did you mean '{right}'?" in found.err.replace("\n", " ")


def test_an_option_that_is_like_none_is_told_none(cnnspec):
    assert "mean" not in cnnspec("run", "net.cnn", "--frobnicate").err


def test_help_lists_every_command(cnnspec):
    out = cnnspec("--help").out
    assert all(f"  {name} " in out for name in COMMANDS)
    assert cnnspec("check", "--help").code == 0


@pytest.mark.parametrize("name", COMMANDS)
def test_help_shows_how_a_command_is_called(name):
    """Each example of a command's help has the options and the arguments that the command takes."""
    command = program.get_command(click.Context(program), name)
    told = f"{command.help}\n{command.epilog or ''}"
    examples = re.findall(rf'^ *(?:[^`\n]*\| |eval "\$\()?(cnnspec {name}\b.*)$', told, re.MULTILINE)
    assert examples, f"`cnnspec {name} --help` shows no example"
    for example in examples:
        words = shlex.split(re.split(r'  +| > |\)"', example)[0])
        context = click.Context(command)
        values, left, _ = command.make_parser(context).parse_args(words[2:])
        assert not left, (example, left)
        for one in command.params:
            if one.required:
                assert values.get(one.name) is not None, (example, one.name)
            if isinstance(one.type, click.Choice) and values.get(one.name) is not None:
                said = values[one.name]
                assert {*(said if isinstance(said, (list, tuple)) else [said])} <= {*one.type.choices}, example


def test_the_version(cnnspec):
    assert cnnspec("--version").out == f"cnnspec {package.__version__}\n"


@pytest.mark.parametrize(("wrong", "right"), [("chek", "check"), ("explian", "explain"), ("shcema", "schema")])
def test_a_misspelt_command_is_told_the_right_one(cnnspec, wrong, right):
    result = cnnspec(wrong)
    assert result.code == 2 and f"did you mean `{right}`?" in result.err


# ---- explain ---------------------------------------------------------------------------------------------


def test_every_code_is_listed_and_has_a_page(cnnspec):
    listed = cnnspec("explain").out.splitlines()
    assert [line.split()[0] for line in listed] == list(CODES)
    pages = cnnspec("explain", *CODES).out
    for code in CODES.values():
        assert f"{code.code}: {code.name.replace('-', ' ')} ({code.severity})" in pages
        assert code.explanation.strip().splitlines()[0] in pages


@pytest.mark.parametrize("wanted", ["CNN103", "103", "cnn103", "kernel-too-large"])
def test_a_code_is_found_by_number_and_name(cnnspec, wanted):
    out = cnnspec("explain", wanted).out
    assert out.startswith("CNN103: kernel too large (error)")
    assert "This raises it:" in out and "This does not:" in out


@pytest.mark.parametrize(
    ("wanted", "hint"), [("CNN999", "did you mean"), ("kernel-to-large", "CNN103"), ("?", "lists")]
)
def test_an_unknown_code_is_a_usage_error(cnnspec, wanted, hint):
    result = cnnspec("explain", wanted)
    assert result.code == 2 and hint in result.err


# ---- ops -------------------------------------------------------------------------------------------------


def test_every_word_is_listed_and_has_a_page(cnnspec):
    overview = cnnspec("ops").out
    words = [cls.word for classes in reference.vocabulary().values() for cls in classes]
    assert {op.word for op in OPS} < set(words)
    for word in words:
        assert f"  {word}" in overview
        page = cnnspec("ops", word)
        assert page.code == 0
        for cls in reference.find(word):
            assert all(row.doc in page.out for row in reference.rows(cls))
            assert reference.description(cls) in page.out


def test_a_page_in_full(cnnspec):
    out = cnnspec("ops", "maxpool").out
    assert out.startswith("maxpool K\n\nMax pooling: ")
    assert "stride" in out and "Example, on 3x12x12:" in out and "Elsewhere: " in out


@pytest.mark.parametrize(
    ("word", "hint"), [("conv2d", "`conv`"), ("maxpol", "`maxpool`"), ("zzzz", "`cnnspec ops`")]
)
def test_an_unknown_word_is_told_the_nearest(cnnspec, word, hint):
    result = cnnspec("ops", word)
    assert result.code == 2 and hint in result.err


# ---- schema ----------------------------------------------------------------------------------------------


def test_the_schemas_are_schemas(cnnspec):
    whole = json.loads(cnnspec("schema").out)
    assert whole["$defs"] == schemas() and {"configuration", "diagnostics", "summary"} <= set(schemas())
    for name, schema in schemas().items():
        jsonschema.validators.validator_for(schema).check_schema(schema)
        assert json.loads(cnnspec("schema", name).out) == schema
    assert cnnspec("schema", "bogus").code == 2
    assert set(schemas()) <= set(re.findall(r"^  (\w+)  ", cnnspec("schema", "--help").out, re.M))


def test_the_grammar_its_schemas_and_its_pages_are_packaged():
    shipped = (ROOT / "pyproject.toml").read_text()
    assert '"grammar" = "cnnspec/_grammar"' in shipped and '"README.md" = "cnnspec/_readme.md"' in shipped


@pytest.mark.parametrize(
    ("table", "valid"),
    [
        ({"ignore": ["CNN231"], "select": ["CNN1", "CNN2"], "strict": True, "exclude": ["drafts/"]}, True),
        ({}, True),
        ({"ignroe": []}, False),
        ({"ignore": ["E501"]}, False),
        ({"strict": "yes"}, False),
    ],
)
def test_the_schema_of_the_configuration_agrees_with_its_reader(tmp_path, cnnspec, table, valid):
    assert jsonschema.Draft202012Validator(schemas()["configuration"]).is_valid(table) is valid
    written = "\n".join(f"{key} = {json.dumps(value)}" for key, value in table.items())
    (tmp_path / "pyproject.toml").write_text(f"[tool.cnnspec]\n{written}\n")
    (tmp_path / "a.cnn").write_text("input 4\ndense 2 -> softmax\n")
    assert cnnspec("check", "a.cnn").code == (0 if valid else 2)


# ---- completion ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_prints_a_script(cnnspec, shell):
    result = cnnspec("completion", shell)
    assert result.code == 0 and "_CNNSPEC_COMPLETE" in result.out
    if shutil.which(shell):
        done = subprocess.run([shell, "-n"], input=result.out, text=True, capture_output=True)
        assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("cnnspec ch", "check"),
        ("cnnspec explain CNN90", "CNN901"),
        ("cnnspec ops maxp", "maxpool"),
        ("cnnspec check --format s", "sarif"),
        ("cnnspec check --select CNN10", "CNN103"),
        ("cnnspec schema diag", "diagnostics"),
    ],
)
def test_completion_offers(typed, offered):
    words = typed.split(" ")
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "_CNNSPEC_COMPLETE": "bash_complete",
        "COMP_WORDS": typed,
        "COMP_CWORD": str(len(words) - 1),
    }
    done = subprocess.run([sys.executable, "-m", "cnnspec"], env=environment, capture_output=True, text=True)
    assert f"plain,{offered}" in done.stdout.splitlines(), done.stdout + done.stderr


# ---- how a command ends ----------------------------------------------------------------------------------


def test_a_wrong_spec_is_rendered_by_every_command(cnnspec, here):
    (here / "a.cnn").write_text("input 1x8x8\nconv 8x3x3 -> rellu\n")
    result = cnnspec("summary", "a.cnn")
    assert result.code == 1 and result.out == ""
    assert "error[CNN201]" in result.err and "Traceback" not in result.err


@pytest.mark.parametrize(
    ("fault", "code", "said"),
    [
        (RuntimeError("broken"), 3, "cnnspec itself failed: RuntimeError: broken"),
        (RecursionError("too deep"), 3, "RecursionError"),
        (MemoryError(), 1, "error[CNN322]: memory ran out"),
        (KeyboardInterrupt(), 130, "interrupted"),
    ],
)
def test_faults_of_commands(cnnspec, monkeypatch, fault, code, said):
    def fail(*arguments):
        raise fault

    monkeypatch.setattr("cnnspec.cli.explain.page", fail)
    result = cnnspec("explain", "CNN103")
    assert result.code == code and said in result.err and "Traceback" not in result.err


def test_the_editor_server_says_what_it_needs(cnnspec, monkeypatch):
    monkeypatch.setitem(sys.modules, "pygls", None)
    monkeypatch.delitem(sys.modules, "cnnspec.editor.lsp.server", raising=False)
    for name in [name for name in sys.modules if name.startswith("pygls.")]:
        monkeypatch.delitem(sys.modules, name)
    result = cnnspec("lsp")
    assert result.code == 2 and "pip install 'cnnspec[lsp]'" in result.err
