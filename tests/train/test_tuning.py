"""Fine-tuning: what is frozen, rates of parts, averages and accumulated gradients, step by step as in PyTorch.

Where PyTorch is missing, the gradient of a cost measured at neighbouring parameters and the formulas of text books
are the oracle.
"""

from __future__ import annotations

import pickle
import re
from dataclasses import replace

import numpy as np
import pytest

import cnnspec
from cnnspec.api import compile
from cnnspec.diagnostics import SpecError

NET = """\
input 3x6x6
(conv 4x3x3 pad same bias off -> bn -> relu) as stem
  -> (conv 5x3x3 stride 2 pad 1 bias off -> bn momentum 0.3 -> relu) as middle
  -> flatten -> dense 3 -> softmax
"""
LAYERS = {"stem": ("conv1", "bn1"), "middle": ("conv2", "bn2"), "head": ("dense1",)}
RATE, BATCH = 0.05, 4
generator = np.random.default_rng(3)
X, Y = generator.normal(size=(11, 3, 6, 6)), generator.integers(0, 3, 11)  # the last batch has three images


def made(train, engine="numpy", **how):
    return compile(
        text=f"{NET}train {{ batch {BATCH} ; {train} }}\n", engine=engine, dtype="float64", seed=2, **how
    )


def parameters(model):
    return {name: values.copy() for name, values in model.parameters.items()}


def steps(model, epochs):
    """The parameters after each step."""
    found = []
    model.fit(X, Y, epochs=epochs, shuffle=False, on_batch=lambda event: found.append(parameters(model)) or True)
    return found


# ---- PyTorch ---------------------------------------------------------------------------------------------

SGD = "optimiser sgd lr 0.05 momentum 0.9 weight_decay 0.1"
CASES = {
    "nothing": (SGD, {}),
    "smoothing": (f"{SGD} ; cost cross_entropy smoothing 0.2", {"smoothing": 0.2}),
    "decay_norm": (f"{SGD} decay_norm off", {"decay_norm": False}),
    "frozen stem": (f"{SGD} ; freeze stem", {"frozen": {"stem": None}}),
    "frozen middle": (f"{SGD} ; freeze middle", {"frozen": {"middle": None}}),
    "frozen two": (
        f"{SGD} clip 0.3 ; freeze stem, middle",
        {"frozen": {"stem": None, "middle": None}, "clip": 0.3},
    ),
    "thawed": (f"{SGD} clip 0.3 ; freeze stem until 2", {"frozen": {"stem": 2}, "clip": 0.3}),
    "adam, thawed twice": (
        "optimiser adam lr 0.05 ; freeze stem until 2 ; freeze middle until 1",
        {"frozen": {"stem": 2, "middle": 1}, "adam": True},
    ),
    "rates": (f"{SGD} ; rate 0.1 of stem ; rate 3 of dense1", {"rates": {"stem": 0.1, "head": 3.0}}),
    "average": (f"{SGD} ; ema 0.8", {"ema": 0.8}),
    "average, thawed": (f"{SGD} ; ema 0.8 ; freeze stem until 1", {"ema": 0.8, "frozen": {"stem": 1}}),
    "accumulated": (f"{SGD} ; accumulate 2", {"accumulate": 2}),
    "frozen, average": (
        f"{SGD} clip 0.3 ; freeze stem ; ema 0.6 ; rate 3 of middle",
        {"frozen": {"stem": None}, "clip": 0.3, "ema": 0.6, "rates": {"middle": 3}},
    ),
    "multistep": (f"{SGD} ; schedule multistep at 1, 2 gamma 0.5 warmup 0.5", {"multistep": (1, 2)}),
    "all": (
        f"{SGD} decay_norm off clip 0.5 ; freeze stem until 1 ; rate 0.2 of stem, middle ; ema 0.5 ; accumulate 2",
        {
            "decay_norm": False, "clip": 0.5, "frozen": {"stem": 1}, "rates": {"stem": 0.2, "middle": 0.2},
            "ema": 0.5, "accumulate": 2,
        },
    ),
}  # fmt: skip


def in_torch(
    start, epochs, frozen=(), rates=None, decay_norm=True, clip=None, ema=None, accumulate=1, adam=False,
    smoothing=0.0, multistep=None,
):  # fmt: skip
    """The same training written by hand in PyTorch: the parameters after each step, by our names."""
    torch = pytest.importorskip("torch", reason="PyTorch is the oracle")
    from torch import nn
    from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv1, self.bn1 = nn.Conv2d(3, 4, 3, padding=1, bias=False), nn.BatchNorm2d(4)
            self.conv2, self.bn2 = nn.Conv2d(4, 5, 3, 2, 1, bias=False), nn.BatchNorm2d(5, momentum=0.3)
            self.dense1 = nn.Linear(45, 3)

        def forward(self, x):
            x = self.bn1(self.conv1(x)).relu()
            return self.dense1(self.bn2(self.conv2(x)).relu().flatten(1))

    net = Net().double()
    missing = net.load_state_dict({name: torch.tensor(values) for name, values in start.items()}, strict=False)
    assert not missing.unexpected_keys
    frozen, rates = dict(frozen), rates or {}
    part = {layer: name for name, layers in LAYERS.items() for layer in layers}

    def group(name, p):
        decay = 0.1 if decay_norm or p.ndim > 1 else 0.0
        return {"params": [p], "lr": RATE * rates.get(part[name.split(".")[0]], 1), "weight_decay": decay}

    groups = [group(name, p) for name, p in net.named_parameters()]
    if adam:
        optimiser = torch.optim.Adam([{**one, "weight_decay": 0} for one in groups])
    else:
        optimiser = torch.optim.SGD(groups, momentum=0.9)
    schedule = None
    if multistep:
        warm = round(0.5 * -(-len(X) // BATCH))
        schedule = torch.optim.lr_scheduler.ChainedScheduler([
            torch.optim.lr_scheduler.LinearLR(optimiser, 1 / (warm + 1), total_iters=warm),
            torch.optim.lr_scheduler.MultiStepLR(optimiser, [3 * epoch for epoch in multistep], 0.5),
        ])  # fmt: skip
    averaged = AveragedModel(net, multi_avg_fn=get_ema_multi_avg_fn(ema)) if ema is not None else None
    loss = nn.CrossEntropyLoss(label_smoothing=smoothing)
    found = []
    for epoch in range(epochs):
        net.train()
        for name, layers in LAYERS.items():
            asleep = name in frozen and (frozen[name] is None or epoch < frozen[name])
            for layer in layers:
                getattr(net, layer).train(not asleep).requires_grad_(not asleep)
        for at in range(0, len(X), BATCH):
            x, y = torch.tensor(X[at : at + BATCH]), torch.tensor(Y[at : at + BATCH])
            optimiser.zero_grad(set_to_none=True)
            for piece in np.array_split(np.arange(len(x)), min(accumulate, len(x))):
                (loss(net(x[piece]), y[piece]) * (len(piece) / len(x))).backward()
            if clip is not None:
                nn.utils.clip_grad_norm_([p for p in net.parameters() if p.grad is not None], clip)
            optimiser.step()
            if schedule:
                schedule.step()
            if averaged is not None:
                averaged.update_parameters(net)
            state = net.state_dict()
            if averaged is not None:
                state.update(dict(averaged.module.named_parameters()))
            found.append({name: values.detach().numpy().copy() for name, values in state.items()})
    return found


@pytest.mark.parametrize("case", CASES)
def test_every_step_is_that_of_pytorch(case):
    train, how = CASES[case]
    model = made(train)
    theirs = in_torch(parameters(model), 3, **how)
    ours = steps(model, 3)
    assert len(ours) == len(theirs) == 9
    for k, (a, b) in enumerate(zip(ours, theirs, strict=True)):
        for name in a:
            np.testing.assert_allclose(
                a[name], b[name], rtol=1e-8, atol=1e-10, err_msg=f"{name} after step {k + 1}"
            )


SHORT = "frozen, average"  # the case of JAX that is not slow


@pytest.mark.parametrize(
    "case", [SHORT, *(pytest.param(one, marks=pytest.mark.slow) for one in CASES if one != SHORT)]
)
def test_jax_takes_the_same_steps(case):
    pytest.importorskip("jax", reason="JAX is an extra")
    train, _ = CASES[case]
    one, other = made(train), made(train, engine="jax")
    for a, b in zip(steps(one, 2), steps(other, 2), strict=True):
        for name in a:
            np.testing.assert_allclose(a[name], b[name], rtol=1e-9, atol=1e-11, err_msg=name)
    assert one.state.keys() == other.state.keys()
    for name, values in one.state.items():
        np.testing.assert_allclose(values, other.state[name], rtol=1e-9, atol=1e-11, err_msg=name)


# ---- without PyTorch -------------------------------------------------------------------------------------


def test_gradients_through_frozen_normalisation_are_those_of_the_network_in_use():
    """With every bn frozen a training's cost is that of use, whose slopes can be measured."""
    model = made("freeze bn1, bn2")
    for name in ("bn1.running_mean", "bn2.running_mean"):
        model.parameters[name] = generator.normal(size=model.parameters[name].shape)
    for name in ("bn1.running_var", "bn2.running_var", "bn1.weight", "bn2.bias"):
        model.parameters[name] = generator.uniform(0.5, 2, model.parameters[name].shape)
    found = model.gradients(X, Y)
    assert not any(name.startswith("bn") for name in found)
    for name, slopes in found.items():
        values = model.parameters[name]
        for at in [0, values.size // 2, values.size - 1]:
            costs = []
            for way in (1e-6, -1e-6):
                moved = values.copy()
                moved.flat[at] += way
                model.parameters[name] = moved
                costs.append(model.cost(X, Y))
            model.parameters[name] = values
            assert slopes.flat[at] == pytest.approx((costs[0] - costs[1]) / 2e-6, abs=1e-7), name


@pytest.mark.parametrize(
    "optimiser", ["sgd lr 0.05 momentum 0.9", "adamw lr 0.01", "lion lr 0.01", "rmsprop lr 0.01"]
)
def test_parts_are_moved_by_the_formula_of_the_text_book(optimiser):
    """Each parameter by itself: its rate, its decay, and its own count of steps since it began to learn."""
    train = f"optimiser {optimiser} weight_decay 0.2 decay_norm off ; ema 0.7"
    train += " ; freeze middle until 1 ; rate 0.5 of conv1"
    model = made(train)
    ours = model.spec.train.optimiser
    stepped = {name: model.parameters[name] for name in model.parameters if "running" not in name}
    average = {name: values.copy() for name, values in stepped.items()}
    states = {name: {} for name in stepped}
    asked = made("optimiser sgd ; freeze middle")
    every = made("optimiser sgd")
    total = 0
    for epoch in range(2):
        for at in range(0, len(X), BATCH):
            total += 1
            teller = asked if epoch < 1 else every
            for name, values in model.parameters.items():
                teller.parameters[name] = stepped.get(name, values)
            gradients = teller.gradients(X[at : at + BATCH], Y[at : at + BATCH])
            for name, g in gradients.items():
                step = total - 3 if name.split(".")[0] in LAYERS["middle"] else total
                one = replace(ours, weight_decay=0.0) if stepped[name].ndim < 2 else ours
                rate = ours.lr * (0.5 if name == "conv1.weight" else 1)
                stepped[name] = one.reference(stepped[name], g, states[name], step, rate)
                keep = 0.7 if total > 1 else 0.0
                average[name] = keep * average[name] + (1 - keep) * stepped[name]
            model.first_step, model.total_steps, model.steps_per_epoch = 0, 6, 3
            model.train_step(X[at : at + BATCH], Y[at : at + BATCH])
            for name in stepped:
                np.testing.assert_allclose(model.parameters[name], average[name], rtol=1e-9, atol=1e-12)
                if f"stepped/{name}" in model.state:
                    np.testing.assert_allclose(model.state[f"stepped/{name}"], stepped[name], rtol=1e-9, atol=1e-12)


def test_gradients_of_goes_are_those_of_the_batch():
    """Without normalisation it makes no difference in how many goes a batch is computed."""
    text = (
        "input 3x6x6\nconv 4x3x3 -> relu -> dense 3 -> softmax\ntrain {{ optimiser sgd lr 0.1 ; batch 11 ; {} }}\n"
    )
    whole, goes = (compile(text=text.format(more), dtype="float64") for more in ("", "accumulate 4"))
    costs = [[model.train_step(X, Y) for _ in range(3)] for model in (whole, goes)]
    np.testing.assert_allclose(costs[0], costs[1], rtol=1e-12)
    for name, values in whole.parameters.items():
        np.testing.assert_allclose(goes.parameters[name], values, rtol=1e-10, atol=1e-13)
    a, b = whole.gradients(X, Y), goes.gradients(X, Y)
    assert a.keys() == b.keys()
    for name in a:
        np.testing.assert_allclose(a[name], b[name], rtol=1e-9, atol=1e-12)


def test_each_go_drops_others():
    text = "input 64\ndropout 50% -> dense 2\ntrain { optimiser sgd lr 1 ; accumulate 2 }\n"
    model = compile(text=text, dtype="float64")
    before = model.parameters["dense1.weight"]
    model.parameters["dense1.weight"] = 0 * before
    model.parameters["dense1.bias"] = np.zeros(2)
    model.train_step(np.ones((2, 64)), np.ones((2, 2)))
    moved = np.unique(model.parameters["dense1.weight"].round(9))
    assert len(moved) == 3, "a pixel is dropped in both goes, in one of them, or in none"


# ---- what is saved, shared and resumed -------------------------------------------------------------------

LONG = f"{SGD} clip 1 decay_norm off ; freeze stem until 1 ; rate 0.2 of stem, middle ; ema 0.5 ; accumulate 2"


@pytest.mark.parametrize("workers", [2, 3])
def test_the_bits_do_not_depend_on_workers(workers):
    alone, several = made(LONG, shards=3), made(LONG, shards=3, workers=workers, parallel="threads")
    for a, b in zip(steps(alone, 2), steps(several, 2), strict=True):
        assert all(np.array_equal(a[name], b[name]) for name in a)


def test_programs_share_the_work_too():
    alone, several = made(LONG, shards=2), made(LONG, shards=2, workers=2)
    with several:
        assert all(
            np.array_equal(a[n], b[n]) for a, b in zip(steps(alone, 2), steps(several, 2), strict=True) for n in a
        )


@pytest.mark.parametrize("engine", ["numpy", pytest.param("jax", marks=pytest.mark.slow)])
def test_a_copy_goes_on_as_the_model_does(engine):
    if engine == "jax":
        pytest.importorskip("jax", reason="JAX is an extra")
    model = made(LONG, engine=engine)
    model.first_step, model.total_steps, model.steps_per_epoch = 0, 6, 3
    for _ in range(4):
        model.train_step(X[:5], Y[:5])
    copy = pickle.loads(pickle.dumps(model))
    assert copy.state["steps"].tolist() == [4, 0, 6, 2, 1]
    for one in (model, copy):
        one.train_step(X[5:], Y[5:])
    assert all(np.array_equal(values, copy.parameters[name]) for name, values in model.parameters.items())
    assert all(np.array_equal(values, copy.state[name]) for name, values in model.state.items())


def test_a_run_that_was_stopped_goes_on_to_the_same_bits(tmp_path):
    np.savez(tmp_path / "data.npz", x=X.astype("float32"), y=Y)
    data = 'data { source npz "data.npz" test 0.2 ; validation 0.2 }\n'
    (tmp_path / "net.cnn").write_text(f"{NET}{data}train {{ batch 2 ; epochs 3 ; {LONG} }}\n")

    def stop_at(step):
        def hear(event):
            if getattr(event, "images", 0) and event.step == step:
                raise RuntimeError("the lights went out")

        return hear

    whole = cnnspec.run(tmp_path / "net.cnn", out=tmp_path / "a", workers=1)
    with pytest.raises(RuntimeError):
        cnnspec.run(tmp_path / "net.cnn", out=tmp_path / "b", workers=1, on_event=stop_at(6))
    later = cnnspec.resume(tmp_path / "b" / "net-001", workers=1)
    assert later.summary["test_cost"] == whole.summary["test_cost"]
    ours, theirs = (run.open().parameters for run in (whole, later))
    assert all(np.array_equal(values, theirs[name]) for name, values in ours.items())


def test_a_cost_that_is_not_finite_moves_nothing():
    model = made(LONG)
    model.train_step(X[:4], Y[:4])
    before, state = parameters(model), model.state
    broken = X[:4].copy()
    broken[3] = np.inf  # in the last go: the running statistics of the first had moved
    assert not np.isfinite(model.train_step(broken, Y[:4]))
    assert all(np.array_equal(values, before[name]) for name, values in model.parameters.items())
    assert all(np.array_equal(model.state[name], values) for name, values in state.items() if name != "steps")


def test_targets_that_do_not_follow_are_refused():
    from cnnspec.bench.torch_program import source
    from cnnspec.targets.python.module import module_source

    model = made("ema 0.5 ; freeze stem")
    with pytest.raises(SpecError, match="does not know `freeze`, `ema 0.5`"):
        module_source(model.spec, model.parameters, train=True)
    with pytest.raises(SpecError, match="does not know `freeze`, `ema 0.5`"):
        source(model.spec, True)
    assert "def forward" in module_source(model.spec, model.parameters)


# ---- what it costs ---------------------------------------------------------------------------------------


def test_what_is_frozen_has_neither_backward_pass_nor_moments():
    whole, frozen = made("optimiser adam"), made("optimiser adam ; freeze stem, middle")
    backward = frozen.plan.source.partition("def backward")[2].partition("def ")[0]
    assert "dense1" in backward and not re.search(r"conv|bn|relu", backward)
    assert "update_statistics" in whole.plan.source and "update_statistics" not in frozen.plan.source
    assert {name for name in frozen.state if "/" in name} == {
        f"{moment}/dense1.{kind}" for moment in "mv" for kind in ("weight", "bias")
    }
    a, b = (model.engine.memory(BATCH) for model in (whole, frozen))
    head = 8 * (45 * 3 + 3)
    assert (b["gradients"], b["moments"]) == (head, 2 * head)
    assert b["arena"] < a["arena"] and b["parameters"] == a["parameters"]


def test_the_plan_of_an_epoch_is_that_of_what_learns_then():
    model = made("freeze stem until 2")
    first, last = (model.engine.plan("train", BATCH, epoch=epoch).source for epoch in (0, 2))
    assert "g.conv1_weight" not in first and "g.conv1_weight" in last
    assert last == made("").plan.source


def test_a_go_takes_the_memory_of_its_images():
    whole, goes = (
        compile(text=f"{NET}train {{ batch 64 ; {more} }}\n").engine.memory(64) for more in ("", "accumulate 16")
    )
    assert goes["arena"] < whole["arena"] / 8
