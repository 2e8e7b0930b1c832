"""Networks that are too large for a page: it computes what fits, and shows of the rest what is known."""

import numpy as np
import pytest
from browser import complaints, resize, show, start, wait
from manners import faults

import cnnspec
from cnnspec.explain.probe import Probe, values_of
from cnnspec.explain.subject import Example, Subject
from cnnspec.ir.facts import facts
from cnnspec.report.page import network, page
from cnnspec.report.page.beyond import figures
from cnnspec.targets.js.module import looked_at_size

TEXT = """input 3x16x16
conv 4x3x3 -> bn -> relu as a -> maxpool 2 -> conv 8x3x3 -> relu -> add( conv 8x1x1 | id )
  -> dense 30 -> dense 3 -> softmax
"""
LIMITS = {  # room for what ends with pool1, and with what the page says
    "WEIGHTS": (700, "its weights take "),
    "VALUES": (30_000, "its values and gradients take "),
    "WORK": (25_000, "an image takes 0.0 billion multiply-adds"),
}


@pytest.fixture(scope="module")
def driver():
    made = start()
    resize(made, 1400, 900)
    yield made
    made.quit()


@pytest.fixture(scope="module")
def subject():
    model = cnnspec.compile(text=TEXT, seed=2)
    for name in model.parameters:
        if name.endswith("running_mean"):
            model.parameters[name] = np.linspace(-0.5, 0.5, 4)
    x = np.random.default_rng(0).normal(size=(2, 3, 16, 16)).astype(np.float32)
    examples = tuple(Example(f"noise {k}", model.arrays(x[k : k + 1], np.array([k])), k) for k in range(2))
    return Subject("large", model, examples)


def opened(driver, subject, tmp_path, place=""):
    path = tmp_path / "large.html"
    path.write_text(page(subject), encoding="utf-8")
    show(driver, path, place)


def ready(driver):
    wait(driver, lambda d: d.execute_script("return document.documentElement.dataset.ready"))


def go(driver, place):
    driver.execute_script("window.location.hash = arguments[0]", place)
    name = place.partition("[")[0]
    wait(driver, lambda d: d.find_element("id", "layer-heading").text.startswith(f"{name}:"))


def value(driver):
    ready(driver)
    return float(driver.find_element("id", "value").get_attribute("data-number"))


def agrees(driver):
    found = driver.find_elements("id", "agreement")
    return found[0].get_attribute("class") if found else ""


@pytest.mark.parametrize("limit", LIMITS)
def test_the_first_layers_that_fit_are_computed(subject, monkeypatch, limit):
    room, said = LIMITS[limit]
    monkeypatch.setattr(network, limit, room)
    spec = subject.model.spec
    _, layers, takes = network.shown(subject.model)
    assert takes.startswith(said) and set(layers) < set(spec.graph.nodes)
    part = network.cut(spec, list(layers))
    held = [name for name in subject.model.parameters if name.partition(".")[0] in layers]
    taken = {
        "WEIGHTS": 4 * sum(subject.model.parameters[name].size for name in held),
        "VALUES": 8 * looked_at_size(part),
        "WORK": facts(part.graph).macs,
    }
    assert 0 < taken[limit] <= room
    assert set(part.graph.outputs) == {layers[-1]}


def test_where_the_gradients_alone_are_too_many_every_value_is_computed(driver, subject, tmp_path, monkeypatch):
    monkeypatch.setattr(network, "VALUES", 70_000)
    opened(driver, subject, tmp_path, "softmax1[1]")
    said = driver.find_element("id", "part").text
    assert said.startswith("This page computes every value of this network, and no gradient: its values and")
    assert agrees(driver) == "agrees" and not driver.find_element("id", "back").text
    assert complaints(driver) == []


def test_what_fits_is_all_of_it(subject):
    text, layers, takes = network.shown(subject.model)
    assert (layers, takes) == (tuple(subject.graph.nodes), "") and "backward(" in text


def test_values_are_those_that_the_probe_sees(subject):
    example, names = subject.examples[1], ("conv2", "a", "softmax1", "add1")
    found = values_of(subject.model, names, example.arrays)
    for name in names:
        assert found[name] == pytest.approx(Probe(subject.model).look(example.arrays).values[name][0], abs=1e-5)


def test_the_page_tells_of_the_rest_what_is_known(driver, subject, tmp_path, monkeypatch):
    monkeypatch.setattr(network, "WEIGHTS", 700)
    opened(driver, subject, tmp_path, "conv1[2,1,1]")
    seen = Probe(subject.model).look(subject.examples[0].arrays)
    said = driver.find_element("id", "part").text
    assert said.startswith("This page computes the first 5 of the 13 values of this network, up to maxpool1: its")
    assert value(driver) == pytest.approx(seen.values["conv1"][0][2, 1, 1], rel=1e-6) and agrees(driver) == "agrees"
    go(driver, "conv2[3,1,1]")
    assert value(driver) == pytest.approx(seen.values["conv2"][0][3, 1, 1], rel=1e-4) and agrees(driver) == ""
    assert "no room for its weights" in driver.find_element("id", "sums").text
    assert driver.find_elements("css selector", "#beyond .frame[role=img]")
    assert "288" in driver.find_element("id", "beyond").text
    assert faults(driver) == []
    go(driver, "relu1[3,1,1]")  # needs no weights: its account stands on what the engine computed
    assert agrees(driver) == "agrees" and "in float32" in driver.find_element("id", "agreement").text
    shown = {name: driver.find_element("id", name).is_displayed() for name in ("views", "back", "silence")}
    assert not any(shown.values())
    assert [one.text for one in driver.find_elements("css selector", "#answers .answer")]
    go(driver, "conv1[2,1,1]")
    before = value(driver)
    driver.find_element("id", "silence").click()
    wait(driver, lambda d: value(d) != before)
    go(driver, "conv2[3,1,1]")
    assert "not here" in driver.find_element("id", "maps").text, "they were of another network"
    driver.find_element("id", "layer").click()
    driver.switch_to.active_element.send_keys("\ue009", "z")  # Ctrl
    wait(driver, lambda d: d.find_elements("css selector", "#maps .frame"))
    assert value(driver) == pytest.approx(seen.values["conv2"][0][3, 1, 1], rel=1e-4)
    assert complaints(driver) == []


def test_where_nothing_fits_kernels_and_values_are_shown(driver, subject, tmp_path, monkeypatch):
    monkeypatch.setattr(network, "WEIGHTS", 100)
    opened(driver, subject, tmp_path, "conv2[3,1,1]")
    seen = Probe(subject.model).look(subject.examples[0].arrays)
    assert "computes nothing of this network: its weights take" in driver.find_element("id", "part").text
    assert value(driver) == pytest.approx(seen.values["conv2"][0][3, 1, 1], rel=1e-4)
    assert len(driver.find_elements("css selector", "#picture .frame, #beyond .frame")) == 2
    assert faults(driver) == [] and complaints(driver) == []


def test_figures_are_those_of_numpy():
    x = np.random.default_rng(3).normal(2, 3, (7, 11)).astype(np.float32)
    x[0] = 0
    wanted = {"count": 77, "least": x.min(), "most": x.max(), "mean": x.mean(), "deviation": x.std()}
    assert figures(x) == pytest.approx({**wanted, "zeros": 1 / 7}, rel=1e-5)
    assert figures(np.array([1.0, np.nan])) is None
