"""A run being written is locked: for others, for this process, and not for longer than its writer lives."""

from __future__ import annotations

import json
import os
import platform
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import lockstep
import numpy as np
import pytest
from tiny import COURSE, SETTINGS, STAMP, Blobs, Tiny, same

from cnnspec.diagnostics import SpecError
from cnnspec.train import lock
from cnnspec.train.folder import RunFolder
from cnnspec.train.lock import NAME, ensure_free, held
from cnnspec.train.loop import StepDone
from cnnspec.train.runs import run

ROOT = Path(__file__).parents[2]
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT), "OPENBLAS_NUM_THREADS": "1"}
HOLD = """
import sys, time
from pathlib import Path
from cnnspec.train.lock import held
with held(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(600)
"""


def refused(folder, attempt=ensure_free):
    with pytest.raises(SpecError) as error:
        attempt(folder)
    (finding,) = error.value.diagnostics
    assert finding.code == "CNN465"
    return finding.message


def enter(folder):
    with held(folder):
        pytest.fail("two hold the lock")


@pytest.fixture
def other(tmp_path):
    """Another process that holds the lock of `tmp_path`."""
    child = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)],
        stdout=subprocess.PIPE,
        env=ENVIRONMENT,
    )
    assert child.stdout.readline() == b"held\n"
    yield child
    child.kill()
    child.wait()


def test_another_process_is_told_by_its_number_machine_and_time(tmp_path, other):
    for attempt in (ensure_free, enter):
        message = refused(tmp_path, attempt)
        assert f"is being written by process {other.pid} on " in message and ", since 20" in message


def test_a_lock_whose_process_was_killed_is_none(tmp_path, other):
    other.send_signal(signal.SIGKILL)
    other.wait()
    assert (tmp_path / NAME).exists()
    ensure_free(tmp_path)
    with held(tmp_path):
        assert json.loads((tmp_path / NAME).read_bytes())["process"] == os.getpid()
    assert not (tmp_path / NAME).exists()


@pytest.mark.parametrize("left", [b"", b'{"process": %d, "machine": "%s", "since": "2020-01-01"}'])
def test_a_holder_that_has_not_said_yet_who_it_is_is_waited_for(tmp_path, left, monkeypatch):
    """Neither an empty file nor what a killed holder left there is taken for the holder's word."""
    monkeypatch.setattr(lock, "PATIENCE", 60.0)  # however long a busy machine lets the holder wait
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    (tmp_path / NAME).write_bytes(left and left % (gone.pid, platform.node().encode()))
    slow = (
        "from cnnspec.train import lock; who = lock._who\n"
        "def late():\n    print('locked', flush=True); import time; time.sleep(0.4); return who()\n"
        "lock._who = late\n"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", slow + HOLD, str(tmp_path)], stdout=subprocess.PIPE, env=ENVIRONMENT
    )
    try:
        assert child.stdout.readline() == b"locked\n"
        assert f"is being written by process {child.pid} on " in refused(tmp_path)
    finally:
        child.kill()
        child.wait()


def test_a_number_that_lives_again_locks_nothing(tmp_path):
    """The file names a process that runs, this one's parent; but nobody holds the lock."""
    (tmp_path / NAME).write_text(
        json.dumps({"process": os.getppid(), "machine": "here", "since": "2020-01-01"}) * 9
    )
    ensure_free(tmp_path)
    with held(tmp_path):
        assert json.loads((tmp_path / NAME).read_bytes())["process"] == os.getpid()


def test_a_second_writer_in_the_same_process_is_refused_and_takes_nothing_away(tmp_path, other):
    folder = tmp_path / "run"
    folder.mkdir()
    with held(folder):
        for attempt in (ensure_free, enter):
            assert f"process {os.getpid()} " in refused(folder, attempt)
        found = subprocess.run(
            [sys.executable, "-c", HOLD, str(folder)],
            capture_output=True,
            env=ENVIRONMENT,
        )
        assert found.returncode != 0 and b"CNN465" in found.stderr, "the lock is still ours"


def test_only_one_of_many_threads_writes(tmp_path):
    inside, most, refusals = 0, 0, []

    def write():
        nonlocal inside, most
        try:
            with held(tmp_path):
                inside += 1
                most = max(most, inside)
                time.sleep(0.01)
                inside -= 1
        except SpecError as error:
            refusals.append(error.diagnostics[0].code)

    threads = [threading.Thread(target=write) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 1 and set(refusals) <= {"CNN465"}
    with held(tmp_path):
        pass


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there are no forks")
def test_a_forked_child_that_outlives_the_writer_keeps_no_lock(tmp_path):
    """As a worker of a run that is killed."""
    script = HOLD.replace("time.sleep(600)", "import os; os.fork() and os.kill(os.getpid(), 9); time.sleep(3)")
    child = subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path)],
        stdout=subprocess.PIPE,
        env=ENVIRONMENT,
    )
    child.wait()
    ensure_free(tmp_path)


JUNK = (b"", b"{", b"[1]", b"\xff\xfe", b"[" * 4096, b'{"process": "\\u001b[2J", "machine": 1, "since": 2}')


@pytest.mark.parametrize("junk", JUNK)
def test_what_the_file_says_is_for_people_only(tmp_path, junk):
    (tmp_path / NAME).write_bytes(junk)
    with held(tmp_path):
        (tmp_path / NAME).write_bytes(junk)
        assert "\x1b" not in refused(tmp_path)


@pytest.mark.parametrize("kind", ["folder", "pipe", "link"])
def test_something_else_under_the_name_is_told(tmp_path, kind):
    path, target = tmp_path / NAME, tmp_path / "precious"
    target.write_text("mine")
    if kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    else:
        path.symlink_to(target)
    with pytest.raises(SpecError) as error:
        enter(tmp_path)
    assert error.value.diagnostics[0].code == "CNN305" and target.read_text() == "mine"


def test_a_run_is_locked_while_it_trains_and_free_afterwards(tmp_path):
    folder = RunFolder.create(tmp_path, "tiny")
    folder.describe(tmp_path / "tiny.cnn", STAMP.source, SETTINGS)
    tried = []

    def second(event):
        if isinstance(event, StepDone) and event.step in (1, 20):
            with pytest.raises(SpecError) as error:
                RunFolder.open(folder.path)
            tried.append(error.value.diagnostics[0].code)
            with pytest.raises(SpecError) as error:
                run(Tiny(), Blobs(), COURSE, folder, STAMP, parameters=21, resume=True)
            tried.append(error.value.diagnostics[0].code)

    straight, model = Tiny(), Tiny()
    run(model, Blobs(), COURSE, folder, STAMP, parameters=21, on_event=second)
    assert tried == ["CNN465"] * 4 and not (folder.path / NAME).exists()
    alone = RunFolder.create(tmp_path, "alone")
    run(straight, Blobs(), COURSE, alone, STAMP, parameters=21)
    assert same(model, straight)
    assert len(folder.results.read_text().splitlines()) == 1 + COURSE.epochs


def test_two_resumers_at_once(tmp_path):
    """Of two processes that go on with the same run one is refused, and the results hold every epoch once."""
    images = np.random.default_rng(0).random((500, 1, 16, 16), "f4")
    np.savez(tmp_path / "f.npz", x=images, y=np.arange(500) % 2)
    (tmp_path / "s.cnn").write_text(
        "input 1x16x16\nconv 16x3x3 -> relu -> dense 2 -> softmax\n"
        'data { source npz "f.npz" ; validation 0 }\ntrain { epochs 6 ; batch 50 }\n'
    )
    command = [sys.executable, "-m", "cnnspec", "run", "--workers", "1"]
    first = lockstep.start([*command, "s.cnn"], cwd=tmp_path, env=ENVIRONMENT)
    assert any(b"epoch 1/" in line for line in first.stdout)
    first.send_signal(signal.SIGINT)
    first.communicate()
    assert first.returncode == 130
    both = [
        lockstep.start(
            [*command, "--resume", "runs/s-001"], cwd=tmp_path, env=ENVIRONMENT, stderr=subprocess.PIPE,
            encoding="utf-8",
        )
        for _ in range(2)
    ]  # fmt: skip
    while all(child.poll() is None for child in both):  # nobody reads what the other one writes: it cannot end
        time.sleep(0.01)
    told = [child.communicate()[1] for child in both]
    codes = [child.returncode for child in both]
    assert sorted(codes) == [0, 1], told
    winner, loser = both[codes.index(0)], told[codes.index(1)]
    assert "error[CNN465]" in loser and f"process {winner.pid} " in loser
    epochs = [line.split(",")[0] for line in (tmp_path / "runs/s-001/results.csv").read_text().splitlines()[1:]]
    assert epochs == list("123456")
