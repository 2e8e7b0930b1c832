"""One image for several workers: who has no processor now is not waited for, and the bits stay."""

import os
import signal
from threading import Thread

import numpy as np
import pytest
from oracles.nets import spec

import cnnspec
from cnnspec.runtime import processes
from cnnspec.runtime.engine import Engine
from cnnspec.runtime.processes import ALONE, Processes, possible
from cnnspec.runtime.words import BARRIERS, GO, LEFT, LeftBehind, Words, nbytes
from cnnspec.settings.optimisers.sgd import Sgd

programs = pytest.mark.skipif(not possible(), reason="workers are threads here")
TEXT = (
    "3x48x48: conv 32x3x3 pad 1 -> relu -> conv 64x3x3 pad 1 -> relu -> conv 64x3x3 pad 1 -> maxpool 2 -> dense 4"
)


@pytest.fixture
def offered(monkeypatch):
    """Whether each image that was offered to the workers was shared; all are offered."""
    found, share = [], Processes._share

    def noted(self, call):
        found.append(share(self, call))
        return found[-1]

    monkeypatch.setattr(Processes, "_share", noted)
    monkeypatch.setattr(Processes, "awake", lambda self, patient=False: True)
    monkeypatch.setattr(processes, "LONGEST", 60.0)  # on a busy machine they take long to start
    return found


@pytest.fixture
def engine():
    made = Engine(spec(TEXT, everywhere=False), (), Sgd(), shards=2, workers_wanted=2, parallel="processes")
    yield made
    made.close()


def images(count):
    return [{"input": x} for x in np.random.default_rng(1).normal(size=(count, 1, 3, 48, 48)).astype("float32")]


@programs
def test_a_worker_without_a_processor_is_not_waited_for(engine, offered, monkeypatch):
    several = images(4)
    alone = Engine(spec(TEXT, everywhere=False), (), Sgd(), shards=2, workers_wanted=1)
    bits = [alone.forward(given)[0].tobytes() for given in several]

    def all_shown(patience):
        monkeypatch.setattr(processes, "PATIENCE", (patience, patience))
        offered.clear()
        return [engine.forward(given)[0].tobytes() for given in several] == bits

    assert all_shown(1e6) and offered[0]
    (child,) = engine.workers.children
    os.kill(child.pid, signal.SIGSTOP)
    os.waitid(os.P_PID, child.pid, os.WSTOPPED)
    assert all_shown(1 / 16) and offered == [False] * 4
    os.kill(child.pid, signal.SIGCONT)
    for _ in range(50):  # on a busy machine it may be left behind again
        assert all_shown(1e6)
        if any(offered):
            break
    assert any(offered)
    assert engine.workers.children == [child]


@programs
def test_ctrl_c_while_workers_are_waited_for_leaves_them_behind(engine, offered, monkeypatch):
    monkeypatch.setattr(processes, "PATIENCE", (1e6, 1e6))
    first, second = images(2)
    bits = [engine.forward(given)[0].tobytes() for given in (first, second)][1]

    def interrupted(self, patience):
        raise KeyboardInterrupt

    with monkeypatch.context() as m:
        m.setattr(Processes, "_are_there", interrupted)
        with pytest.raises(KeyboardInterrupt):
            engine.forward(first)
    words = engine.workers.words.words
    assert words[LEFT] == words[GO]
    for plan in engine.turn.lanes[0].plans.values():
        for call in plan.calls.values():
            call.shortest = 60.0  # that they are waited for
    assert engine.forward(second)[0].tobytes() == bits and offered == [True] * 3


@programs
@pytest.mark.parametrize("barrier", [0, 1])
def test_a_worker_who_comes_late_to_a_barrier_is_left_behind(engine, offered, barrier, monkeypatch):
    """As where its processor is taken from it in the midst of an image: the caller makes that alone."""
    monkeypatch.setattr(processes, "PATIENCE", (1e6, 1e6))  # on a busy machine too they are there in the end
    first, second = images(2)
    bits = [engine.forward(given)[0].tobytes() for given in (first, second)][1]
    assert offered == [True] * 2
    (plan,) = (plan for key, plan in engine.turn.lanes[0].plans.items() if key[2] == 2)
    (call,), (child,), words = plan.calls.values(), engine.workers.children, engine.workers.words
    arrived = []

    def stopped(worker):
        if len(arrived) == barrier:
            os.kill(child.pid, signal.SIGSTOP)
            os.waitid(os.P_PID, child.pid, os.WSTOPPED)
            words.words[Words.slot(1)] = words.arrivals  # it has not come to this one yet
            words.patience = 0.01  # up to here it was waited for, on a busy machine too
        arrived.append(worker)
        words.barrier(worker)

    call.barrier, call.shortest = stopped, 60.0
    assert engine.forward(second)[0].tobytes() == bits
    assert offered.pop() is False and words.words[LEFT] == words.words[GO]
    call.barrier = words.barrier
    forgetting = Thread(target=engine.workers.forget)
    forgetting.start()
    forgetting.join(0.05)
    assert forgetting.is_alive(), "it may still write to memory that would be given to others"
    os.kill(child.pid, signal.SIGCONT)
    forgetting.join()
    call.shortest = 60.0  # that it is waited for
    assert engine.forward(second)[0].tobytes() == bits and offered.pop(), "it gave up, and is back"


@programs
def test_who_ends_before_it_gives_up_is_not_waited_for(engine, offered, monkeypatch):
    monkeypatch.setattr(processes, "PATIENCE", (1e6, 1e6))
    first, second = images(2)
    bits = [engine.forward(given)[0].tobytes() for given in (first, second)][1]
    (child,), words = engine.workers.children, engine.workers.words.words
    words[LEFT] = words[GO]
    words[Words.slot(1) + 8] = words[GO] - 1  # it is amid that call
    os.kill(child.pid, signal.SIGKILL)
    child.wait()
    engine.workers.forget()
    assert not engine.workers.children
    assert engine.forward(second)[0].tobytes() == bits


def test_who_is_left_behind_gives_up_at_its_next_barrier():
    memory = memoryview(bytearray(nbytes(2)))
    caller, worker = (Words(memory, 2, lambda words: None) for _ in range(2))
    for words in (caller, worker):
        words.begin(3, 0.001)
    worker.patience = float("inf")
    with pytest.raises(LeftBehind):
        caller.barrier(0)
    assert caller.words[LEFT] == 3
    assert caller.words[Words.slot(0)] == 3 * BARRIERS + 1
    caller.words[Words.slot(0)] = 0  # the caller has not even come
    with pytest.raises(LeftBehind):
        worker.barrier(1)


def test_fewer_images_are_offered_the_longer_workers_wait_for_a_processor():
    workers = Processes(2)
    for shared, left in ((True, 0), (False, 1), (False, 2), (False, 4), (True, 4), (False, 4)):
        workers.note(shared)
        assert workers.alone == left
    for _ in range(12):
        workers.note(False)
    assert workers.alone == ALONE[1]
    workers.alone = 16
    workers.words.words[Words.slot(1) + 16] = 0
    workers.children.append(None)  # as if it span
    try:
        found = [workers.awake() for _ in range(17)]
    finally:
        workers.children.clear()
    assert found == [False] * 16 + [True]


@programs
@pytest.mark.parametrize("n", [1, 2, 3])
def test_a_step_is_made_however_late_the_workers_are(n, monkeypatch):
    """Of one image too, whose only shard the caller has: it had been left as an image that is to be shared."""
    monkeypatch.setattr(Processes, "_are_there", lambda self, patience: False)
    text = "input 1x8x8\nconv 4x3x3 -> relu -> dense 3 -> softmax"
    images = np.random.default_rng(0).normal(size=(2, n, 1, 8, 8)).astype("float32")
    found = []
    for workers in (1, 2):
        with cnnspec.compile(text=text, batch=4, seed=0, shards=2, workers=workers, parallel="processes") as model:
            gradients = [model.gradients(x, np.arange(n))["conv1.weight"] for x in images]
            costs = [model.train_step(x, np.arange(n)) for x in images]
            found.append([*gradients, np.array(costs), model.parameters["conv1.weight"], model.predict(images[0])])
    for alone, several in zip(*found, strict=True):
        np.testing.assert_array_equal(several, alone)
    assert not np.array_equal(*found[1][:2])
