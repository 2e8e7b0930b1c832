"""The page as files: the same wherever it is made, small enough, and alive without a server of ours."""

import base64
import hashlib
import io
import json
import os
import subprocess
import sys
import zipfile
from contextlib import contextmanager
from pathlib import Path

import pytest
from browser import complaints, requests
from click.testing import CliRunner
from lab import Lab
from served_folder import on_a_server

from cnnspec.cli import program
from cnnspec.diagnostics import SpecError
from cnnspec.lab import site as sites
from cnnspec.lab.lessons import LESSONS

SMALL = "input 1x28x28\nconv 4x5x5 stride 2 -> relu -> maxpool 2 -> dense 10 -> softmax\ndata { source digits }\n"
HUGE = "input 3x8x8\ndense 90000 -> dense 999 -> softmax"


@pytest.fixture
def few(monkeypatch):
    """A site of one spec and one lesson, which is soon made."""
    monkeypatch.setattr(sites, "specs", lambda: {"digits": SMALL, "huge": HUGE})
    monkeypatch.setattr(sites, "LESSONS", LESSONS[:1])


def written(out, *arguments):
    return CliRunner().invoke(program, ["site", "-o", str(out), *arguments], standalone_mode=False)


@pytest.fixture
def folder(few, tmp_path):
    result = written(tmp_path / "site")
    assert result.exception is None, result.exception
    return tmp_path / "site"


def test_a_site_is_the_same_wherever_it_is_made(few):
    one, other = (dict(sites.site()) for _ in range(2))
    assert one == other and "answers/huge.js" not in one
    assert {"index.html", "lab.js", "given.js", "teacher.html", "answers/digits.js"} <= one.keys()


def test_no_folder_of_others_is_written_into(folder, few, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("words")
    assert "not empty" in str(written(tmp_path / "mine").exception)
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["thesis.txt"]
    assert written(folder).exception is None, "its own it writes anew"


@pytest.mark.parametrize("missing", sites.PYODIDE)
def test_a_folder_that_is_not_pyodide_is_a_finding(few, tmp_path, missing):
    for name in (*sites.PYODIDE, "pyodide.asm.js"):
        if name != missing:
            (tmp_path / name).write_bytes(b"x")
    with pytest.raises(SpecError) as raised:
        dict(sites.site(str(tmp_path)))
    assert [found.code for found in raised.value.diagnostics] == ["CNN562"] and missing in str(raised.value)


def test_another_server_of_pyodide_is_the_only_one_that_may_be_asked(few):
    made = dict(sites.site("https://cdn.example/pyodide/v1"))
    policy = made["index.html"].decode().split('content="default-src')[1].split('"')[0]
    assert policy.count("https://cdn.example") == 2 and policy.count("https:") == 2
    assert b"https://cdn.example/pyodide/v1/" in made["given.js"]


def test_the_archives_are_a_compiler(tmp_path):
    """In a Python that has nothing else, as in a browser."""
    for data in (sites.compiler(), sites.parser()):
        zipfile.ZipFile(io.BytesIO(data)).extractall(tmp_path)
    code = (
        f"import json, sys; sys.path.insert(0, {str(tmp_path)!r})\nfrom cnnspec.lab.front import answer_json\n"
        f"print('const network' in answer_json(json.dumps(dict(ask='network', text={SMALL!r}, settings=[]))))"
    )
    done = subprocess.run([sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True)
    assert done.stdout.strip() == "True", done.stderr


# ---- in a browser ----------------------------------------------------------------------------------------


@pytest.fixture(params=["file", pytest.param("http", marks=pytest.mark.slow)])
def address(request, folder):
    if request.param == "file":
        yield (folder / "index.html").as_uri()
        return
    with on_a_server(folder) as address:
        yield address


def test_what_came_along_is_shown_trained_and_looked_at_without_python(driver, address):
    lab = Lab(driver, address)
    assert "error" not in lab.text("verdict") and "parameters" in lab.text("totals")
    assert lab.trained("one-epoch") > 50
    with lab.inside():
        lab.until(lambda: "conv1" in lab.text("result"))
        lab.choose("choose", "maxpool1")
        lab.until(lambda: "maxpool1[" in lab.text("result"))
        place, number = lab.text("result").split(" = ")[0], lab.find("#value").get_attribute("data-number")
    lab.find("#share").click()
    lab.until(lambda: "It holds the weights" in lab.text("said"))
    lab = Lab(driver, driver.current_url)
    with lab.inside():
        lab.until(lambda: lab.text("result").startswith(place))
        value = float(lab.find("#value").get_attribute("data-number"))
        assert value == pytest.approx(float(number), rel=0.01)
    lab.find("#tab-drawing").click()
    lab.choose("specs", LESSONS[0].name)
    lab.until(lambda: LESSONS[0].title in lab.text("lesson"))
    field = lab.find("#exercises form input")
    field.send_keys("12 22 22")
    lab.find("#exercises form button").click()
    lab.until(lambda: "right" in lab.text("exercises"))
    lab.type(" -> relu", anew=True)
    lab.until(lambda: "no compiler" in lab.text("verdict"))
    assert complaints(driver) == []
    away = [one for one in requests(driver) if not one.startswith((address.rpartition("/")[0], "about:", "data:"))]
    assert away == []


@contextmanager
def from_the_disk(folder):
    yield (folder / "index.html").as_uri()


@pytest.mark.slow
@pytest.mark.skipif("CNNSPEC_PYODIDE" not in os.environ, reason="CNNSPEC_PYODIDE names no folder of Pyodide")
@pytest.mark.parametrize("opened", [from_the_disk, on_a_server])
def test_python_in_the_page_checks_draws_and_trains_any_text(driver, few, tmp_path, opened):
    """With the npm package pyodide, and nothing asked of any other place."""
    written(tmp_path / "site", "--pyodide", os.environ["CNNSPEC_PYODIDE"])
    with opened(tmp_path / "site") as address:
        lab = Lab(driver, address)
        lab.type("input 1x28x28\nconv 3x5x5 stride 3 -> relo -> dense 10 -> softmax\n", anew=True)
        lab.until(lambda: "1 error" in lab.text("verdict"), 300)
        lab.until(lambda: lab.js("return document.querySelector('#findings .fix')")).click()
        lab.until(lambda: "error" not in lab.text("verdict"))
        assert lab.trained("one-epoch") > 50
        here = (address.removesuffix("index.html"), "about:", "data:")
        assert [one for one in requests(driver) if not one.startswith(here)] == []


def test_files_of_another_server_are_taken_by_their_hashes(few, tmp_path):
    for name in (*sites.PYODIDE, "pyodide.asm.mjs"):
        (tmp_path / name).write_bytes(name.encode())
    made = dict(sites.site("https://cdn.example/v1", tmp_path))
    told = json.loads(made["given.js"].decode().partition(" = ")[2].rstrip(";\n"))
    hashed = base64.b64encode(hashlib.sha384(b"pyodide.js").digest()).decode()
    assert told["python"]["hashes"]["pyodide.js"] == f"sha384-{hashed}" and len(told["python"]["hashes"]) == 5
    local = written(tmp_path / "s", "--pyodide", str(tmp_path), "--same-as", str(tmp_path))
    assert "--same-as is for" in str(local.exception)


@pytest.mark.slow
@pytest.mark.skipif("CNNSPEC_PYODIDE" not in os.environ, reason="CNNSPEC_PYODIDE names no folder of Pyodide")
@pytest.mark.parametrize("changed", ["", "pyodide.js", "pyodide.asm.mjs", "python_stdlib.zip"])
def test_another_file_than_the_one_that_is_meant_is_not_run(driver, few, tmp_path, changed):
    real, cdn = Path(os.environ["CNNSPEC_PYODIDE"]), tmp_path / "cdn"
    cdn.mkdir()
    for name, data in sites.pyodide_files(real):
        (cdn / name).write_bytes(data + b" " * (name == changed))
    with on_a_server(cdn) as elsewhere:
        written(tmp_path / "site", "--pyodide", elsewhere, "--same-as", str(real))
        with on_a_server(tmp_path / "site") as address:
            lab = Lab(driver, address)
            lab.type("input 1x28x28\nconv 3x5x5 stride 3 -> relo\n", anew=True)
            said = lab.until(lambda: (text := lab.text("verdict")) and text != "no findings" and text, 300)
            assert ("error" in said and "relo" in lab.text("findings")) == (not changed), said
