"""One model in several threads, after a close, dropped, and interrupted: each answer is right, nothing is left."""

import gc
import os
import signal
import threading
import time
import weakref
from types import SimpleNamespace

import numpy as np
import pytest

import cnnspec
from cnnspec.diagnostics import SpecError
from cnnspec.runtime import turns
from cnnspec.runtime.processes import possible
from cnnspec.runtime.turns import Lane, Turn

SMALL = "input 1x8x8\nconv 4x3x3 -> relu -> dense 3 -> softmax"
NORMED = """\
input 3x16x16
conv 8x3x3 pad same bias off -> bn -> relu -> maxpool 2 -> conv 8x3x3 -> relu -> dense 4 -> softmax
"""
LARGE = (
    "input 3x32x32\nconv 16x3x3 pad same -> relu -> maxpool 2 -> conv 32x3x3 -> relu -> gap -> dense 10 -> softmax"
)
KINDS = [
    pytest.param(1, "threads", id="one worker"),
    pytest.param(2, "threads", id="threads"),
    pytest.param(
        2, "processes", id="processes", marks=pytest.mark.skipif(not possible(), reason="workers are threads here")
    ),
]
every_kind = pytest.mark.parametrize(("workers", "parallel"), KINDS)


def together(count, task):
    """Run task(k) in so many threads, and raise what one of them raises."""
    failures = []

    def run(k):
        try:
            task(k)
        except BaseException as failure:
            failures.append(failure)

    threads = [threading.Thread(target=run, args=(k,), daemon=True) for k in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(300)
        assert not thread.is_alive(), "a thread waits for ever"
    for failure in failures:
        raise failure


def images(n, *shape):
    return np.random.default_rng(0).normal(size=(n, *shape)).astype("float32")


@every_kind
@pytest.mark.parametrize("text", [NORMED, LARGE], ids=["small", "large"])
def test_threads_that_ask_get_their_own_answers(text, workers, parallel):
    with cnnspec.compile(text=text, batch=8, seed=0, workers=workers, parallel=parallel) as model:
        shape, classes = model.graph.type("input").shape, model.graph.type("softmax1").elements
        x, y = images(40, *shape), np.arange(40) % classes
        parts = [(x[k : k + n], y[k : k + n]) for k, n in ((0, 8), (5, 8), (9, 3), (20, 8), (30, 1), (11, 20))]
        asked = {
            "predict": lambda part: model.predict(part[0]),
            "evaluate": lambda part: model.evaluate(*part)["cost"],
            "activations": lambda part: model.activations(part[0])["conv1"],
            "gradients": lambda part: model.gradients(*part)["conv1.weight"],
            "cost": lambda part: model.cost(*part),
        }
        right = {(what, k): ask(part) for what, ask in asked.items() for k, part in enumerate(parts)}

        def ask(thread):
            random = np.random.default_rng(thread)
            for what in random.choice(list(asked), 15):
                k = int(random.integers(len(parts)))
                np.testing.assert_array_equal(asked[what](parts[k]), right[what, k], err_msg=what)

        together(4, ask)


def test_threads_that_ask_work_side_by_side():
    model = cnnspec.compile(text=LARGE, batch=8, seed=0)
    lanes = model.engine.turn
    lanes.most = 2
    inside, both = threading.Barrier(2), []
    forward = model.engine._ready

    def ready(*arguments):
        both.append(inside.wait(300))  # two threads are here at once, or nobody passes
        return forward(*arguments)

    model.engine._ready = ready
    together(2, lambda k: model.predict(images(8, 3, 32, 32)))
    assert len(both) == 2 and len(lanes.lanes) == 2


def test_small_layers_are_answered_one_after_the_other():
    model = cnnspec.compile(text=SMALL, batch=8, seed=0)
    model.engine.turn.most = 8
    together(4, lambda k: [model.predict(images(4, 1, 8, 8)) for _ in range(10)])
    assert len(model.engine.turn.lanes) == 1


@every_kind
def test_who_asks_during_a_training_sees_whole_steps(workers, parallel):
    """Every answer is that of the parameters after some step."""
    x, y = images(8, 3, 16, 16), np.arange(8) % 4
    how = {"text": NORMED, "batch": 8, "seed": 0, "workers": workers, "parallel": parallel, "shards": 2}
    steps = 12
    with cnnspec.compile(**how) as model:
        answers = [model.predict(x)]
        for _ in range(steps):
            model.train_step(x, y)
            answers.append(model.predict(x))
    seen = []
    with cnnspec.compile(**how) as model:
        done = threading.Event()

        def work(k):
            if k == 0:
                for _ in range(steps):
                    model.train_step(x, y)
                done.set()
            while k and not done.is_set():
                seen.append(model.predict(x))

        together(3, work)
        seen.append(model.predict(x))
        np.testing.assert_array_equal(seen[-1], answers[-1])
    for found in seen:
        assert any((found == answer).all() for answer in answers)


def test_two_threads_that_train_take_turns():
    x, y = images(8, 3, 16, 16), np.arange(8) % 4
    model = cnnspec.compile(text=NORMED, batch=8, seed=0)
    together(2, lambda k: [model.train_step(x, y) for _ in range(10)])
    other = cnnspec.compile(text=NORMED, batch=8, seed=0)
    for _ in range(20):
        other.train_step(x, y)
    assert model.steps == 20
    np.testing.assert_array_equal(model.predict(x), other.predict(x))


def test_a_change_does_not_wait_for_ever_behind_questions():
    model = cnnspec.compile(text=SMALL, batch=8, seed=0)
    x, y = images(8, 1, 8, 8), np.arange(8) % 3
    done = threading.Event()

    def work(k):
        if k == 0:
            for _ in range(20):
                model.train_step(x, y)
            done.set()
        deadline = time.monotonic() + 300
        while not done.is_set():
            assert time.monotonic() < deadline
            model.predict(x)

    together(3, work)


@every_kind
@pytest.mark.parametrize("use", ["predict", "train_step", "evaluate"])
def test_after_close_a_model_starts_anew(workers, parallel, use):
    x, y = images(8, 1, 8, 8), np.arange(8) % 3
    model = cnnspec.compile(text=SMALL, batch=8, seed=0, workers=workers, parallel=parallel)
    arguments = (x,) if use == "predict" else (x, y)
    for _ in range(2):
        with model:
            first = getattr(model, use)(*arguments)
        model.close()  # twice is once
    beside = cnnspec.compile(text=SMALL, batch=8, seed=0, shards=workers)
    for _ in range(2):
        again = getattr(beside, use)(*arguments)
    np.testing.assert_array_equal(np.asarray(first, object), np.asarray(again, object))
    model.close()


@every_kind
def test_a_model_goes_with_its_last_reference(workers, parallel):
    """At once, without a search for cycles: memory of NumPy's is not counted when Python decides about one."""
    x, y = images(8, 1, 8, 8), np.arange(8) % 3
    gc.collect()  # what tests before this one hold
    files = len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0
    threads = threading.active_count()
    gc.disable()
    try:
        for seed in range(3):
            model = cnnspec.compile(text=SMALL, batch=8, seed=seed, workers=workers, parallel=parallel)
            model.train_step(x, y)
            model.predict(x)
            model.gradients(x, y)
            children = [child.pid for child in getattr(model.engine.workers, "children", ())]
            gone = [weakref.ref(part) for part in (model.engine, model.engine.workers, model.engine.p.flat.base)]
            del model
            assert [ref() for ref in gone] == [None] * 3
            for child in children:
                with pytest.raises(ProcessLookupError):
                    os.kill(child, 0)
    finally:
        gc.enable()
    assert threading.active_count() <= threads
    assert not files or len(os.listdir("/proc/self/fd")) <= files


@pytest.mark.skipif(not os.path.exists("/proc/self/statm"), reason="this system does not tell a process's memory")
@pytest.mark.parametrize("count", [25, pytest.param(100, marks=pytest.mark.slow)])
def test_many_models_leave_nothing(count):
    def resident():
        with open("/proc/self/statm") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    x, y = images(64, 1, 8, 8), np.arange(64) % 3
    sizes, threads = [], threading.active_count()
    for seed in range(count):
        wide = SMALL.replace("conv 4", "conv 64")
        cnnspec.compile(text=wide, batch=64, seed=seed, workers=2).train_step(x, y)
        sizes.append(resident())
    assert threading.active_count() <= threads
    assert min(sizes[-5:]) - max(sizes[:10]) < 8 << 20, "each of them took more than a megabyte"


class Late(Exception):
    """What a handler of signals raises."""


def interrupted(model, x, y, number=signal.SIGINT, seconds=0.004):
    """Take steps until a signal's function raises in the middle of one; how many steps were asked for.

    `seconds` is what a step takes, more or less: who comes late each time is sent sooner and sooner.
    """
    asked = 0
    try:
        for asked in range(1, 400):
            seconds *= 0.97
            signal.setitimer(signal.ITIMER_REAL, seconds * (0.05 + 0.95 * (asked * 0.618 % 1)))
            model.train_step(x, y)
            signal.setitimer(signal.ITIMER_REAL, 0)
    except (KeyboardInterrupt, Late):  # in the step, or just before or behind it
        return asked
    raise AssertionError("no signal came in 400 steps")


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="this system has no timers")
@every_kind
def test_a_signal_leaves_no_half_a_step(workers, parallel):
    """Ctrl-C, or any function of a signal that raises: the steps are whole, and as many as are counted."""
    x, y = images(16, 3, 16, 16), np.arange(16) % 4
    how = {"text": NORMED, "batch": 16, "seed": 0, "shards": 2}
    model = cnnspec.compile(**how, workers=workers, parallel=parallel)
    model.train_step(x, y)
    start = time.perf_counter()
    model.train_step(x, y)
    step = max(0.0005, time.perf_counter() - start)

    def late(number, frame):
        raise Late

    before = signal.signal(signal.SIGALRM, late)
    try:
        for _ in range(8):
            interrupted(model, x, y, seconds=step)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    beside = cnnspec.compile(**how)
    while beside.steps < model.steps:
        beside.train_step(x, y)
    for name, values in model.parameters.items():
        np.testing.assert_array_equal(values, beside.parameters[name], err_msg=name)
    assert model.train_step(x, y) == beside.train_step(x, y)
    model.close()


@every_kind
@pytest.mark.parametrize("at", ["run", "reduce_gradients", "squares"])
def test_ctrl_c_amid_an_update_comes_after_the_step(workers, parallel, at):
    x, y = images(16, 3, 16, 16), np.arange(16) % 4
    text = f"{NORMED}train {{ optimiser sgd lr 0.1 momentum 0.9 clip 0.5 }}\n"
    how = {"text": text, "batch": 16, "seed": 0, "shards": 2}
    model, beside = cnnspec.compile(**how, workers=workers, parallel=parallel), cnnspec.compile(**how)
    for made in (model, beside):
        made.train_step(x, y)
    under_way = getattr(model.engine.update, at)

    def interrupt(*arguments, **named):
        signal.raise_signal(signal.SIGINT)
        return under_way(*arguments, **named)

    setattr(model.engine.update, at, interrupt)
    with pytest.raises(KeyboardInterrupt):
        model.train_step(x, y)
    setattr(model.engine.update, at, under_way)
    beside.train_step(x, y)
    assert model.steps == 2
    assert model.train_step(x, y) == beside.train_step(x, y)
    for name, values in model.parameters.items():
        np.testing.assert_array_equal(values, beside.parameters[name], err_msg=name)
    model.close()


def test_ctrl_c_in_fit_is_a_keyboard_interrupt_after_a_whole_step():
    x, y = images(64, 3, 16, 16), np.arange(64) % 4
    model = cnnspec.compile(text=NORMED, batch=16, seed=0)
    learn = model.engine.learn

    def interrupt(*arguments):
        if model.steps == 5:
            os.kill(os.getpid(), signal.SIGINT)
        return learn(*arguments)

    model.engine.learn = interrupt
    with pytest.raises(KeyboardInterrupt, match="interrupted after step 6 of 40"):
        model.fit(x, y, epochs=10)
    assert model.steps == 6
    del model.engine.learn
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    assert len(model.fit(x, y, epochs=1)) == 1


@pytest.mark.skipif(not hasattr(signal, "SIGUSR1"), reason="this system has no such signal")
def test_a_signals_function_may_ask_within_an_answer_and_not_change():
    x, y = images(8, 1, 8, 8), np.arange(8) % 3
    model = cnnspec.compile(text=SMALL, batch=8, seed=0)
    right = model.predict(x)
    found = []

    def answer(number, frame):
        found.append(model.predict(x))
        with pytest.raises(SpecError) as raised:
            model.train_step(x, y)
        found.append(raised.value.diagnostics[0].code)

    ready = model.engine._ready

    def within(*arguments):
        model.engine._ready = ready
        os.kill(os.getpid(), signal.SIGUSR1)
        return ready(*arguments)

    model.engine._ready = within
    before = signal.signal(signal.SIGUSR1, answer)
    try:
        np.testing.assert_array_equal(model.predict(x), right)
    finally:
        signal.signal(signal.SIGUSR1, before)
    np.testing.assert_array_equal(found[0], right)
    assert found[1] == "CNN318"
    assert model.train_step(x, y) > 0


@every_kind
@pytest.mark.parametrize("use", ["predict", "cost", "metrics"])
def test_an_answer_in_several_batches_is_of_the_parameters_after_one_step(use, workers, parallel):
    """Another thread takes a step amid it: it is made anew, and the step after that waits for it."""
    how = {"text": NORMED, "batch": 8, "seed": 0, "shards": 2, "workers": workers, "parallel": parallel}
    x, y = images(20, 3, 16, 16), np.arange(20) % 4

    def asked(model):
        if use == "predict":
            return model.predict(x)
        return np.array(list(model.evaluate(x, y, metrics=["f1"] * (use == "metrics")).values()))

    with cnnspec.compile(**how) as model, cnnspec.compile(**{**how, "workers": 1}) as beside:
        engine, threads = model.engine, []
        name = {"predict": "forward", "cost": "measure", "metrics": "judge"}[use]
        batch, counted = getattr(engine, name), []

        def one(*arguments, **named):
            found = batch(*arguments, **named)
            counted.append(found)
            if len(threads) < 2 and len(counted) in (1, 2):
                threads.append(threading.Thread(target=model.train_step, args=(x[:8], y[:8])))
                threads[-1].start()
                threads[-1].join(300 if len(threads) == 1 else 0.01)
            return found

        setattr(engine, name, one)
        found = asked(model)
        threads[1].join(300)
        assert model.steps == 2 and len(counted) == 4
        beside.train_step(x[:8], y[:8])
        np.testing.assert_array_equal(found, asked(beside))


@pytest.mark.parametrize("use", ["train_step", "gradients"])
def test_what_is_frozen_is_asked_for_within_the_turn(use, monkeypatch):
    model, seen = cnnspec.compile(text=SMALL, batch=8, seed=0), []
    monkeypatch.setattr(type(model), "epoch", property(lambda self: seen.append(self.engine.turn.owner) or 0))
    getattr(model, use)(images(4, 1, 8, 8), np.arange(4) % 3)
    assert seen == [threading.get_ident()]


def test_steps_are_counted_right_amid_one_that_is_made_in_several_goes(monkeypatch):
    model = cnnspec.compile(text=f"{SMALL}\ntrain {{ accumulate 2 }}", batch=8, seed=0)
    seen, run = [], model.engine._run
    monkeypatch.setattr(model.engine, "_run", lambda call: seen.append((model.steps, model.rate)) or run(call))
    for _ in range(2):
        model.train_step(images(8, 1, 8, 8), np.arange(8) % 3)
    assert [steps for steps, _ in seen] == [1, 1, 2, 2]


@pytest.mark.skipif(not hasattr(signal, "SIGUSR1"), reason="this system has no such signal")
def test_a_signals_function_may_ask_within_an_answer_that_a_change_waits_for():
    """The change holds the door until the answer is there."""
    x, y = images(8, 1, 8, 8), np.arange(8) % 3
    model = cnnspec.compile(text=SMALL, batch=8, seed=0)
    right, ready, found = model.predict(x), model.engine._ready, []
    change = threading.Thread(target=model.train_step, args=(x, y), daemon=True)

    def within(*arguments):
        model.engine._ready = ready
        change.start()
        deadline = time.monotonic() + 300
        while model.engine.turn.door.acquire(blocking=False):
            model.engine.turn.door.release()
            assert time.monotonic() < deadline
        os.kill(os.getpid(), signal.SIGUSR1)
        return ready(*arguments)

    model.engine._ready = within
    before = signal.signal(signal.SIGUSR1, lambda number, frame: found.append(model.predict(x)))
    try:
        found.append(model.predict(x))
    finally:
        signal.signal(signal.SIGUSR1, before)
    change.join(300)
    for answer in found:
        np.testing.assert_array_equal(answer, right)
    assert len(found) == 2 and model.steps == 1


@pytest.mark.parametrize("when", ["before", "after"])
def test_who_asks_again_just_before_or_behind_an_answer_does_not_wait_for_itself(when):
    """As the function of a signal may, between the lock of a lane and what is done within it."""
    x = images(8, 1, 8, 8)
    model = cnnspec.compile(text=SMALL, batch=8, seed=0)
    right, lane, found = model.predict(x), model.engine.turn.lanes[0], []

    class Interrupted:
        def __init__(self, lock):
            self.lock = lock

        def __enter__(self):
            self.lock.acquire()
            self.ask("before")

        def __exit__(self, *exception):
            self.ask("after")
            self.lock.release()

        def ask(self, now):
            if now == when:
                lane.lock = self.lock
                found.append(model.predict(x))

    def work(k):
        lane.lock = Interrupted(lane.lock)
        found.append(model.predict(x))

    together(1, work)
    for answer in found:
        np.testing.assert_array_equal(answer, right)
    assert len(found) == 2


@pytest.mark.skipif(not hasattr(signal, "SIGUSR1"), reason="this system has no such signal")
def test_a_signals_function_that_asks_while_signals_are_being_held_gives_all_of_them_back(monkeypatch):
    """Its own hold ends before the other is complete: Ctrl-C was never heard again."""
    turn, set_signal, order = Turn(Lane), signal.signal, []

    def ask(number, frame):
        with turn:
            order.append("asked")

    def replaced(number, answer):
        found = set_signal(number, answer)
        if not order:
            order.append(number)
            os.kill(os.getpid(), signal.SIGUSR1)
        return found

    def interrupted(number, frame):
        order.append("interrupted")

    before = {
        signal.SIGUSR1: signal.signal(signal.SIGUSR1, ask),
        signal.SIGINT: signal.signal(signal.SIGINT, interrupted),
    }
    try:
        with monkeypatch.context() as patch:
            patch.setattr(turns, "_signal", SimpleNamespace(signal=replaced, getsignal=signal.getsignal))
            with turn:
                signal.raise_signal(signal.SIGINT)
                order.append("held")
        assert [signal.getsignal(number) for number in before] == [ask, interrupted]
    finally:
        for number, answer in before.items():
            signal.signal(number, answer)
    assert order == [signal.SIGINT, "asked", "held", "interrupted"]


def test_a_turn_is_one_threads_and_may_be_taken_again():
    turn = Turn(Lane)
    order = []

    def work(k):
        for _ in range(50):
            with turn, turn:
                order.append(k)
                time.sleep(0)
                order.append(k)

    together(3, work)
    assert order[::2] == order[1::2] and len(order) == 300
