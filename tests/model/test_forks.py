"""Processes forked or spawned from one that has models: a child's model is its own, and answers as the parent's."""

import gc
import multiprocessing
import os
import signal
import subprocess
import sys
import textwrap
import threading
from concurrent.futures import ProcessPoolExecutor

import numpy as np
import pytest

import cnnspec
from cnnspec.diagnostics import SpecError
from cnnspec.runtime import memory, processes
from cnnspec.runtime.processes import Processes, possible
from cnnspec.runtime.workers import Threads

forking = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
programs = pytest.mark.skipif(not possible(), reason="workers are threads here")
KINDS = [
    pytest.param(1, "threads", id="one worker"),
    pytest.param(2, "threads", id="threads"),
    pytest.param(2, "processes", id="processes", marks=programs),
]
every_kind = pytest.mark.parametrize(("workers", "parallel"), KINDS)
pytestmark = pytest.mark.filterwarnings("ignore:os.fork")  # of other libraries that other tests loaded
TEXT = "input 1x8x8\nconv 4x3x3 bias off -> bn -> relu -> dense 3 -> softmax"
X = np.random.default_rng(0).normal(size=(8, 1, 8, 8)).astype("float32")
Y = np.arange(8) % 3


def compiled(workers=1, parallel="threads"):
    shards = max(2, workers)
    return cnnspec.compile(text=TEXT, batch=4, seed=0, shards=shards, workers=workers, parallel=parallel)


def fork():
    """A child of which all that others left behind is never collected: JAX would wait for threads that it lacks."""
    child = os.fork()
    if child == 0:
        gc.freeze()
        signal.alarm(300)
    return child


def in_child(task):
    """Run a task in a forked child, which must end well and soon."""
    child = fork()
    if child == 0:
        code = 1
        try:
            task()
            code = 0
        except BaseException:
            import traceback

            traceback.print_exc()
        finally:
            os._exit(code)
    assert os.waitpid(child, 0)[1] == 0


@forking
@every_kind
def test_a_forked_model_answers_as_its_parent_and_learns_for_itself(workers, parallel):
    model, beside = compiled(workers, parallel), compiled()
    for made in (model, beside):
        made.train_step(X, Y)
        made.predict(X)
    before = beside.predict(X)
    after = [beside.train_step(X, Y), beside.predict(X)]

    def child():
        np.testing.assert_array_equal(model.predict(X), before)
        assert model.train_step(X, Y) == after[0]
        np.testing.assert_array_equal(model.predict(X), after[1])
        for _ in range(3):
            model.train_step(X, Y)
        model.close()

    in_child(child)
    assert model.steps == 1
    np.testing.assert_array_equal(model.predict(X), before)
    assert model.train_step(X, Y) == after[0]
    in_child(lambda: np.testing.assert_array_equal(model.predict(X), after[1]))
    model.close()
    in_child(lambda: np.testing.assert_array_equal(model.predict(X), after[1]))
    np.testing.assert_array_equal(model.predict(X), after[1])
    model.close()


@forking
@every_kind
def test_a_fork_amid_a_training_has_the_parameters_of_a_whole_step(workers, parallel):
    """Another thread trains while this one forks: locks and half-written memory do not come along."""
    model, beside = compiled(workers, parallel), compiled()
    answers = []
    for _ in range(61):
        answers.append(beside.predict(X))
        beside.train_step(X, Y)
    thread = threading.Thread(target=lambda: [model.train_step(X, Y) for _ in range(60)])
    thread.start()

    def child():
        assert any((model.predict(X) == answer).all() for answer in answers)
        model.train_step(X, Y)

    for _ in range(4):
        in_child(child)
    thread.join()
    assert model.steps == 60
    model.close()


@forking
@every_kind
def test_children_of_children_and_many_at_once(workers, parallel):
    """As a server that forks before it is asked."""
    model = compiled(workers, parallel)
    right = model.predict(X)

    def answer():
        for _ in range(5):
            np.testing.assert_array_equal(model.predict(X), right)

    children = []
    for _ in range(3):
        child = fork()
        if child == 0:
            code = 1
            try:
                in_child(answer)
                answer()
                code = 0
            finally:
                os._exit(code)
        children.append(child)
    answer()
    assert [os.waitpid(child, 0)[1] for child in children] == [0] * 3
    model.close()


@forking
@programs
def test_a_forked_child_leaves_its_parents_workers_alone():
    model = compiled(2, "processes")
    model.train_step(X, Y)
    (worker,) = model.engine.workers.children

    def child():
        model.close()
        model.predict(X)
        (own,) = model.engine.workers.children
        assert own.pid != worker.pid

    in_child(child)
    assert worker.poll() is None
    assert np.isfinite(model.train_step(X, Y))
    assert model.engine.workers.children == [worker]
    model.close()


def trained(model):
    """What another process answers to a model that it was sent."""
    cost = model.train_step(X, Y)
    found = cost, model.predict(X)
    model.close()
    return found


@every_kind
def test_a_model_is_sent_to_spawned_processes(workers, parallel):
    model = compiled(workers, parallel)
    model.train_step(X, Y)
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        cost, answer = pool.submit(trained, model).result(300)
    assert cost == model.train_step(X, Y)
    np.testing.assert_array_equal(answer, model.predict(X))
    model.close()


def run(code, **how):
    """A program of its own; what it prints to its errors."""
    head = "import os, signal, sys, numpy as np, cnnspec\nx, y = np.zeros((8, 1, 8, 8)), np.arange(8) % 3\n"
    text = f"{head}text = {TEXT!r}\n{textwrap.dedent(code)}"
    return subprocess.run([sys.executable, "-c", text], timeout=300, stderr=subprocess.PIPE, text=True, **how)


@pytest.mark.parametrize(
    "circumstances",
    [
        "signal.signal(signal.SIGCHLD, signal.SIG_IGN)",
        "signal.signal(signal.SIGCHLD, lambda n, f: [None for _ in iter(lambda: reaped(), 0)])",
        "sys.stdout = sys.stderr = sys.stdin = None",
        "[os.close(k) for k in (0, 1)]",
        "del os.fork; sys.argv = []",
        "os.environ['PYTHONPATH'] = '/nowhere'; os.environ['OPENBLAS_NUM_THREADS'] = '8'",
        "os.chdir('/'); sys.path.insert(0, '')",
    ],
    ids=[
        "ignored children",
        "reaped children",
        "no streams",
        "closed streams",
        "no fork",
        "environment",
        "elsewhere",
    ],
)
@pytest.mark.skipif(not hasattr(os, "fork"), reason="this is about Unix")
def test_odd_circumstances(circumstances):
    """One program for all kinds of workers: most of what it takes is its start."""
    kinds = [(1, "threads"), (2, "threads"), *([(2, "processes")] if possible() else [])]
    done = run(
        f"""
        def reaped():
            try:
                return os.waitpid(-1, os.WNOHANG)[0]
            except ChildProcessError:
                return 0
        {circumstances}
        for workers, parallel in {kinds}:
            model = cnnspec.compile(text=text, batch=4, workers=workers, parallel=parallel, seed=0)
            for _ in range(3):
                assert np.isfinite(model.train_step(x, y))
                model.predict(x)
                model.close()
            model.predict(x)
        """
    )
    assert (done.returncode, done.stderr) == (0, "")


@programs
def test_a_program_without_a_guard_of_its_main_module_is_not_run_by_its_workers(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(
        f"""\
import numpy as np, cnnspec
with open({str(tmp_path / "runs")!r}, "a") as file:
    file.write("run\\n")
model = cnnspec.compile(text={TEXT!r}, batch=4, workers=2, parallel="processes")
model.train_step(np.zeros((8, 1, 8, 8)), np.arange(8) % 3)
"""
    )
    (tmp_path / "numpy.py").write_text("raise SystemExit('a file beside the script')")
    (tmp_path / "json.py").write_text("raise SystemExit('a file beside the script')")
    (tmp_path / "numpy.py").unlink()
    done = subprocess.run(
        [sys.executable, "-P", str(script)], cwd=tmp_path, timeout=300, capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "runs").read_text() == "run\n"


def test_where_no_program_may_be_started_workers_are_threads(monkeypatch):
    def forbidden(*arguments):
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(processes, "program", forbidden)
    model, beside = compiled(2, "processes"), compiled()
    assert isinstance(model.engine.workers, Threads)
    assert model.train_step(X, Y) == beside.train_step(X, Y)


@programs
def test_workers_that_cannot_be_started_any_more_are_told(monkeypatch):
    model = compiled(2, "processes")
    cost = model.train_step(X, Y)
    model.close()

    def exhausted(*arguments):
        raise BlockingIOError(11, "Resource temporarily unavailable")

    with monkeypatch.context() as patch:
        patch.setattr(processes, "program", exhausted)
        with pytest.raises(SpecError) as raised:
            model.train_step(X, Y)
    (finding,) = raised.value.diagnostics
    why = "no worker process could be started: Resource temporarily unavailable"
    assert (finding.code, finding.message) == ("CNN316", why)
    assert model.steps == 1
    assert model.train_step(X, Y) < cost
    model.close()


def test_threads_that_cannot_be_started_are_told(monkeypatch):
    model = compiled(3, "threads")
    start = threading.Thread.start
    asked = []

    def exhausted(thread):
        asked.append(thread)
        if len(asked) == 2:
            raise RuntimeError("can't start new thread")
        start(thread)

    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", exhausted)
        with pytest.raises(SpecError) as raised:
            model.train_step(X, Y)
    (finding,) = raised.value.diagnostics
    assert (finding.code, finding.message) == (
        "CNN316",
        "no worker thread could be started: can't start new thread",
    )
    assert model.steps == 0 and not any(thread.is_alive() for thread in asked)
    assert model.train_step(X, Y) > 0
    model.close()


@forking
def test_a_fork_in_the_midst_of_an_answer():
    """By the function of a signal, say: both processes go on with it."""
    model = compiled()
    right = model.predict(X)
    ready, children = model.engine._ready, []

    def within(*arguments):
        model.engine._ready = ready
        children.append(fork())
        return ready(*arguments)

    model.engine._ready = within
    code = 1
    try:
        signal.alarm(0 if children else 300)
        np.testing.assert_array_equal(model.predict(X), right)
        model.train_step(X, Y)
        code = 0
    finally:
        signal.alarm(0)
        if children == [0]:
            os._exit(code)
    assert os.waitpid(children[0], 0)[1] == 0


@forking
@programs
def test_a_child_forked_amid_an_answer_does_not_write_where_its_parent_does():
    """Both go on with one image in memory that the workers see; the parent is asked for another one first."""
    model = compiled(2, "processes")
    right, other = model.predict(X[:1]), model.predict(X[1:2])
    ready, (waits, goes), children = model.engine._ready, os.pipe(), []

    def within(*arguments, **named):
        model.engine._ready = ready
        found = ready(*arguments, **named)
        children.append(fork())
        if children == [0]:
            os.read(waits, 1)
        return found

    model.engine._ready = within
    code = 1
    try:
        np.testing.assert_array_equal(model.predict(X[:1]), right)
        if children != [0]:
            np.testing.assert_array_equal(model.predict(X[1:2]), other)
            os.write(goes, b".")
        np.testing.assert_array_equal(model.predict(X[1:2]), other)
        assert model.train_step(X, Y) > 0
        code = 0
    finally:
        if children == [0]:
            os._exit(code)
        os.close(waits)
        os.close(goes)
    assert os.waitpid(children[0], 0)[1] == 0
    model.close()


@forking
@programs
def test_a_fork_that_asks_nothing_starts_no_workers():
    model = compiled(2, "processes")
    model.train_step(X, Y)

    def child():
        assert model.engine.workers.children == []

    in_child(child)
    model.close()


@pytest.mark.parametrize("how", ["no executable", "a server", "frozen"])
def test_a_python_that_cannot_be_started_again_has_threads(monkeypatch, how):
    if how == "frozen":
        monkeypatch.setattr(sys, "frozen", True, raising=False)
    else:
        monkeypatch.setattr(sys, "executable", None if how == "no executable" else "/usr/sbin/uwsgi")
    assert isinstance(compiled(2, "processes").engine.workers, Threads)


@programs
def test_systems_without_memory_files_share_an_unlinked_one(monkeypatch, tmp_path):
    monkeypatch.delattr(os, "memfd_create", raising=False)
    monkeypatch.delattr(os, "eventfd", raising=False)
    monkeypatch.setattr(memory.tempfile, "tempdir", str(tmp_path))
    model, beside = compiled(2, "processes"), compiled()
    assert isinstance(model.engine.workers, Processes)
    for _ in range(2):
        assert model.train_step(X, Y) == beside.train_step(X, Y)
    assert not list(tmp_path.iterdir())
    model.close()
