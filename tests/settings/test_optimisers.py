"""Each optimiser's lines against its text-book formula and against PyTorch's."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from cnnspec.diagnostics import Fault
from cnnspec.ir.fields import settings
from cnnspec.kernels.activation import clip_scale
from cnnspec.settings.optimisers import OPTIMISERS
from cnnspec.settings.optimisers.adam import Adam, Adamax, AdamW
from cnnspec.settings.optimisers.sgd import Sgd
from cnnspec.settings.optimisers.sign import Lion
from cnnspec.settings.optimisers.squares import AdaGrad, RmsProp

CASES = (
    *(cls() for cls in OPTIMISERS),
    *(cls(weight_decay=0.03, clip=0.8) for cls in OPTIMISERS),
    Sgd(lr=0.1, weight_decay=0.02),
    Sgd(momentum=0.9),
    Sgd(momentum=0.8, weight_decay=0.02, clip=1.5),
    Sgd(momentum=0.9, nesterov=True),
    Sgd(momentum=0.9, nesterov=True, weight_decay=0.02),
    RmsProp(alpha=0.9, eps=1e-3, weight_decay=0.02),
    RmsProp(momentum=0.7, clip=0.5),
    AdaGrad(lr=0.1, lr_decay=0.05, weight_decay=0.02, clip=2.0),
    Adam(lr=0.02, beta1=0.7, beta2=0.95, eps=1e-4, weight_decay=0.02),
    Adam(clip=1.0),
    AdamW(lr=0.02, weight_decay=0.1, clip=1.0),
    Adamax(lr=0.02, beta1=0.7, beta2=0.9, eps=1e-2, weight_decay=0.02, clip=1.0),
    Lion(lr=0.01, beta1=0.8, beta2=0.9, weight_decay=0.3, clip=1.0),
)
STEPS = 200
cases = pytest.mark.parametrize("optimiser", CASES, ids=lambda o: o.written().replace(" ", "-"))


def slope(p, step, rng_seed=3):
    """The gradient of a bumpy bowl that changes a little from step to step."""
    pull = np.random.default_rng((rng_seed, step)).normal(size=p.size)
    return np.cos(3 * p) + p + 0.5 * pull


def start(size=37):
    return np.random.default_rng(5).normal(size=size)


def rate(optimiser, step):
    """A rate that changes, as schedules make it."""
    return optimiser.lr * (1 - step / (2 * STEPS))


class Runner:
    """Runs an optimiser's lines as a plan does: chunk by chunk, over state that starts at zero."""

    def __init__(self, optimiser, size, dtype=float, chunk=10):
        self.optimiser, self.chunk, self.dtype = optimiser, chunk, dtype
        self.state = {name: np.zeros(size, dtype) for name in optimiser.moments}
        self.code = compile("\n".join(optimiser.lines()), "update", "exec")

    def step(self, p, g, step, rate):
        scalars = self.optimiser.scalars(step, rate)
        if self.optimiser.clip is not None:
            scalars["scale"] = clip_scale(float(g @ g), self.optimiser.clip)
        scalars = {name: self.dtype(value) for name, value in scalars.items()}
        for at in range(0, p.size, self.chunk):
            part = slice(at, at + self.chunk)
            chunks = {"p": p[part], "g": g[part], **{name: a[part] for name, a in self.state.items()}}
            scratch = {"t": np.full_like(p[part], np.nan), "u": np.full_like(p[part], np.nan)}
            exec(self.code, {"np": np, **chunks, **scratch, **scalars})


def clipped(optimiser, g):
    return g if optimiser.clip is None else g * min(1, optimiser.clip / (np.sqrt((g * g).sum()) + 1e-6))


def close(a, b, tolerance=1e-12):
    assert np.abs(a - b).max() <= tolerance * max(1, np.abs(b).max())


@cases
def test_lines_follow_the_text_book(optimiser):
    ours, theirs, state = start(), start(), {}
    runner = Runner(optimiser, ours.size)
    for step in range(STEPS):
        g = slope(ours, step)
        kept = g.copy()
        runner.step(ours, g, step + 1, rate(optimiser, step))
        assert np.array_equal(g, kept)
        g = clipped(optimiser, slope(theirs, step))
        theirs = optimiser.reference(theirs, g, state, step + 1, rate(optimiser, step))
        close(ours, theirs)
    assert np.abs(ours - start()).max() > 1e-3


def torch_twin(optimiser, parameter):
    optim = pytest.importorskip("torch", reason="PyTorch is the oracle").optim
    o, shared = optimiser, {"lr": optimiser.lr, "weight_decay": optimiser.weight_decay}
    match o:
        case Sgd():
            return optim.SGD([parameter], momentum=o.momentum, nesterov=o.nesterov, **shared)
        case RmsProp():
            return optim.RMSprop([parameter], alpha=o.alpha, eps=o.eps, momentum=o.momentum, **shared)
        case AdaGrad():
            return optim.Adagrad([parameter], lr_decay=o.lr_decay, eps=o.eps, **shared)
        case Adamax():
            return optim.Adamax([parameter], betas=(o.beta1, o.beta2), eps=o.eps, **shared)
        case AdamW():
            return optim.AdamW([parameter], betas=(o.beta1, o.beta2), eps=o.eps, **shared)
        case Adam():
            return optim.Adam([parameter], betas=(o.beta1, o.beta2), eps=o.eps, **shared)
        case Lion():
            pytest.skip("PyTorch has no lion; the paper's formula is the oracle")
    pytest.fail(f"`{o.word}` is not held to PyTorch: add its class to torch_twin, or skip it with the reason")


@cases
def test_equals_pytorch_over_200_steps(optimiser):
    torch = pytest.importorskip("torch", reason="PyTorch is the oracle")
    parameter = torch.nn.Parameter(torch.tensor(start()))
    twin = torch_twin(optimiser, parameter)
    ours = start()
    runner = Runner(optimiser, ours.size)
    for step in range(STEPS):
        runner.step(ours, slope(ours, step), step + 1, rate(optimiser, step))
        parameter.grad = torch.tensor(slope(parameter.detach().numpy(), step))
        if optimiser.clip is not None:
            torch.nn.utils.clip_grad_norm_([parameter], optimiser.clip)
        twin.param_groups[0]["lr"] = rate(optimiser, step)
        twin.step()
        close(ours, parameter.detach().numpy())


def test_lion_by_hand():
    """Two steps on paper: the first in the direction of g, the second still led by the moment."""
    lion, p, state = Lion(lr=0.5, beta1=0.9, beta2=0.5), np.array([1.0]), {}
    p = lion.reference(p, np.array([2.0]), state, 1, 0.5)
    assert p[0] == 0.5 and state["m"][0] == 1.0  # sign(0.1 * 2) = 1;  m = 0.5 * 2
    p = lion.reference(p, np.array([-8.0]), state, 2, 0.5)
    assert p[0] == 0.0  # sign(0.9 * 1 - 0.1 * 8) = 1


def test_a_parameter_without_gradient_stays_where_it_is():
    for cls in OPTIMISERS:
        optimiser = cls(weight_decay=0.0)
        p = start()
        runner = Runner(optimiser, p.size)
        for step in (1, 2, 3):
            runner.step(p, np.zeros_like(p), step, optimiser.lr)
        assert np.array_equal(p, start()), cls.word


def test_float32_stays_float32_and_close():
    for optimiser in CASES:
        p, exact = start().astype(np.float32), start()
        runner, oracle = Runner(optimiser, p.size, np.float32), Runner(optimiser, p.size)
        for step in range(20):
            g = slope(exact, step)
            runner.step(p, g.astype(np.float32), step + 1, optimiser.lr)
            oracle.step(exact, g, step + 1, optimiser.lr)
        assert p.dtype == np.float32
        close(p, exact, 1e-5)


def test_a_step_allocates_nothing():
    """Every line writes through out=, so nothing is made that grows with the parameters."""
    for optimiser in CASES:
        for line in optimiser.lines():
            assert line.startswith("np.") and ", out=" in line, line


def test_chunks_give_the_same_bits():
    for optimiser in CASES:
        whole, parts = start(), start()
        a, b = Runner(optimiser, 37, chunk=37), Runner(optimiser, 37, chunk=5)
        for step in range(5):
            a.step(whole, slope(whole, step), step + 1, optimiser.lr)
            b.step(parts, slope(parts, step), step + 1, optimiser.lr)
        assert np.array_equal(whole, parts), optimiser


def test_clipping_leaves_a_short_gradient_alone():
    assert clip_scale(4.0, 2.5) == 1.0
    assert clip_scale(4.0, 1.0) == pytest.approx(0.5, rel=1e-6)
    assert clip_scale(0.0, 1.0) == 1.0
    assert np.isnan(clip_scale(float("nan"), 1.0))


def test_nesterov_without_momentum_is_refused():
    with pytest.raises(Fault) as found:
        Sgd(nesterov=True)
    assert found.value.code == "CNN206" and found.value.at == "nesterov"


def test_every_optimiser_is_documented_and_written():
    assert len({cls.word for cls in OPTIMISERS}) == len(OPTIMISERS)
    for cls in OPTIMISERS:
        assert cls.__doc__ and dataclasses.is_dataclass(cls)
        assert {"lr", "weight_decay", "clip"} <= set(settings(cls))
        assert cls().written() == cls.word
    assert Adam(lr=0.01, clip=1.0).written() == "adam lr 0.01 clip 1"
