"""The gradient of a weight and the step that would follow, as the page tells them, are the engine's own."""

import numpy as np
import pytest
from browser import complaints, resize, show, start, wait

import cnnspec
from cnnspec.explain.subject import Example, Subject
from cnnspec.report.page import page
from cnnspec.settings.optimisers import OPTIMISERS

NETS = {
    "conv": "input 2x9x9\nconv 4x3x2 stride 2 pad 1 groups 2 -> bn -> scale -> prelu -> dense 3 -> softmax",
    "upconv": "input 2x5x5\nupconv 4x3x3 stride 2 groups 2 -> groupnorm 2 -> layernorm -> dense 3 -> softmax",
    "shared": """
        input 1x6x6 as one
        input 1x6x6 as two
        net look = conv 2x3x3 -> relu -> dense 4 -> tanh
        mul( @one -> look | @two -> look ) -> dense 2 -> softmax""",
}


@pytest.fixture(scope="module")
def driver():
    made = start()
    resize(made, 1400)
    yield made
    made.quit()


def opened(driver, tmp_path, text, place):
    model = cnnspec.compile(text=text, dtype="float64", seed=3)
    generator = np.random.default_rng(2)
    for name in model.parameters:
        low = 0.5 if name.endswith("running_var") else -0.8
        model.parameters[name] = generator.uniform(low, 1.2, model.parameters[name].shape)
    if len(model.graph.inputs) == 1:
        arrays = model.arrays(*batch_of(model))
    else:
        x = {name: generator.normal(size=(1, *model.graph.type(name).shape)) for name in model.graph.inputs}
        arrays = model.arrays(x, np.array([1]))
    path = tmp_path / "page.html"
    path.write_text(page(Subject("net", model, (Example("noise", arrays, 1),))), encoding="utf-8")
    show(driver, path, place)
    return model, arrays


def batch_of(model):
    generator = np.random.default_rng(5)
    return generator.normal(size=(1, *model.graph.type("input").shape)), np.array([1])


def differences(model, arrays, name, index, step=1e-6):
    """The gradient of the cost of the network in use, by central differences."""
    costs = []
    for sign in (1, -1):
        changed = model.parameters[name].copy()
        kept = changed.copy()
        changed[index] += sign * step
        model.parameters[name] = changed
        costs.append(Subject("", model, ()).look(Example("", arrays)).cost)
        model.parameters[name] = kept
    return (costs[0] - costs[1]) / (2 * step)


def told(driver):
    """The chosen weight's gradient, and the number after a step."""
    wait(driver, lambda d: d.find_element("id", "weight-step").get_attribute("data-number"))
    return [
        float(driver.find_element("id", name).get_attribute("data-number"))
        for name in ("weight-gradient", "weight-step")
    ]


def rows(driver, label):
    return [b for b in driver.find_elements("css selector", "#sums button.link") if b.text.startswith(label)]


def go(driver, place):
    driver.execute_script("window.location.hash = arguments[0]", place)
    wait(driver, lambda d: d.find_element("id", "value").text.startswith(place))


# a place, what is pressed there, the weight that it is
PRESSED = {
    "conv": (
        ("conv1[2,1,1]", 0, ""),
        ("conv1[2,1,1]", 3, ""),
        ("bn1[1,2,2]", "weight", "bn1.weight[1]"),
        ("bn1[1,2,2]", "bias", "bn1.bias[1]"),
        ("scale1[0,1,1]", "weight", "scale1.weight[0]"),
        ("prelu1[3,0,1]", "weight", "prelu1.weight[3]"),
        ("conv1[3,0,1]", "bias", "conv1.bias[3]"),
        ("dense1[1]", "bias", "dense1.bias[1]"),
    ),
    "upconv": (
        ("upconv1[2,1,1]", 5, ""),
        ("groupnorm1[3,4,5]", "weight", "groupnorm1.weight[3]"),
        ("groupnorm1[3,4,5]", "bias", "groupnorm1.bias[3]"),
        ("layernorm1[2,4,5]", "weight", "layernorm1.weight[2]"),
    ),
}


@pytest.mark.parametrize("net", PRESSED)
def test_every_trained_number_of_an_account_leads_to_its_gradient(driver, tmp_path, net):
    model, arrays = opened(driver, tmp_path, NETS[net], f"{net}1[0,0,0]")
    for place, pressed, name in PRESSED[net]:
        go(driver, place)
        css = "#sums [data-cell]"
        found = driver.find_elements("css selector", css)[pressed] if not name else rows(driver, pressed)[0]
        found.click()
        wait(driver, lambda d: d.find_element("css selector", "#weight h3"))
        title = driver.find_element("css selector", "#weight h3").text
        full, index = title.split(" ")[2].rstrip("]").split("[")
        at = tuple(map(int, index.split(",")))
        assert title == f"The weight {full}[{index}] = {model.parameters[full][at]:.5g}"
        assert not name or f"{full}[{index}]" == name
        gradient, _ = told(driver)
        assert gradient == pytest.approx(differences(model, arrays, full, at), rel=1e-5, abs=1e-9)
    assert complaints(driver) == []


def test_what_is_counted_along_has_no_gradient(driver, tmp_path):
    opened(driver, tmp_path, NETS["conv"], "bn1[1,2,2]")
    rows(driver, "running_mean")[0].click()
    wait(driver, lambda d: "not trained: it has no gradient" in d.find_element("id", "weight").text)


def test_a_weight_of_two_layers_has_a_part_in_both(driver, tmp_path):
    model, arrays = opened(driver, tmp_path, NETS["shared"], "look.conv1[1,2,2]")
    driver.find_elements("css selector", "#sums [data-cell]")[4].click()
    gradient, _ = told(driver)
    assert gradient == pytest.approx(differences(model, arrays, "look.conv1.weight", (1, 0, 1, 1)), rel=1e-5)
    assert "It has a part in 32 numbers" in driver.find_element("id", "weight").text


SLOW = [pytest.param(o.word, marks=[] if o.word in ("adam", "lion") else pytest.mark.slow) for o in OPTIMISERS]


@pytest.mark.parametrize("word", SLOW)
def test_the_step_is_that_of_the_optimiser(driver, tmp_path, word):
    """On one image, from rest, at the spec's own rate: as a training step of the engine moves the weight."""
    text = f"input 1x5x5\nconv 2x3x3 -> dense 3 -> softmax\ntrain {{ optimiser {word} lr 0.01 ; batch 1 }}"
    model, _ = opened(driver, tmp_path, text, "conv1[1,1,1]")
    driver.find_elements("css selector", "#sums [data-cell]")[4].click()
    _, after = told(driver)
    x, y = batch_of(model)
    model.learn(x, y)
    assert after == pytest.approx(float(model.parameters["conv1.weight"][1, 0, 1, 1]), rel=1e-9)
