"""`cnnspec lr`: rates grow by one factor, the proposal trains, and what cannot be learned gets none."""

import json
from pathlib import Path

import numpy as np
import pytest

import cnnspec
from cnnspec.cli import run as command
from cnnspec.experiment.range_test import BELOW, SMOOTHING, RangeTest
from cnnspec.experiment.session import begin

SPEC = """\
input 1x28x28
conv 4x3x3 stride 2 -> relu -> maxpool 2 -> dense 10 -> softmax
data { source digits ; limit 300 }
train { epochs 3 ; batch 32 ; seed 4 ; shards 1 ; optimiser OPTIMISER }
"""


@pytest.fixture
def net(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def write(optimiser):
        (tmp_path / "net.cnn").write_text(SPEC.replace("OPTIMISER", optimiser))
        return "net.cnn"

    return write


def asked(capsys, *arguments):
    code = command(["lr", *map(str, arguments), "--workers", "1", "--json"])
    said = capsys.readouterr()
    return code, json.loads(said.out), said.err


def test_the_rates_and_the_smoothed_cost_are_as_the_formulas_say(net, capsys):
    code, found, _ = asked(capsys, net("sgd"), "--low", 1e-4, "--high", 1, "--steps", 13)
    assert code == 0
    np.testing.assert_allclose(found["rates"], np.geomspace(1e-4, 1, 13), rtol=1e-12)
    weights = SMOOTHING ** np.arange(13)[::-1]
    for k in range(13):
        mean = np.average(found["costs"][: k + 1], weights=weights[-k - 1 :])
        assert found["smooth"][k] == pytest.approx(mean, rel=1e-12)
    lowest = found["rates"][int(np.argmin(found["smooth"]))]
    assert found["lowest"] == lowest and found["proposal"] == pytest.approx(lowest / BELOW, rel=0.05)


def test_it_is_a_training_at_those_rates(net, capsys):
    """Step by step the model of the API at the same rates, on the same batches."""
    _, found, _ = asked(capsys, net("adam"), "--steps", 12)
    data = cnnspec.compile("net.cnn", dtype="float32")
    session = begin(Path("net.cnn"))
    batches = session.data.train.batches(32, seed=4, epoch=0, shuffle=True, dtype="float32")
    with data as model:
        for (x, y), rate, cost in zip(batches, found["rates"], found["costs"], strict=False):
            model.rate = rate
            assert model.learn(x, y)[0] == pytest.approx(cost, rel=1e-4)


@pytest.mark.parametrize("optimiser", ["sgd momentum 0.9", "adam"])
def test_the_proposal_trains_better_than_one_a_hundred_times_smaller(net, capsys, optimiser):
    spec = net(optimiser)
    code, found, _ = asked(capsys, spec)
    assert code == 0
    costs = []
    for rate in (found["proposal"], found["proposal"] / 100):
        assert command(["run", spec, "--lr", repr(rate), "--workers", "1", "--json"]) == 0
        costs.append(json.loads(capsys.readouterr().out)["test_cost"])
    assert costs[0] < 0.9 * costs[1]


def test_a_rate_that_bursts_ends_the_test(net, capsys):
    code, found, _ = asked(capsys, net("sgd"), "--high", 1e6, "--steps", 60)
    assert code == 0 and len(found["rates"]) < 60 and found["rates"][-1] < 1e6
    assert all(np.isfinite(found["costs"]))


def test_the_picture_and_the_proposal_are_shown_and_drawn(net, capsys):
    assert command(["lr", net("adam"), "--low", "1e-4", "--workers", "1", "--svg", "lr.svg"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("cost, smoothed\n") and "*" in out
    assert "proposal: `optimiser adam lr " in out and "written to lr.svg" in out
    with open("lr.svg", encoding="utf-8") as file:
        assert "stroke-dasharray" in file.read()


def test_where_the_cost_only_rises_there_is_no_proposal(net, capsys):
    code, found, err = asked(capsys, net("sgd"), "--low", 100, "--high", 1000, "--steps", 10)
    assert code == 1 and found["proposal"] is None and "CNN330" in err
    assert RangeTest((1.0,), (2.0,), (2.0,), whole=False).proposal is None


@pytest.mark.parametrize("bounds", [("0", "1"), ("1", "1"), ("nan", "1"), ("1", "inf")])
def test_bounds_that_are_none_are_refused(net, capsys, bounds):
    assert command(["lr", net("sgd"), "--low", bounds[0], "--high", bounds[1]]) == 2
    assert "--low is above 0" in capsys.readouterr().err
