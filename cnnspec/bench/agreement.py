"""Whether the sides compute the same: outputs in use and gradients in training, before any is timed.

In float64; in float32 with ONNX Runtime, which has no convolutions in float64.

python -m cnnspec.bench.agreement '{"against": "torch", "modes": ["train", "infer"], "spec": "net.cnn", ...}'
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any

import numpy as np

from ..diagnostics import Diagnostic, SpecError
from ..model import Model
from ..targets.onnx.export import onnx_model
from .runner import answered, say
from .subject import MeasureJob, judged, numbers, quiet, subject_of
from .tensorflow_program import source as tensorflow_source
from .torch_program import source

TOLERANCE = {"float64": 1e-9, "float32": 1e-4}  # of the size of what is compared
IMAGES = 4
Arrays = dict[str, np.ndarray]


def main() -> None:
    job = json.loads(sys.argv[1])
    os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")  # several of these share a card
    answered(lambda: say(worst=check(job)))


def check(job: MeasureJob) -> float:
    """The largest difference, relative to the sizes of the arrays; raises where it is too large."""
    subject = subject_of(job)
    spec = quiet(subject.spec)
    rival = job["against"]
    dtype = "float32" if rival == "onnxruntime" else "float64"
    engine = job.get("engine", "numpy")
    devices = 1 if engine == "jax" else None
    ours = Model(spec, batch=IMAGES, dtype=dtype, measured=subject.measured, engine=engine, devices=devices)
    shift(ours)
    x, y = numbers(spec, IMAGES)
    theirs = {
        "torch": torch_values,
        "torch-compile": compiled_values,
        "onnxruntime": onnx_values,
        "jax": jax_values,
        "tensorflow": tensorflow_values,
    }[rival]
    found = 0.0
    for mode in job["modes"]:
        mine = values(ours, mode, x, y)
        found = max(found, apart(mode, mine, theirs(ours, mode, x, y), rival, dtype))
    return found


def shift(model: Model) -> None:
    """Move biases, scales and running statistics away from zeros and ones, which hide mistakes."""
    random = np.random.default_rng(1)
    for name, values in model.parameters.items():
        if values.ndim == 1:
            noise = 0.1 * random.normal(size=values.shape)
            model.parameters[name] = values + (abs(noise) if "var" in name else noise)


def values(model: Model, mode: str, x: Arrays, y: Arrays) -> Arrays:
    """The outputs in use, or the cost and its gradients, of a model on either engine."""
    arrays = model.arrays(x, y)
    if mode == "infer":
        found = model.engine.forward({name: arrays[name] for name in x})
        return {name: np.array(v) for name, v in zip(model.graph.outputs, found, strict=True)}
    cost, gradients = model.engine.differentiate(arrays)
    return {"": np.array(cost), **{name: np.array(v) for name, v in gradients.items()}}


def jax_values(ours: Model, mode: str, x: Arrays, y: Arrays) -> Arrays:
    model = Model(ours.spec, batch=IMAGES, dtype="float64", engine="jax", devices=1)
    for name, array in ours.parameters.items():
        model.parameters[name] = array
    return values(model, mode, x, y)


def onnx_values(ours: Model, mode: str, x: Arrays, y: Arrays) -> Arrays:
    import onnxruntime

    model = onnx_model(ours.graph, ours.parameters).SerializeToString()
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    made = session.run(None, {name: array.astype("float32") for name, array in x.items()})
    return dict(zip(ours.graph.outputs, made, strict=True))


def compiled_values(ours: Model, mode: str, x: Arrays, y: Arrays) -> Arrays:
    return torch_values(ours, mode, x, y, compiled=True)


def torch_values(ours: Model, mode: str, x: Arrays, y: Arrays, compiled: bool = False) -> Arrays:
    """What the file computes that will be timed, without dropout's chance."""
    import torch

    torch.set_num_threads(1)  # for so few images, and whatever else the machine does meanwhile
    program: dict[str, Any] = {"__name__": "twin"}
    exec(compile(source(ours.spec, mode == "train"), "<twin>", "exec"), program)
    card = ours.engine.name == "jax" and torch.cuda.is_available()
    place = torch.device("cuda" if card else "cpu")  # where it will be timed
    net = program["Net"]().double().to(place)
    known = {name: torch.from_numpy(np.array(array)) for name, array in ours.parameters.items()}
    missing = net.load_state_dict(known, strict=False).missing_keys
    assert all(name.endswith("num_batches_tracked") for name in missing), missing
    inputs = [torch.from_numpy(x[name]).to(place) for name in ours.graph.inputs]
    run = torch.compile(net) if compiled else net
    if mode == "infer":
        net.eval()
        with torch.inference_mode():
            made = run(*inputs)
        made = made if isinstance(made, tuple) else (made,)
        return {name: v.cpu().numpy() for name, v in zip(ours.graph.outputs, made, strict=True)}
    answers = [torch.from_numpy(y[name]).to(place) for _, name in judged(ours.spec)]
    cost = program["cost"](run, inputs, answers)
    cost.backward()
    gradients = {name: p.grad if p.grad is not None else torch.zeros_like(p) for name, p in net.named_parameters()}
    return {"": cost.detach().cpu().numpy(), **{name: g.cpu().numpy() for name, g in gradients.items()}}


def tensorflow_values(ours: Model, mode: str, x: Arrays, y: Arrays) -> Arrays:
    """What the file computes that will be timed, its arrays in our order."""
    import tensorflow as tf

    made: dict[str, Any] = {"__name__": "made"}
    exec(compile(tensorflow_source(ours.spec, mode == "train"), "<made>", "exec"), made)
    w = made["parameters"]("float64")
    for name, variable in w.items():
        variable.assign(made["as_here"](name, np.array(ours.parameters[name])))
    inputs = [tf.constant(channels_last(x[name])) for name in ours.graph.inputs]
    if mode == "infer":
        values = made["net"](w, inputs, False)
        pairs = zip(ours.graph.outputs, values, strict=True)
        return {name: v.numpy().transpose(0, 3, 1, 2) if v.ndim == 4 else v.numpy() for name, v in pairs}
    answers = [tf.constant(channels_last(y[name])) for _, name in judged(ours.spec)]
    with tf.GradientTape() as tape:
        cost = made["cost"](w, inputs, answers)
    trained = {name: v for name, v in w.items() if v.trainable}
    gradients = tape.gradient(cost, trained, unconnected_gradients="zero")
    return {"": cost.numpy(), **{name: made["as_ours"](name, g.numpy()) for name, g in gradients.items()}}


def channels_last(array: np.ndarray) -> np.ndarray:
    return array.transpose(0, 2, 3, 1) if array.ndim == 4 else array


def apart(mode: str, ours: Arrays, theirs: Arrays, who: str, dtype: str = "float64") -> float:
    """The largest difference; an array that ought to be zero is measured by the largest one."""
    assert ours.keys() == theirs.keys(), ours.keys() ^ theirs.keys()
    floor = 1e-3 * max(float(np.abs(array).max()) for array in theirs.values())
    worst = 0.0
    for name, array in ours.items():
        size = max(float(np.abs(theirs[name]).max()), floor, 1e-300)
        off = float(np.abs(array - theirs[name]).max()) / size
        what = f"the output {name}" if mode == "infer" else f"the gradient of {name}" if name else "the cost"
        if not off <= TOLERANCE[dtype]:
            raise SpecError((Diagnostic.of("CNN319", what=what, who=who, off=off, dtype=dtype),))
        worst = max(worst, off)
    return worst


if __name__ == "__main__":
    main()
