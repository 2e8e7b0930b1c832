"""A port for a server that another process is to start."""

from __future__ import annotations

import os
import random
import socket

# Below those that systems give to whoever asks for any, and to each connection that is made: one of these stays
# free until it is used. Tests that run beside each other draw from parts of their own.
FIRST, PART, PARTS = 20_000, 500, 20


def free_port() -> int:
    beside = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % PARTS
    ports = list(range(FIRST + PART * beside, FIRST + PART * (beside + 1)))
    random.Random().shuffle(ports)
    for port in ports:
        with socket.socket() as s:
            try:
                s.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise OSError("no port is free")
