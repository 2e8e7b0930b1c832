"""Where a command runs: any locale and name of a file, no home to write to, little memory, workers that die."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import lockstep
import pytest

from cnnspec import cache

ROOT = Path(__file__).parents[2]
SPEC = (
    "# é → Σ ×\ninput 1x28x28\nconv 4x3x3 -> relu -> dense 10 -> softmax\ndata { limit 60 }\ntrain { epochs 1 }\n"
)
ASCII = {"LC_ALL": "POSIX", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}

pytestmark = pytest.mark.skipif(os.name == "nt", reason="surroundings of POSIX")


def cnnspec(there, *arguments, memory=None, **more):
    """A command as a process, with what it says as bytes; `memory` is what it may have, in kilobytes."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **more.pop("env", {})}
    command = [sys.executable, "-m", "cnnspec", *arguments]
    if memory:
        command = ["sh", "-c", f'ulimit -v {memory}; exec "$@"', "sh", *command]
    return subprocess.run(command, cwd=there, env=environment, capture_output=True, timeout=300, **more)


@pytest.mark.parametrize("name", ["é", b"\xff\xfe"])
def test_a_run_in_one_locale_is_read_in_another(tmp_path, name):
    """A folder whose name is not ASCII, or no text at all; the spec's own symbols."""
    folder = Path(os.fsdecode(name))
    (tmp_path / folder).mkdir()
    (tmp_path / folder / "s.cnn").write_text(SPEC, encoding="utf-8")
    spec = str(folder / "s.cnn")
    ran = cnnspec(tmp_path, "run", spec, "--workers", "1")
    assert ran.returncode == 0, ran.stderr
    for arguments in (
        ["eval", "runs/s-001"],
        ["trace", "runs/s-001", "--at", "conv1[0,1,1]"],
        ["summary", spec],
        ["check", spec],
    ):
        done = cnnspec(tmp_path, *arguments, env=ASCII)
        assert done.returncode == 0, (arguments, done.stderr)
        assert done.stdout.isascii() and done.stderr.isascii()


def test_symbols_that_a_terminal_lacks_are_replaced(tmp_path):
    (tmp_path / "s.cnn").write_text(SPEC, encoding="utf-8")
    whole = cnnspec(tmp_path, "trace", "s.cnn", "--at", "conv1[0,1,1]", env={"PYTHONIOENCODING": "utf-8"})
    assert whole.returncode == 0 and not whole.stdout.isascii()
    for encoding in ("ascii", "ascii:strict", "latin-1:strict", "iso8859-7"):
        done = cnnspec(tmp_path, "trace", "s.cnn", "--at", "conv1[0,1,1]", env={"PYTHONIOENCODING": encoding})
        assert (done.returncode, done.stderr) == (0, b"")
        assert b"?" in done.stdout and done.stdout.count(b"\n") == whole.stdout.count(b"\n")


def test_a_document_is_utf_8_in_any_locale(tmp_path):
    (tmp_path / "é.cnn").write_text(SPEC.replace("dense", "dnse"), encoding="utf-8")
    done = cnnspec(tmp_path, "fmt", "--diff", "é.cnn", env=ASCII)
    assert done.returncode == 1 and "-data { limit 60 }\n" in done.stdout.decode("utf-8")
    found = cnnspec(tmp_path, "check", "é.cnn", "--format", "json", env=ASCII)
    assert found.returncode == 1 and json.loads(found.stdout)["diagnostics"][0]["code"] == "CNN201"


@pytest.mark.parametrize(
    "home", [{"HOME": "/dev/null/x", "XDG_CACHE_HOME": "/dev/null/y"}, {"TMPDIR": "/dev/null/z"}]
)
def test_without_a_home_that_can_be_written_to(tmp_path, home):
    """Measured times are not remembered then; everything else is as ever."""
    (tmp_path / "s.cnn").write_text(SPEC, encoding="utf-8")
    done = cnnspec(tmp_path, "run", "s.cnn", "--workers", "2", "--tune", env=home)
    assert done.returncode == 0, done.stderr
    assert json.loads((tmp_path / "runs/s-001/summary.json").read_text(encoding="utf-8"))["status"] == "finished"


def test_a_user_that_the_system_does_not_know_has_a_cache(monkeypatch):
    def unknown(cls):
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(Path, "home", classmethod(unknown))
    assert cache.folder().name == "cnnspec" and str(os.getuid()) in str(cache.folder())


@pytest.mark.skipif(sys.platform != "linux", reason="`ulimit -v` holds there")
@pytest.mark.parametrize("command", ["plan big.cnn", "run s.cnn --workers 1", "summary big.cnn"])
@pytest.mark.parametrize("kilobytes", [60_000, 200_000])
def test_little_memory_is_told_as_such(tmp_path, command, kilobytes):
    (tmp_path / "s.cnn").write_text(SPEC, encoding="utf-8")
    wide = "input 3x64x64\nconv 64x3x3 pad 1 -> relu -> conv 64x3x3 pad 1 -> dense 500 -> dense 10 -> softmax\n"
    (tmp_path / "big.cnn").write_text(wide, encoding="utf-8")
    done = cnnspec(tmp_path, *command.split(), memory=kilobytes)
    said = done.stderr.lower()
    assert done.returncode in (0, 1) and b"traceback" not in said and b"cnn901" not in said
    assert done.returncode == 0 or b"memory" in said or b"cnn304" in said


def children(process):
    """The processes that one has started."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parent = (entry / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()[1]
            except OSError:
                continue
            found += [int(entry.name)] if int(parent) == process else []
    return found


@pytest.mark.skipif(sys.platform != "linux", reason="looks for workers in /proc")
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_worker_that_dies_ends_the_run_and_a_scheduler_that_asks_all_ends_it_well(tmp_path, number):
    """SIGKILL, as the system has it where memory ran out, is told; SIGTERM to all is the run's business."""
    spec = SPEC.replace("limit 60", "limit 300").replace("epochs 1", "epochs 400 ; batch 8")
    (tmp_path / "s.cnn").write_text(spec, encoding="utf-8")
    process = lockstep.start(
        [sys.executable, "-m", "cnnspec", "run", "s.cnn", "--workers", "2"], cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"},
        stderr=subprocess.PIPE, encoding="utf-8",
    )  # fmt: skip
    for line in process.stdout:
        if line.startswith("epoch"):
            break
    (worker,) = children(process.pid)
    os.kill(worker, number)
    if number == signal.SIGTERM:
        time.sleep(0.2)
        process.send_signal(number)
    _, told = process.communicate(timeout=300)
    summary = json.loads((tmp_path / "runs/s-001/summary.json").read_text(encoding="utf-8"))
    assert told.rstrip("\n").endswith("`cnnspec run --resume runs/s-001`")
    if number == signal.SIGTERM:
        assert process.returncode == 143 and summary["status"] == "interrupted"
    else:
        assert process.returncode == 1 and summary["status"] == "failed"
        assert told.startswith("error[CNN316]: a worker process died") and "CNN316" in summary["error"][0]
