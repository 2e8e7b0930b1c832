"""Each schedule against PyTorch's, and what no schedule may do."""

from __future__ import annotations

import warnings

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnnspec.diagnostics import Fault
from cnnspec.settings.schedules import SCHEDULES, Constant, Cosine, Exponential, OneCycle, Step

EPOCH, EPOCHS, BASE = 7, 12, 0.3
TOTAL = EPOCH * EPOCHS


def ours(schedule):
    return [schedule.rate(step, TOTAL, EPOCH, BASE) for step in range(TOTAL)]


def theirs(make, each_epoch):
    """The rates of a torch scheduler, moved every step or once an epoch."""
    torch = pytest.importorskip("torch", reason="PyTorch is the oracle")
    optimiser = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=BASE)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        scheduler = make(torch.optim.lr_scheduler, optimiser)
        rates = []
        for step in range(TOTAL):
            rates.append(optimiser.param_groups[0]["lr"])
            if step < TOTAL - 1 and (not each_epoch or step % EPOCH == EPOCH - 1):
                scheduler.step()
    return rates


def warm(lr, optimiser, steps):
    return lr.LinearLR(optimiser, start_factor=1 / (steps + 1), total_iters=steps)


TWINS = {
    "constant warmup 2": (
        Constant(warmup=2), lambda lr, o: warm(lr, o, 14), False),
    "step": (
        Step(every=3, gamma=0.5), lambda lr, o: lr.StepLR(o, 3, 0.5), True),
    "step every step of an epoch of one": (
        Step(every=1, gamma=0.9), lambda lr, o: lr.StepLR(o, 1, 0.9), True),
    "exponential": (
        Exponential(gamma=0.8), lambda lr, o: lr.ExponentialLR(o, 0.8), True),
    "cosine": (
        Cosine(), lambda lr, o: lr.CosineAnnealingLR(o, TOTAL), False),
    "cosine final": (
        Cosine(final=0.01), lambda lr, o: lr.CosineAnnealingLR(o, TOTAL, 0.01), False),
    "cosine warmup 2.5 epochs, 18 steps": (
        Cosine(warmup=2.5),
        lambda lr, o: lr.SequentialLR(o, [warm(lr, o, 18), lr.CosineAnnealingLR(o, TOTAL - 18)], [18]),
        False),
    "step warmup 1, an epoch being one step": (
        Step(every=21, gamma=0.5, warmup=7),
        lambda lr, o: lr.ChainedScheduler([warm(lr, o, 7), lr.StepLR(o, 21, 0.5)], o), False),
    "onecycle": (
        OneCycle(), lambda lr, o: lr.OneCycleLR(o, BASE, TOTAL, cycle_momentum=False), False),
    "onecycle half way up": (
        OneCycle(start=10, end=100, warmup=6),
        lambda lr, o: lr.OneCycleLR(
            o, BASE, TOTAL, pct_start=0.5, div_factor=10, final_div_factor=100, cycle_momentum=False),
        False),
}  # fmt: skip


@pytest.mark.parametrize("name", TWINS)
def test_equals_pytorch(name):
    schedule, make, each_epoch = TWINS[name]
    expected = theirs(make, each_epoch)
    epoch = 1 if "an epoch being one step" in name else EPOCH
    found = [schedule.rate(step, TOTAL, epoch, BASE) for step in range(TOTAL)]
    # torch multiplies its rate on from step to step; the formula itself does not
    assert found == pytest.approx(expected, rel=1e-12, abs=1e-15)


def test_constant_is_constant():
    assert set(ours(Constant())) == {BASE}


def test_a_warm_up_rises_in_equal_steps_to_the_first_full_rate():
    rates = ours(Constant(warmup=1))
    assert rates[: EPOCH + 1] == pytest.approx([BASE * (i + 1) / (EPOCH + 1) for i in range(EPOCH + 1)])
    rates = ours(Step(every=1, gamma=0.5, warmup=2))
    assert rates[14] == pytest.approx(BASE / 4) and max(rates) == rates[14]


def test_a_warm_up_may_be_part_of_an_epoch():
    assert ours(Constant(warmup=0.5))[:5] == pytest.approx([BASE / 5 * i for i in (1, 2, 3, 4, 5)])


@given(
    st.sampled_from(SCHEDULES),
    st.floats(0, 20),
    st.integers(1, 50),
    st.integers(1, 20),
    st.integers(0, 2000),
)
def test_rates_stay_between_nothing_and_lr(cls, warmup, epoch, epochs, step):
    rate = cls(warmup=warmup).rate(step, epoch * epochs, epoch, BASE)
    assert 0 <= rate <= BASE * (1 + 1e-12)


def test_after_the_last_step_the_rate_stays():
    for cls in SCHEDULES:
        assert cls().rate(TOTAL + 100, TOTAL, EPOCH, BASE) == cls().rate(TOTAL - 1, TOTAL, EPOCH, BASE)


def test_a_warm_up_longer_than_the_training_is_refused():
    with pytest.raises(Fault) as found:
        Cosine(warmup=100).fits(5)
    assert found.value.code == "CNN301" and found.value.at == "warmup"
    assert found.value.message == "a warm-up of 100 epochs does not end within 5"
    Cosine(warmup=4.9).fits(5)
    OneCycle().fits(1)


def test_every_schedule_is_documented_and_written():
    for cls in SCHEDULES:
        assert cls.__doc__ and cls().written() == cls.word
    assert Cosine(warmup=0.5, final=1e-5).written() == "cosine final 1e-05 warmup 0.5"
