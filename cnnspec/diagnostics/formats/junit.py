"""JUnit XML, which every CI server can show: a test case a file, failed where it has errors."""

from __future__ import annotations

import re
from collections.abc import Sequence
from xml.etree import ElementTree as xml

from ...quoting import page, visible
from . import concise
from .checked import Checked

NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def render(files: Sequence[Checked]) -> str:
    """One `testsuite`; warnings stand in a case's output, or fail it where the file is held strictly."""
    failed = sum(file.failed for file in files)
    counts = {"tests": str(len(files)), "failures": str(failed), "errors": "0", "skipped": "0"}
    suites = xml.Element("testsuites", {"name": "cnnspec", **counts})
    suite = xml.SubElement(suites, "testsuite", {"name": "cnnspec check", **counts, "time": "0"})
    for file in files:
        case = xml.SubElement(
            suite, "testcase", name=clean(visible(file.name)), classname="cnnspec.check", time="0"
        )
        case.set("file", clean(visible(file.name)))
        failures = [pair for pair in file.findings() if file.fails(pair[0])]
        others = [pair for pair in file.findings() if not file.fails(pair[0])]
        if failures:
            first = failures[0][0]
            message = first.sentence + (f" (and {len(failures) - 1} more)" if len(failures) > 1 else "")
            failure = xml.SubElement(case, "failure", message=clean(visible(message)), type=first.code)
            failure.text = clean("\n".join(concise.line(*pair) for pair in failures))
        if others:
            xml.SubElement(case, "system-out").text = clean("\n".join(concise.line(*p) for p in others))
    xml.indent(suites)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + xml.tostring(suites, encoding="unicode") + "\n"


def clean(text: str) -> str:
    """XML cannot hold most control characters, not even escaped; those that it can are obeyed elsewhere."""
    return NOT_IN_XML.sub("\ufffd", page(text))
