"""Random programs of calls on workers who are late at random: every answer has the bits of one worker alone."""

import signal
import sys
from pathlib import Path
from random import Random
from threading import Event, Thread

import late
import numpy as np
import pytest

import cnnspec
from cnnspec.runtime import engine, processes
from cnnspec.runtime.processes import Processes, possible

pytestmark = pytest.mark.skipif(not possible(), reason="workers are threads here")
SUPPORT = Path(late.__file__).parent
NORMED = """\
input 3x12x12
conv 8x3x3 pad same bias off -> bn -> relu -> maxpool 2 -> {}conv 8x3x3 -> relu -> dense 4 -> softmax
"""
NETS = (
    NORMED.format("dropout 0.3 -> ") + "train { optimiser adam lr 0.01 clip 0.05 ; accumulate 2 ; ema 0.9 }",
    NORMED.format("") + "train { optimiser sgd lr 0.1 momentum 0.9 clip 0.1 }",
    NORMED.format("dropout 0.3 -> ") + "train { optimiser adam lr 0.01 }",
    NORMED.format("") + "train { optimiser sgd lr 0.1 ; accumulate 3 }",
)
USES = (
    ("train_step",) * 4 + ("gradients",) * 4 + ("predict",) * 6 + ("evaluate", "activations", "set", "close", "fit")
)
X = np.random.default_rng(0).normal(size=(48, 3, 12, 12)).astype("float32")
Y = np.random.default_rng(1).integers(0, 4, 48)


def made(model, use, first, n):
    """What a model answers to one call, as one array."""
    x, y = X[first : first + n], Y[first : first + n]
    if use in ("set", "close"):
        if use == "close":
            model.close()
        else:
            model.parameters["conv1.weight"] = model.parameters["conv1.weight"] * np.float32(1.01)
        return np.concatenate([values.ravel() for values in (*model.parameters.values(), *model.state.values())])
    if use == "fit":
        return np.array(model.fit(x, y, epochs=2, batch=max(1, n // 2))["cost"])
    if use == "evaluate":
        return np.array(list(model.evaluate(x, y).values()), "float64")
    found = getattr(model, use)(x) if use in ("predict", "activations") else getattr(model, use)(x, y)
    return np.concatenate([np.ravel(one) for one in found.values()]) if isinstance(found, dict) else found


def stop_now_and_then(model, random, done):
    """Take the processor from a worker for a while."""
    while not done.wait(random.random() / 50):
        for child in list(model.engine.workers.children):
            child.send_signal(signal.SIGSTOP)
            done.wait(random.choice((0, 1e-3, 1e-2)))
            child.send_signal(signal.SIGCONT)


@pytest.fixture
def lateness(monkeypatch):
    """The random numbers by which all are late, who share even the smallest images."""
    late.install(0, monkeypatch.setattr)
    random, there, run = late.RANDOM, Processes._are_there, Processes.run

    def ways(self, call):
        call.pace.alone = random.random() < 0.3
        call.shortest = random.choice((1e-4, 1e-3, 1e-2, 1.0))
        return run(self, call)

    def are_there(self, patience):
        return random.random() < 0.8 and there(self, random.choice((patience, 5.0)))

    monkeypatch.setattr(Processes, "run", ways)
    monkeypatch.setattr(Processes, "_are_there", are_there)
    monkeypatch.setattr(Processes, "awake", lambda self, patient=False: random.random() < 0.8)
    for name in ("_tell", "_wake", "_make", "forget"):
        monkeypatch.setattr(Processes, name, late.delayed(getattr(Processes, name)))
    head, last = processes.BEGIN.rstrip().rsplit("\n", 1)
    lines = [head, f"sys.path.append({str(SUPPORT)!r})", "import late, os", "late.install(os.getpid())", last, ""]
    monkeypatch.setattr(processes, "BEGIN", "\n".join(lines))
    monkeypatch.setattr(engine, "WORTH", 0)
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield random
    sys.setswitchinterval(interval)


@pytest.mark.parametrize(
    ("seed", "calls"), [(0, 8), *(pytest.param(k, 40, marks=pytest.mark.slow) for k in range(1, 41))]
)
def test_answers_do_not_depend_on_who_is_late(seed, calls, lateness):
    random = Random(seed)
    workers = random.choice((2, 2, 3))
    how = {"text": NETS[seed % len(NETS)], "batch": random.choice((4, 8)), "shards": random.choice((workers, 3, 4))}
    program = []
    for _ in range(calls):
        n = random.choice((1, 1, 1, 2, 3, 5, 8, 13, 40))
        program.append((random.choice(USES), random.randrange(48 - n), n))
    with cnnspec.compile(**how, seed=0, workers=1) as alone:
        right = [made(alone, *one) for one in [*program, ("set", 0, 0)]]
    done = Event()
    with cnnspec.compile(**how, seed=0, workers=workers, parallel="processes") as model:
        stopping = Thread(target=stop_now_and_then, args=(model, random, done))
        if calls > 8:
            stopping.start()
        try:
            for one, expected in zip([*program, ("set", 0, 0)], right, strict=True):
                np.testing.assert_array_equal(made(model, *one), expected, err_msg=str(one))
        finally:
            done.set()
            if calls > 8:
                stopping.join()
