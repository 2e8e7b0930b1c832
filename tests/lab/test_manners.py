"""The lab for everybody: by keyboard, by ear, by whoever needs contrast. The page of a network has its own test."""

import pytest
from browser import complaints, resize, start
from lab import Lab
from manners import faults

SMALL = """input 1x28x28
conv 4x5x5 stride 2 -> relu -> maxpool 2 -> dense 10 -> softmax
data { source digits }
train { optimiser adam lr 1e-2; batch 64; epochs 2; seed 1 }
"""


@pytest.fixture(scope="module")
def driver():
    made = start()
    yield made
    made.quit()


@pytest.mark.parametrize(("width", "height", "scheme"), [(1400, 900, "light"), (360, 740, "dark")])
def test_every_screen_is_for_everybody(driver, server, width, height, scheme):
    resize(driver, width, height, scheme)
    lab = Lab(driver, server.address)
    lab.choose("specs", "1-convolution")
    lab.ready()
    lab.type(" -> relo")
    lab.until(lambda: "error" in lab.text("verdict"))
    assert {"lesson": faults(driver)} == {"lesson": []}
    lab.type("input 1x28x28\nconv 4x5x5 -> maxp", anew=True)
    lab.find("#text").send_keys("o")
    lab.until(lambda: lab.text("completion"))
    assert {"completion": faults(driver)} == {"completion": []}
    lab.find("#text").send_keys("\ue00c")  # Escape
    lab.type(SMALL, anew=True)
    lab.trained("one-step")
    assert {"training": faults(driver)} == {"training": []}
    with lab.inside():
        pass
    assert {"frame": faults(driver)} == {"frame": []}
    driver.get(f"{server.address}teacher.html")
    assert {"teacher": faults(driver)} == {"teacher": []}
    assert complaints(driver) == []
