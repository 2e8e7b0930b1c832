"""Kernels changed, filters silenced, parts of an image covered, and all of it undone: as the engine computes it."""

import numpy as np
import pytest
from browser import complaints, resize, show, start, wait

import cnnspec
from cnnspec.explain.subject import Example, Subject
from cnnspec.report.page import page

READY = "return document.documentElement.dataset.ready"
NETS = {
    "conv": "input 2x9x9\nconv 4x3x3 groups 2 -> relu as a -> conv 3x3x3 -> relu -> dense 3 -> softmax",
    "upconv": "input 2x5x5\nupconv 3x3x3 stride 2 as conv1 -> relu -> dense 3 -> softmax",
}


@pytest.fixture(scope="module")
def driver():
    made = start()
    resize(made, 1400)
    yield made
    made.quit()


@pytest.fixture(params=NETS)
def shown(request, driver, tmp_path):
    """A page at a number of conv1, and what stands behind it."""
    model = cnnspec.compile(text=NETS[request.param], dtype="float64", seed=2)
    x = np.random.default_rng(1).normal(size=(1, *model.graph.type("input").shape))
    example = Example("noise", model.arrays(x, np.array([1])), 1)
    path = tmp_path / "page.html"
    path.write_text(page(Subject("net", model, (example,), ("a", "b", "c"))), encoding="utf-8")
    show(driver, path, "conv1[2,1,1]")
    yield model, example
    assert complaints(driver) == []


def number(driver):
    wait(driver, lambda d: d.execute_script(READY))
    return float(driver.find_element("id", "value").get_attribute("data-number"))


def expected(model, example, weight, name="conv1", place=(2, 1, 1)):
    other = cnnspec.compile(text=model.spec.source.text, dtype="float64")
    for each in model.parameters:
        other.parameters[each] = weight if each == "conv1.weight" else model.parameters[each]
    return Subject("other", other, (example,)).look(example).values[name][0][place]


def kernel_of(model, weight, f, channel):
    """A view of a kernel as it meets the input."""
    if model.graph["conv1"].op.word == "upconv":
        return weight[channel, f, ::-1, ::-1]
    share = weight.shape[1]
    return weight[f, channel - f // (len(weight) // (2 // share)) * share]


def open_first(driver):
    group = driver.find_element("css selector", "#sums details[open]")
    text = group.find_element("css selector", "summary").text
    return group, int(text.split()[1])


def test_a_number_of_a_kernel(driver, shown):
    from selenium.webdriver.common.keys import Keys

    model, example = shown
    group, channel = open_first(driver)
    before = number(driver)
    cell = group.find_elements("css selector", "table")[1].find_elements("css selector", "td")[5]
    cell.click()
    field = cell.find_element("css selector", "input")
    field.clear()
    field.send_keys("0.75", Keys.ENTER)
    weight = model.parameters["conv1.weight"].copy()
    kernel_of(model, weight, 2, channel)[1, 2] = 0.75
    wanted = expected(model, example, weight)
    wait(driver, lambda d: number(d) == pytest.approx(wanted, rel=1e-9))
    assert "number 5: 0.75" in driver.find_element("id", "touched").text
    driver.find_element("id", "undo").click()
    wait(driver, lambda d: number(d) == before)
    assert not driver.find_element("id", "undo").is_displayed()


EDGE = np.array([[-1, -1, -1], [-1, 8, -1], [-1, -1, -1]]) / 9
PRESETS = {"edge": EDGE, "blur": np.full((3, 3), 1 / 9), "0": np.zeros((3, 3))}


@pytest.mark.parametrize(("name", "kernel"), PRESETS.items())
def test_presets(driver, shown, name, kernel):
    model, example = shown
    group, channel = open_first(driver)
    (button,) = (b for b in group.find_elements("css selector", "button") if b.text == name)
    button.click()
    weight = model.parameters["conv1.weight"].copy()
    kernel_of(model, weight, 2, channel)[:] = kernel
    wanted = expected(model, example, weight)
    wait(driver, lambda d: number(d) == pytest.approx(wanted, rel=1e-9, abs=1e-12))


def test_a_silent_filter_and_its_undoing(driver, shown):
    model, example = shown
    before = number(driver)
    driver.find_element("id", "silence").click()
    weight = model.parameters["conv1.weight"].copy()
    weight[(slice(None), 2) if model.graph["conv1"].op.word == "upconv" else 2] = 0
    wanted = expected(model, example, weight)
    wait(driver, lambda d: number(d) == pytest.approx(wanted, abs=1e-12))
    told = driver.find_element("id", "before-and-after").text
    answers = [expected(model, example, w, "softmax1", (1,)) for w in (model.parameters["conv1.weight"], weight)]
    assert told.startswith("Before → after: ")
    if "b " in told:
        assert f"b {answers[0]:.4g} → {answers[1]:.4g}" in told
    driver.find_element("id", "undo").click()
    wait(driver, lambda d: number(d) == before)


def test_a_part_of_the_image_is_covered(driver, shown):
    from selenium.webdriver.common.action_chains import ActionChains

    model, example = shown
    over = driver.find_element("css selector", "#picture .frame")
    driver.execute_script("arguments[0].scrollIntoView({block: 'center'})", over)
    width = model.graph.type("input")["w"]
    unit = over.size["width"] / width
    x, y = (-over.size["width"] / 2 + 0.5 * unit, -over.size["height"] / 2 + 0.5 * unit)
    pen = ActionChains(driver, duration=20).move_to_element_with_offset(over, round(x), round(y))
    pen.click_and_hold().move_by_offset(round(3 * unit), round(unit)).release().perform()
    images = example.arrays["input"].copy()
    images[0, :, 0:2, 0:4] = images.min()
    covered = Example("covered", {**example.arrays, "input": images}, 1)
    wanted = Subject("net", model, (covered,)).look(covered).values["conv1"][0][2, 1, 1]
    wait(driver, lambda d: number(d) == pytest.approx(wanted, rel=1e-9))
    driver.find_element("css selector", "#example option[value='0']").click()
    wait(driver, lambda d: number(d) != pytest.approx(wanted, rel=1e-9))
