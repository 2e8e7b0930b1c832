"""One side of a comparison: a process that runs a number of steps and reports their times.

    python -m cnnspec.bench.runner '{"engine": "torch", "mode": "train", "batch": 64, ...}'

It writes a line when its first step is done and one when it is ready, with the card that it runs on, then a line of
seconds for each number of steps that it reads, and its peak memory for an empty line. PyTorch's side imports
nothing of cnnspec's, so its memory and its start are its own.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..model.engines import Engine
    from .subject import MeasureJob

Step = Callable[[], object]
Memory = Callable[[], int]


@dataclass(frozen=True)
class Timed:
    """What a side runs: a step, the most bytes that it held so far, and how to wait for steps that were begun.

    `card` is the name of what it runs on, "" for the processor.
    """

    step: Step
    memory: Memory
    settle: Step = bool
    card: str = ""


def main() -> None:
    job = json.loads(sys.argv[1])
    answered(lambda: serve(STEPS[job["engine"]](job)))


def serve(timed: Timed) -> None:
    for event in ({"first": True}, {"ready": True, "card": timed.card}):
        timed.step()
        timed.settle()
        say(**event)
    for line in sys.stdin:
        if not line.strip():
            say(memory=timed.memory())
            continue
        start = time.perf_counter()
        for _ in range(int(line)):
            timed.step()
        timed.settle()
        say(seconds=time.perf_counter() - start)


def say(**message: object) -> None:
    print(json.dumps(message), flush=True)


def answered(work: Callable[[], None]) -> None:
    """Do a process's work; what the user is to blame for is said as diagnostics, other faults end it."""
    try:
        work()
    except Exception as error:
        diagnostics = getattr(error, "diagnostics", None)
        if diagnostics is None:
            raise
        say(diagnostics=[[d.code, d.message, d.help] for d in diagnostics])


def plan_step(job: MeasureJob) -> Timed:
    """Our plan, on workers; their own memory counts as well."""
    workers = job["workers"]
    step, engine = model_step(job, workers=workers, parallel=job["parallel"], shards=job.get("shards"))
    found = getattr(engine, "workers", None)
    return Timed(step, lambda: peak() + sum(own(child.pid) for child in getattr(found, "children", ())))


def jax_step(job: MeasureJob) -> Timed:
    """Our engine on JAX, on its first device, or on as many cores as there are workers.

    It is a card only where all sides may have one. The images lie on the device, and a step begins before the cost
    of the one before it is read.
    """
    if hasattr(os, "sched_setaffinity"):  # XLA makes a thread for each core that it may use
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: job["workers"]])
    os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")  # a card is shared with the other sides
    if not job.get("accelerated"):
        os.environ["JAX_PLATFORMS"] = "cpu"
    from ..jax.engine import Engine
    from ..model import Model
    from .subject import numbers, subject_of

    spec = subject_of(job).spec
    model = Model(spec, batch=job["batch"], engine="jax", devices=1, precision=job.get("precision"))
    engine = model.engine
    assert isinstance(engine, Engine)
    device = engine.devices.mesh.devices.flat[0]
    card = "" if device.platform == "cpu" else device.device_kind
    arrays = engine.hold(model.arrays(*numbers(spec, job["batch"])))

    def memory() -> int:
        return device.memory_stats()["peak_bytes_in_use"] if card else peak()

    if job["mode"] != "train":
        given = {name: arrays[name] for name in model.graph.inputs}
        return Timed(lambda: engine.forward(given), memory, bool, card)
    rate, begun = model.spec.train.optimiser.lr, deque[Step]()

    def step() -> None:
        begun.append(engine.start(arrays, rate))
        if len(begun) > 1:
            begun.popleft()()

    def settle() -> None:
        while begun:
            begun.popleft()()

    return Timed(step, memory, settle, card)


def model_step(
    job: MeasureJob,
    *,
    workers: int = 1,
    parallel: str = "threads",
    shards: int | None = None,
) -> tuple[Step, Engine]:
    from ..model import Model
    from .subject import numbers, subject_of

    subject = subject_of(job)
    spec = subject.spec
    model = Model(spec, batch=job["batch"], measured=subject.measured, workers=workers, parallel=parallel,
                  shards=shards)  # fmt: skip
    arrays = model.arrays(*numbers(spec, job["batch"]))
    if job["mode"] == "train":
        rate = model.spec.train.optimiser.lr
        return lambda: model.engine.learn(arrays, rate), model.engine
    given = {name: arrays[name] for name in model.graph.inputs}
    return lambda: model.engine.forward(given), model.engine


def torch_step(job: MeasureJob) -> Timed:
    """The file that `torch_program` wrote, in PyTorch eager or compiled, on a card if that is asked for and there.

    On a card float32 means float32, no TF32, and cuDNN chooses its kernels by trying them.
    """
    from runpy import run_path

    import torch

    torch.set_num_threads(job["workers"])
    torch.manual_seed(0)
    program = run_path(job["source"])
    net = program["Net"]()
    x, y = program["batch"](job["batch"])
    card = ""
    memory: Memory = peak
    settle: Step = bool
    if job.get("accelerated") and torch.cuda.is_available():
        torch.backends.cudnn.benchmark, torch.backends.cudnn.allow_tf32 = True, False
        net, x, y = net.cuda(), [values.cuda() for values in x], [values.cuda() for values in y]
        card, memory, settle = torch.cuda.get_device_name(), torch.cuda.max_memory_allocated, torch.cuda.synchronize
    if job["channels_last"]:
        net = net.to(memory_format=torch.channels_last)
        x = [values.to(memory_format=torch.channels_last) if values.ndim == 4 else values for values in x]
    if job["compiled"]:
        net = torch.compile(net)
    if job["mode"] == "train":
        step, optimiser = program["step"], program["optimiser"](net)
        return Timed(lambda: step(net, optimiser, x, y), memory, settle, card)
    net.eval()
    precision = job.get("precision", "float32")

    def infer() -> None:
        with torch.inference_mode(), torch.autocast(x[0].device.type, torch.bfloat16, precision == "bfloat16"):
            net(*x)

    return Timed(infer, memory, settle, card)


def onnx_step(job: MeasureJob) -> Timed:
    """The network as an ONNX model, in ONNX Runtime."""
    import numpy as np
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = job["workers"]
    session = onnxruntime.InferenceSession(job["source"], options, providers=["CPUExecutionProvider"])
    random = np.random.default_rng(0)
    given = {
        each.name: random.normal(size=(job["batch"], *each.shape[1:])).astype("float32")
        for each in session.get_inputs()
    }
    return Timed(lambda: session.run(None, given), peak)


def tensorflow_step(job: MeasureJob) -> Timed:
    """The file that `tensorflow_program` wrote: each step one graph, as `fit` and `predict` of Keras have it."""
    from runpy import run_path

    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(job["workers"])
    tf.config.threading.set_inter_op_parallelism_threads(1)
    tf.random.set_seed(0)
    made = run_path(job["source"])
    w = made["parameters"]()
    x, y = made["batch"](job["batch"])
    if job["mode"] == "train":
        optimiser_state = made["optimiser"](w)
        step = tf.function(lambda x, y: made["step"](w, optimiser_state, x, y))
        return Timed(lambda: step(x, y).numpy(), peak)
    infer = tf.function(lambda x: made["net"](w, x, False))
    return Timed(lambda: infer(x)[0].numpy(), peak)


def peak() -> int:
    """The most memory that this process has held, in bytes.

    Linux keeps for `getrusage` what the program held that started this one, so there its own table is asked.
    """
    table = Path("/proc/self/status")
    if table.exists():
        for line in table.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    import resource

    found = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return found if sys.platform == "darwin" else found * 1024


def own(process: int) -> int:
    """Bytes that a worker does not share with other processes; 0 where nobody tells."""
    try:
        lines = Path(f"/proc/{process}/smaps_rollup").read_text(encoding="utf-8").splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Private_"))


STEPS = {
    "numpy": plan_step,
    "jax": jax_step,
    "torch": torch_step,
    "onnxruntime": onnx_step,
    "tensorflow": tensorflow_step,
}


if __name__ == "__main__":
    main()
