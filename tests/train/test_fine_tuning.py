"""The networks of grammar/fine-tuning.md beside the same in PyTorch: nine digits, then a new head for all ten.

Both train on the same batches. PyTorch begins with our first weights, and goes on from its own.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from cnnspec.experiment.experiment import Execution, Experiment
from cnnspec.train import documents

torch = pytest.importorskip("torch", reason="PyTorch is the oracle")

PAGE = (Path(__file__).parents[2] / "grammar" / "fine-tuning.md").read_text(encoding="utf-8")
BODY_LEARNS, WARM, DROP = 6, 0.5, 8  # epochs, as the page has them
MEASURED = ("cost", "accuracy", "validation_cost", "validation_accuracy")


@pytest.fixture
def page(tmp_path, monkeypatch):
    """A folder with the data and the specs of the page."""
    monkeypatch.chdir(tmp_path)
    (python,) = re.findall(r"^```python\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    exec(compile(python, "fine-tuning.md", "exec"), {})
    for name, text in re.findall(r"^\$ cat (\S+)\n((?:(?!\$ ).*\n)*)", PAGE, re.MULTILINE):
        Path(name).write_text(text)


def trained(spec):
    """The parameters before, the experiment, and the columns of results.csv."""
    with Experiment.begin(Path(spec), execution=Execution(1)) as experiment:
        experiment.start()
        before = {name: values.copy() for name, values in experiment.model.parameters.items()}
        experiment.run()
        return before, experiment, documents.columns(experiment.folder.results)


class Net(torch.nn.Module):
    def __init__(self, classes):
        super().__init__()
        nn = torch.nn
        self.conv1, self.bn1 = nn.Conv2d(1, 16, 3, 2, 1, bias=False), nn.BatchNorm2d(16)
        self.conv2, self.bn2 = nn.Conv2d(16, 32, 3, 2, 1, bias=False), nn.BatchNorm2d(32)
        self.head = nn.Linear(1568, classes)

    def forward(self, x):
        x = self.bn1(self.conv1(x)).relu()
        return self.head(self.bn2(self.conv2(x)).relu().flatten(1))


def load(net, values, names):
    """Put some of our parameters into PyTorch's network."""
    state = {name: torch.tensor(values[name]) for name in values if name.startswith(names)}
    assert not net.load_state_dict(state, strict=False).unexpected_keys


def curves(net, experiment, optimiser, schedule=None, asleep=lambda epoch: ()):
    """PyTorch's training on the batches of an experiment: the columns that ours has; the best epoch's network."""
    course, (train, held_out, _) = experiment.config, experiment.parts
    found, best = {name: [] for name in MEASURED}, net.state_dict()

    def epoch_of(images, learning, **order):
        cost = correct = 0.0
        for x, y in images.batches(course.batch, **order):
            x, y = torch.tensor(np.asarray(x)), torch.tensor(np.asarray(y).astype(np.int64))
            with torch.set_grad_enabled(learning):
                scores = net(x)
                loss = torch.nn.functional.cross_entropy(scores, y)
            if learning:
                optimiser.zero_grad(set_to_none=True)
                loss.backward()
                optimiser.step()
                if schedule:
                    schedule.step()
            cost += loss.item() * len(x)
            correct += (scores.argmax(1) == y).sum().item()
        return cost / len(images), correct / len(images)

    for epoch in range(course.epochs):
        net.train()
        for name, part in net.named_children():
            part.requires_grad_(name not in asleep(epoch)).train(name not in asleep(epoch))
        told = [*epoch_of(train, True, seed=course.seed, epoch=epoch, shuffle=course.shuffle)]
        net.eval()
        told += epoch_of(held_out, False) if len(held_out) else (None, None)
        for name, value in zip(MEASURED, told, strict=True):
            found[name].append(value)
        if told[-1] is None or told[-1] > max(found["validation_accuracy"][:-1], default=0):
            best = {name: values.clone() for name, values in net.state_dict().items()}
    net.load_state_dict(best)
    return found


def tuned(net, steps):
    """The optimiser and the schedule of ten.cnn."""
    groups = [
        {
            "params": [values],
            "lr": 0.02 * (0.1 if name.startswith(("conv2", "bn2")) else 1),
            "weight_decay": 1e-3 if values.ndim > 1 else 0.0,
        }
        for name, values in net.named_parameters()
    ]
    optimiser = torch.optim.SGD(groups, momentum=0.9)
    rates, warm = torch.optim.lr_scheduler, round(WARM * steps)
    schedule = rates.ChainedScheduler([
        rates.LinearLR(optimiser, 1 / (warm + 1), total_iters=warm),
        rates.MultiStepLR(optimiser, [DROP * steps], 0.1),
    ])  # fmt: skip
    return optimiser, schedule


def same(ours, theirs, images):
    """Costs to four digits, and one answer may fall to the other side of a tie."""
    for name in MEASURED:
        if theirs[name][0] is None:
            assert set(ours[name]) == {None}
        elif name.endswith("cost"):
            np.testing.assert_allclose(ours[name], theirs[name], rtol=1e-4, atol=1e-6, err_msg=name)
        else:
            np.testing.assert_allclose(ours[name], theirs[name], atol=1.01 / images, err_msg=name)


@pytest.fixture
def one_thread():
    """PyTorch on one core, as ours is."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def test_the_curves_are_those_of_pytorch(page, one_thread):
    before, nine, ours = trained("nine.cnn")
    net = Net(9)
    load(net, before, "")
    theirs = curves(net, nine, torch.optim.Adam(net.parameters(), 2e-3))
    same(ours, theirs, len(nine.session.data.validation))

    before, ten, ours = trained("ten.cnn")
    tuning = Net(10)
    trunk = {name: values for name, values in net.state_dict().items() if not name.startswith("head")}
    tuning.load_state_dict({**tuning.state_dict(), **trunk})
    load(tuning, before, "head")  # the new head, as it was drawn
    stem = {name: values.clone() for name, values in tuning.state_dict().items() if name[-6:] != "_batches"}
    optimiser, schedule = tuned(tuning, -(-len(ten.images) // ten.config.batch))
    theirs = curves(
        tuning, ten, optimiser, schedule,
        lambda epoch: ("conv1", "bn1", *(("conv2", "bn2") if epoch < BODY_LEARNS else ())),
    )  # fmt: skip
    same(ours, theirs, len(ten.images))
    for name, values in ten.model.parameters.items():
        if name.startswith(("conv1", "bn1")):
            assert np.array_equal(values, before[name]) and torch.equal(tuning.state_dict()[name], stem[name])
        elif name.startswith(("conv2", "bn2")):
            assert not np.array_equal(values, before[name])
        np.testing.assert_allclose(values, tuning.state_dict()[name].numpy(), rtol=1e-3, atol=1e-5, err_msg=name)
