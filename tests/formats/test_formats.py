"""Each format against the reader it is meant for: its schema, its escapes, its limits."""

import json
from pathlib import Path
from urllib.parse import unquote
from xml.etree import ElementTree as xml

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cnnspec.cli.schema import schemas
from cnnspec.diagnostics import Diagnostic, Edit, Label, Source, Span
from cnnspec.diagnostics.formats import FORMATS, Checked, concise, render

SARIF = json.loads((Path(__file__).parent / "sarif-schema-2.1.0.json").read_text())
NASTY = "aé漢😀 \n\r\t\0\x1b\x85\u2028\ufffe\udce9:;,%#\"'<&>]|\\/"
TEXT = "input 1x8x8\nconv 8x3x3 -> maxpool 4\n  -> conv 8x5x5 -> rellu\n"


def span(source, text):
    start = source.text.index(text)
    return Span(source, start, start + len(text))


def sample(name="nets/a.cnn"):
    """Three findings: one with everything that a diagnostic can have, one bare, one warning."""
    source = Source(name, TEXT)
    full = Diagnostic(
        "CNN103",
        "a 5x5 kernel does not fit a 1x1 image",
        span(source, "5x5"),
        label="needs at least 5x5",
        related=(Label(span(source, "maxpool 4"), "makes it 8x1x1"),),
        help="use `conv 8x5x5 pad same`",
        fix=(Edit(span(source, "8x5x5"), "8x5x5 pad same"),),
    )
    warning = Diagnostic("CNN235", "a stride larger than its kernel", span(source, "maxpool 4\n  -> conv"))
    return Checked(name, (full, Diagnostic("CNN024", "no network"), warning))


@st.composite
def checked_files(draw):
    """Files with names, texts, messages and spans as nobody would choose them."""
    anything = st.text(NASTY, max_size=12)
    files = []
    for _ in range(draw(st.integers(0, 3))):
        source = Source(draw(anything), draw(anything))
        found = []
        for _ in range(draw(st.integers(0, 3))):
            ends = sorted(draw(st.tuples(*[st.integers(0, len(source.text))] * 2)))
            place = Span(source, *ends)
            code = draw(st.sampled_from(["CNN001", "CNN103", "CNN231", "CNN901", "CNN906"]))
            fix = (Edit(place, draw(anything)),) if draw(st.booleans()) else ()
            related = (Label(place, draw(anything)),) if draw(st.booleans()) else ()
            found.append(
                Diagnostic(
                    code,
                    draw(anything),
                    draw(st.sampled_from([place, None])),
                    draw(anything),
                    related,
                    draw(anything),
                    fix,
                )
            )
        files.append(Checked(source.name, tuple(found), draw(st.booleans())))
    return files


# ---- json ------------------------------------------------------------------------------------------------


def test_json_says_all_that_a_diagnostic_holds():
    document = json.loads(render("json", [sample()]))
    assert (document["valid"], document["error_count"], document["warning_count"]) == (False, 2, 1)
    assert document["diagnostics"][0] == {
        "code": "CNN103",
        "name": "kernel-too-large",
        "severity": "error",
        "message": "a 5x5 kernel does not fit a 1x1 image",
        "label": "needs at least 5x5",
        "filename": "nets/a.cnn",
        "location": {"row": 3, "column": 13},
        "end_location": {"row": 3, "column": 16},
        "related": [
            {
                "message": "makes it 8x1x1",
                "filename": "nets/a.cnn",
                "location": {"row": 2, "column": 15},
                "end_location": {"row": 2, "column": 24},
            }
        ],
        "help": "use `conv 8x5x5 pad same`",
        "fix": [
            {
                "text": "8x5x5 pad same",
                "filename": "nets/a.cnn",
                "location": {"row": 3, "column": 11},
                "end_location": {"row": 3, "column": 16},
            }
        ],
        "applicability": "unsafe",
        "url": "grammar/codes.md#cnn103",
    }


def test_warnings_alone_leave_a_document_valid():
    warning = sample().diagnostics[2]
    assert json.loads(render("json", [Checked("a.cnn", (warning,))]))["valid"]


@settings(max_examples=50, deadline=None)
@given(checked_files())
def test_json_follows_its_schema(files):
    text = render("json", files)
    jsonschema.validate(json.loads(text), schemas()["diagnostics"])
    assert text.isascii()


def test_a_file_name_that_is_not_utf8_is_still_json_that_others_read():
    name = b"caf\xe9.cnn".decode("utf-8", "surrogateescape")
    document = json.loads(render("json", [Checked(name, (Diagnostic("CNN024", "no network"),))]))
    assert document["diagnostics"][0]["filename"] == "caf\ufffd.cnn"


# ---- sarif -----------------------------------------------------------------------------------------------


@settings(max_examples=50, deadline=None)
@given(checked_files())
def test_sarif_follows_the_standards_schema(files):
    jsonschema.validate(json.loads(render("sarif", files)), SARIF)


def test_sarif_holds_rules_relative_uris_related_places_and_fixes(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run = json.loads(render("sarif", [sample(str(tmp_path / "a net:1.cnn"))]))["runs"][0]
    assert [rule["id"] for rule in run["tool"]["driver"]["rules"]] == ["CNN024", "CNN103", "CNN235"]
    result = run["results"][0]
    place = result["locations"][0]["physicalLocation"]
    assert place["artifactLocation"] == {"uri": "a%20net%3A1.cnn", "uriBaseId": "%SRCROOT%"}
    assert unquote(place["artifactLocation"]["uri"]) == "a net:1.cnn"
    assert place["region"] == {"startLine": 3, "startColumn": 13, "endLine": 3, "endColumn": 16}
    assert run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == result["ruleId"] == "CNN103"
    assert result["relatedLocations"][0]["message"]["text"] == "makes it 8x1x1"
    assert result["fixes"][0]["properties"] == {"applicability": "unsafe"}
    replacement = result["fixes"][0]["artifactChanges"][0]["replacements"][0]
    assert replacement["insertedContent"]["text"] == "8x5x5 pad same"
    assert run["invocations"][0]["executionSuccessful"]


def test_fingerprints_stay_when_lines_move_and_differ_between_equal_findings():
    def prints(text):
        source = Source("a.cnn", text)
        at = [i for i in range(len(text)) if text.startswith("rellu", i)]
        found = tuple(Diagnostic("CNN201", "unknown word `rellu`", Span(source, i, i + 5)) for i in at)
        results = json.loads(render("sarif", [Checked("a.cnn", found)]))["runs"][0]["results"]
        return [result["partialFingerprints"]["cnnspec/v1"] for result in results]

    before, after = prints("rellu -> rellu"), prints("# a comment\n\nrellu -> conv 3x3x3\n -> rellu")
    assert before == after
    assert len(set(before)) == 2


def test_our_own_fault_is_a_notification_and_no_result():
    run = json.loads(render("sarif", [Checked("a.cnn", (Diagnostic("CNN901", "broken"),))]))["runs"][0]
    assert run["results"] == []
    assert not run["invocations"][0]["executionSuccessful"]
    assert run["invocations"][0]["toolExecutionNotifications"][0]["descriptor"]["id"] == "CNN901"


# ---- github ----------------------------------------------------------------------------------------------


def parse_command(line):
    """A workflow command as GitHub's runner reads it."""
    head, _, message = line.removeprefix("::").partition("::")
    kind, _, written = head.partition(" ")
    properties = dict(part.split("=", 1) for part in written.split(","))
    back = [("%0D", "\r"), ("%0A", "\n"), ("%3A", ":"), ("%2C", ","), ("%25", "%")]
    for escaped, plain in back:
        properties = {key: value.replace(escaped, plain) for key, value in properties.items()}
        if plain not in ":,":
            message = message.replace(escaped, plain)
    return kind, properties, message


def test_annotations_are_read_back_as_they_were_meant():
    source = Source("100%,a:b;c.cnn", "conv\n")
    found = Diagnostic("CNN204", "50%\r\nof: it, %0A", Span(source, 0, 4), help="a; b")
    (line,) = render("github", [Checked(source.name, (found,))]).splitlines()
    kind, properties, message = parse_command(line)
    assert kind == "error"
    assert properties == {
        "file": "100%,a:b;c.cnn",
        "line": "1",
        "endLine": "1",
        "col": "1",
        "endColumn": "5",
        "title": "CNN204 size-missing",
    }
    assert message == "50%\r\nof: it, %0A\nhelp: a; b"


def test_a_finding_of_several_lines_has_no_columns():
    line = render("github", [Checked("nets/a.cnn", sample().diagnostics[2:])])
    assert "line=2" in line and "endLine=3" in line and "col=" not in line


@settings(max_examples=50, deadline=None)
@given(checked_files())
def test_an_annotation_is_one_line(files):
    findings = sum(len(file.diagnostics) for file in files)
    lines = render("github", files).split("\n")
    assert len(lines) == findings + 1 and "\r" not in "".join(lines)


def test_what_github_would_drop_is_listed_and_counted():
    errors = tuple(Diagnostic("CNN201", f"error {i}") for i in range(13))
    warnings = tuple(Diagnostic("CNN231", f"warning {i}") for i in range(12))
    lines = render("github", [Checked("a.cnn", errors + warnings)]).splitlines()
    assert sum(line.startswith("::error ") for line in lines) == 10
    assert sum(line.startswith("::warning ") for line in lines) == 10
    assert lines[20] == "without annotation: a.cnn:1:1: error[CNN201]: error 10"
    assert lines[-1] == "5 findings are without annotation: GitHub shows 10 errors and 10 warnings of a step"


def test_ten_errors_need_no_such_line():
    errors = tuple(Diagnostic("CNN201", f"error {i}") for i in range(10))
    assert len(render("github", [Checked("a.cnn", errors)]).splitlines()) == 10


# ---- junit -----------------------------------------------------------------------------------------------


@settings(max_examples=50, deadline=None)
@given(checked_files())
def test_junit_is_xml_with_a_case_for_each_file(files):
    suites = xml.fromstring(render("junit", files).encode("utf-8"))
    cases = suites.findall("testsuite/testcase")
    assert len(cases) == len(files) == int(suites.get("tests"))
    failed = [case for case in cases if case.find("failure") is not None]
    assert len(failed) == int(suites.get("failures")) == sum(file.failed for file in files)


def test_junit_fails_files_with_errors_and_shows_warnings():
    warning = Checked("b.cnn", sample("b.cnn").diagnostics[2:])
    strict = Checked("c.cnn", sample("c.cnn").diagnostics[2:], strict=True)
    cases = xml.fromstring(render("junit", [sample("a.cnn"), warning, strict])).findall("testsuite/testcase")
    failures = [case.find("failure") for case in cases]
    assert failures[0].get("type") == "CNN103" and "(and 1 more)" in failures[0].get("message")
    assert failures[1] is None and "CNN235" in cases[1].findtext("system-out")
    assert failures[2].get("type") == "CNN235"


# ---- for people ------------------------------------------------------------------------------------------


@settings(max_examples=50, deadline=None)
@given(checked_files())
def test_concise_is_a_line_a_finding(files):
    lines = render("concise", files).split("\n")
    assert len(lines) == sum(len(file.diagnostics) for file in files) + 1


@pytest.mark.parametrize("name", [name for name in FORMATS if name != "full"])
def test_every_format_says_what_stands_beside_the_carets(name):
    assert "needs at least 5x5" in render(name, [sample()])


def test_concise_is_what_editors_jump_to():
    assert render("concise", [sample()]).splitlines()[0] == (
        "nets/a.cnn:3:13: error[CNN103]: a 5x5 kernel does not fit a 1x1 image (needs at least 5x5)"
        " [fixable, unsafe]"
    )


def test_a_line_keeps_what_could_steer_a_terminal_out():
    found = Diagnostic("CNN001", "\x1b[31mred\nnext")
    (file,) = [Checked("a\r.cnn", (found,))]
    ((diagnostic, place),) = file.findings()
    assert concise.line(diagnostic, place) == "a\\r.cnn:1:1: error[CNN001]: \\x1b[31mred\\nnext"


@pytest.mark.parametrize("format", FORMATS)
def test_nothing_found_is_a_document_too(format):
    text = render(format, [Checked("a.cnn")])
    if format == "json":
        assert json.loads(text)["valid"] and json.loads(text)["file_count"] == 1
    elif format == "sarif":
        jsonschema.validate(json.loads(text), SARIF)
    elif format == "junit":
        assert xml.fromstring(text).get("failures") == "0"
    else:
        assert text == ""
