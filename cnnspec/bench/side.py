"""One side of a comparison: a process that runs as many steps as it is told, and says how long they took.

    python -m cnnspec.bench.side '{"side": "torch", "mode": "train", "spec": "net.cnn", "batch": 64, ...}'

It prints `ready` (after checking, as torch, that it computes what the plan does), then a line of seconds for
each number of steps that it reads.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

Step = Callable[[], object]


def main() -> None:
    job = json.loads(sys.argv[1])
    step = torch_step(job) if job["side"].startswith("torch") else plan_step(job)
    step()
    step()
    print("ready", flush=True)
    for line in sys.stdin:
        start = time.perf_counter()
        for _ in range(int(line)):
            step()
        print(time.perf_counter() - start, flush=True)


def model_of(job: dict[str, Any], **how: Any) -> Any:
    from ..api import compile

    return compile(job["spec"], batch=job["batch"], input=job["input"], **how)


def batch_of(model: Any, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Random images, and a class for each."""
    random = np.random.default_rng(0)
    graph = model.graph
    images = random.normal(size=(n, *graph.type(graph.inputs[0]).shape)).astype("float32")
    return images, random.integers(0, graph.type(graph.outputs[0]).elements, n)


def plan_step(job: dict[str, Any]) -> Step:
    how = {"workers": job["workers"], "shards": job["workers"], "parallel": job["parallel"]}
    model = model_of(job, **how)
    x, y = batch_of(model, job["batch"])
    if job["mode"] == "train":
        arrays = model.arrays(x, y)
        rate = model.spec.train.optimiser.lr
        return lambda: model.engine.learn(arrays, rate)
    given = {model.graph.inputs[0]: x}
    return lambda: model.engine.forward(given)


def torch_step(job: dict[str, Any]) -> Step:
    """The same network in PyTorch eager, made from the graph, after its values and gradients were compared."""
    import torch
    from torch import nn

    from ..export.torch_module import twin

    torch.set_num_threads(job["workers"])
    model = model_of(job)
    graph = model.graph
    (last,) = graph.outputs
    if graph[last].op.word == "softmax":  # CrossEntropyLoss takes what comes before it
        nodes = {name: node for name, node in graph.nodes.items() if name != last}
        graph = graph.with_nodes(nodes, outputs=graph[last].inputs)
    net: Any = twin(graph)
    parameters = {name: torch.from_numpy(model.parameters[name]) for name in model.parameters}
    net.load_state_dict(parameters, strict=False)
    x, y = batch_of(model, job["batch"])
    images, classes = torch.from_numpy(x), torch.from_numpy(y)
    judge = nn.CrossEntropyLoss()
    agree(model, net, images, classes, judge)
    if job["side"] == "torch channels_last":
        net = net.to(memory_format=torch.channels_last)
        if images.ndim == 4:
            images = images.to(memory_format=torch.channels_last)
    if job["mode"] == "train":
        optimiser = optimiser_of(model.spec.train.optimiser, net)

        def step() -> None:
            optimiser.zero_grad()
            judge(net(images), classes).backward()
            optimiser.step()

        return step
    net.eval()

    def infer() -> None:
        with torch.inference_mode():
            net(images)

    return infer


def agree(model: Any, net: Any, images: Any, classes: Any, judge: Any) -> None:
    """Both sides must compute the same gradients, to float32's precision."""
    judge(net(images), classes).backward()
    ours = model.gradients(images.numpy(), classes.numpy())
    for name, parameter in net.named_parameters():
        theirs = parameter.grad.numpy()
        size = max(float(np.abs(theirs).max()), 1e-6)
        worst = float(np.abs(ours[name] - theirs).max()) / size
        if worst > 0.05:  # deep networks with bn scatter by some per cent in float32, in any framework
            raise SystemExit(f"the gradient of {name} is not PyTorch's: off by {worst:.1e} of its size")


def optimiser_of(ours: Any, net: Any) -> Any:
    """PyTorch's optimiser of the same name, fused where it can be."""
    from torch import optim

    classes = {"sgd": optim.SGD, "adam": optim.Adam, "adamw": optim.AdamW, "rmsprop": optim.RMSprop}
    if ours.word not in classes:
        raise SystemExit(f"`bench` knows no PyTorch optimiser for {ours.word}")
    more = {"momentum": ours.momentum} if ours.word in ("sgd", "rmsprop") else {}
    if ours.word != "rmsprop":
        more["fused"] = True
    return classes[ours.word](net.parameters(), lr=ours.lr, weight_decay=ours.weight_decay, **more)


if __name__ == "__main__":
    main()
