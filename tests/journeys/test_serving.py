"""Days of a model inside of another program: threads, forks, copies, many of them."""

from __future__ import annotations

import os

import numpy as np
import pytest

# a network whose answer anybody can compute: the mean of each third of the image, then softmax
SERVE = """
import sys, numpy as np, cnnspec
workers, parallel = int(sys.argv[1]), sys.argv[2]
m = cnnspec.compile(text="input 1x1x6\\ndense 3 -> softmax", seed=0, batch=4, workers=workers, parallel=parallel)
w = np.zeros((3, 6)); w[0, :2] = w[1, 2:4] = w[2, 4:] = 0.5
m.parameters["dense1.weight"], m.parameters["dense1.bias"] = w, np.zeros(3)

def right(x):
    z = x.reshape(len(x), 3, 2).mean(2)
    e = np.exp(z - z.max(1, keepdims=True))
    return e / e.sum(1, keepdims=True)

def images(seed, n=7):
    return np.random.default_rng(seed).normal(size=(n, 1, 1, 6))
"""
THREADS = (
    SERVE
    + """
import threading
wrong, asked = [], []

def ask(seed):
    for k in range(25):
        x = images(100 * seed + k, 1 + k % 9)
        asked.append(1)
        if not np.allclose(m.predict(x), right(x), atol=1e-5):
            wrong.append(seed)

threads = [threading.Thread(target=ask, args=(seed,)) for seed in range(8)]
[t.start() for t in threads]; [t.join() for t in threads]
print(len(wrong), len(asked))
"""
)
FORKS = (
    SERVE
    + """
import os
x = images(1)
assert np.allclose(m.predict(x), right(x), atol=1e-5)
children = []
for number in range(3):
    child = os.fork()
    if child == 0:
        code = 1
        try:
            import signal; signal.alarm(300)
            y = images(number + 2)
            code = 0 if np.allclose(m.predict(y), right(y), atol=1e-5) else 2
            m.train_step(y, np.arange(7) % 3)  # its own business: nobody else may notice
        finally:
            os._exit(code)
    children.append(child)
codes = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
print(codes, np.allclose(m.predict(x), right(x), atol=1e-5))
"""
)
WAYS = [(1, "threads"), (2, "threads"), (2, "processes")]


@pytest.mark.parametrize(("workers", "parallel"), WAYS)
def test_eight_threads_of_a_server(day, workers, parallel):
    assert day.python(THREADS, workers, parallel).out.split() == ["0", "200"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
@pytest.mark.parametrize(("workers", "parallel"), WAYS)
def test_a_server_that_forks_after_loading(day, workers, parallel):
    assert day.python(FORKS, workers, parallel).out.strip() == "[0, 0, 0] True"


def test_a_model_is_sent_to_processes_that_are_started_anew(day):
    day.write("serve.py", SERVE.replace("int(sys.argv[1]), sys.argv[2]", "1, 'threads'") + """
from multiprocessing import get_context

def ask(model, seed):
    return model.predict(images(seed))

if __name__ == "__main__":
    with get_context("spawn").Pool(2) as pool:
        found = pool.starmap(ask, [(m, seed) for seed in range(4)])
    print(all(np.allclose(f, right(images(seed)), atol=1e-5) for seed, f in enumerate(found)))
""")  # fmt: skip
    assert day.run([*day.command()[:1], "serve.py"]).out.strip() == "True"


def test_a_search_that_drops_a_hundred_models(day):
    program = """
import gc, os, threading, numpy as np, cnnspec
x, y = np.random.default_rng(0).normal(size=(16, 1, 8, 8)), np.arange(16) % 3
children = lambda: [p for p in os.listdir("/proc") if p.isdigit() and parent(p) == os.getpid()]
def parent(p):
    try: return int(open(f"/proc/{p}/stat").read().rpartition(")")[2].split()[1])
    except OSError: return 0
size = lambda: int(open("/proc/self/statm").read().split()[1]) * 4 // 1024
sizes = []
for i in range(100):
    m = cnnspec.compile(text="input 1x8x8\\nconv 8x3x3 -> relu -> dense 3 -> softmax", seed=i, batch=16,
                        workers=1 + i % 2, parallel="processes" if i % 10 == 1 else "threads")
    m.train_step(x, y)
    sizes.append(size())
del m
gc.collect()
print(threading.active_count(), len(children()), sizes[-1] - sizes[30])
"""
    if not os.path.isdir("/proc/self"):
        pytest.skip("there is no /proc here")
    threads, processes, growth = map(int, day.python(program).out.split())
    assert (threads, processes) == (1, 0) and growth < 20  # MiB


def test_a_notebook_that_closes_copies_and_goes_on(day):
    program = (
        SERVE
        + """
import copy, pickle
x, y = images(3, 8), np.arange(8) % 3
twin, parcel = copy.deepcopy(m), pickle.loads(pickle.dumps(m))
m.close()
costs = [[model.train_step(x, y) for _ in range(3)] for model in (m, twin, parcel)]
print(np.ptp(np.array(costs), axis=0).max() == 0)
with m:
    m.predict(x)
print(np.allclose(m.predict(x), twin.predict(x), atol=0))
"""
    )
    for workers, parallel in WAYS:
        assert day.python(program, workers, parallel).out.split() == ["True", "True"]


def test_epochs_one_by_one_with_two_heads_by_name(day):
    program = """
import numpy as np, cnnspec
r = np.random.default_rng(0)
x = r.normal(size=(60, 4))
kind, height = (x[:, 0] > 0).astype(int), 2 * x[:, 1:2] - 1
m = cnnspec.compile(text='''input 4
net kind = @input -> dense 2 -> softmax
net height = @input -> dense 1
train { cost cross_entropy of kind ; cost mse of height ; optimiser adam lr 0.05 ; batch 10 }''', seed=0)
names = list(m.predict(x[:1]))
y = {name: kind if "softmax" in name else height for name in names}
for epoch in range(60):
    m.fit(x, y, epochs=1)
found = m.predict(x)
softmax, dense = sorted(names, key=lambda name: "softmax" not in name)
print((found[softmax].argmax(1) == kind).mean() > 0.95, abs(found[dense] - height).max() < 0.2)
"""
    assert day.python(program).out.split() == ["True", "True"]


def test_arrays_that_a_colleague_stored_with_the_channels_last(day):
    draw = np.random.default_rng(2)
    x = draw.integers(0, 60, (60, 8, 8, 3), dtype=np.uint8)
    y = np.arange(60) % 3
    x[np.arange(60), :, :, y] += 150  # the class is the channel that is bright
    np.savez(day / "photos.npz", x=x, y=y)
    spec = """input 3x8x8
gap -> dense 3 -> softmax
data { source npz "photos.npz" ; validation 0 }
train { optimiser adam lr 5e-2 ; batch 8 ; epochs 30 }
"""
    day.write("colour.cnn", spec)
    said = day.tell("run", "colour.cnn", "--workers", 1)
    assert said.code == 1 and "axes nhwc" in said.err and not (day / "runs").exists()
    day.write("colour.cnn", spec.replace('.npz"', '.npz" axes nhwc'))
    assert day.well("run", "colour.cnn", "--workers", 1).number("test accuracy") == 1.0
