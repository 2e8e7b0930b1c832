"""Days that are interrupted: signals, kills, full disks, grown data, two at once."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess

import lockstep
import numpy as np
import pytest

SPEC = """input 1x12x12
conv 8x3x3 -> relu -> dropout 20% -> dense 3 -> softmax
data { source npz "data/images.npz" ; validation 10% ; augment flip }
train { optimiser adam lr 2e-3 ; schedule cosine ; batch 16 ; epochs 6 ; seed 3 }
"""
posix = pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")


def images(day, count=2400, seed=0):
    draw = np.random.default_rng(seed)
    x = draw.integers(0, 255, (count, 1, 12, 12), dtype=np.uint8)
    (day / "data").mkdir(exist_ok=True)
    np.savez(day / "data/images.npz", x=x, y=np.arange(count) % 3)


def results(folder):
    """The numbers of each epoch that do not depend on the clock."""
    header, *rows = (folder / "results.csv").read_text(encoding="utf-8").splitlines()
    kept = [k for k, name in enumerate(header.split(",")) if "second" not in name]
    return [[row.split(",")[k] for k in kept] for row in rows]


@pytest.fixture(scope="module")
def whole(tmp_path_factory, begin):
    """The folder of a run that nobody stopped."""
    day = begin(tmp_path_factory.mktemp("whole"))
    images(day)
    day.write("net.cnn", SPEC)
    day.well("run", "net.cnn", "--workers", 1)
    return day / "runs/net-001"


@posix
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP", "SIGKILL"])
def test_stopped_by_a_signal_and_resumed_elsewhere_to_the_same_bits(day, whole, name):
    images(day)
    day.write("net.cnn", SPEC)
    number = signal.Signals[name]
    said = day.stopped(number, "run", "net.cnn", "--workers", 1, after="epoch 2/6")
    if name != "SIGKILL":
        assert said.code in (130, 128 + number), said.all
        assert "--resume" in said.err and (day / "runs/net-001/summary.json").is_file()
    moved = day.folder.parent / "laptop"
    day.folder.rename(moved)
    day.folder = moved
    day.well("run", "--resume", "runs/net-001", "--workers", 2, "--parallel", "threads")
    resumed = moved / "runs/net-001"
    assert results(resumed) == results(whole)
    from cnnspec.train import tensors

    ours, theirs = (tensors.read(run / "weights/last.safetensors").arrays for run in (resumed, whole))
    assert all(np.array_equal(ours[key], theirs[key]) for key in theirs)


@posix
def test_two_people_resume_the_same_run(day):
    images(day)
    day.write("net.cnn", SPEC.replace("epochs 6", "epochs 30"))
    day.stopped(signal.SIGINT, "run", "net.cnn", "--workers", 1, after="epoch 2/30")
    resume = day.command("run", "--resume", "runs/net-001", "--workers", 1)
    first = lockstep.start(resume, cwd=day.folder, env=day.environment, encoding="utf-8")
    try:
        assert first.stdout is not None
        assert any("epoch" in line for line in first.stdout)
        second = day.tell("run", "--resume", "runs/net-001", "--workers", 1)
        assert second.code == 1 and str(first.pid) in second.err
    finally:
        first.kill()
        first.wait()
    epochs = [row[0] for row in results(day / "runs/net-001")]
    assert len(epochs) == len(set(epochs))
    third = day.stopped(signal.SIGINT, "run", "--resume", "runs/net-001", "--workers", 1, after="epoch")
    assert "--resume" in third.err  # the lock of a process that is gone is no lock


@posix
def test_data_that_grew_while_the_run_slept(day):
    images(day)
    day.write("net.cnn", SPEC)
    day.stopped(signal.SIGINT, "run", "net.cnn", "--workers", 1, after="epoch 2/6")
    images(day, 2600)
    said = day.tell("run", "--resume", "runs/net-001", "--workers", 1)
    assert said.code == 1 and "--accept-changed-data" in said.err
    day.well("run", "--resume", "runs/net-001", "--workers", 1, "--accept-changed-data")
    assert [row[0] for row in results(day / "runs/net-001")] == list("123456")


def test_a_block_of_the_library_changes_after_the_run(day):
    images(day, 200)
    day.write("lib/blocks.cnn", "block body(c) = conv {c}x3x3 -> relu\n")
    day.write("net.cnn", SPEC.replace("input 1", 'import "lib/blocks.cnn"\ninput 1').replace(
        "conv 8x3x3 -> relu", "body(8)").replace("epochs 6", "epochs 1"))  # fmt: skip
    day.well("check", ".")
    day.well("run", "net.cnn", "--workers", 1)
    before = day.well("eval", "runs/net-001").out
    day.write("lib/blocks.cnn", "block body(c) = conv {c}x3x3 -> tanh\n")
    assert day.well("eval", "runs/net-001").out == before
    shutil.rmtree(day / "lib")
    assert day.well("eval", "runs/net-001").out == before


def test_a_spec_with_the_line_ends_of_windows(day):
    images(day, 300)
    day.write("net.cnn", SPEC.replace("\n", "\r\n").replace("epochs 6", "epochs 3"))
    if os.name == "posix":
        day.stopped(signal.SIGKILL, "run", "net.cnn", "--workers", 1, after="epoch 1/3")
        day.well("run", "--resume", "runs/net-001", "--workers", 1)
    day.well("eval", "runs/net-001")


def test_a_run_folder_that_somebody_tidied_up(day):
    images(day, 200)
    day.write("net.cnn", SPEC.replace("epochs 6", "epochs 1"))
    day.well("run", "net.cnn", "--workers", 1)
    run = day / "runs/net-001"
    before = day.well("eval", run).out
    for name in (".DS_Store", "notes.txt", "another.cnn", "weights/Thumbs.db"):
        (run / name).write_bytes(b"\x00\xff")
    assert day.well("eval", run).out == before
    settings = (run / "settings.json").read_text(encoding="utf-8")
    for damaged in ("", "[]", "{}", settings[:40], settings.replace('"shards"', '"shard"')):
        (run / "settings.json").write_text(damaged, encoding="utf-8")
        for command in (("eval", run), ("run", "--resume", run)):
            said = day.tell(*command)
            assert said.code == 1 and "settings.json" in said.err


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no /dev/full here")
def test_standard_output_goes_to_a_full_disk(day):
    day.write("net.cnn", "input 1x28x28\ndense 10 -> softmax\n")
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            day.command("summary", "net.cnn"), cwd=day.folder, env=day.environment, stdout=full,
            stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
    assert done.returncode == 1 and "no space" in done.stderr.lower() and "report it" not in done.stderr
