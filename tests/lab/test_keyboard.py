"""The whole journey by keyboard alone: write, err, mend, train, draw, look, change a kernel, send a link."""

import os
import time
from contextlib import contextmanager
from pathlib import Path

import pytest
from browser import complaints, requests, resize, start
from click.testing import CliRunner
from keyboard import Keyboard
from lab import READY, Lab, served
from served_folder import on_a_server

from cnnspec.cli import program

SMALL = """input 1x28x28
conv 4x5x5 stride 2 -> relu -> conv 6x3x3 -> relu -> maxpool 2 -> dense 10 -> softmax
data { source digits }
train { optimiser adam lr 1e-2; batch 64; epochs 9; seed 1 }
"""
CELL = "return document.querySelector('#sums [data-cell$=\\':1\\']').dataset.number"
RESULT = "return document.getElementById('value')?.dataset.number"


@contextmanager
def of_lab(tmp_path):
    with served() as server:
        yield server.address


@contextmanager
def of_site(tmp_path):
    if "CNNSPEC_PYODIDE" not in os.environ:
        pytest.skip("CNNSPEC_PYODIDE names no folder of Pyodide")
    arguments = ["site", "-o", str(tmp_path / "site"), "--pyodide", os.environ["CNNSPEC_PYODIDE"]]
    assert CliRunner().invoke(program, arguments, standalone_mode=False).exception is None
    with on_a_server(tmp_path / "site") as address:
        yield address


@pytest.fixture
def driver():
    made = start()
    resize(made, 1400, 900)
    yield made
    made.quit()


DIGITS = (Path(__file__).parents[2] / "specs" / "digits.cnn").read_text(encoding="utf-8")
PLACES = [  # where the page comes from, what is written in it, the accuracy in percent that is waited for
    pytest.param(of_lab, SMALL, 80, id="lab"),
    pytest.param(of_lab, DIGITS, 97, id="lab to 97 %", marks=pytest.mark.slow),
    pytest.param(of_site, DIGITS, 97, id="site to 97 %", marks=pytest.mark.slow),
]


@pytest.mark.parametrize(("place", "spec", "wanted"), PLACES)
def test_the_whole_journey(driver, tmp_path, place, spec, wanted):
    with place(tmp_path) as address:
        journey(driver, address, spec, wanted)


def journey(driver, address, spec, wanted):
    from selenium.webdriver.common.keys import Keys

    began = time.monotonic()
    lab, keys = Lab(driver, address), Keyboard(driver)
    keys.to("#text")
    keys.write(spec.replace("maxpool 2", "maxpol 2", 1))
    # Python is loaded first, where it is in the page; a text that was not yet whole has one error, too, at its end
    lab.until(lambda: "1 error" in lab.text("verdict") and "maxpol" in lab.text("findings"), 120)
    keys.press(Keys.ESCAPE, Keys.TAB)
    assert lab.js("return document.activeElement.className") == "place"
    lab.until(lambda: lab.js("return document.querySelector('#findings .fix')"))
    assert lab.js("return document.activeElement.className") == "place", "it stays where it is"
    keys.to("#findings .fix")
    keys.press(Keys.ENTER)
    lab.until(lambda: "error" not in lab.text("verdict") and lab.js(READY) == "yes")
    assert lab.js("return document.getElementById('text').value") == spec
    keys.press(Keys.ESCAPE)
    keys.to("#tab-drawing")
    keys.press(Keys.ARROW_RIGHT)
    keys.to("#start")
    keys.press(Keys.SPACE)
    lab.until(lambda: (lab.accuracy() or 0) >= wanted, 120)
    assert time.monotonic() - began < 120
    keys.to("#start")
    if lab.text("start") == "pause":
        keys.press(Keys.SPACE)
    lab.until(lambda: lab.text("start") == "start")
    keys.to("#tab-train", back=True)
    keys.press(Keys.ARROW_RIGHT)
    lab.until(lambda: lab.find("#inside").is_displayed())
    driver.switch_to.frame(lab.find("#inside"))
    lab.until(lambda: lab.js(READY) == "yes")
    inside(lab, keys, driver)
    place = lab.text("result").split(" = ")[0]
    driver.switch_to.default_content()
    keys.to("#share", back=True)
    keys.press(Keys.ENTER)
    lab.until(lambda: "#lab=" in driver.current_url)
    away = {one for one in requests(driver) if not one.startswith((address, "about:", "data:"))}
    probed = "/pyodide/pyodide.js"  # finds out by an address that the policy refuses what kind of worker it is in
    assert [one for one in complaints(driver) if probed not in one] == [] and away == set()
    same_elsewhere(driver.current_url, spec, place)


def inside(lab, keys, driver):
    """Draw a one, look at a number of conv2, change its kernel and take that back."""
    from selenium.webdriver.common.keys import Keys

    keys.to("#pad")
    keys.press(Keys.ARROW_UP * 9, Keys.SPACE, Keys.ARROW_DOWN * 18, Keys.SPACE)
    lab.until(lambda: lab.js("return document.getElementById('example').value") == "own")
    lab.until(lambda: lab.js(READY) == "yes")
    assert lab.js("return document.querySelectorAll('.answers [role=listitem]').length") == 10
    keys.to("#choose")
    keys.press("conv2")
    lab.until(lambda: lab.text("layer-heading").startswith("conv2"))
    keys.to("#maps .frame")
    keys.press(Keys.ARROW_DOWN, Keys.ARROW_RIGHT)
    lab.until(lambda: lab.text("result").startswith("conv2["))
    before, cell = lab.js(RESULT), lab.js(CELL)
    # its sum and its way back stand on the same screen as the map
    for id in ("value", "sums", "back"):
        top = lab.js("return document.getElementById(arguments[0]).getBoundingClientRect().top", id)
        assert 0 <= top < 900
    assert lab.text("agreement").endswith("what the plan computed")
    keys.to("#sums [data-cell]")
    keys.press(Keys.ARROW_RIGHT, Keys.ENTER)
    keys.write("2.5")
    keys.press(Keys.ENTER)
    lab.until(lambda: lab.js(READY) == "yes" and "number 1: 2.5" in lab.text("changed"))
    lab.until(lambda: lab.js(CELL) == "2.5")
    keys.chord(Keys.CONTROL, "z")
    lab.until(lambda: lab.js(READY) == "yes" and "number 1" not in lab.text("changed"))
    assert lab.js(CELL) == cell and lab.js(RESULT) == before


def same_elsewhere(link, spec, place):
    """A fresh profile sees the same text, and the same number."""
    other = start()
    try:
        resize(other, 1400, 900)
        lab = Lab(other, link)
        assert lab.js("return document.getElementById('text').value") == spec
        assert lab.find("#tab-look").get_attribute("aria-selected") == "true"
        with lab.inside():
            lab.until(lambda: place in lab.text("result"))
        assert complaints(other) == []
    finally:
        other.quit()
