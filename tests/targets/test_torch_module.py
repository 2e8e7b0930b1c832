"""The PyTorch module against the engine: outputs, gradients, running statistics, names."""

from __future__ import annotations

import numpy as np
import pytest
from networks import STRUCTURES, engine_for, examples, graph_of, outputs_of, random_texts, values_for

from cnnspec.runtime.engine import Engine
from cnnspec.settings.optimisers.sgd import Sgd
from cnnspec.targets.torch.module import torch_source
from cnnspec.targets.torch.page import MODULE
from cnnspec.words.costs import Mse

torch = pytest.importorskip("torch")

TEXTS = {**examples(), **STRUCTURES, **random_texts(12)}
RANDOM = {"dropout", "droppath"}  # words whose training no other framework can repeat


def twin_of(graph, engine):
    from torch_nets import torch_module

    net = torch_module(graph).double()
    net.load_state_dict({name: torch.tensor(values) for name, values in engine.parameters.items()}, strict=True)
    return net


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_outputs_and_gradients_are_the_engines(text):
    graph = graph_of(text)
    costs = tuple(Mse(of=value if len(graph.outputs) > 1 else "") for value in graph.outputs)
    engine = engine_for(graph, costs)
    net = twin_of(graph, engine)
    given = values_for(graph)
    inputs = [torch.tensor(given[name]) for name in graph.inputs]

    made = net.eval()(*inputs)
    made = made if isinstance(made, tuple) else (made,)
    for ours, theirs in zip(outputs_of(engine, given), made, strict=True):
        np.testing.assert_allclose(ours, theirs.detach().numpy(), rtol=1e-10, atol=1e-10)

    if any(node.op.word in RANDOM for node in graph):
        return
    targets = {f"{value}.target": np.random.default_rng(3).normal(size=theirs.shape)
               for value, theirs in zip(graph.outputs, made, strict=True)}  # fmt: skip
    cost, gradients = engine.differentiate({**given, **targets})
    made = net.train()(*inputs)
    made = made if isinstance(made, tuple) else (made,)
    loss = sum(((p - torch.tensor(t)) ** 2).mean() for p, t in zip(made, targets.values(), strict=True))
    assert abs(cost - loss.item()) < 1e-10
    if not loss.requires_grad:  # nothing learns through `step`
        assert not any(values.any() for values in gradients.values())
        return
    loss.backward()
    theirs = {name: values.grad for name, values in net.named_parameters()}
    assert theirs.keys() == set(gradients)
    for name, values in gradients.items():
        np.testing.assert_allclose(values, theirs[name].numpy(), rtol=1e-10, atol=1e-10, err_msg=name)


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_names_and_layouts_are_the_engines(text):
    graph = graph_of(text)
    engine = engine_for(graph)
    net = twin_of(graph, engine)
    theirs = {name: tuple(v.shape) for name, v in net.state_dict().items() if not name.endswith("tracked")}
    assert theirs == {name: values.shape for name, values in engine.parameters.items()}


def test_running_statistics_move_alike():
    graph = graph_of(STRUCTURES["blocks"])
    engine = engine_for(graph, (Mse(),))
    net = twin_of(graph, engine)
    given = values_for(graph, n=5)
    target = np.zeros((5, 3))
    engine.learn({**given, f"{graph.outputs[0]}.target": target}, 0.0)
    net.train()(torch.tensor(given["input"]))
    for name, values in net.state_dict().items():
        if "running" in name:
            np.testing.assert_allclose(engine.parameters[name], values.numpy(), rtol=1e-12, err_msg=name)


def test_weights_cross_as_safetensors_in_both_directions(tmp_path):
    from safetensors.torch import load_file, save_file
    from torch_nets import torch_module

    import cnnspec

    model = cnnspec.compile(text=STRUCTURES["blocks"], dtype="float32", seed=4)
    net = torch_module(model.graph)
    x = values_for(model.graph, dtype="float32")["input"]

    model.save(tmp_path / "ours.safetensors")
    net.load_state_dict(load_file(tmp_path / "ours.safetensors"))
    assert np.abs(net.eval()(torch.tensor(x)).detach().numpy() - model.predict(x)).max() < 1e-6

    with torch.no_grad():
        for values in net.parameters():
            values.mul_(1.5)
    save_file(net.state_dict(), tmp_path / "theirs.safetensors")
    model.load(tmp_path / "theirs.safetensors")
    assert np.abs(net.eval()(torch.tensor(x)).detach().numpy() - model.predict(x)).max() < 1e-6


def test_every_attribute_of_a_module_is_known_to_be_taken():
    names = {name for name in dir(torch.nn.Module()) if not name.startswith("_")}
    assert names <= MODULE


@pytest.mark.parametrize("init", ["kaiming_uniform", "kaiming_normal", "xavier_uniform", "lecun_normal", "zeros"])
def test_weights_begin_alike(init):
    """Their spread is ours; which numbers they are is chance."""
    from torch_nets import torch_module

    graph = graph_of(f"input 8x5x5\nconv 400x3x3 init {init} -> gap -> dense 400 init {init}")
    net = torch_module(graph)
    engine = Engine(graph, (), Sgd(), dtype="float64")
    for name, values in net.state_dict().items():
        ours, theirs = engine.parameters[name], values.numpy()
        assert abs(ours.std() - theirs.std()) < 0.2 * theirs.std() + 1e-12, name


def test_the_source_reads_like_a_persons():
    source = torch_source(graph_of("input 1x6x6\nconv 2x3x3 -> relu -> maxpool 2 -> dense 3 -> softmax"))
    assert source.endswith(
        '''class Net(nn.Module):
    """x (n, 1, 6, 6) -> softmax1 (n, 3)"""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 2, 3)
        self.dense1 = nn.Linear(8, 3)

    def forward(self, x):
        conv1 = self.conv1(x)              # (n, 2, 4, 4)
        relu1 = F.relu(conv1)              # (n, 2, 4, 4)
        maxpool1 = F.max_pool2d(relu1, 2)  # (n, 2, 2, 2)
        flatten1 = maxpool1.flatten(1)     # (n, 8)
        dense1 = self.dense1(flatten1)     # (n, 3)
        softmax1 = F.softmax(dense1, 1)    # (n, 3)
        return softmax1
'''
    )


def test_a_layer_called_like_an_attribute_of_modules_stays_reachable():
    source = torch_source(graph_of(STRUCTURES["awkward names"]))
    assert 'self._modules["train"] = nn.Conv2d(3, 4, 3)' in source
    assert 'lambda_ = self._modules["lambda"](train)' in source
