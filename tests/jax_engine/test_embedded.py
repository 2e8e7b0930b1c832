"""A model on JAX in a larger program: several threads, a fork, a copy."""

import copy
import gc
import os
import threading
import warnings

import numpy as np
import pytest

import cnnspec
from cnnspec.diagnostics import SpecError

pytest.importorskip("jax", reason="the engine on JAX is the extra cnnspec[jax], which is not installed")

TEXT = "input 1x6x6\nconv 2x3x3 -> relu -> dense 3 -> softmax"
X = np.random.default_rng(0).normal(size=(4, 1, 6, 6)).astype("float32")
Y = np.arange(4) % 3


def compiled():
    return cnnspec.compile(text=TEXT, batch=4, seed=0, engine="jax", devices=1)


def test_threads_take_turns_with_a_training():
    """A step gives the memory of the old parameters away, in which another thread would still read."""
    model, beside = compiled(), compiled()
    answers = [beside.predict(X)]
    for _ in range(15):
        beside.train_step(X, Y)
        answers.append(beside.predict(X))
    seen, failures = [], []

    def ask():
        try:
            while model.steps < 15:
                seen.append(model.predict(X))
        except BaseException as failure:
            failures.append(failure)

    threads = [threading.Thread(target=ask) for _ in range(2)]
    for thread in threads:
        thread.start()
    for _ in range(15):
        model.train_step(X, Y)
    for thread in threads:
        thread.join()
    assert not failures
    for found in seen:
        assert min(np.abs(found - answer).max() for answer in answers) < 1e-6


def test_what_is_set_while_a_step_is_made_stays_set(monkeypatch):
    """The step puts its own parameters in the place of those that it read."""
    model = compiled()
    model.train_step(X, Y)
    executable, values = model.engine.executable, np.ones((3,), "float32")

    def late(*arguments):
        step = executable(*arguments)

        def taken(*arrays):
            setting.start()
            setting.join(0.05)
            return step(*arrays)

        return taken

    setting = threading.Thread(target=model.parameters.__setitem__, args=("dense1.bias", values))
    with monkeypatch.context() as patch:
        patch.setattr(model.engine, "executable", late)
        model.train_step(X, Y)
    setting.join()
    np.testing.assert_array_equal(model.parameters["dense1.bias"], values)


def test_a_step_that_fails_is_not_counted(monkeypatch):
    model, beside = compiled(), compiled()
    with monkeypatch.context() as patch:
        patch.setattr(model.engine, "numbers", lambda *arguments: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            model.train_step(X, Y)
    assert model.steps == 0
    assert model.train_step(X, Y) == beside.train_step(X, Y)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_forked_process_is_told_that_jax_does_not_work_there():
    model = compiled()
    model.predict(X)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # JAX's own, of the fork
        child = os.fork()
    if child == 0:
        gc.freeze()  # what others left behind would wait for threads of JAX's, were it collected here
        code = 1
        try:
            model.predict(X)
        except SpecError as error:
            code = 0 if error.diagnostics[0].code == "CNN317" else 2
        finally:
            os._exit(code)
    assert os.waitpid(child, 0)[1] == 0
    model.predict(X)


def test_a_copy_goes_on_as_its_original():
    model = compiled()
    model.train_step(X, Y)
    made = copy.deepcopy(model)
    assert made.train_step(X, Y) == model.train_step(X, Y)
    np.testing.assert_array_equal(made.predict(X), model.predict(X))
