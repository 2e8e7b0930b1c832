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

from cnnspec.checking import many, named, remembered
from cnnspec.checking.named import NamedFiles
from cnnspec.cli import check, jobs, watch
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


def test_a_block_is_silenced_where_it_stands_whoever_calls_it(cnnspec, here):
    (here / "blocks").mkdir()
    block = "block b(c) = conv {c}x3x3 -> bn -> relu\n"
    (here / "blocks" / "b.cnn").write_text(block)
    for name in "xy":
        text = 'import "blocks/b.cnn"\ninput 1x28x28\nb(8) -> dense 10 -> softmax\n'
        (here / f"{name}.cnn").write_text(text)
    said = cnnspec("check", "x.cnn", "y.cnn", "--add-ignore", "--strict")  # whose block it is was not asked
    assert said.code == 1 and "CNN231" in said.out and (here / "blocks" / "b.cnn").read_text() == block
    said = cnnspec("check", ".", "--add-ignore", "--strict")
    assert (said.code, said.out) == (0, "") and said.err.startswith("1 finding silenced")
    assert (here / "blocks" / "b.cnn").read_text() == block.replace("\n", "  # cnnspec: ignore CNN231\n")
    assert cnnspec("check", ".", "--strict").code == 0


def test_no_comment_is_silenced_for_silencing_nothing(cnnspec, here):
    text = "input 1x28x28\nconv 8x3x3 -> relu  # cnnspec: ignore CNN231\n  -> dense 10 -> softmax -> softmax\n"
    (here / "a.cnn").write_text(text)
    said = cnnspec("check", "a.cnn", "--add-ignore", "--strict")
    assert said.code == 1 and "CNN250" in said.out and "CNN242" not in said.out
    assert "ignore CNN231\n" in (here / "a.cnn").read_text() and "ignore CNN242\n" in (here / "a.cnn").read_text()
    said = cnnspec("check", "-", "--add-ignore", "--strict", stdin=text.encode())
    assert said.code == 1 and "CNN250" in said.err and said.out == (here / "a.cnn").read_text()


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


INNER = "block inner(c) = conv {c}x3x3 -> relu\n"
OUTER = 'import "../inner.cnn"  # "why"\nblock outer(c) = inner(c)\n'
CALLS = 'import "parts/outer.cnn"\ninput 1x28x28\nouter(8) -> dense 10 -> softmax\n'
DATA = 'data { source csv "data/table.csv" label 3 }\n'


def read_again(cnnspec, monkeypatch):
    """The files that a check of everything reads, for it remembers no findings; told are those of a fresh check."""
    looked, look = [], jobs.look
    with monkeypatch.context() as patch:
        patch.setattr(many, "FEW", 1 << 20)
        patch.setattr(jobs, "look", lambda job: looked.append(job.name) or look(job))
        said = cnnspec("check", ".", "--format", "concise")
    fresh = cnnspec("check", ".", "--format", "concise", "--no-cache")
    assert said.out == fresh.out
    return looked


def test_files_are_remembered_with_what_they_import_and_the_data_that_they_name(cnnspec, here, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(here / "cache"))
    monkeypatch.setattr(check, "FEW", 1)  # which are not worth remembering
    monkeypatch.setattr(named, "JUST_NOW", 0)
    files = here
    (files / "inner.cnn").write_text(INNER)
    (files / "parts").mkdir()
    (files / "parts" / "outer.cnn").write_text(OUTER)
    (files / "net.cnn").write_text(CALLS)
    (files / "table.cnn").write_text("input 2\ndense 3 -> softmax\n" + DATA)
    (files / "escaped.cnn").write_text('# "data\\\\x"\n' + GOOD)
    assert len(read_again(cnnspec, monkeypatch)) == 5
    assert read_again(cnnspec, monkeypatch) == ["escaped.cnn"]

    inner, table = files / "inner.cnn", files / "data" / "table.csv"
    for change in (
        lambda: inner.write_text(INNER.replace("relu", "rellu")),
        lambda: inner.unlink(),
        lambda: inner.mkdir(),
        lambda: inner.rmdir(),
        lambda: inner.write_text(""),
        lambda: inner.write_text(INNER),
        lambda: table.parent.mkdir(),
        lambda: table.write_text("1,2,a\n3,4,b\n"),
        lambda: table.write_text("1,2,9,a\n3,4,9,b\n"),
        lambda: (files / "data" / "other.csv").write_text("5,6,c\n7,8,c\n"),
        lambda: (files / "data" / "other.csv").replace(table),  # of the same length
        lambda: table.unlink(),
        lambda: (files / "parts" / "pyproject.toml").write_text("[tool.cnnspec]\n"),  # imports must lie below it
        lambda: (files / "parts" / "pyproject.toml").unlink(),
    ):
        change()
        read_again(cnnspec, monkeypatch)
    assert read_again(cnnspec, monkeypatch) == ["escaped.cnn"]


IMAGES = 'input 1x4x4\ndense 2 -> softmax\ndata { source images "photos" }\n'


def test_a_spec_whose_data_have_not_changed_is_not_checked_again(cnnspec, here, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(here / "cache"))
    monkeypatch.setattr(check, "FEW", 1)
    photos = here / "photos"
    for kind in "ab":
        (photos / kind).mkdir(parents=True)
        (photos / kind / "1.pgm").write_bytes(b"P5 4 4 255\n" + bytes(16))
    (here / "net.cnn").write_text(IMAGES)
    changed_just_now = read_again(cnnspec, monkeypatch), read_again(cnnspec, monkeypatch)
    assert changed_just_now[0] == ["net.cnn"]
    time.sleep(0.06)
    read_again(cnnspec, monkeypatch)
    assert read_again(cnnspec, monkeypatch) == []
    monkeypatch.setattr(named, "JUST_NOW", 0)
    when = (photos / "a" / "1.pgm").stat()
    for change in (
        lambda: (photos / "c").mkdir(),
        lambda: (photos / "c" / "1.pgm").write_bytes(b"P5 4 4 255\n" + bytes(16)),
        lambda: (photos / "c" / "1.pgm").write_bytes(b"P5 5 4 255\n" + bytes(20)),
        lambda: (photos / "a" / "1.pgm").write_bytes(b"P6 2 2 255\n" + bytes(16)),  # of the same length
        lambda: os.utime(photos / "a" / "1.pgm", ns=(when.st_atime_ns, when.st_mtime_ns)),
        lambda: (photos / "c" / "1.pgm").unlink(),
        lambda: (photos / "c").rmdir(),
    ):
        time.sleep(0.02)
        change()
        assert read_again(cnnspec, monkeypatch) == ["net.cnn"]
        assert read_again(cnnspec, monkeypatch) == []
    if os.name != "nt":
        (photos / "a" / "2.pgm").symlink_to(here / "net.cnn")  # what it leads to may change
        assert read_again(cnnspec, monkeypatch) == read_again(cnnspec, monkeypatch) == ["net.cnn"]


def test_a_file_that_changes_while_it_is_checked_is_not_remembered(cnnspec, files, monkeypatch):
    look = jobs.look

    def edited(job):
        (files / "00.cnn").write_text(BAD)
        return look(job)

    with monkeypatch.context() as patch:
        patch.setattr(many, "FEW", 1 << 20)
        patch.setattr(jobs, "look", edited)
        cnnspec("check", ".")
    (files / "00.cnn").write_text(GOOD)
    assert "00.cnn" not in cnnspec("check", ".", "--format", "concise").out


@pytest.mark.skipif(os.name == "nt", reason="makes links")
def test_files_that_import_one_another_by_ever_longer_ways_come_to_an_end(cnnspec, files):
    (files / "in").mkdir()
    (files / "in" / "loop").symlink_to(".")
    (files / "in" / "a.cnn").write_text('import "../in/a.cnn"\nimport "loop/b.cnn"\n' + GOOD)
    (files / "in" / "b.cnn").write_text('import "loop/b.cnn"\nimport "loop/../in/a.cnn"\n' + GOOD)
    said = cnnspec("check", ".", "--format", "concise")
    assert said.out.count("CNN015") == 6 and cnnspec("check", ".", "--format", "concise") == said
    assert len(NamedFiles().stamps(["in/a.cnn"])) < 20


NO_FILES = ('import "a\0b"', 'import "' + "x" * 5000 + '"', 'import "01.cnn/x"', 'data { source npz "~x/y" }')


@pytest.mark.parametrize("text", NO_FILES)
def test_names_that_no_file_has_are_told_each_time(cnnspec, files, text):
    (files / "odd.cnn").write_text(f"{text}\n{GOOD}")
    first = cnnspec("check", ".", "--format", "concise")
    assert "odd.cnn:1" in first.out and cnnspec("check", ".", "--format", "concise") == first


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


def watched(monkeypatch, paths, changes, others=()):
    """Hold a watch to its word: each of these changes is followed by a check, and by one alone."""
    left, checks = list(changes), []

    def check():
        checks.append(len(left))
        return 0 if left else 130

    def sleep(seconds):
        assert len(checks) == len(changes) - len(left) + 1, f"change {len(changes) - len(left)} is not seen"
        pause(0.02)  # some systems count in hundredths of a second when a file changed
        left.pop(0)()

    pause = time.sleep
    monkeypatch.setattr(watch.time, "sleep", sleep)
    assert watch.watch(paths, others, check) == 130
    assert checks == list(range(len(changes), -1, -1))


def test_a_watch_sees_what_the_specs_name_wherever_it_lies(here, monkeypatch):
    for folder in ("mine", "shared/deep", "data/cat"):
        (here / folder).mkdir(parents=True)
    net = here / "mine" / "net.cnn"
    net.write_text('import "../shared/a.cnn"\n' + GOOD + 'data { source images "../data" }\n')
    (here / "shared" / "a.cnn").write_text("let w = 1\n")
    changes = [
        lambda: (here / "shared" / "a.cnn").write_text('import "deep/b.cnn"\nlet w = 1\n'),
        lambda: (here / "shared" / "deep" / "b.cnn").write_text("let v = 1\n"),
        lambda: (here / "shared" / "deep" / "b.cnn").unlink(),
        lambda: (here / "data" / "dog").mkdir(),
        lambda: (here / "data" / "dog" / "1.png").write_bytes(b"1"),
        lambda: (here / "known.json").write_text("{}"),
        lambda: (here / "pyproject.toml").write_text("[tool.cnnspec]\nstrict = 3\n"),
        lambda: (here / "pyproject.toml").write_text("[tool.cnnspec]\nstrict = true\n"),
        lambda: net.write_text(GOOD),
        lambda: net.unlink(),
        lambda: net.write_text(GOOD + "\n"),
    ]
    watched(monkeypatch, (str(net),), changes, [here / "known.json"])


def test_a_watch_of_a_file_looks_at_nothing_that_lies_beside_it(here, monkeypatch):
    (here / "many").mkdir()
    (here / "net.cnn").write_text(GOOD)
    seen = watch.stamps((str(here / "net.cnn"),), (), NamedFiles())
    assert [Path(path).name for path in seen if not path.endswith("pyproject.toml")] == ["net.cnn"]
    monkeypatch.chdir(here)
    (here / "many" / "b.cnn").write_text(GOOD)
    more, ignored = here / "many" / "c.cnn", here / ".gitignore"
    watched(monkeypatch, (), [lambda: more.write_text(GOOD), lambda: ignored.write_text("many\n")])


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
        assert any("watching" in line for line in run.stderr)
        (files / "bad").write_text(BAD)
        (files / "bad").replace(net)  # at once: half of a file is a change, too
        assert "CNN201" in run.stdout.readline()
        assert any("watching" in line for line in run.stderr)
        run.send_signal(signal.SIGINT)
        assert run.wait(300) == 130
