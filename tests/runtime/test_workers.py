"""Workers: the bits depend on the shards alone, a worker that dies is an error, nothing is left behind."""

import gc
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import numpy as np
import pytest
from allocated import allocated

from cnnspec.diagnostics import SpecError
from cnnspec.ir import Builder, data
from cnnspec.ir.leaves import Input
from cnnspec.runtime import call as runtime_call
from cnnspec.runtime import update
from cnnspec.runtime.call import Call, Order, Shard, bind_some
from cnnspec.runtime.engine import Engine
from cnnspec.runtime.load import Text
from cnnspec.runtime.plans import array
from cnnspec.runtime.processes import Processes, possible
from cnnspec.runtime.words import WakeEvent, Words, WorkerDied, WorkerError
from cnnspec.runtime.workers import Threads, workers
from cnnspec.settings.optimisers.adam import Adam
from cnnspec.settings.optimisers.sgd import Sgd
from cnnspec.words import WORDS
from cnnspec.words.conv import Conv
from cnnspec.words.costs import CrossEntropy

programs = pytest.mark.skipif(not possible(), reason="workers are threads here")


def network():
    b = Builder()
    value = b.add(Input(data(2, 8, 8)), name="input")
    words = (Conv((16, 3, 3), pad="same"), "bn", "relu", Conv((16, 3, 3), pad="same"), "relu", "flatten")
    for k, word in enumerate(words):
        value = b.add(WORDS[word]() if isinstance(word, str) else word, value, name=f"v{k}")
    value = b.add(WORDS["softmax"](), b.add(WORDS["dense"]((4,)), value, name="dense"), name="p")
    return b.graph(("input",), (value,))


def engine(shards, count, parallel, optimiser=Sgd(momentum=0.9)):  # noqa: B008  a frozen record
    return Engine(network(), (CrossEntropy(),), optimiser, shards=shards, workers_wanted=count, parallel=parallel)


def batch(n=70):
    random = np.random.default_rng(5)
    target = np.eye(4, dtype="float32")[random.integers(0, 4, n)]
    return {"input": random.normal(size=(n, 2, 8, 8)).astype("float32"), "p.target": target}


def trained(shards, count, parallel, *optimiser):
    made = engine(shards, count, parallel, *optimiser)
    costs = [made.learn(batch(n), 0.1)[0] for n in (70, 70, 33, 70)]
    shown = made.measure(batch())
    bits = b"".join(made.parameters[name].tobytes() for name in made.parameters)
    made.close()
    return costs, shown, bits


@programs
@pytest.mark.parametrize("shards", [2, 3])
def test_bits_depend_on_shards_not_on_workers(shards):
    alone = trained(shards, 1, "threads")
    for count in (2, 3):
        for parallel in ("threads", "processes"):
            assert trained(shards, count, parallel) == alone


@programs
def test_a_clipped_step_has_the_same_bits_on_any_workers(monkeypatch):
    monkeypatch.setattr(update, "CHUNK", 1000)  # seven of them, which reach over the workers' parts
    optimiser = Adam(clip=0.01)
    alone = trained(3, 1, "threads", optimiser)
    for parallel in ("threads", "processes"):
        assert trained(3, 3, parallel, optimiser) == trained(3, 2, parallel, optimiser) == alone


def calls(made):
    """All calls that an engine makes."""
    return [call for plan in made.turn.lanes[0].plans.values() for call in plan.calls.values()]


@programs
@pytest.mark.parametrize(("shards", "optimiser"), [(2, Sgd(momentum=0.9)), (3, Adam(clip=0.01))])
def test_bits_do_not_depend_on_who_made_which_call(shards, optimiser):
    """The caller alone makes every other one, as it does where workers wait for a processor."""
    made, one = engine(shards, 2, "processes", optimiser), engine(shards, 1, "threads", optimiser)
    for step, n in enumerate((70, 70, 33, 33, 70)):
        for call in calls(made):
            call.pace.alone = step % 2 == 1
        assert made.learn(batch(n), 0.1) == one.learn(batch(n), 0.1)
        assert made.measure(batch(n)) == one.measure(batch(n))
    assert made.p.flat.tobytes() == one.p.flat.tobytes()
    assert made.s.flat.tobytes() == one.s.flat.tobytes()
    assert [call.by_one is not None for call in calls(made)] == [True] * 4
    made.close()


@programs
def test_a_worker_that_is_killed_while_the_caller_goes_on_alone_is_told_of_when_it_is_needed():
    made = engine(2, 2, "processes")
    made.learn(batch(), 0.1)
    (call,), (child,) = calls(made), made.workers.children
    call.pace.alone = True
    os.kill(child.pid, signal.SIGKILL)
    child.wait()
    made.learn(batch(), 0.1)
    call.pace.alone = False
    with pytest.raises(SpecError, match="a worker process died"):
        made.learn(batch(), 0.1)
    assert made.steps == 2
    made.learn(batch(), 0.1)
    made.close()


@programs
@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this system keeps no program on one processor")
def test_two_workers_on_one_processor_leave_the_work_to_the_caller(monkeypatch):
    monkeypatch.setattr(runtime_call, "SPELL", 0.1)
    made = engine(2, 2, "processes")
    made.learn(batch(6), 1e-3)
    (call,) = calls(made)
    call.pace.note(1e-4)  # as on a machine that nobody else uses
    before = os.sched_getaffinity(0)
    try:
        for process in (0, made.workers.children[0].pid):
            os.sched_setaffinity(process, {min(before)})
        deadline = time.monotonic() + 300
        while not call.pace.alone or call.pace.trying:
            assert time.monotonic() < deadline
            made.learn(batch(6), 1e-3)
    finally:
        os.sched_setaffinity(0, before)
        made.close()


def test_another_number_of_shards_is_the_same_to_rounding():
    one, two = trained(1, 1, "threads"), trained(2, 1, "threads")
    assert one[0] == pytest.approx(two[0], rel=1e-4)
    assert one[2] != two[2]


@programs
def test_a_killed_worker_is_an_error_and_the_next_step_goes_on():
    made, beside = engine(2, 2, "processes"), engine(2, 1, "threads")
    made.learn(batch(), 0.1)
    beside.learn(batch(), 0.1)
    (child,) = made.workers.children
    os.kill(child.pid, signal.SIGKILL)
    child.wait()
    with pytest.raises(SpecError) as raised:
        made.learn(batch(), 0.1)
    (finding,) = raised.value.diagnostics
    assert (finding.code, finding.message) == ("CNN316", "a worker process died (signal 9)")
    assert made.steps == 1
    assert made.learn(batch(), 0.1) == beside.learn(batch(), 0.1)
    made.close()


@programs
def test_a_step_is_half_made_where_any_worker_had_begun_to_change_parameters(monkeypatch):
    """The caller, who has not, hears that one is no more."""
    made = engine(2, 2, "processes")
    made.learn(batch(), 0.1)
    words, (child,) = made.workers.words.words, made.workers.children

    def late():
        while words[Words.slot(1) + 8] < made.workers.sequence:
            assert child.poll() is None
        raise WorkerDied("a worker process died")

    monkeypatch.setattr(made.update, "scale", late)
    before = made.p.flat.copy()
    with pytest.raises(SpecError, match="half a step on"):
        made.learn(batch(), 0.1)
    assert (made.p.flat != before).any() and made.steps == 2
    made.close()


def order(memory, source, arenas=(0, 0)):
    """A call of some shards, whose `forward` is given."""
    zeros = array(memory, len(arenas), "float64")
    text = Text(f"def buffers(b, p, g, a, k, m, c, feeds, fetches):\n    pass\n\n{source}", "<plan>", {}, {})
    shards = tuple(
        Shard(text, size, zeros, {}, None, {}, {}, {}, {"shard": k, "costs": zeros})
        for k, size in enumerate(arenas)
    )
    rule = update.rule(Sgd(), ())
    told = (rule, zeros, {}, (), zeros, zeros, None, zeros)
    cuts = tuple((k, k + 1) for k in range(len(arenas)))
    return Order("infer", "float32", shards, cuts, (1, 0), (), zeros, 0, (), told)


def work(team, source, arenas=(0, 0), count=2):
    told = order(team.memory, source, arenas if count == 2 else (0,) * count)
    bound = bind_some(told.shards, range(1 if team.memory.shared else count), "float32", np.zeros(0, "uint8"))
    return Call(told, bound, update.Update(*told.update), count, team.barrier)


@programs
@pytest.mark.parametrize("parallel", ["threads", "processes"])
def test_a_worker_that_fails_says_why(parallel):
    pair = workers(2, parallel)
    failing = "def forward(b, p):\n    if b.shard == 1:\n        raise ValueError('the reason')\n    yield\n"
    with pytest.raises((WorkerError, ValueError), match="the reason"):
        pair.run(work(pair, failing))
    fine = work(pair, "def forward(b, p):\n    yield\n    b.costs[b.shard] = b.shard + 1\n")
    pair.run(fine)
    assert list(fine.order.costs) == [1, 2]
    pair.close()


@programs
def test_memory_that_runs_out_in_a_worker_is_a_memory_error():
    pair = Processes(2)
    with pytest.raises(MemoryError, match="a worker process ran out of memory"):
        pair.run(work(pair, "def forward(b, p):\n    if b.shard == 1:\n        raise MemoryError\n    yield\n"))
    with pytest.raises(MemoryError, match="a worker process ran out of memory"):
        pair.run(work(pair, "def forward(b, p):\n    yield\n", arenas=(0, 1 << 60)))
    pair.close()


@programs
def test_what_grows_with_the_batch_is_each_workers_own():
    """Its pages are large where the system has such; those of memory that processes share often are not."""
    made = engine(2, 2, "processes")
    for n in (2, 500, 70):  # room for a larger batch is made, and used for a smaller one
        assert np.isfinite(made.learn(batch(n), 0.1)[0])
    plan = made.plan("train", 500)
    assert made.workers.memory.place(made.arena) is None
    assert made.arena.size == plan.programs[0].arena_bytes  # this worker's shard, not that of the other
    assert made.workers.memory.size < plan.arena_bytes
    made.close()


@pytest.mark.parametrize("make", [Threads, pytest.param(Processes, marks=programs)])
def test_a_failure_of_the_caller_ends_the_waiting_of_the_others(make):
    pair = make(2)
    with pytest.raises(KeyError, match="mine"):
        pair.run(
            work(pair, "def forward(b, p):\n    if b.shard == 0:\n        raise KeyError('mine')\n    yield\n")
        )
    fine = work(pair, "def forward(b, p):\n    b.costs[b.shard] = b.shard + 1\n    yield\n")
    pair.run(fine)
    assert list(fine.order.costs) == [1, 2]
    pair.close()


@programs
def test_who_was_asked_for_a_call_that_the_caller_gave_up_is_ended(monkeypatch):
    """Else it goes on with that amid the next one."""
    pair = Processes(2)
    task = work(pair, "def forward(b, p):\n    b.costs[b.shard] += 1\n    yield\n")
    pair.run(task)

    def interrupted(self):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Processes, "_wake", interrupted)
        with pytest.raises(KeyboardInterrupt):
            pair.run(task)
    assert pair.children == []
    task.order.costs[:] = 0
    pair.run(task)
    assert list(task.order.costs) == [1, 1]
    pair.close()


def test_a_caller_who_is_interrupted_while_it_waits_for_threads_has_new_ones():
    """Whoever it did not wait for has said that it is done: the next call would not wait for it."""
    team = Threads(3)
    task = work(team, "def forward(b, p):\n    yield\n", count=3)
    team.run(task)
    crew = team.crew

    class Interrupted:
        def acquire(self):
            done.acquire()
            raise KeyboardInterrupt

        def release(self):
            done.release()

    done, crew.done[1] = crew.done[1], Interrupted()
    with pytest.raises(KeyboardInterrupt):
        team.run(task)
    late = "import time\ndef forward(b, p):\n    yield\n    if b.shard == 2:\n        time.sleep(0.05)\n"
    task = work(team, f"{late}    b.costs[b.shard] = b.shard + 1\n", count=3)
    team.run(task)
    assert list(task.order.costs) == [1, 2, 3]
    team.close()


@programs
@pytest.mark.skipif(not Path("/dev/shm").exists(), reason="shared memory is not to be seen here")
def test_kill_9_of_the_parent_ends_its_workers_and_leaves_no_memory():
    code = """
        import sys
        sys.path[:0] = sys.argv[1:]
        import test_workers
        made = test_workers.engine(2, 2, "processes")
        made.learn(test_workers.batch(), 0.1)
        print(made.workers.children[0].pid, flush=True)
        while True:
            made.learn(test_workers.batch(), 0.1)
    """
    here = Path(__file__).parent
    command = [sys.executable, "-c", textwrap.dedent(code), here, here.parent / "support"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        shared = {line.split(maxsplit=5)[-1] for line in Path(f"/proc/{child}/maps").read_text().splitlines()}
        parent.kill()
    deadline = time.monotonic() + 300
    while alive(child):
        assert time.monotonic() < deadline, "a worker outlives its parent"
        time.sleep(0.05)
    left = [name for name in shared if name.startswith("/dev/shm/") and os.path.exists(name)]
    assert not left, "memory that nobody uses any more has a name"


def alive(process):
    """Whether a process is there and not merely waiting to be reaped."""
    try:
        stat = Path(f"/proc/{process}/stat").read_text()
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"


def test_a_steady_step_allocates_nothing_that_grows_with_the_batch():
    def most(n):
        made = engine(1, 1, "threads")
        feeds = batch(n)
        for _ in range(2):
            made.learn(feeds, 0.1)
        peak = allocated(lambda: made.learn(feeds, 0.1))
        made.close()
        return peak

    image = 2 * 8 * 8 * 4  # bytes; a hidden layer has eight times as many
    assert most(192) - most(64) < 16 * image


@programs
def test_idle_children_sleep_and_are_woken_for_those_who_ask_again():
    made = Processes(2)
    task = work(made, "def forward(b, p):\n    yield\n")
    made.run(task)
    try:
        assert wait_for(lambda: not made.awake(), pause=0.2), "an idle child must sleep"
        assert wait_for(made.awake, pause=0.001), "who asks again soon finds it awake"
        made.run(task)
        time.sleep(0.2)
        made.run(task)  # a sleeping child is woken for work that needs it
    finally:
        made.close()


@programs
@pytest.mark.skipif(not os.path.exists("/proc/self/stat"), reason="this system does not tell a process's time")
def test_an_idle_worker_takes_next_to_no_time():
    def ticks(child):
        return sum(map(int, Path(f"/proc/{child.pid}/stat").read_text().rpartition(")")[2].split()[11:13]))

    made = Processes(2)
    try:
        made.run(work(made, "def forward(b, p):\n    yield\n"))
        (child,) = made.children
        for _ in range(20):  # it rests for longer and longer
            before = ticks(child)
            time.sleep(1)
            if ticks(child) - before <= 2:  # of a hundred
                return
        pytest.fail("it never comes to rest")
    finally:
        made.close()


def wait_for(true, pause):
    end = time.monotonic() + 300
    while not (found := true()) and time.monotonic() < end:
        time.sleep(pause)
    return found


@programs
@pytest.mark.parametrize("event", [True, False], ids=["event", "pipe"])
def test_a_wake_event_is_seen_once_and_never_blocks(event, monkeypatch):
    if not event:  # as on systems that have none
        monkeypatch.delattr(os, "eventfd", raising=False)
    wake_event = WakeEvent()
    try:
        assert not wake_event.wait(0)
        for _ in range(100_000):  # more than a pipe holds
            wake_event.set()
        while wake_event.wait(0):
            pass
        wake_event.set()
        assert wake_event.wait(0) and not wake_event.wait(0)
    finally:
        wake_event.close()


@programs
@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="this system does not list its open files")
def test_files_and_children_are_given_back():
    gc.collect()  # what tests before this one hold
    before = os.listdir("/proc/self/fd")
    made = Processes(3)
    made.run(work(made, "def forward(b, p):\n    yield\n"))
    with_workers, children = len(os.listdir("/proc/self/fd")), [child.pid for child in made.children]
    made.close()
    assert not any(map(alive, children))
    assert with_workers - 4 == len(os.listdir("/proc/self/fd"))  # two wake events, two pipes
    del made
    assert len(os.listdir("/proc/self/fd")) == len(before)
