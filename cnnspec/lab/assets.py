"""The files of the page: what a server holds in memory, and what a site consists of.

index.html       the frame, with its content security policy
lab.js, lab.css  the page itself
given.js         what it is given: specs, lessons, and who answers its questions
digits-data.js   the digits that come along, asked for when something is trained
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from ..quoting import markup
from ..report.page import filled, framed, harmless
from ..resources import spec_files
from ..words import WORDS
from .lesson import told
from .lessons import LESSONS
from .teacher import teacher

Assets = dict[str, tuple[str, bytes]]  # name -> (type, bytes)
SHARED = ("elements.js", "maps.js", "charts.js", "fit.js")  # with the page of a report
SCRIPTS = (
    "state.js",
    "ask.js",
    "python.js",
    "text.js",
    "findings.js",
    "drawing.js",
    "begin.js",
    "trainer.js",
    "digits.js",
    "tables.js",
    "masks.js",
    "own.js",
    "pictures.js",
    "train.js",
    "compare.js",
    "controls.js",
    "inside.js",
    "tensors.js",
    "link.js",
    "course.js",
    "lab.js",
)
WATCH = ("state.js", "pictures.js", "watch.js")  # of the page of a run
FIRST = "digits"  # the spec that is open where none is given
DIGITS = {
    "images": "train-images-idx3-ubyte.gz",
    "labels": "train-labels-idx1-ubyte.gz",
    "testImages": "t10k-images-idx3-ubyte.gz",
    "testLabels": "t10k-labels-idx1-ubyte.gz",
}


def assets(given: Mapping[str, Any], more: str = "") -> Assets:
    """The files, with what the page is given beside specs and lessons; `more` are further sources of scripts."""
    frame, script = framed()
    whole = {
        "specs": [{"name": name, "text": text} for name, text in specs().items()],
        "lessons": [told(lesson) for lesson in LESSONS],
        "words": sorted(WORDS),
        "look": {"frame": frame, "script": script},
        **given,
    }
    index = filled(page_text("index.html"), {"policy": markup(policy(more))})
    return {
        "": ("text/html", index.encode()),
        "lab.js": ("text/javascript", script_text(SCRIPTS).encode()),
        "lab.css": ("text/css", page_text("lab.css").encode()),
        "given.js": ("text/javascript", f"window.cnnspecLab = {harmless(whole)};\n".encode()),
        "digits-data.js": ("text/javascript", digits()),
        "teacher.html": ("text/html", teacher().encode()),
    }


def policy(more: str = "") -> str:
    """The content security policy: nothing from elsewhere, no script in the page but that of a report's frame."""
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src 'self' 'wasm-unsafe-eval' {framed()[1]} {more}".strip(),
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data: blob:",
            f"connect-src 'self' {more}".strip(),
            "worker-src blob:",
            "frame-src blob:",
            "base-uri 'none'",
            "form-action 'none'",
        )
    )


def watch_assets() -> Assets:
    """The files of the page that shows a run."""
    return {
        "": ("text/html", filled(page_text("watch.html"), {"policy": markup(policy())}).encode()),
        "watch.js": ("text/javascript", script_text(WATCH).encode()),
        "lab.css": ("text/css", page_text("lab.css").encode()),
    }


@cache
def script_text(scripts: tuple[str, ...]) -> str:
    """One script of those that are shared and some of this page, each as it is."""
    shared = files("cnnspec.report.page")
    texts = [shared.joinpath(name).read_text(encoding="utf-8") for name in SHARED]
    texts += [page_text(name) for name in scripts]
    return '"use strict";\n(() => {\n' + "\n".join(texts) + "})();\n"


def page_text(name: str) -> str:
    return files(__package__).joinpath("page", name).read_text(encoding="utf-8")


def specs() -> dict[str, str]:
    """The specs that come along, by name, the first one first."""
    texts = {path.stem: path.read_text(encoding="utf-8") for path in spec_files("*.cnn")}
    return {FIRST: texts.pop(FIRST), **texts}


@cache
def digits() -> bytes:
    """The digits as a script, since a page from the file system may load nothing else: gzip in base64."""
    folder = files("cnnspec.data").joinpath("digits")
    texts = {name: base64.b64encode(folder.joinpath(file).read_bytes()).decode() for name, file in DIGITS.items()}
    return f"window.cnnspecDigits = {harmless(texts)};\n".encode()
