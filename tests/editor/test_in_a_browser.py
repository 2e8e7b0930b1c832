"""The packaged extension in a real editor in a browser: a finding, its fix, hover, the drawing that follows keys.

CNNSPEC_CODE_SERVER is how code-server is started, CNNSPEC_VSIX the file that `vsce package` made of the extension:

    CNNSPEC_CODE_SERVER="node code-server/out/node/entry.js" CNNSPEC_VSIX=cnnspec-0.1.0.vsix pytest tests/editor
"""

import base64
import os
import shlex
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest
from browser import resize, start

ASKED = ("CNNSPEC_CODE_SERVER", "CNNSPEC_VSIX")
if any(name not in os.environ for name in ASKED):
    pytest.skip(f"{' and '.join(ASKED)} do not say which editor", allow_module_level=True)
pytest.importorskip("pygls", reason="the extra [lsp] is not installed")

ROOT = Path(__file__).parents[2]
WRONG = "input 1x28x28\nconv 8x3x3 -> rellu -> dense 10 -> softmax\n"


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """A workspace with a spec and an environment, in an editor that has the extension and nothing else."""
    home = tmp_path_factory.mktemp("editor")
    folder = home / "workspace"
    program = folder / ".venv" / "bin" / "cnnspec"
    program.parent.mkdir(parents=True)
    program.write_text(f'#!/bin/sh\nPYTHONPATH="{ROOT}" exec "{sys.executable}" -m cnnspec "$@"\n')
    program.chmod(0o755)
    (folder / "a.cnn").write_text(WRONG)
    command = shlex.split(os.environ["CNNSPEC_CODE_SERVER"])
    own = ["--user-data-dir", str(home / "data"), "--extensions-dir", str(home / "extensions")]
    environment = {**os.environ, "XDG_CONFIG_HOME": str(home), "XDG_DATA_HOME": str(home)}
    vsix = str(Path(os.environ["CNNSPEC_VSIX"]).resolve())
    subprocess.run([*command, *own, "--install-extension", vsix], check=True, timeout=120, env=environment)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    quiet = ["--auth", "none", "--disable-telemetry", "--disable-update-check", "--disable-workspace-trust"]
    with open(home / "said", "wb") as said:
        editor = subprocess.Popen(
            [*command, *own, *quiet, "--bind-addr", f"127.0.0.1:{port}", str(folder)],
            stdout=said, stderr=said, env=environment,
        )  # fmt: skip
    try:
        until(lambda: urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5).status == 200)
        yield f"http://127.0.0.1:{port}/?folder={folder}"
    finally:
        editor.terminate()
        editor.wait(30)
        shutil.rmtree(home, ignore_errors=True)


@pytest.fixture(scope="module")
def driver():
    made = start()
    resize(made, 1500, 900)
    yield made
    made.quit()


def until(found, seconds=120):
    """What `found` finds, waited for; an editor that is still being built up refuses at first."""
    from selenium.common.exceptions import WebDriverException

    end, why = time.monotonic() + seconds, None
    while time.monotonic() < end:
        try:
            answer = found()
            if answer:
                return answer
        except (OSError, WebDriverException) as error:
            why = error
        time.sleep(0.2)
    raise AssertionError(f"not within {seconds} s: {why}")


def test_a_finding_its_fix_the_hover_and_the_drawing(driver, address):
    from selenium.webdriver.common.action_chains import ActionChains
    from selenium.webdriver.common.keys import Keys

    def js(script, *given):
        return driver.execute_script(f"return {script}", *given)

    def one(kind, said):
        """The element of a kind that says just this."""
        return until(
            lambda: js(
                f"[...document.querySelectorAll('{kind}')].find(e => e.innerText.trim() === arguments[0])", said
            )
        )

    def shows(kind, said):
        return until(
            lambda: js(
                f"[...document.querySelectorAll('{kind}')].some(e => e.innerText.includes(arguments[0]))", said
            )
        )

    def press(*keys):
        chain = ActionChains(driver)
        for key in keys[:-1]:
            chain.key_down(key)
        chain.send_keys(keys[-1])
        for key in keys[:-1]:
            chain.key_up(key)
        chain.perform()

    def drawing():
        """The picture within the frames of the drawing's panel."""
        driver.switch_to.default_content()
        try:
            driver.switch_to.frame(driver.find_element("css selector", "iframe.webview"))
            driver.switch_to.frame(driver.find_element("css selector", "#active-frame"))
            source = driver.find_element("css selector", "img").get_attribute("src")
        finally:
            driver.switch_to.default_content()
        return base64.b64decode(source.partition("base64,")[2]).decode()

    driver.get(address)
    ActionChains(driver).double_click(one(".explorer-folders-view .monaco-list-row", "a.cnn")).perform()
    until(lambda: js("document.querySelector('.squiggly-error')"))
    ActionChains(driver).move_to_element(one(".view-line span span", "conv")).perform()
    assert shows(".monaco-hover", "8x26x26") and shows(".monaco-hover", "80 parameters")
    ActionChains(driver).move_by_offset(0, 250).perform()
    ActionChains(driver).click(one(".view-line span span", "rellu")).perform()
    press(Keys.CONTROL, ".")
    assert shows(".action-widget", "use `relu`")
    press(Keys.ENTER)
    until(lambda: not js("document.querySelector('.squiggly-error')"))
    assert shows(".codelens-decoration", "54,170 parameters")
    press(Keys.CONTROL, "k")
    press("v")
    until(lambda: "8×26×26" in drawing())
    ActionChains(driver).click(one(".view-line span span", "conv")).perform()
    press(Keys.HOME)
    for key in (*[Keys.ARROW_RIGHT] * len("conv "), Keys.DELETE, "9"):
        press(key)
    until(lambda: "9×26×26" in drawing())
