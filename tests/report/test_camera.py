"""The camera: asked for by a press, looked at while it runs, let go of, and what is wrong where there is none."""

import numpy as np
import pytest
from browser import complaints, resize, show, start, wait

import cnnspec
from cnnspec.data.dataset import Scaling
from cnnspec.data.preparation import Preparation
from cnnspec.explain.subject import Example, Subject
from cnnspec.report.page import page

READY = "return document.documentElement.dataset.ready"
FAKE = ("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream")


@pytest.fixture
def path(tmp_path):
    model = cnnspec.compile(text="input 3x16x16\nconv 3x3x3 stride 2 -> relu -> dense 4 -> softmax", seed=3)
    kept = Preparation(
        (3, 16, 16), Scaling((1 / 255,), (0.0,)), "bytes", (0, 255), tuple("abcd"), "images", colour=True
    )
    example = Example("zeros", model.arrays(np.zeros((1, 3, 16, 16), np.float32), np.array([3])), 3)
    made = tmp_path / "page.html"
    made.write_text(page(Subject("net", model, (example,), tuple("abcd"), preparation=kept)), encoding="utf-8")
    return made


def test_what_the_camera_sees_is_answered_until_it_is_held(path):
    driver = start(*FAKE)
    try:
        resize(driver, 1400)
        show(driver, path, "softmax1[0]")
        button = driver.find_element("id", "camera")
        assert not driver.find_element("id", "seen-by-camera").is_displayed()
        button.click()
        wait(driver, lambda d: d.find_element("id", "example").get_attribute("value") == "own")
        assert driver.find_element("id", "seen-by-camera").is_displayed() and button.text == "hold this picture"
        picture = "return document.querySelector('#picture canvas').toDataURL()"
        first = driver.execute_script(picture)
        wait(driver, lambda d: d.execute_script(picture) != first)  # the picture of the fake camera moves
        button.click()
        assert driver.execute_script("return document.getElementById('seen-by-camera').srcObject") is None
        wait(driver, lambda d: d.execute_script(READY))
        assert "a picture of the camera" in driver.find_element("id", "changed").text
        driver.find_element("id", "undo").click()
        wait(driver, lambda d: d.find_element("id", "example").get_attribute("value") == "0")
        assert complaints(driver) == []
    finally:
        driver.quit()


ABSENT = "Object.defineProperty(navigator, 'mediaDevices', { value: undefined })"
REFUSED = "navigator.mediaDevices.getUserMedia = async () => { throw new DOMException('', 'NotAllowedError') }"
NONE = "navigator.mediaDevices.getUserMedia = async () => { throw new DOMException('', 'NotFoundError') }"


SAID = {
    ABSENT: "This browser gives a page from here no camera",
    REFUSED: "No picture: the camera was not allowed",
    NONE: "No picture: there is no camera here.",
}


def test_where_there_is_no_camera_the_page_says_why(path):
    driver = start()
    try:
        for how, said in SAID.items():
            show(driver, path)
            driver.execute_script(how)
            driver.find_element("id", "camera").click()
            wait(driver, lambda d, said=said: said in d.find_element("id", "fitted").text)
            assert driver.find_element("id", "camera").text == "camera"
            assert complaints(driver) == []
    finally:
        driver.quit()
