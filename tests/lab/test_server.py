"""The server of the page: what it answers to whom, and what it leaves alone."""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import urllib.parse

import pytest

from cnnspec.diagnostics import SpecError
from cnnspec.lab.desk import Desk
from cnnspec.lab.server import LONGEST, LabServer

RIGHT = "input 1x9x8\nconv 3x3x2 -> relu -> dense 2 -> softmax\n"
QUESTION = {"ask": "check", "text": RIGHT, "at": 0, "settings": []}


@pytest.fixture
def spec(tmp_path):
    path = tmp_path / "net.cnn"
    path.write_text(RIGHT)
    return path


@pytest.fixture
def server(spec):
    desk = Desk(spec)
    with LabServer(desk.assets(), desk.policy(), desk.answer) as made:
        threading.Thread(target=made.serve_forever, args=(0.01,), daemon=True).start()
        yield made
        made.shutdown()


def asked(server, method="GET", name="", body=None, headers=(), token=None):
    """The answer to a request: status, headers, body."""
    connection = http.client.HTTPConnection(*server.server_address, timeout=300)
    base = {"Content-Type": "application/json"} if body is not None else {}
    data = json.dumps(body) if isinstance(body, dict | list) else body
    connection.request(method, f"/{token or server.token}/{name}", data, {**base, **dict(headers)})
    response = connection.getresponse()
    told = response.status, dict(response.getheaders()), response.read()
    connection.close()
    return told


def test_it_serves_its_page_under_a_policy_without_inline_scripts(server):
    for name in ("", "lab.js", "lab.css", "given.js", "digits-data.js"):
        status, headers, body = asked(server, name=name)
        assert status == 200 and body and headers["X-Content-Type-Options"] == "nosniff"
        scripts = next(p for p in headers["Content-Security-Policy"].split("; ") if p.startswith("script-src"))
        assert "unsafe-inline" not in scripts and "unsafe-eval'" not in scripts.replace("wasm-unsafe-eval", "")
        assert headers["Referrer-Policy"] == "no-referrer" and headers["Cache-Control"] == "no-store"


def test_it_answers_questions(server):
    status, _, body = asked(server, "POST", "ask", QUESTION)
    assert status == 200 and "network" in json.loads(body)


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "attacker.example"},
        {"Host": "127.0.0.1"},
        {"Host": "127.0.0.1.attacker.example:80"},
        {"Origin": "http://attacker.example"},
        {"Origin": "null"},
        {"Origin": "https://127.0.0.1"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
    ids=str,
)
def test_requests_of_other_sites_are_refused(server, headers):
    for method, name, body in (("GET", "given.js", None), ("POST", "ask", QUESTION)):
        status, _, told = asked(server, method, name, body, headers)
        assert status == 403 and told == b"Forbidden"


@pytest.mark.parametrize("token", ["x", "%00", "..", "x" * 5000, "é".encode("latin-1").decode("latin-1")])
def test_without_its_token_nothing_is_answered(server, token):
    assert asked(server, token=urllib.parse.quote(token))[0] == 403


@pytest.mark.parametrize(
    "name", ["net.cnn", "../net.cnn", "..%2fnet.cnn", "%2e%2e/%2e%2e/etc/passwd", "/etc/passwd", "lab.py", "ask"]
)
def test_no_path_leads_to_a_file(server, name):
    assert asked(server, name=name)[0] == 404


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ("not json", 400),
        ("[" * 100_000, 400),
        ([1], 400),
        ({**QUESTION, "ask": "exec"}, 400),
        ({**QUESTION, "at": -1}, 400),
        ({**QUESTION, "path": "/etc/passwd"}, 400),
        ({"ask": "check"}, 400),
        ("x" * (LONGEST + 1), 413),
    ],
    ids=lambda value: str(value)[:20],
)
def test_what_is_no_question_is_refused(server, body, status):
    assert asked(server, "POST", "ask", body)[0] == status
    assert asked(server, "POST", "ask", QUESTION)[0] == 200, "and it goes on"


def test_a_form_of_another_site_is_no_question(server):
    form = {"Content-Type": "text/plain"}
    assert asked(server, "POST", "ask", QUESTION, form)[0] == 404


@pytest.mark.parametrize("method", ["PUT", "DELETE", "OPTIONS", "TRACE"])
def test_other_methods_are_not_known(server, method):
    assert asked(server, method)[0] == 501


def test_a_fault_of_ours_is_an_answer(server, monkeypatch):
    monkeypatch.setattr(server, "answer", lambda question: 1 / 0)
    assert "ZeroDivisionError" in json.loads(asked(server, "POST", "ask", QUESTION)[2])["fault"]


# ---- saving ----------------------------------------------------------------------------------------------


def saved(server, text):
    return json.loads(asked(server, "POST", "ask", {**QUESTION, "ask": "save", "text": text})[2])


def test_only_saving_writes(server, spec):
    asked(server, "POST", "ask", {**QUESTION, "text": "gone"})
    assert spec.read_text() == RIGHT
    assert saved(server, "# ä 😀\n" + RIGHT) == {}
    assert spec.read_text(encoding="utf-8") == "# ä 😀\n" + RIGHT
    assert saved(server, RIGHT) == {} and spec.read_text() == RIGHT


def test_what_somebody_else_has_written_is_not_written_over(server, spec):
    spec.write_text("# mine\n" + RIGHT)
    assert "somebody else has changed" in saved(server, RIGHT)["problem"]
    assert spec.read_text() == "# mine\n" + RIGHT


@pytest.mark.parametrize("there", ["nothing", "folder", "not text"])
def test_a_file_that_has_become_something_else_is_a_problem_told(server, spec, there):
    spec.unlink()
    if there == "folder":
        spec.mkdir()
    elif there == "not text":
        spec.write_bytes(b"\xff\xfe\x00")
    assert saved(server, RIGHT)["problem"]


def test_a_page_without_a_file_saves_nothing(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert Desk().answer({**QUESTION, "ask": "save"})["problem"] and not list(tmp_path.iterdir())


# ---- the command -----------------------------------------------------------------------------------------


def test_a_port_that_is_taken_is_a_finding():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(SpecError) as raised:
            LabServer({}, "", dict, taken.getsockname()[1])
    assert [found.code for found in raised.value.diagnostics] == ["CNN561"]


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_ctrl_c_ends_it(spec):
    process = subprocess.Popen(
        [sys.executable, "-u", "-m", "cnnspec", "lab", "--no-open", str(spec)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )  # fmt: skip
    first = process.stdout.readline()
    assert first.startswith("the lab is at http://127.0.0.1:"), first
    process.stdout.readline()
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=300)
    assert process.returncode == 130 and "Traceback" not in out + err
