"""A page stays quick while it trains: what its own thread does at a time leaves room in every frame."""

from __future__ import annotations

import sys
import time

import pytest
from lab import Lab
from threads import Threads

LONGEST = 50  # milliseconds of processor time of a task, most of which are under one
COUNTED = """
const [seconds, done] = arguments, live = document.getElementById('curves');
let pictures = 0;
const watch = new MutationObserver(() => pictures++);
watch.observe(live, { childList: true });
setTimeout(() => done(pictures / seconds), 1000 * seconds);
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="processor time of threads is read from /proc")
def test_no_task_of_a_page_that_trains_takes_a_frame(driver, server):
    """Maps of digits.cnn, some 140, are drawn ten times a second and its curves with them."""
    lab = Lab(driver, server.address)
    lab.choose("specs", "digits")
    lab.ready()
    lab.find("#tab-train").click()
    lab.find("#start").click()
    lab.until(lambda: lab.js("return document.querySelectorAll('#live canvas').length") >= 48, 60)
    time.sleep(2)  # code is compiled in the first of them
    pictures = []
    tasks = Threads(driver).traced(lambda: pictures.append(driver.execute_async_script(COUNTED, 5)))
    lab.find("#start").click()
    assert 1 <= pictures[0] <= 12 and len(tasks) > 100
    assert max(tasks) < LONGEST and sum(tasks) < 0.25 * 5000, "milliseconds of five seconds"
