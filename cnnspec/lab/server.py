"""The page of `cnnspec lab`, served on this machine to whoever has its address.

The address holds a random token, and nothing is answered without it. A page of another site that guesses the
port learns nothing: its `Host` or `Origin` is refused, under any name that it made this machine go by. No path
leads to a file: what is served are `assets`, held in memory. The only file that is written is the spec that the
page was opened with, and only when its reader presses "save".
"""

from __future__ import annotations

import json
import os
import secrets
import sys
from collections.abc import Callable, Mapping
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock
from typing import Any

from ..diagnostics import Diagnostic, SpecError
from ..validation import fault_of

LOOPBACK = "127.0.0.1"
LONGEST = 1 << 20  # bytes of a question
WAIT = 20  # seconds for a request that was begun
Answer = Callable[[dict[str, Any]], dict[str, Any]]
HEADERS = {
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


class LabServer(ThreadingHTTPServer):
    """Serves assets, name to (type, bytes), and answers questions, one at a time."""

    daemon_threads = True
    block_on_close = False
    closed = False

    def __init__(self, assets: Mapping[str, tuple[str, bytes]], policy: str, answer: Answer, port: int = 0) -> None:
        self.assets, self.policy, self.answer = assets, policy, answer
        self.token, self.turn = secrets.token_urlsafe(24), Lock()
        try:
            super().__init__((LOOPBACK, port), Handler)
        except (OSError, OverflowError) as error:
            reason = (getattr(error, "strerror", None) or str(error)).lower()
            case = "" if port else "any"
            found = Diagnostic.of("CNN561", case=case, address=f"{LOOPBACK}:{port}", reason=reason)
            raise SpecError((found,)) from error

    def server_close(self) -> None:
        """Nothing is answered from here on, by connections that are open neither."""
        self.closed = True
        super().server_close()

    @property
    def hosts(self) -> tuple[str, ...]:
        """The names that a request may have come by."""
        return tuple(f"{name}:{self.server_address[1]}" for name in (LOOPBACK, "localhost"))

    @property
    def address(self) -> str:
        return f"http://{self.hosts[0]}/{self.token}/"

    def handle_error(self, request: object, client_address: object) -> None:
        """A reader who has gone is no news."""


def open_browser(address: str) -> None:
    """Show an address, where there is a screen: without one, a browser of text would take the terminal."""
    import webbrowser

    screen = sys.platform in ("win32", "darwin") or os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    if screen:
        webbrowser.open(address)


class Handler(BaseHTTPRequestHandler):
    """One request; `server` is a Server."""

    server: LabServer
    timeout = WAIT
    protocol_version = "HTTP/1.1"
    server_version, sys_version = "cnnspec", ""

    def do_GET(self) -> None:
        name = self.asked()
        if name is None:
            return
        if name not in self.server.assets:
            self.refuse(HTTPStatus.NOT_FOUND)
            return
        self.give(*self.server.assets[name])

    def do_POST(self) -> None:
        name = self.asked()
        if name is None:
            return
        if name != "ask" or self.headers.get("Content-Type") != "application/json":
            self.refuse(HTTPStatus.NOT_FOUND)
            return
        written = self.headers.get("Content-Length", "")
        size = int(written) if written.isascii() and written.isdigit() and len(written) < 10 else None
        if size is None or size > LONGEST:
            self.rfile.read(min(size or 0, 8 * LONGEST))  # so that most hear the refusal, having said it all
            self.refuse(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
            return
        try:
            question = json.loads(self.rfile.read(size))
        except (ValueError, RecursionError):
            self.refuse(HTTPStatus.BAD_REQUEST)
            return
        if fault_of(question, "lab"):
            self.refuse(HTTPStatus.BAD_REQUEST)
            return
        self.give("application/json", json.dumps(self.answered(question)).encode())

    def answered(self, question: dict[str, Any]) -> dict[str, Any]:
        """The answer; a fault of ours is one too, so that the page can say it and go on."""
        with self.server.turn:
            try:
                return self.server.answer(question)
            except Exception as fault:
                return {"fault": f"{type(fault).__name__}: {fault}"}

    def asked(self) -> str | None:
        """The name of what is asked for; None where the request was refused."""
        origin, place = self.headers.get("Origin"), self.headers.get("Sec-Fetch-Site", "none")
        hosts = self.server.hosts
        known = self.headers.get("Host") in hosts and origin in (None, *(f"http://{host}" for host in hosts))
        token, _, name = self.path.removeprefix("/").partition("?")[0].partition("/")
        right = secrets.compare_digest(token.encode("utf-8", "replace"), self.server.token.encode())
        if self.server.closed or not (known and right and place in ("none", "same-origin")):
            self.refuse(HTTPStatus.FORBIDDEN)
            return None
        return name

    def refuse(self, status: HTTPStatus) -> None:
        self.close_connection = True
        self.give("text/plain", status.phrase.encode(), status)

    def give(self, kind: str, body: bytes, status: HTTPStatus = HTTPStatus.OK) -> None:
        self.send_response(status)
        for name, value in {**HEADERS, "Content-Security-Policy": self.server.policy}.items():
            self.send_header(name, value)
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing is told of requests: their addresses hold the token."""
