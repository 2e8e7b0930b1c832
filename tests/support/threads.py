"""The threads of a browser's pages, by their processor time: what others on the machine take does not count.

Processor time is read from /proc, and the tasks of a thread from the browser's own trace.
"""

from __future__ import annotations

import json
import urllib.request
from pathlib import Path


class Threads:
    """The threads of a browser's pages: their processor time, and their tasks."""

    def __init__(self, driver) -> None:
        self.address = driver.capabilities["goog:chromeOptions"]["debuggerAddress"]
        self.parent = driver.service.process.pid

    def pages(self) -> list[str]:
        """The processes of pages that this browser has."""
        children: dict[str, list[str]] = {}
        for process in Path("/proc").glob("[0-9]*"):
            try:
                children.setdefault(stat_of(process)[1], []).append(process.name)
            except OSError:
                continue  # it is gone
        found, waiting = [], [str(self.parent)]
        while waiting:
            waiting += (mine := children.get(waiting.pop(), []))
            found += [one for one in mine if b"--type=renderer" in Path(f"/proc/{one}/cmdline").read_bytes()]
        return found

    def worked(self) -> dict[str, float]:
        """Seconds of processor time of all threads of a name."""
        found: dict[str, float] = {}
        for page in self.pages():
            for thread in Path(f"/proc/{page}/task").iterdir():
                name, ticks = (thread / "comm").read_text().strip(), stat_of(thread)
                found[name] = found.get(name, 0) + (int(ticks[11]) + int(ticks[12])) / 100
        return found

    def traced(self, act) -> list[float]:
        """Milliseconds of processor time of each task of the busiest page's own thread while `act` runs."""
        import websocket  # comes with selenium

        with urllib.request.urlopen(f"http://{self.address}/json/version") as answer:
            address = json.load(answer)["webSocketDebuggerUrl"]
        line = websocket.create_connection(address, suppress_origin=True)
        line.send(json.dumps({"id": 1, "method": "Tracing.start", "params": {"categories": "toplevel"}}))
        act()
        line.send(json.dumps({"id": 2, "method": "Tracing.end"}))
        events: list[dict] = []
        while (message := json.loads(line.recv())).get("method") != "Tracing.tracingComplete":
            events += message.get("params", {}).get("value", [])
        named = {(one["pid"], one["tid"]) for one in events if one.get("args", {}).get("name") == "CrRendererMain"}
        tasks: dict[tuple[int, int], list[float]] = {}
        for one in events:
            thread = one["pid"], one["tid"]
            if thread in named and one.get("ph") == "X" and one["name"].endswith("RunTask"):
                tasks.setdefault(thread, []).append(one["tdur"] / 1000)
        return max(tasks.values(), key=sum)


def stat_of(process: Path) -> list[str]:
    """The columns of a process's or thread's stat, behind its name."""
    return (process / "stat").read_text().rsplit(")", 1)[1].split()
