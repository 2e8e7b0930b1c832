"""Train in a child, kill -9 it at a random moment, look, resume: `python killing.py FOLDER COUNT SEED`.

A process of its own, so that the children are forked from one without threads; forking also spares each the
start of Python. Prints what was found as JSON.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import time
from pathlib import Path

from tiny import SETTINGS, STAMP, Blobs, Tiny, same

from cnnspec.train import lock, tensors
from cnnspec.train.checkpoints import load_state
from cnnspec.train.folder import RunFolder
from cnnspec.train.loop import StepDone, TrainingConfig, fit
from cnnspec.train.runs import run

COURSE = TrainingConfig(epochs=12, batch=8, seed=3, interval=2 / 7)  # 84 steps, a checkpoint every 2
STEPS = 84


def train(path, pipe=None):
    """Begin the run, or go on with it, telling the pipe each step that is done."""
    resume = RunFolder(path).state.exists()

    def tell(event):
        if pipe and isinstance(event, StepDone):
            os.write(pipe, event.step.to_bytes(4, "little"))

    model = Tiny()
    folder = RunFolder(path)
    if not resume:
        folder.describe(Path("tiny.cnn"), STAMP.source, SETTINGS)
    run(
        model, Blobs(), COURSE, folder, STAMP,
        parameters=21, validation=Blobs(15, seed=2), every=1, keep=2, resume=resume, on_event=tell,
    )  # fmt: skip


def killed_after(path, steps, seconds):
    """Train in a child that is killed some time after so many steps; the last one that it told of, or 0, and
    whether it was done before."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        code = 1
        try:
            os.close(reader)
            train(path, writer)
            code = 0
        finally:
            os._exit(code)
    os.close(writer)
    told = b""
    while len(told) < 4 * steps and (part := os.read(reader, 1 << 16)):
        told += part
    time.sleep(seconds)
    os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    while part := os.read(reader, 1 << 16):
        told += part
    os.close(reader)
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0, "the child failed by itself"
    return int.from_bytes(told[-4:], "little"), not os.WIFSIGNALED(status)


def at_once(*work):
    """What a process does that is killed before it has done anything."""
    os.kill(os.getpid(), signal.SIGKILL)


def look(path):
    """The model as the state has it, everything in the folder being whole; None before the first checkpoint."""
    for file in path.glob("weights/*.safetensors"):
        tensors.read(file)
    for file in path.glob("*.json"):
        if file.name != lock.NAME:  # for people; it is written where it lies, by who has the lock
            json.loads(file.read_text())
    folder, model = RunFolder(path), Tiny(seed=5)
    if not folder.state.exists():
        return None
    load_state(folder.state, model, STAMP)
    return model


def main(out, count, seed):
    generator = random.Random(seed)
    straight = Tiny()
    fit(straight, Blobs(), COURSE, Blobs(15, seed=2))
    begun = time.perf_counter()
    train(RunFolder.create(out, "tiny").path)
    step = (time.perf_counter() - begun) / STEPS  # what waits for a busy disk takes its time
    found = {"kills": 0, "runs": 0, "lost": 0, "early": 0}
    path = None
    while found["kills"] < count or path:
        if path is None:
            path = RunFolder.create(out, "tiny").path
            found["runs"] += 1
        if found["kills"] < count:
            told, done = killed_after(path, generator.randrange(STEPS), generator.uniform(0, 2 * step))
            found["kills"] += not done
            model = look(path)
            if model is None:
                found["early"] += 1
                assert told == 0
            else:
                found["lost"] = max(found["lost"], told - model.steps)
        else:
            done = True
        if done:  # whatever it went through, it ends with the bits of a run that was left alone
            train(path)
            assert same(look(path), straight)
            path = None
    print(json.dumps(found))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
