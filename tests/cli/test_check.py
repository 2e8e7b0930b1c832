"""`cnnspec check` as people and CI servers call it."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as xml

import jsonschema
import pytest

from cnnspec.cli import jobs
from cnnspec.cli.schema import schemas

GOOD = "input 1x28x28\nconv 8x3x3 -> relu -> maxpool 2 -> dense 10 -> softmax\n"
BAD = "input 1x28x28\nconv 8x3x3 -> rellu -> dense 10 -> softmax\n"
WARNS = "input 1x28x28\nconv 8x3x3 -> bn -> relu -> dense 10 -> softmax\n"
ROOT = Path(__file__).parents[2]
SARIF = json.loads((ROOT / "tests" / "formats" / "sarif-schema-2.1.0.json").read_text())


def parsed(format, text):
    """A machine format's text as its readers see it; raises where it is no valid document."""
    if format == "json":
        jsonschema.validate(json.loads(text), schemas()["diagnostics"])
        return json.loads(text)
    if format == "sarif":
        jsonschema.validate(json.loads(text), SARIF)
        return json.loads(text)["runs"][0]
    if format == "junit":
        return xml.fromstring(text)
    return [line for line in text.splitlines() if line]


MACHINE = ["json", "sarif", "junit", "github"]


# ---- exit codes ------------------------------------------------------------------------------------------


def test_a_clean_file_exits_0(cnnspec, here):
    (here / "a.cnn").write_text(GOOD)
    result = cnnspec("check", "a.cnn")
    assert result == (0, "", "1 file checked, nothing found\n")


def test_a_file_without_input_is_told_which_would_do(cnnspec, here):
    (here / "a.cnn").write_text("conv 8x3x3 -> relu -> maxpool 2 -> dense 10 -> softmax\n")
    result = cnnspec("check", "a.cnn")
    assert (result.code, result.out) == (0, "")
    assert result.err.startswith("a.cnn takes an image: height and width ")
    assert "a.cnn takes" not in cnnspec("check", "a.cnn", "--quiet").err


def test_a_file_of_blocks_alone_is_a_library(cnnspec, here):
    (here / "lib").mkdir()
    (here / "lib" / "blocks.cnn").write_text("block b(c) = conv {c}x3x3 -> relu\n")
    (here / "net.cnn").write_text('import "lib/blocks.cnn"\ninput 1x28x28\nb(4) -> dense 10 -> softmax\n')
    assert cnnspec("check", ".") == (0, "", "2 files checked, nothing found\n")
    assert cnnspec("check", "lib/blocks.cnn").code == 0
    for command in (("run",), ("compile", "--emit", "json"), ("summary",)):
        result = cnnspec(*command, "lib/blocks.cnn")
        assert result.code == 1 and "CNN024" in result.err


def test_a_folder_and_its_files_are_checked_alike(cnnspec, here, monkeypatch):
    (here / "top" / "nets").mkdir(parents=True)
    (here / "top" / "blocks.cnn").write_text("block b(c) = conv {c}x3x3 -> relu\n")
    spec = here / "top" / "nets" / "net.cnn"
    spec.write_text('import "../blocks.cnn"\ninput 1x28x28\nb(4) -> dense 10 -> softmax\n')
    for folder, code in ((here, 0), (here / "top", 0), (spec.parent, 1)):
        monkeypatch.chdir(folder)
        for checked in (here / "top", spec.parent, spec):
            assert cnnspec("check", checked).code == code
        assert cnnspec("compile", "--emit", "json", spec).code == code


def test_findings_exit_1_and_say_what_can_be_fixed(cnnspec, here):
    (here / "a.cnn").write_text(BAD)
    result = cnnspec("check", "a.cnn")
    assert result.code == 1
    assert "error[CNN201]" in result.out and " --> a.cnn:2:15" in result.out
    assert result.err == "1 error; 1 can be fixed with --fix\n"


def test_warnings_fail_only_where_strict(cnnspec, here):
    (here / "a.cnn").write_text(WARNS)
    assert cnnspec("check", "a.cnn").code == 0
    strict = cnnspec("check", "a.cnn", "--strict")
    assert strict.code == 1 and "warning[CNN231]" in strict.out


def test_exit_zero_lets_findings_pass_and_nothing_else(cnnspec, here):
    (here / "a.cnn").write_text(BAD)
    assert cnnspec("check", "a.cnn", "--exit-zero").code == 0
    assert cnnspec("check", "missing.cnn", "--exit-zero").code == 2


@pytest.mark.parametrize("arguments", [["missing.cnn"], ["."], ["--bogus"], ["--select", "CNN777"], ["-", "a.cnn"]])
def test_calling_it_wrongly_exits_2(cnnspec, here, arguments):
    result = cnnspec("check", *arguments)
    assert result.code == 2 and "Traceback" not in result.out + result.err


def test_a_missing_file_does_not_hide_what_the_others_hold(cnnspec, here):
    (here / "a.cnn").write_text(BAD)
    result = cnnspec("check", "missing.cnn", "a.cnn", "--format", "concise")
    assert result.code == 2 and "CNN903" in result.out and "CNN201" in result.out


def test_our_own_fault_exits_3_names_the_file_and_says_how_to_report(cnnspec, here, monkeypatch):
    (here / "a.cnn").write_text(GOOD)
    (here / "b.cnn").write_text(BAD)

    def broken(source, *rest, **more):
        if source.name == "a.cnn":
            raise RuntimeError("an invariant\nbroke")
        return examine(source, *rest, **more)

    examine = jobs.examine
    monkeypatch.setattr(jobs, "examine", broken)
    result = cnnspec("check", ".")
    assert result.code == 3
    assert "error[CNN901]: cnnspec itself failed: RuntimeError: an invariant" in result.out
    assert "CNNSPEC_TRACEBACK=1" in result.out and "Traceback" not in result.out + result.err
    assert "CNN201" in result.out  # the other file is checked all the same
    monkeypatch.setenv("CNNSPEC_TRACEBACK", "1")
    assert "Traceback" in cnnspec("check", ".").err
    for format in MACHINE:
        result = cnnspec("check", ".", "--format", format)
        assert result.code == 3
        parsed(format, result.out)


@pytest.mark.skipif(sys.platform == "win32", reason="no such signal there")
@pytest.mark.parametrize(("format", "name"), [("json", "SIGINT"), ("concise", "SIGINT"), ("concise", "SIGTERM")])
def test_an_interruption_exits_by_its_signal_with_what_was_found_so_far(here, format, name):
    for i in range(60):
        (here / f"{i:03}.cnn").write_text(BAD)
    program = "import os, time, cnnspec.cli.jobs as j\n" + (
        "def slow(job):\n    os.write(2, b'.')\n"
        "    while job.name > '002.cnn' and not os.path.exists('interrupted'):\n        time.sleep(0.01)\n"
        "    return look(job)\n"
        "look, j.look = j.look, slow\n"
        "from cnnspec.cli import main\nmain()\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", program, "check", ".", "--format", format],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        start_new_session=True,
    )
    assert process.stderr.read(3) == b"..."  # the first file is checked alone, before workers begin with the others
    number = getattr(signal, name)
    os.killpg(process.pid, number)  # as a terminal does: to the workers as well
    (here / "interrupted").touch()
    out, err = process.communicate(timeout=300)
    assert process.returncode == 128 + number, err
    assert b"CNN902" in out and b"Traceback" not in err
    if format == "json":
        assert any(found["code"] == "CNN201" for found in parsed("json", out)["diagnostics"])


def test_a_reader_who_leaves_early_is_no_fault_of_ours(here):
    for i in range(50):
        (here / f"{i}.cnn").write_text(BAD)
    command = f"{sys.executable} -m cnnspec check --format concise . | head -n 1"
    done = subprocess.run(
        command, shell=True, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": str(ROOT)}
    )
    assert done.stdout.count("\n") == 1 and "Traceback" not in done.stderr and "CNN901" not in done.stderr


# ---- formats ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("format", MACHINE)
@pytest.mark.parametrize(
    "arguments", [["."], ["bad.cnn"], ["missing.cnn"], ["--bogus"], ["--ignore", "X"], ["dir"]]
)
def test_machine_formats_are_valid_documents_whatever_happens(cnnspec, here, format, arguments):
    (here / "bad.cnn").write_text(BAD)
    (here / "bytes.cnn").write_bytes(b"conv 8x3x3\xff\0\x1b[31m\r\n")
    (here / "dir").mkdir()
    result = cnnspec("check", "--format", format, *arguments)
    document = parsed(format, result.out)
    if format == "json":
        assert document["valid"] == (result.code == 0)


def test_an_output_file_takes_the_document(cnnspec, here):
    (here / "a.cnn").write_text(BAD)
    result = cnnspec("check", "a.cnn", "--format", "json", "--output-file", "found.json")
    assert (result.code, result.out) == (1, "")
    assert parsed("json", (here / "found.json").read_text())["error_count"] == 1
    assert cnnspec("check", "a.cnn", "--output-file", "no/such/folder.txt").code == 2


def test_what_is_wrong_in_an_imported_file_is_said_once(cnnspec, here):
    (here / "blocks.cnn").write_text("block b = conv 8x3x3 -> rellu\n")
    for name in "xyz":
        (here / f"{name}.cnn").write_text('import "blocks.cnn"\ninput 1x28x28\nb() -> dense 10 -> softmax\n')
    found = parsed("json", cnnspec("check", "x.cnn", "y.cnn", "z.cnn", "--format", "json").out)["diagnostics"]
    assert [(d["filename"], d["code"]) for d in found].count(("blocks.cnn", "CNN201")) == 1


@pytest.mark.parametrize(
    ("environment", "arguments", "coloured"),
    [
        ({}, [], False),
        ({"FORCE_COLOR": "1"}, [], True),
        ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, [], False),
        ({"FORCE_COLOR": "1"}, ["--no-color"], False),
        ({"FORCE_COLOR": "1"}, ["--output-file", "out.txt"], False),
    ],
)
def test_colours_only_where_they_are_wanted(cnnspec, here, monkeypatch, environment, arguments, coloured):
    (here / "a.cnn").write_text(BAD)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    result = cnnspec("check", "a.cnn", *arguments)
    written = result.out + ((here / "out.txt").read_text() if "--output-file" in arguments else "")
    assert ("\x1b[" in written) is coloured and "CNN201" in written


def test_quiet_prints_findings_alone(cnnspec, here):
    (here / "a.cnn").write_text(GOOD)
    assert cnnspec("check", "a.cnn", "--quiet") == (0, "", "")


# ---- standard input --------------------------------------------------------------------------------------


def test_standard_input_goes_by_the_name_it_is_given(cnnspec, here):
    (here / "nets").mkdir()
    (here / "nets" / "blocks.cnn").write_text("block b = conv 8x3x3 -> relu\n")
    text = b'import "blocks.cnn"\ninput 1x28x28\nb() -> rellu -> dense 10 -> softmax\n'
    result = cnnspec("check", "-", "--stdin-filename", "nets/a.cnn", "--format", "concise", stdin=text)
    assert result.code == 1
    assert result.out.startswith("nets/a.cnn:3:8: error[CNN201]") and result.out.count("\n") == 1
    assert cnnspec("check", "-", stdin=GOOD.encode()).code == 0
    assert "<stdin>:2:15" in cnnspec("check", "-", "--format", "concise", stdin=BAD.encode()).out


# ---- fixes -----------------------------------------------------------------------------------------------


def test_fix_writes_what_is_certain_and_reports_the_rest(cnnspec, here):
    (here / "a.cnn").write_text("input 1x28x28\nconv 8x3x3 -> rellu -> zebra -> dense 10 -> softmaks\n")
    result = cnnspec("check", "a.cnn", "--fix", "--format", "concise")
    assert (here / "a.cnn").read_text() == "input 1x28x28\nconv 8x3x3 -> relu -> zebra -> dense 10 -> softmax\n"
    assert result.code == 1 and "zebra" in result.out and result.out.count("\n") == 1
    assert result.err == "2 findings fixed; 1 error left\n"


UNSURE = "input 1x28x28\nconv 8x33x33 -> rellu -> dense 10 -> softmax\ntrain { optimiser nadam }\n"


def test_fix_leaves_what_is_unsafe_and_says_how_many(cnnspec, here):
    (here / "a.cnn").write_text(UNSURE)
    offered = "1 can be fixed with --fix; 2 hidden fixes can be enabled with --unsafe-fixes\n"
    assert cnnspec("check", "a.cnn").err == f"3 errors; {offered}"
    result = cnnspec("check", "a.cnn", "--fix")
    assert (here / "a.cnn").read_text() == UNSURE.replace("rellu", "relu")
    assert result.err == "1 finding fixed; 2 errors left; 2 hidden fixes can be enabled with --unsafe-fixes\n"


def test_unsafe_fixes_are_applied_where_they_are_asked_for(cnnspec, here):
    (here / "a.cnn").write_text(UNSURE)
    assert cnnspec("check", "a.cnn", "--unsafe-fixes").err == "3 errors; 3 can be fixed with --fix\n"
    assert (here / "a.cnn").read_text() == UNSURE
    assert cnnspec("check", "a.cnn", "--diff", "--unsafe-fixes").out.count("\n+") == 3  # one is the file's name
    result = cnnspec("check", "a.cnn", "--fix", "--unsafe-fixes")
    assert (result.code, result.err) == (0, "3 findings fixed; 1 file checked, nothing left\n")


def test_machines_are_told_which_fixes_are_safe(cnnspec, here):
    (here / "a.cnn").write_text(UNSURE)
    found = parsed("json", cnnspec("check", "a.cnn", "--format", "json").out)["diagnostics"]
    assert [each["applicability"] for each in found] == ["unsafe", "safe", "unsafe"]
    results = parsed("sarif", cnnspec("check", "a.cnn", "--format", "sarif").out)["results"]
    assert [each["fixes"][0]["properties"]["applicability"] for each in results] == ["unsafe", "safe", "unsafe"]


def test_fix_keeps_line_ends_byte_order_mark_permissions_and_links(cnnspec, here):
    (here / "real.cnn").write_bytes(b"\xef\xbb\xbf" + BAD.replace("\n", "\r\n").encode())
    (here / "real.cnn").chmod(0o640)
    os.symlink("real.cnn", here / "a.cnn")
    assert cnnspec("check", "a.cnn", "--fix").code == 0
    assert (here / "real.cnn").read_bytes() == b"\xef\xbb\xbf" + BAD.replace("rellu", "relu").replace(
        "\n", "\r\n"
    ).encode()
    assert (here / "real.cnn").stat().st_mode & 0o777 == 0o640
    assert (here / "a.cnn").is_symlink()
    assert sorted(path.name for path in here.iterdir()) == ["a.cnn", "real.cnn"]


def test_a_file_without_fixes_is_not_touched(cnnspec, here):
    (here / "a.cnn").write_text(GOOD)
    os.utime(here / "a.cnn", (1, 1))
    cnnspec("check", "a.cnn", "--fix")
    assert (here / "a.cnn").stat().st_mtime == 1


def test_diff_shows_and_changes_nothing(cnnspec, here):
    (here / "a.cnn").write_text(BAD)
    result = cnnspec("check", "a.cnn", "--diff")
    assert (here / "a.cnn").read_text() == BAD
    assert result.code == 1
    assert result.out.splitlines()[:2] == ["--- a.cnn", "+++ a.cnn"]
    assert "+conv 8x3x3 -> relu -> dense 10 -> softmax" in result.out
    assert result.err == "1 finding would be fixed; 1 file checked, nothing left\n"
    patched = subprocess.run(["patch", "-p0"], input=result.out, text=True, cwd=here, capture_output=True)
    if patched.returncode == 0:  # where patch is installed
        assert (here / "a.cnn").read_text() == BAD.replace("rellu", "relu")


def test_fix_of_standard_input_writes_the_text_to_standard_output(cnnspec, here):
    result = cnnspec("check", "-", "--fix", stdin=BAD.encode())
    assert result.out == BAD.replace("rellu", "relu")
    broken = cnnspec("check", "-", "--fix", stdin=b"conv \xff")
    assert "CNN010" in broken.err and broken.code == 1


def test_fix_and_diff_do_not_go_together(cnnspec, here):
    assert cnnspec("check", "--fix", "--diff").code == 2


def test_a_file_that_may_not_be_written_is_said(cnnspec, here, monkeypatch):
    (here / "a.cnn").write_text(BAD)

    def refuse(path, data):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("cnnspec.checking.fixes.write", refuse)
    result = cnnspec("check", "a.cnn", "--fix")
    assert result.code == 2 and "cannot write a.cnn: permission denied" in result.out


# ---- what is reported ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "codes"),
    [
        ([], {"CNN201", "CNN231"}),
        (["--select", "CNN201"], {"CNN201"}),
        (["--select", "CNN2", "--ignore", "CNN23"], {"CNN201"}),
        (["--ignore", "CNN2", "--select", "CNN231"], {"CNN231"}),
        (["--ignore", "CNN201,CNN231"], set()),
    ],
)
def test_select_and_ignore(cnnspec, here, arguments, codes):
    (here / "a.cnn").write_text("input 1x28x28\nconv 8x3x3 -> bn -> relu -> rellu -> dense 10 -> softmax\n")
    found = parsed("json", cnnspec("check", "a.cnn", "--format", "json", *arguments).out)["diagnostics"]
    assert {entry["code"] for entry in found} == codes


def test_what_keeps_a_file_from_being_read_cannot_be_ignored(cnnspec, here):
    (here / "a.cnn").write_text("conv 8x3x3 -> -> relu\n")
    assert cnnspec("check", "a.cnn", "--ignore", "CNN0").code == 1


def test_the_nearest_pyproject_decides_and_options_come_before_it(cnnspec, here):
    for folder in ("", "inner", "inner/deep", "other"):
        (here / folder).mkdir(exist_ok=True)
        (here / folder / "a.cnn").write_text(WARNS)
    (here / "pyproject.toml").write_text('[tool.cnnspec]\nignore = ["CNN231"]\n')
    (here / "inner" / "pyproject.toml").write_text("[tool.cnnspec]\nstrict = true\n")
    (here / "other" / "pyproject.toml").write_text("[tool.ruff]\nline-length = 100\n")

    def found(*arguments):
        document = parsed("json", cnnspec("check", "--format", "json", *arguments).out)
        return [entry["filename"] for entry in document["diagnostics"]]

    assert found(".") == ["inner/a.cnn", "inner/deep/a.cnn"]
    assert cnnspec("check", "other").code == 0 and cnnspec("check", "inner/deep").code == 1
    assert found(".", "--ignore", "CNN9") == ["a.cnn", "inner/a.cnn", "inner/deep/a.cnn", "other/a.cnn"]


@pytest.mark.parametrize(
    ("table", "place", "message"),
    [
        ('ignroe = ["CNN231"]', "2:1", "unknown key `ignroe`"),
        ("strict = 1", "2:1", "`strict` wants true or false"),
        ('ignore = "CNN231"', "2:1", "`ignore` wants a list of texts"),
        ('select = ["CNN1", "E501"]', "2:1", "`select` names E501, and no code begins so"),
        ("strict = maybe", "1:1", "not a TOML file"),
    ],
)
def test_mistakes_of_the_configuration_are_findings_there(cnnspec, here, table, place, message):
    (here / "a.cnn").write_text(GOOD)
    (here / "pyproject.toml").write_text(f"[tool.cnnspec]\n{table}\n")
    result = cnnspec("check", "a.cnn", "--format", "concise")
    assert result.code == 2
    assert result.out.startswith(f"pyproject.toml:{place}: error[CNN905]: {message}")  # no absolute path
    parsed("sarif", cnnspec("check", "a.cnn", "--format", "sarif").out)


def test_a_folder_that_is_gone_is_not_our_fault(cnnspec, here, monkeypatch):
    gone = here / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    result = cnnspec("check", ".")
    assert result.code == 2 and "the current folder does not exist" in result.err


def test_comments_silence_a_line_or_a_file(cnnspec, here):
    def codes(text):
        (here / "a.cnn").write_text(text)
        found = parsed("json", cnnspec("check", "a.cnn", "--format", "json").out)["diagnostics"]
        return [(entry["code"], entry["location"]["row"]) for entry in found]

    first, second = "input 1x28x28", "conv 8x3x3 -> bn -> relu -> dense 10 -> softmax"
    assert codes(f"{first}\n{second}\n") == [("CNN231", 2)]
    assert codes(f"{first}\n{second}  # cnnspec: ignore CNN231\n") == []
    assert codes(f"# cnnspec: ignore CNN231\n{first}\n{second}\n") == []
    assert codes(f"{first}  # cnnspec: ignore CNN231\n{second}\n") == [("CNN250", 1), ("CNN231", 2)]
    assert codes(f"{first}\n{second}  # cnnspec: ignore CNN230, CNN999\n") == [("CNN231", 2), ("CNN906", 2)]
    assert codes(f"{first}\n{second}  # cnnspec: ignore\n") == [("CNN231", 2), ("CNN906", 2)]
    assert codes(f"{first}\n{second}  # cnnspec: ignroe CNN231\n") == [("CNN231", 2), ("CNN906", 2)]


def test_a_hash_within_quotes_begins_no_comment(cnnspec, here):
    text = 'input 1x28x28\nconv 8x3x3 -> bn -> relu -> dense 10\ndata { source npz "# cnnspec: ignore CNN231" }\n'
    (here / "a.cnn").write_text(text)
    assert "CNN906" not in cnnspec("check", "a.cnn", "--format", "concise").out


# ---- many files ------------------------------------------------------------------------------------------


def test_many_files_are_reported_in_order(cnnspec, here):
    for i in range(40):
        (here / f"{i:02}.cnn").write_text(BAD if i % 3 == 0 else GOOD)
    result = cnnspec("check", ".", "--format", "concise")
    assert [line.partition(":")[0] for line in result.out.splitlines()] == [f"{i:02}.cnn" for i in range(0, 40, 3)]
    assert result.err == "14 errors in 14 of 40 files; 14 can be fixed with --fix\n"
