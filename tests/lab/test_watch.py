"""`run --watch`: a page that shows a run while it trains, and changes nothing of it."""

import json
import math
import urllib.request

import numpy as np
import pytest
from browser import complaints, start
from lab import Lab

from cnnspec.experiment.experiment import Execution, Experiment
from cnnspec.lab.watch import POINTS, Watcher, thinned, watched
from cnnspec.train.loop import EpochDone, StepDone

TEXT = """input 1x28x28
conv 3x5x5 stride 3 -> relu -> maxpool 2 -> dense 10 -> softmax
data { source digits ; validation 10% }
train { optimiser adam lr 1e-2 ; batch 500 ; epochs 2 ; seed 1 }
"""


@pytest.fixture
def begun(tmp_path):
    def make(name):
        path = tmp_path / name / "net.cnn"
        path.parent.mkdir()
        path.write_text(TEXT)
        return Experiment.begin(path, out=path.parent / "runs", execution=Execution(1, "threads"))

    return make


def told(address):
    question = json.dumps({"ask": "run", "text": "", "at": 0, "settings": []}).encode()
    asked = urllib.request.Request(address + "ask", question, {"Content-Type": "application/json"})
    with urllib.request.urlopen(asked, timeout=300) as answer:
        return json.loads(answer.read())


def test_a_watched_run_is_the_run_that_it_would_have_been(begun):
    seen = []
    with begun("watched") as experiment, watched(experiment, browser=False) as (watcher, address):
        watcher.since = -math.inf  # every step is one to look at

        def look(event):
            if isinstance(event, StepDone | EpochDone):
                watcher.since = -1e9
                seen.append(told(address))

        summary = experiment.run(watcher, look)
        one = {name: experiment.model.parameters[name] for name in experiment.model.parameters}
    with begun("alone") as other:
        assert other.run()["test_cost"] == summary["test_cost"]
        assert all(np.array_equal(one[name], other.model.parameters[name]) for name in one)
    last = seen[-1]
    assert last["now"]["state"] == "training" and last["now"]["step"] == last["now"]["steps"] == 18
    assert len(last["costs"]) == 18 and [row["epoch"] for row in last["rows"]] == [1, 2]
    assert sum(map(sum, last["confusion"]["counts"])) == 500 and len(last["confusion"]["classes"]) == 10
    (kernels,) = last["filters"]
    shades = [shade for row in kernels["rows"] for shade in row if shade is not None]
    assert kernels["name"] == "conv1" and max(map(abs, shades)) == 127


def test_a_curve_has_few_points_and_gaps_for_what_is_no_number():
    assert thinned([]) == []
    assert thinned([1.0, math.nan, 3.0]) == [1.0, None, 3.0]
    assert len(thinned([1.0] * (7 * POINTS + 1))) <= POINTS


def test_a_page_asks_of_nothing_else(begun):
    with begun("net") as experiment:
        assert Watcher(experiment).answer({"ask": "save", "text": "x", "at": 0, "settings": []}) == {}


def test_the_page_shows_the_run_and_says_when_it_is_over(begun):
    driver = start()
    try:
        with begun("net") as experiment, watched(experiment, browser=False) as (watcher, address):
            lab = Lab(driver, address)
            assert "starting" in lab.text("progress")
            watcher.since = -1e9
            experiment.run(watcher, lambda event: setattr(watcher, "since", -1e9))
            lab.until(lambda: "epoch 2 of 2" in lab.text("progress"))
            assert lab.js("return document.querySelectorAll('#curves svg').length") == 5
            assert lab.js("return document.querySelectorAll('#live canvas').length") == 1
            assert lab.js("return document.querySelectorAll('#confusion tr').length") == 11
            assert complaints(driver) == []
        lab.until(lambda: "has ended" in lab.text("said"))
    finally:
        driver.quit()
