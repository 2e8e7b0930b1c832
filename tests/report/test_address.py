"""A link shows another browser the same: example, layer, number, view, what is one's own and what was changed."""

import base64
import json
import zlib

import numpy as np
import pytest
from browser import complaints, resize, show, start, wait

import cnnspec
from cnnspec.data.dataset import Scaling
from cnnspec.data.preparation import Preparation
from cnnspec.explain.subject import Example, Subject
from cnnspec.report.page import page

READY = "return document.documentElement.dataset.ready"
PLACE = "conv1[2,4,5]"


@pytest.fixture(scope="module")
def drivers():
    """Two browsers with nothing in common."""
    made = [start(), start()]
    for each in made:
        resize(each, 1400, 900)
    yield made
    for each in made:
        each.quit()


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    text = "input 1x12x12\nconv 3x3x3 -> relu -> dense 4 -> softmax"
    model = cnnspec.compile(text=text, dtype="float64", seed=3)
    scaling, classes = Scaling((1 / 255,), (0.0,)), tuple("abcd")
    kept = Preparation((1, 12, 12), scaling, "bytes", (0, 255), classes, "digits", colour=False)
    images = np.random.default_rng(0).uniform(size=(3, 1, 1, 12, 12))
    examples = tuple(Example(f"image {k}", model.arrays(x, np.array([k])), k) for k, x in enumerate(images))
    made = tmp_path_factory.mktemp("link") / "page.html"
    made.write_text(page(Subject("net", model, examples, classes, preparation=kept)), encoding="utf-8")
    return made


def number(driver):
    wait(driver, lambda d: d.execute_script(READY))
    return float(driver.find_element("id", "value").get_attribute("data-number"))


def more_of(text):
    """What an address holds beyond places."""
    _, _, packed = text.partition("more=")
    squeezed = base64.urlsafe_b64decode(packed + "=" * (-len(packed) % 4))
    return json.loads(zlib.decompress(squeezed, wbits=-15)) if packed else {}


def link(driver, until):
    wait(driver, lambda d: until(d.execute_script("return window.location.hash")))
    return driver.execute_script("return window.location.hash")[1:]


def seen(driver):
    """What another person sees."""
    ids = ("value", "layer-heading", "answers", "back", "sums", "legend")
    texts = [driver.find_element("id", name).text for name in ids]
    view = driver.execute_script("return document.querySelector('input[name=view]:checked').value")
    pixels = "const c = document.querySelector('#picture canvas'); return c.toDataURL()"
    return [*texts, view, driver.execute_script(pixels)]


def same(one, other):
    wait(other, lambda d: d.execute_script(READY))
    assert seen(one) == seen(other)
    assert complaints(other) == []


def test_example_layer_number_and_view(drivers, path):
    one, other = drivers
    show(one, path, PLACE)
    one.find_element("css selector", "#example option[value='2']").click()
    one.find_element("css selector", "input[value=gradients]").click()
    told = link(one, lambda text: "gradients" in text)
    assert told == f"{PLACE}&example=2&view=gradients"
    show(other, path, told)
    same(one, other)


def test_a_drawing_a_kernel_and_a_covered_part(drivers, path):
    """And what the link brings can be undone there."""
    from selenium.webdriver.common.action_chains import ActionChains

    one, other = drivers
    show(one, path, PLACE)
    pad = one.find_element("id", "pad")
    one.execute_script("arguments[0].scrollIntoView({block: 'center'})", pad)
    pen = ActionChains(one, duration=20).move_to_element_with_offset(pad, -40, -60).click_and_hold()
    pen.move_by_offset(60, 0).move_by_offset(-30, 90).release().perform()
    wait(one, lambda d: d.find_element("id", "example").get_attribute("value") == "own" and d.execute_script(READY))
    over = one.find_element("css selector", "#picture .frame")
    one.execute_script("arguments[0].scrollIntoView({block: 'center'})", over)
    pen = ActionChains(one, duration=20).move_to_element_with_offset(over, -10, -10).click_and_hold()
    pen.move_by_offset(30, 20).release().perform()
    wait(one, lambda d: "covered" in d.find_element("id", "changed").text and d.execute_script(READY))
    before = number(one)
    one.find_element("id", "silence").click()
    wait(one, lambda d: number(d) != before)
    told = link(one, lambda text: {"covers", "set"} <= set(more_of(text)))
    assert len(told) < 1500
    show(other, path, told)
    same(one, other)
    other.find_element("id", "undo").click()
    wait(other, lambda d: number(d) == pytest.approx(before, abs=1e-12))


DAMAGED = (
    f"{PLACE}&more=%%%",
    f"{PLACE}&more=AAAA",
    f"{PLACE}&example=99&view=odd",
    "%E0%A4%A",
    "no[1]",
    "conv1[9,9,99]",
)


@pytest.mark.parametrize("text", DAMAGED)
def test_a_damaged_link_shows_what_can_be_shown(drivers, path, text):
    driver = drivers[0]
    show(driver, path, text)
    assert driver.find_element("id", "value").text.startswith("conv1[")
    assert complaints(driver) == []


HOSTILE = [
    {"covers": [["input", [0, 1e15], [0, 1]]]},
    {"covers": [["__proto__", [0, 1], [0, 1]]]},
    {"set": {"__proto__": [[0, 1]], "constructor": [[0, 1]]}},
    {"set": {"conv1.weight": [[1e9, 5], [0, "x"], [-1, 2]]}},
    {"pixels": "AAAA", "title": "<b>x</b>"},
]


@pytest.mark.parametrize("more", HOSTILE, ids=str)
def test_a_hostile_link_does_no_harm(drivers, path, more):
    driver = drivers[0]
    squeezed = zlib.compress(json.dumps(more).encode())[2:-4]
    packed = base64.urlsafe_b64encode(squeezed).decode().rstrip("=")
    show(driver, path, PLACE)
    wanted = number(driver)
    show(driver, path, f"{PLACE}&more={packed}")
    assert number(driver) == wanted
    assert complaints(driver) == []


def test_an_address_is_not_overwritten_before_it_is_followed(drivers, path):
    one, _ = drivers
    show(one, path, PLACE)
    number(one)
    one.execute_script("""
        const later = window.setTimeout, due = [];
        window.setTimeout = (work) => due.push(work);
        document.getElementById("after").click();  // the page is about to write this layer's address
        window.setTimeout = later;
        window.location.hash = "relu1[1,2,3]";
        for (const work of due) work();  // before the browser tells the page of the address
    """)
    wait(one, lambda d: d.find_element("id", "layer-heading").text.startswith("relu1:"))
    assert link(one, lambda found: "relu1" in found) == "relu1[1,2,3]"
    assert complaints(one) == []


def test_of_two_addresses_the_later_is_shown(drivers, path):
    one, _ = drivers
    show(one, path, PLACE)
    number(one)
    one.execute_async_script("""
        const done = arguments[0];
        window.location.hash = "conv1[0,0,0]&example=2";  // an example that was not looked at yet
        setTimeout(() => { window.location.hash = "relu1[1,2,3]"; setTimeout(done, 600); });
    """)
    assert number(one) is not None
    assert one.find_element("id", "layer-heading").text.startswith("relu1:")
    assert link(one, lambda found: "relu1" in found).startswith("relu1[1,2,3]")
