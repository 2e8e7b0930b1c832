"""A run that is asked to end: it saves, says how to go on, and does go on; at any signal, on any terminal."""

import csv
import json
import os
import pty
import signal
import subprocess
import sys
from pathlib import Path

import lockstep
import pytest
from sampled import sampled

pytestmark = pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")

ROOT = Path(__file__).parents[2]
SPEC = "input 1x28x28\ndense 10 -> softmax\ndata { limit 300 }\ntrain { epochs 8 ; batch 4 ; optimiser sgd }\n"


@pytest.fixture
def there(tmp_path):
    (tmp_path / "net.cnn").write_text(SPEC, encoding="utf-8")
    return tmp_path


# What a process does before it becomes a run; between a fork and a program nothing may run where there are threads.
IGNORES = "import signal; signal.signal(signal.SIGHUP, signal.SIG_IGN)"
OWNS = "import fcntl, termios; fcntl.ioctl(1, termios.TIOCSCTTY, 0)"  # the first of its terminal: it hears it close


def begin(there, *arguments, first="", program=("-m", "cnnspec"), **more):
    """A run that is never further than the line after the one that was read last."""
    command = [sys.executable, *program, "run", *arguments]
    if first:
        command = [sys.executable, "-c", f"{first}\nimport os, sys; os.execv(sys.argv[1], sys.argv[1:])", *command]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
    more = {"cwd": there, "env": environment, "stderr": subprocess.PIPE, "encoding": "utf-8", **more}
    return (subprocess.Popen if "stdout" in more else lockstep.start)(command, **more)


def under_way(process):
    """Wait for the line of an epoch."""
    for line in process.stdout:
        if line.startswith("epoch"):
            return


def summary(there):
    return json.loads((there / "runs/net-001/summary.json").read_text(encoding="utf-8"))


def rows(there):
    with open(there / "runs/net-001/results.csv", encoding="utf-8", newline="") as file:
        return len(list(csv.reader(file))) - 1


@pytest.mark.parametrize(
    ("name", "workers"), sampled([("SIGTERM", "1"), ("SIGINT", "2"), ("SIGHUP", "2"), ("SIGTERM", "2")], 2)
)
def test_it_saves_says_how_to_go_on_and_goes_on(there, name, workers):
    """To the process alone, or, as a terminal and a scheduler do, to its workers as well."""
    process = begin(there, "net.cnn", "--workers", workers, start_new_session=True)
    under_way(process)
    number = getattr(signal, name)
    if workers == "1":
        process.send_signal(number)
    else:
        os.killpg(process.pid, number)
    _, told = process.communicate(timeout=300)
    by = "" if name == "SIGINT" else f" by {name}"
    assert process.returncode == 128 + number, told
    assert told.startswith(f"interrupted{by} after step ") and told.count("\n") == 1
    assert told.endswith("; go on with `cnnspec run --resume runs/net-001`\n")
    assert summary(there)["status"] == "interrupted"
    step = int(told.split()[told.split().index("step") + 1])
    assert rows(there) == (step - 1) // 68 or rows(there) == step // 68  # of 270 images, four at a time
    resumed = begin(there, "--resume", "runs/net-001")
    _, told = resumed.communicate(timeout=300)
    assert (resumed.returncode, told) == (0, "")
    assert summary(there)["status"] == "finished" and rows(there) == 8


def test_under_nohup_a_closed_terminal_ends_nothing(there):
    process = begin(there, "net.cnn", "--workers", "1", "--set", "train.epochs=5", first=IGNORES)
    under_way(process)
    process.send_signal(signal.SIGHUP)
    process.communicate(timeout=300)
    assert process.returncode == 0 and summary(there)["status"] == "finished"


@pytest.mark.parametrize("ignores", [False, True])
def test_a_terminal_that_closes(there, ignores):
    """It is told by SIGHUP, and writing fails from then on. Who ignores SIGHUP trains on to the end.

    A terminal holds fewer lines than there are epochs, so that the run has not ended when it closes.
    """
    ours, theirs = pty.openpty()
    short = ("--set", "train.epochs=200", "--set", "data.limit=20")
    lines = {"stdout": theirs, "stderr": subprocess.PIPE if ignores else theirs, "stdin": theirs}
    first = f"{OWNS}\n{IGNORES if ignores else ''}"
    process = begin(there, "net.cnn", "--workers", "1", *short, start_new_session=True, first=first, **lines)
    os.close(theirs)
    seen = b""
    while b"epoch" not in seen:
        seen += os.read(ours, 64)
    os.close(ours)
    _, told = process.communicate(timeout=300)
    if ignores:
        assert summary(there)["status"] == "finished" and process.returncode == 1
        assert told.startswith("error[CNN907]: standard output cannot be written to: ")
    else:
        assert process.returncode == 129 and summary(there)["status"] == "interrupted"
        assert (there / "runs/net-001/state/last.safetensors").exists()


def test_who_reads_the_lines_may_go(there):
    """The step is saved, nothing more is said, as of any program at the head of a pipe."""
    process = begin(there, "net.cnn", "--workers", "1")
    under_way(process)
    process.stdout.close()
    told = process.stderr.read()
    assert (process.wait(timeout=300), told) == (1, "")
    assert summary(there)["status"] == "interrupted" and 1 <= rows(there) < 8


# Data that are long in coming: a program that has read some says so, and waits for the others.
READING = """
import time
from cnnspec.cli import main
from cnnspec.experiment import session

def load(*given, **named):
    print("reading")
    time.sleep(600)

session.load = load
main()
"""


def test_before_the_first_step(there):
    """While data are read there is nothing to save."""
    process = begin(there, "net.cnn", "--workers", "1", program=("-c", READING))
    assert process.stdout.readline() == "reading\n"
    process.send_signal(signal.SIGTERM)
    _, told = process.communicate(timeout=300)
    assert process.returncode == 143 and told.strip() == "interrupted by SIGTERM"
