"""A headless Chromium for the tests of pages, and what it saw: errors of the console, and requests."""

import json
import shutil

import pytest

BINARIES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
SIZE = 1400, 1000, "light"  # of pages: width, height, scheme
FLAGS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars")


def start(*more):
    """A driver, with `more` flags; skips the tests, saying what is missing, where there is no browser."""
    webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed")
    from selenium.webdriver.chrome.service import Service

    binary = next((found for name in BINARIES if (found := shutil.which(name))), None)
    driver = shutil.which("chromedriver")
    if binary is None or driver is None:
        pytest.skip("no Chromium with its chromedriver is installed")
    options = webdriver.ChromeOptions()
    options.binary_location = binary
    for flag in (*FLAGS, *more):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    made = webdriver.Chrome(options=options, service=Service(driver))
    made.set_script_timeout(100)
    resize(made, *SIZE)
    return made


resized = []  # drivers whose pages have another size than at first, perhaps


def restore():
    """Give pages the size that they had at first, for whichever test comes next."""
    for driver in {id(one): one for one in resized}.values():
        if driver.service.process and driver.service.process.poll() is None:  # it has not ended
            resize(driver, *SIZE)
    resized.clear()


def resize(driver, width, height=1000, scheme="light"):
    """The page's own width (a window cannot be as narrow as a phone), and light or dark."""
    resized.append(driver)
    metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})


def show(driver, path, place=""):
    """Open a page, at a place of it where one is given, and wait until it is ready."""
    driver.get("about:blank")
    driver.get_log("browser")
    driver.get_log("performance")
    driver.get(path.as_uri() + (f"#{place}" if place else ""))
    wait(driver, lambda d: d.execute_script("return document.documentElement.dataset.ready"))


def wait(driver, until):
    """Wait until something is; what is looked at meanwhile may be written anew."""
    from selenium.common.exceptions import StaleElementReferenceException
    from selenium.webdriver.support.ui import WebDriverWait

    WebDriverWait(driver, 300, ignored_exceptions=[StaleElementReferenceException]).until(until)


def complaints(driver):
    """What the console said, beyond silence."""
    return [entry["message"] for entry in driver.get_log("browser")]


def requests(driver):
    """The addresses that were asked for since the page was opened, but for what the page holds itself."""
    messages = [json.loads(entry["message"])["message"] for entry in driver.get_log("performance")]
    return [
        message["params"]["request"]["url"]
        for message in messages
        if message["method"] == "Network.requestWillBeSent"
        and not message["params"]["request"]["url"].startswith("blob:")
    ]
