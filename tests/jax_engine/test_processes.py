"""A run on two processes over loopback: the same as on one, ended together, resumed on any number."""

import csv
import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from ports import free_port

pytest.importorskip("jax", reason="the engine on JAX is the extra cnnspec[jax], which is not installed")

SPEC = """input 1x6x6
conv 4x3x3 bias off -> bn -> relu -> dropout 10% -> dense 3 -> softmax
data { source npz "images.npz" ; validation 12.5% ; augment flip }
train { optimiser adam lr 1e-2 ; batch 16 ; epochs EPOCHS ; seed 1 }
"""
SEVERAL = """input 1x6x6 as one
input 1x6x6 as two
net same = @one -> dense 3 -> softmax
net other = add(@one | @two) -> dense 3 -> softmax
data { source npz "images.npz" weights "w" ; validation 12.5% }
train { optimiser adam lr 1e-2 ; batch 16 ; epochs EPOCHS ; seed 1 }
"""
PATIENCE = 300
ENDLESS = 100_000  # epochs, of a run that does not end while nobody looks


@pytest.fixture
def start(tmp_path):
    """Starts `cnnspec run`, on as many processes as asked for; returns them, the one that writes first."""
    generator = np.random.default_rng(0)
    y = generator.integers(0, 3, 160)
    x = (generator.normal(size=(160, 1, 6, 6)) + y[:, None, None, None]).astype("float32")
    np.savez(tmp_path / "images.npz", x=x, y=y, one=x, two=x[::-1], same=y, other=y[::-1], w=1.0 + y)
    started = []

    def run(*arguments, processes=1, devices=2, epochs=3, spec=SPEC):
        (tmp_path / "net.cnn").write_text(spec.replace("EPOCHS", str(epochs)))
        command = [sys.executable, "-m", "cnnspec", "run", *arguments, "--engine", "jax", "--devices", str(devices)]
        quick = "--xla_backend_optimization_level=0 --xla_llvm_disable_expensive_passes=true"
        environment = {
            **os.environ,
            "XLA_FLAGS": quick,
            "PYTHONPATH": os.pathsep.join(["", os.getcwd(), *sys.path]),
        }
        port, new = free_port(), []
        for number in range(processes):
            meet = ("--coordinator", f"127.0.0.1:{port}", "--processes", str(processes), "--process", str(number))
            new.append(
                subprocess.Popen(
                    [*command, *(meet if processes > 1 else ())],
                    cwd=tmp_path, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                )
            )  # fmt: skip
        started.extend(new)
        return new

    yield run
    for process in started:
        process.kill()


def finished(processes):
    """What they said, after all ended well."""
    said = [process.communicate(timeout=PATIENCE)[0] for process in processes]
    assert [process.returncode for process in processes] == [0] * len(processes), "\n".join(said)
    return said


def rows(folder):
    with (folder / "results.csv").open() as file:
        return [{k: float(v) for k, v in row.items() if "second" not in k and v} for row in csv.DictReader(file)]


def same_course(a, b):
    assert len(rows(a)) == len(rows(b)) > 0
    for left, right in zip(rows(a), rows(b), strict=True):
        np.testing.assert_allclose([*left.values()], [*right.values()], atol=1e-4)


def test_two_processes_do_what_one_does(start, tmp_path):
    finished(start("net.cnn", "--out", "alone", devices=1))
    said = finished(start("net.cnn", "--out", "both", processes=2))
    assert "4 devices (CPU) of 2 processes" in said[0] and "to a tolerance" in said[0]
    assert [p.name for p in (tmp_path / "both").iterdir()] == ["net-001"], "one of them writes"
    same_course(tmp_path / "alone/net-001", tmp_path / "both/net-001")
    alone, both = (json.loads((tmp_path / f / "net-001/summary.json").read_text()) for f in ("alone", "both"))
    assert both["test_accuracy"] == alone["test_accuracy"] and both["best_epoch"] == alone["best_epoch"]


@pytest.mark.slow
def test_and_so_they_do_with_several_inputs_outputs_and_weights_of_images(start, tmp_path):
    finished(start("net.cnn", "--out", "alone", devices=1, spec=SEVERAL))
    finished(start("net.cnn", "--out", "both", processes=2, spec=SEVERAL))
    same_course(tmp_path / "alone/net-001", tmp_path / "both/net-001")


@pytest.mark.parametrize("victim", [0, pytest.param(1, marks=pytest.mark.slow)])
def test_a_killed_process_ends_the_other_and_the_run_goes_on_as_if_nothing_had_been(victim, start, tmp_path):
    processes = start("net.cnn", "--out", "runs", processes=2, devices=1, epochs=ENDLESS)
    folder, deadline = tmp_path / "runs/net-001", time.monotonic() + PATIENCE
    while not (folder / "results.csv").is_file() or len(rows(folder)) < 2:
        assert time.monotonic() < deadline and processes[victim].poll() is None
        time.sleep(0.1)
    os.kill(processes[victim].pid, signal.SIGKILL)
    other = processes[1 - victim]
    said = other.communicate(timeout=PATIENCE)[0]  # long before `processes.PATIENCE` has passed
    assert other.returncode != 0
    assert "lost another one of the run" in said or "another task died" in said, said
    done = len(rows(folder))
    assert done < ENDLESS
    resume_and_compare(start, tmp_path, folder, done + 2)


def resume_and_compare(start, tmp_path, folder, epochs):
    """Go on alone, to an end that is now nearer, and compare with a run that was never interrupted."""
    spec = SPEC.replace("EPOCHS", str(ENDLESS))
    settings = json.loads((folder / "settings.json").read_text())
    assert settings["engine"] == "jax" and (folder / "net.cnn").read_text() == spec
    resumed = start("--resume", str(folder), devices=1, epochs=ENDLESS)[0]
    straight = start("net.cnn", "--out", "straight", devices=1, epochs=ENDLESS)[0]
    fresh = tmp_path / "straight/net-001"
    deadline = time.monotonic() + PATIENCE
    while not all((f / "results.csv").is_file() and len(rows(f)) >= epochs for f in (folder, fresh)):
        assert time.monotonic() < deadline and resumed.poll() is None and straight.poll() is None
        time.sleep(0.1)
    resumed.kill()
    straight.kill()
    for left, right in zip(rows(folder)[:epochs], rows(fresh)[:epochs], strict=True):
        np.testing.assert_allclose([*left.values()], [*right.values()], atol=1e-4)
