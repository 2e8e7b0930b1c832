"""A network that takes its time: whatever is done meanwhile counts, and nothing shown is of before."""

import numpy as np
import pytest
from browser import complaints, resize, show, start, wait

import cnnspec
from cnnspec.data.dataset import Scaling
from cnnspec.data.preparation import Preparation
from cnnspec.explain.subject import Example, Subject
from cnnspec.report.page import page

READY = "return document.documentElement.dataset.ready"
LATE = """
const post = Worker.prototype.postMessage, heard = new Set();
window.waiting = 0;
Worker.prototype.postMessage = function (question) {
  if (!heard.has(this)) this.addEventListener('message', () => { window.waiting--; });
  heard.add(this);
  window.waiting++;
  window.setTimeout(() => post.call(this, question), 300);
};
"""
EDGE = "[...document.querySelectorAll('#sums button')].find((one) => one.textContent === 'edge').click();"
CHOOSE = """const choice = document.getElementById('example');
choice.value = '%d'; choice.dispatchEvent(new Event('change'));"""
DRAW = """const pad = document.getElementById('pad'), box = pad.getBoundingClientRect();
pad.setPointerCapture = () => {}; pad.hasPointerCapture = () => true;
for (const [kind, k] of [['down', 20], ['move', 50], ['move', 80], ['up', 80]])
  pad.dispatchEvent(new PointerEvent(`pointer${kind}`, { pointerId: 1, clientX: box.x + k, clientY: box.y + k }));
document.getElementById('clear').click();"""


@pytest.fixture(scope="module")
def driver():
    made = start()
    resize(made, 1400)
    yield made
    made.quit()


@pytest.fixture
def late(driver, tmp_path):
    """A page of three images whose network answers late, and what stands behind it."""
    model = cnnspec.compile(text="input 1x9x9\nconv 3x3x3 -> relu -> dense 3 -> softmax", dtype="float64", seed=2)
    x = np.random.default_rng(1).normal(size=(3, 1, 9, 9))
    kept = Preparation(
        (1, 9, 9), Scaling((1 / 255,), (0.0,)), "bytes", (0, 255), tuple("abc"), "images", colour=False
    )
    examples = tuple(Example(f"image {k}", model.arrays(x[k : k + 1], np.array([k])), k) for k in range(3))
    path = tmp_path / "page.html"
    path.write_text(page(Subject("net", model, examples, tuple("abc"), preparation=kept)), encoding="utf-8")
    show(driver, path, "conv1[2,1,1]")
    driver.execute_script(LATE)
    yield model, examples
    assert complaints(driver) == []


def expected(model, example, edge=True, place=(2, 1, 1)):
    """A number of the network, with the other kernel in filter 2 or without."""
    other = cnnspec.compile(text=model.spec.source.text, dtype="float64")
    for name in model.parameters:
        other.parameters[name] = model.parameters[name]
    weight = model.parameters["conv1.weight"].copy()
    weight[2, 0] = np.array([[-1, -1, -1], [-1, 8, -1], [-1, -1, -1]]) / 9
    if edge:
        other.parameters["conv1.weight"] = weight
    return Subject("other", other, (example,)).look(example).values["conv1"][0][place]


def shown(driver):
    wait(driver, lambda d: d.execute_script(READY))
    value = float(driver.find_element("id", "value").get_attribute("data-number"))
    return driver.find_element("id", "example").get_attribute("value"), pytest.approx(value, rel=1e-9)


def test_numbers_changed_while_an_image_is_looked_at(driver, late):
    """The image that was chosen comes, with the numbers as they are by then; and so do those that follow."""
    model, examples = late
    driver.execute_script(CHOOSE % 1 + EDGE)
    assert shown(driver) == ("1", expected(model, examples[1]))
    for k in (0, 2, 1):
        driver.execute_script(CHOOSE % k)
        assert shown(driver) == (str(k), expected(model, examples[k]))


def test_what_is_pressed_while_a_change_is_computed_meets_a_page_that_is_whole(driver, late):
    model, examples = late
    driver.execute_script(
        EDGE + "document.getElementById('after').click(); document.getElementById('before').click();"
    )
    driver.execute_script("window.location.hash = 'conv1[2,1,2]'")
    wait(driver, lambda d: d.find_element("id", "value").text.startswith("conv1[2,1,2]"))
    assert shown(driver) == ("0", expected(model, examples[0], place=(2, 1, 2)))


def test_images_that_are_chosen_quickly_leave_the_last(driver, late):
    model, examples = late
    driver.execute_script("{" + "}{".join(CHOOSE % k for k in (1, 2, 0, 1, 2)) + "}" + EDGE)
    assert shown(driver) == ("2", expected(model, examples[2]))


def test_a_drawing_that_is_cleared_before_it_is_answered_does_not_come_back(driver, late):
    model, examples = late
    driver.execute_script(DRAW)
    assert shown(driver) == ("0", expected(model, examples[0], edge=False))
    wait(driver, lambda d: d.execute_script("return window.waiting === 0"))
    assert shown(driver) == ("0", expected(model, examples[0], edge=False))
