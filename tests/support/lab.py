"""The page of `cnnspec lab` in a browser: what one types, presses and reads there."""

import threading
from contextlib import contextmanager

from cnnspec.lab.desk import Desk
from cnnspec.lab.server import LabServer

READY = "return document.documentElement.dataset.ready"


@contextmanager
def served(path=None):
    """The server of a page, running beside."""
    desk = Desk(path)
    with LabServer(desk.assets(), desk.policy(), desk.answer) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield server
        server.shutdown()


class Lab:
    """An open page."""

    def __init__(self, driver, address):
        self.driver = driver
        driver.get("about:blank")
        driver.get_log("browser")
        driver.get_log("performance")
        driver.get(address)
        self.ready()

    def ready(self):
        """The text is checked, and what follows from it is shown."""
        self.until(lambda: self.js(READY) == "yes")

    def js(self, code, *arguments):
        return self.driver.execute_script(code, *arguments)

    def until(self, happens, seconds=300):
        """What happens, once it does."""
        from selenium.common.exceptions import StaleElementReferenceException
        from selenium.webdriver.support.ui import WebDriverWait

        waiting = WebDriverWait(self.driver, seconds, 0.03, [StaleElementReferenceException])
        return waiting.until(lambda _: happens())

    def find(self, css):
        return self.driver.find_element("css selector", css)

    def text(self, id):
        return self.js("return document.getElementById(arguments[0]).innerText", id)

    def type(self, *keys, anew=False):
        """Keys in the text, from its end on, or in place of it."""
        from selenium.webdriver.common.keys import Keys

        area = self.find("#text")
        if anew:
            area.send_keys(Keys.CONTROL, "a")
        area.send_keys(*keys, Keys.ESCAPE)
        self.ready()

    def checked(self, verdict):
        self.until(lambda: verdict in self.text("verdict"))

    def trained(self, goal, seconds=300):
        """Press a button of the training and wait until it is over; the test accuracy."""
        self.find("#tab-train").click()
        steps = self.js("return document.getElementById('progress').textContent")
        self.find(f"#{goal}").click()
        self.until(lambda: self.text("start") == "start" and self.text("progress") != steps, seconds)
        return self.accuracy()

    def accuracy(self):
        """In percent, on the test images; None before the first epoch is over."""
        found = self.js("return document.getElementById('progress').textContent.match(/accuracy ([\\d.]+)/)")
        return float(found[1]) if found else None

    def choose(self, id, value, event="change"):
        """A control's value, as if it had been turned by hand."""
        self.js(
            "const made = document.getElementById(arguments[0]); made.value = arguments[1];"
            "made.dispatchEvent(new Event(arguments[2]))",
            id, value, event,
        )  # fmt: skip

    @contextmanager
    def inside(self):
        """Within the frame that looks inside."""
        self.find("#tab-look").click()
        self.until(lambda: self.find("#inside").is_displayed())
        self.driver.switch_to.frame(self.find("#inside"))
        self.until(lambda: self.js(READY) == "yes")
        yield
        self.driver.switch_to.default_content()
