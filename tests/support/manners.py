"""Whether a page that is open in a browser can be used by everybody: what is wrong with it, line by line.

Ours needs nothing but the browser: names and roles are those that it computes itself for screen readers. With the
environment variable CNNSPEC_AXE, a path to `axe.min.js` (the npm package axe-core), axe is asked as well.
"""

import json
import os
import re
from pathlib import Path

CONTROLS = (
    "button", "checkbox", "combobox", "link", "listbox", "option", "radio", "searchbox", "slider", "spinbutton",
    "switch", "tab", "textbox", "DisclosureTriangle", "application", "PopUpButton", "ColorWell",
)  # fmt: skip
SCRIPTS = Path(__file__).with_suffix(".js").read_text(encoding="utf-8")


def faults(driver):
    """What is wrong with the page that is open."""
    found = [*driver.execute_script(f"{SCRIPTS}\nreturn structure()"), *unnamed(driver)]
    found += [f"{ratio:.2f} to 1: {text}" for ratio, text in contrasts(driver) if ratio < 4.5]
    return [*found, *axe(driver)]


def unnamed(driver):
    """Controls that a screen reader has no name for."""
    tree = driver.execute_cdp_cmd("Accessibility.getFullAXTree", {})["nodes"]
    for node in tree:
        role, name = node.get("role", {}).get("value"), node.get("name", {}).get("value", "")
        if not node["ignored"] and role in CONTROLS and not name.strip():
            told = driver.execute_cdp_cmd("DOM.describeNode", {"backendNodeId": node["backendDOMNodeId"]})["node"]
            yield f"a {role} without a name: {told['localName']} {told.get('attributes')}"


def contrasts(driver):
    """Each piece of text, and how far it stands out from what is behind it (WCAG 2.2, 1.4.3)."""
    for ink, paper, text in driver.execute_script(f"{SCRIPTS}\nreturn texts()"):
        light, dark = sorted((luminance(ink), luminance(paper)), reverse=True)
        yield (light + 0.05) / (dark + 0.05), text


def luminance(color):
    parts = [int(text) / 255 for text in re.findall(r"\d+", color)[:3]]
    parts = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]


def axe(driver):
    """What axe-core finds, where there is one. It is evaluated from outside, past the page's own policy."""
    if not (path := os.environ.get("CNNSPEC_AXE")):
        return
    asked = ";axe.run(document, { resultTypes: ['violations'] }).then(JSON.stringify)"
    code = Path(path).read_text(encoding="utf-8") + asked
    given = {"expression": code, "awaitPromise": True, "returnByValue": True}
    found = json.loads(driver.execute_cdp_cmd("Runtime.evaluate", given)["result"]["value"])
    for one in found["violations"]:
        for node in one["nodes"]:
            yield f"axe: {one['id']}: {node['html'][:120]}"
