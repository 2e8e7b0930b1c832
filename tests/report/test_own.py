"""Drawings and pictures of one's own on the page: fitted as `predict --fit` does, and answered the same."""

import numpy as np
import pytest
from browser import complaints, resize, show, start, wait

import cnnspec
from cnnspec.data.asked.fitted import as_digit, cover
from cnnspec.data.dataset import Scaling
from cnnspec.data.preparation import Preparation
from cnnspec.explain.subject import Example, Subject
from cnnspec.ir import data
from cnnspec.report.page import HERE, page

SCRIPTS = "\n".join((HERE / name).read_text(encoding="utf-8") for name in ("maps.js", "fit.js"))
READY = "return document.documentElement.dataset.ready"


@pytest.fixture(scope="module")
def driver():
    made = start()
    yield made
    made.quit()


def drawing(generator, height, width):
    """Some strokes, dark on light or light on dark, with the grain of paper."""
    x = np.full((height, width), float(generator.integers(200, 256)))
    for _ in range(3):
        (a, b), (c, d) = generator.uniform(0.1, 0.9, (2, 2))
        for t in np.linspace(0, 1, 200):
            i, j = round((a + (c - a) * t) * height), round((b + (d - b) * t) * width)
            x[max(0, i - 2) : i + 3, max(0, j - 2) : j + 3] = generator.integers(0, 60)
    x += generator.uniform(-3, 3, x.shape)
    x = np.clip(x, 0, 255)
    return np.rint(255 - x if generator.random() < 0.5 else x).astype(np.uint8)


def test_a_drawing_is_fitted_as_in_python(driver):
    generator = np.random.default_rng(4)
    driver.get("about:blank")
    for height, width in ((280, 280), (60, 91), (28, 28), (9, 40)):
        x = drawing(generator, height, width)
        wanted = as_digit(x, 28, "x")
        found = driver.execute_script(f"{SCRIPTS}\nreturn asDigit(arguments[0], 28)", x.tolist())
        assert np.abs(np.array(found, int) - wanted).max() <= 1  # a sum in another order, then rounded
        assert (np.array(found) != wanted).mean() < 0.01


def test_a_picture_is_cut_and_scaled_as_in_python(driver):
    generator = np.random.default_rng(5)
    driver.get("about:blank")
    for height, width, tall, wide in ((50, 80, 16, 16), (80, 50, 12, 24), (7, 9, 20, 20)):
        x = generator.integers(0, 256, (height, width)).astype(np.uint8)
        wanted = cover(x[None, None], data(1, tall, wide))[0, 0]
        script = f"{SCRIPTS}\nreturn covered(arguments[0], {tall}, {wide})"
        found = np.array(driver.execute_script(script, x.tolist()))
        assert np.abs(found.astype(int) - wanted).max() <= 1


def test_nothing_drawn_is_no_digit(driver):
    driver.get("about:blank")
    script = f"{SCRIPTS}\nreturn asDigit(arguments[0], 28)"
    assert driver.execute_script(script, np.full((30, 30), 255).tolist()) is None


@pytest.fixture
def digits(tmp_path):
    """A network of digits with random weights, and its page."""
    model = cnnspec.compile(text="input 1x28x28\nconv 3x5x5 stride 2 -> relu -> dense 10 -> softmax", seed=3)
    kept = Preparation(
        (1, 28, 28), Scaling((1 / 255,), (-0.1,)), "bytes", (0, 255), tuple("0123456789"), "digits", colour=False
    )
    example = Example("zeros", model.arrays(np.zeros((1, 1, 28, 28), np.float32), np.array([3])), 3)
    path = tmp_path / "digits.html"
    path.write_text(page(Subject("digits", model, (example,), kept.classes, preparation=kept)), encoding="utf-8")
    return model, kept, path


def test_what_is_drawn_on_the_pad_is_answered(driver, digits):
    from selenium.webdriver.common.action_chains import ActionChains

    model, kept, path = digits
    resize(driver, 1400)
    show(driver, path, "softmax1[0]")
    pad = driver.find_element("id", "pad")
    driver.execute_script("arguments[0].scrollIntoView({block: 'center'})", pad)
    pen = ActionChains(driver, duration=20).move_to_element_with_offset(pad, -40, -60).click_and_hold()
    pen.move_by_offset(80, 0).move_by_offset(-50, 110).release().perform()
    wait(driver, lambda d: "Fitted" in d.find_element("id", "fitted").text and d.execute_script(READY))
    pixels = driver.execute_script(
        "const pad = document.getElementById('pad');"
        "return [...pad.getContext('2d').getImageData(0, 0, pad.width, pad.height).data]"
    )
    drawn = np.array(pixels, np.uint8).reshape(196, 196, 4)[..., 0]
    digit = as_digit(drawn, 28, "pad")[None, None]
    answer = model.predict(kept.apply(digit, "pad")[0])[0]
    wait(driver, lambda d: d.find_element("id", "example").get_attribute("value") == "own")
    shown = float(driver.find_element("id", "value").get_attribute("data-number"))
    assert shown == pytest.approx(answer[0], abs=2e-3)
    best = driver.find_element("css selector", "#answers .best").text
    assert best == str(int(answer.argmax()))
    driver.find_element("id", "clear").click()
    wait(driver, lambda d: d.execute_script(READY))
    assert driver.find_element("id", "example").get_attribute("value") == "0"
    assert complaints(driver) == []


def test_what_is_no_picture_is_said(driver, digits, tmp_path):
    _, _, path = digits
    show(driver, path)
    other = tmp_path / "<b>notes</b>.txt".replace("/", "_")
    other.write_text("no picture")
    driver.find_element("id", "file").send_keys(str(other))
    wait(driver, lambda d: "is no picture" in d.find_element("id", "fitted").text)
    assert other.name in driver.find_element("id", "fitted").text


def test_a_network_that_takes_no_pictures_has_no_pad(driver, tmp_path):
    model = cnnspec.compile(text="input 4\ndense 3 -> softmax")
    arrays = model.arrays(np.zeros((1, 4), np.float32), np.array([1]))
    path = tmp_path / "vectors.html"
    path.write_text(page(Subject("vectors", model, (Example("zeros", arrays, 1),))), encoding="utf-8")
    show(driver, path)
    assert not driver.find_element("id", "own").is_displayed()
