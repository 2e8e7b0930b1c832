"""`cnnspec check` in a repository that begins with findings, and again and again: baselines, counts, comments, what
is remembered, and the watch."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import jsonschema
import pytest

from cnnspec.checking import remembered
from cnnspec.cli.schema import schemas

GOOD = "input 1x28x28\nconv 8x3x3 -> relu -> maxpool 2 -> dense 10 -> softmax\n"
BAD = "input 1x28x28\nconv 8x3x3 -> rellu -> dense 10 -> softmax\n"
WARNS = "input 1x28x28\nconv 8x3x3 -> bn -> relu -> dense 10 -> softmax\n"


@pytest.fixture
def files(here, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(here / "cache"))
    for number, text in enumerate((GOOD, BAD, WARNS) * 4):
        (here / f"{number:02}.cnn").write_text(text)
    return here


# ---- counts ----------------------------------------------------------------------------------------------


def test_statistics_count_each_code(cnnspec, files):
    found = cnnspec("check", ".", "--statistics")
    assert found.code == 1
    assert found.out == "4  CNN201  unknown-word  [4 fixable]\n4  CNN231  bias-before-bn  [4 fixable]\n"
    assert cnnspec("check", "00.cnn", "--statistics").out == ""
    assert cnnspec("check", ".", "--statistics", "--format", "json").code == 2


# ---- baselines -------------------------------------------------------------------------------------------


def test_a_baseline_passes_over_what_was_there(cnnspec, files):
    written = cnnspec("check", ".", "--write-baseline", "known.json")
    assert written.code == 0 and written.out == ""
    jsonschema.validate(json.loads((files / "known.json").read_text()), schemas()["baseline"])
    again = cnnspec("check", ".", "--strict", "--baseline", "known.json")
    assert again.code == 0 and again.out == ""
    assert "8 findings in the baseline" in again.err


def test_what_is_new_is_told_and_what_moved_is_known(cnnspec, files):
    cnnspec("check", ".", "--write-baseline", "known.json")
    (files / "01.cnn").write_text("# a line above\n" + BAD)
    assert cnnspec("check", ".", "--baseline", "known.json").code == 0
    (files / "01.cnn").write_text(BAD.replace("-> dense", "-> rellu -> dense"))
    found = cnnspec("check", ".", "--baseline", "known.json", "--format", "concise")
    assert found.code == 1
    assert found.out.count("CNN201") == 1
    (files / "00.cnn").write_text(GOOD.replace("softmax", "sofmax"))
    assert cnnspec("check", ".", "--baseline", "known.json", "--format", "concise").out.startswith("00.cnn:2:")


def test_a_baseline_holds_wherever_the_check_is_called_and_the_folder_lies(cnnspec, here, monkeypatch):
    nets = here / "repository" / "nets"
    nets.mkdir(parents=True)
    (nets / "é b.cnn").write_text(BAD)
    (nets / "w.cnn").write_text("input 3x8x8\nadd( conv 3x3x3\n   )\n")  # it marks two lines
    known = str(here / "repository" / "known.json")
    monkeypatch.chdir(nets)
    assert cnnspec("check", "--write-baseline", known).code == 0

    def passes(folder, path, baseline):
        monkeypatch.chdir(folder)
        said = cnnspec("check", path, "--baseline", baseline)
        assert (said.code, said.out) == (0, ""), (folder, path, said)
        assert "2 findings in the baseline" in said.err

    passes(nets, ".", "../known.json")
    passes(nets, str(nets), known)
    passes(here, "repository", "repository/known.json")
    passes(here, "repository/nets/../nets", known)
    (here / "link").symlink_to(here / "repository", target_is_directory=True)
    passes(here / "link" / "nets", ".", "../known.json")
    passes(here, "link", "repository/known.json")
    (here / "repository").rename(here / "moved")
    passes(here, "moved", "moved/known.json")

    text = (here / "moved" / "known.json").read_text(encoding="utf-8")
    assert "nets/w.cnn" in text
    windows = "\ufeff" + text.replace("nets/", "nets\\\\").replace("\n", "\r\n")
    (here / "moved" / "known.json").write_bytes(windows.encode())
    passes(here, "moved", "moved/known.json")
    for path in (here / "moved" / "nets").iterdir():  # checked out with other ends of lines
        path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    passes(here, "moved", "moved/known.json")


@pytest.mark.parametrize(
    "text", ["", "{}", "[]", '{"version": 2, "findings": []}', '{"version": 1, "findings": [3]}']
)
def test_a_baseline_that_is_none_ends_the_check(cnnspec, files, text):
    (files / "known.json").write_text(text)
    found = cnnspec("check", ".", "--baseline", "known.json")
    assert found.code == 2
    assert "CNN905" in found.out and "--write-baseline" in found.out
    assert cnnspec("check", ".", "--baseline", "nowhere.json").code == 2


# ---- comments --------------------------------------------------------------------------------------------


def test_comments_for_the_warnings_of_today_are_added_once(cnnspec, files):
    (files / "02.cnn").write_text(WARNS.replace("softmax", "softmax  # the end"))
    found = cnnspec("check", ".", "--add-ignore")
    assert found.code == 1 and "4 findings silenced" in found.err
    assert (files / "02.cnn").read_text() == WARNS.replace(
        "softmax", "softmax  # the end  # cnnspec: ignore CNN231"
    )
    assert (files / "01.cnn").read_text() == BAD
    before = (files / "02.cnn").read_text()
    left = cnnspec("check", ".", "--strict", "--add-ignore", "--format", "concise")
    assert "CNN231" not in left.out and "CNN250" not in left.out
    assert (files / "02.cnn").read_text() == before


def test_a_comment_that_is_there_takes_the_code_in(cnnspec, files):
    text = "input 1x28x28\ndense 10 -> relu -> softmax -> softmax  # cnnspec: ignore CNN230\n"
    (files / "a.cnn").write_text(text)
    cnnspec("check", "a.cnn", "--add-ignore")
    assert (files / "a.cnn").read_text() == text.replace("CNN230", "CNN230, CNN242")
    assert cnnspec("check", "a.cnn", "--strict").code == 0


# ---- what is remembered ----------------------------------------------------------------------------------


def test_what_has_not_changed_is_told_again_without_being_read(cnnspec, files, monkeypatch):
    first = cnnspec("check", ".", "--format", "json")
    with monkeypatch.context() as without:
        without.setattr("cnnspec.cli.jobs.look", lambda job: pytest.fail(f"{job.name} is read again"))
        assert cnnspec("check", ".", "--format", "json") == first
    (files / "03.cnn").write_text(BAD)
    changed = json.loads(cnnspec("check", ".", "--format", "json").out)
    assert changed["error_count"] == json.loads(first.out)["error_count"] + 1


def test_another_configuration_or_program_is_another_result(cnnspec, files, monkeypatch):
    cnnspec("check", ".")
    assert "CNN231" not in cnnspec("check", ".", "--ignore", "CNN231", "--format", "concise").out
    assert "CNN231" in cnnspec("check", ".", "--format", "concise").out
    monkeypatch.setattr(remembered, "program", lambda: "another")
    looked = []
    monkeypatch.setattr(remembered.Remembered, "keep", lambda self, name, *_: looked.append(name))
    cnnspec("check", ".")
    assert len(looked) == 12


def test_what_depends_on_other_files_is_read_each_time(cnnspec, files):
    (files / "blocks.cnn").write_text("block b(c) = conv {c}x3x3 -> relu\n")
    (files / "net.cnn").write_text('import "blocks.cnn"\ninput 1x28x28\nb(8) -> dense 10 -> softmax\n')
    before = cnnspec("check", ".", "--format", "concise").out
    (files / "blocks.cnn").write_text("block b(c) = conv {c}x3x3 -> rellu\n")
    after = cnnspec("check", ".", "--format", "concise").out
    assert "blocks.cnn" not in before and "blocks.cnn" in after


@pytest.mark.parametrize("text", ["", "{", "[]", '{"00.cnn": 3}', '{"00.cnn": ["x", [["CNN1"]]]}'])
def test_a_memory_that_is_broken_is_none(cnnspec, files, text):
    first = cnnspec("check", ".", "--format", "concise")
    (kept,) = (files / "cache" / "cnnspec" / "checked").iterdir()
    kept.write_text(text)
    assert cnnspec("check", ".", "--format", "concise") == first


def test_findings_that_were_tampered_with_are_found_anew(cnnspec, files):
    first = cnnspec("check", ".", "--format", "concise")
    (kept,) = (files / "cache" / "cnnspec" / "checked").iterdir()
    known = json.loads(kept.read_text())
    for wrong in (
        ["CNN999", "m", [0, 3], "", [], "", [], False],
        ["CNN201", "m", [0, 10**9], "", [], "", [], False],
    ):
        known["01.cnn"][1] = [wrong]
        kept.write_text(json.dumps(known))
        assert cnnspec("check", ".", "--format", "concise") == first


def test_without_a_cache_nothing_is_written(cnnspec, files):
    cnnspec("check", ".", "--no-cache")
    assert not (files / "cache").exists()


def test_only_so_many_folders_are_remembered(cnnspec, files, monkeypatch):
    monkeypatch.setattr(remembered, "MOST_FOLDERS", 2)
    (files / "cache" / "cnnspec" / "checked").mkdir(parents=True)
    for number in range(4):
        (files / "cache" / "cnnspec" / "checked" / f"{number}.json").write_text("{}")
    cnnspec("check", ".")
    assert len(list((files / "cache" / "cnnspec" / "checked").iterdir())) == 2


# ---- the watch -------------------------------------------------------------------------------------------


def test_a_watch_changes_nothing(cnnspec, files):
    assert cnnspec("check", ".", "--watch", "--fix").code == 2
    assert cnnspec("check", "-", "--watch", stdin=b"").code == 2


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_a_watch_checks_again_after_a_change_and_ends_by_an_interrupt(files):
    (files / "only").mkdir()
    net = files / "only" / "net.cnn"
    net.write_text(GOOD)
    command = [sys.executable, "-m", "cnnspec", "check", str(net), "--watch", "--format", "concise"]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    ) as run:
        assert run.stderr is not None and run.stdout is not None
        while "watching" not in run.stderr.readline():
            pass
        time.sleep(0.05)
        net.write_text(BAD)
        assert "CNN201" in run.stdout.readline()
        while "watching" not in run.stderr.readline():
            pass
        run.send_signal(signal.SIGINT)
        assert run.wait(20) == 130
