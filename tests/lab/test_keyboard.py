"""The whole journey by keyboard alone: write, err, mend, train, draw, look, change a kernel, send a link."""

import os
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


def written(tmp_path):
    """A site as files, with Python from npm in the page."""
    if "CNNSPEC_PYODIDE" not in os.environ:
        pytest.skip("CNNSPEC_PYODIDE names no folder of Pyodide")
    arguments = ["site", "-o", str(tmp_path / "site"), "--pyodide", os.environ["CNNSPEC_PYODIDE"]]
    assert CliRunner().invoke(program, arguments, standalone_mode=False).exception is None
    return tmp_path / "site"


@contextmanager
def of_site(tmp_path):
    with on_a_server(written(tmp_path)) as address:
        yield address


@contextmanager
def of_files(tmp_path):
    yield (written(tmp_path) / "index.html").as_uri()


DIGITS = (Path(__file__).parents[2] / "specs" / "digits.cnn").read_text(encoding="utf-8")
SCREENS = [(1400, 900, "light"), (1400, 900, "dark"), (360, 740, "light"), (360, 740, "dark")]
JOURNEYS = [  # where the page comes from, its screen, what is written in it, the accuracy in percent it reaches
    pytest.param(of_lab, SCREENS[0], SMALL, 80, id="lab"),
    *(
        pytest.param(
            place, screen, DIGITS, 97, id="-".join(map(str, (place.__name__, *screen))), marks=pytest.mark.slow
        )
        for place in (of_files, of_lab, of_site)
        for screen in SCREENS
    ),
]


@pytest.mark.parametrize(("place", "screen", "spec", "wanted"), JOURNEYS)
def test_the_whole_journey(tmp_path, request, place, screen, spec, wanted):
    with place(tmp_path) as address, browser(screen) as driver:
        journey(Seen(driver, request.node.callspec.id), address, spec, wanted, screen)


@contextmanager
def browser(screen):
    """A fresh profile that reaches no other machine."""
    driver = start("--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1")
    try:
        resize(driver, *screen)
        yield driver
    finally:
        driver.quit()


class Seen:
    """A browser, and a picture of each step where the environment variable CNNSPEC_SHOTS names a folder."""

    def __init__(self, driver, name):
        self.driver, self.name, self.count = driver, name, 0

    def step(self, what):
        self.count += 1
        if folder := os.environ.get("CNNSPEC_SHOTS"):
            Path(folder).mkdir(parents=True, exist_ok=True)
            self.driver.save_screenshot(f"{folder}/{self.name}-{self.count}-{what}.png")


def journey(seen, address, spec, wanted, screen):
    from selenium.webdriver.common.keys import Keys

    driver = seen.driver
    lab, keys = Lab(driver, address), Keyboard(driver)
    keys.to("#text")
    keys.write(spec.replace("maxpool 2", "maxpol 2", 1))
    # Python is loaded first, where it is in the page; a text that was not yet whole has one error, too, at its end
    lab.until(lambda: "1 error" in lab.text("verdict") and "maxpol" in lab.text("findings"))
    keys.press(Keys.ESCAPE, Keys.TAB)
    assert lab.js("return document.activeElement.className") == "place"
    lab.until(lambda: lab.js("return document.querySelector('#findings .fix')"))
    assert lab.js("return document.activeElement.className") == "place", "it stays where it is"
    keys.to("#findings .fix")
    seen.step("mistake")
    keys.press(Keys.ENTER)
    lab.until(lambda: "error" not in lab.text("verdict") and lab.js(READY) == "yes")
    assert lab.js("return document.getElementById('text').value") == spec
    keys.press(Keys.ESCAPE)
    keys.to("#tab-drawing")
    seen.step("mended")
    keys.press(Keys.ARROW_RIGHT)
    keys.to("#start")
    keys.press(Keys.SPACE)
    lab.until(lambda: (lab.accuracy() or 0) >= wanted)
    seen.step("trained")
    keys.to("#start")
    if lab.text("start") == "pause":
        keys.press(Keys.SPACE)
    lab.until(lambda: lab.text("start") == "start")
    keys.to("#tab-train", back=True)
    keys.press(Keys.ARROW_RIGHT)
    lab.until(lambda: lab.find("#inside").is_displayed())
    driver.switch_to.frame(lab.find("#inside"))
    lab.until(lambda: lab.js(READY) == "yes")
    inside(lab, keys, seen, screen)
    place, number = lab.text("result").split(" = ")[0], float(lab.js(RESULT))
    driver.switch_to.default_content()
    keys.to("#share", back=True)
    keys.press(Keys.ENTER)
    lab.until(lambda: "#lab=" in driver.current_url)
    seen.step("link")
    here = (address.removesuffix("index.html"), "about:", "data:")
    away = {one for one in requests(driver) if not one.startswith(here)}
    probed = "'data:text/javascript,'"  # which the policy refuses: so Pyodide finds out which kind of worker it is
    assert [one for one in complaints(driver) if probed not in one] == [] and away == set()
    same_elsewhere(driver.current_url, spec, (place, number), screen, seen)


def inside(lab, keys, seen, screen):
    """Draw a one, look at a number of conv2, change its kernel and take that back."""
    from selenium.webdriver.common.keys import Keys

    keys.to("#pad")
    keys.press(Keys.ARROW_UP * 9, Keys.SPACE, Keys.ARROW_DOWN * 18, Keys.SPACE)
    lab.until(lambda: lab.js("return document.getElementById('example').value") == "own")
    lab.until(lambda: lab.js(READY) == "yes")
    assert lab.js("return document.querySelectorAll('.answers [role=listitem]').length") == 10
    seen.step("drawn")
    keys.to("#choose")
    keys.press("conv2")
    lab.until(lambda: lab.text("layer-heading").startswith("conv2"))
    keys.to("#maps .frame")
    keys.press(Keys.ARROW_DOWN, Keys.ARROW_RIGHT)
    lab.until(lambda: lab.text("result").startswith("conv2["))
    before, cell = lab.js(RESULT), lab.js(CELL)
    seen.step("number")
    for id in ("value", "sums", "back"):  # its sum and its way back stand on the same screen as the map
        top = lab.js("return document.getElementById(arguments[0]).getBoundingClientRect().top", id)
        assert 0 <= top < lab.js("return window.innerHeight"), id
    assert lab.text("agreement").endswith("what the plan computed")
    keys.to("#sums [data-cell]")
    keys.press(Keys.ARROW_RIGHT, Keys.ENTER)
    keys.write("2.5")
    keys.press(Keys.ENTER)
    lab.until(lambda: lab.js(READY) == "yes" and "number 1: 2.5" in lab.text("changed"))
    lab.until(lambda: lab.js(CELL) == "2.5")
    seen.step("changed")
    keys.chord(Keys.CONTROL, "z")
    lab.until(lambda: lab.js(READY) == "yes" and "number 1" not in lab.text("changed"))
    assert lab.js(CELL) == cell and lab.js(RESULT) == before
    seen.step("undone")


def same_elsewhere(link, spec, looked_at, screen, seen):
    """A fresh profile sees the same text, and the same number of the same drawing."""
    place, number = looked_at
    with browser(screen) as other:
        lab = Lab(other, link)
        assert lab.js("return document.getElementById('text').value") == spec
        assert lab.find("#tab-look").get_attribute("aria-selected") == "true"
        with lab.inside():
            lab.until(lambda: place in lab.text("result"))
            assert lab.js("return document.getElementById('example').value") == "own"
            assert float(lab.js(RESULT)) == pytest.approx(number, rel=0.05)  # weights to 16 or 8 bits
        Seen(other, seen.name + "-elsewhere").step("same")
        assert complaints(other) == []
