"""Lets every test import `oracles`, the second ways to each number.

They stand in a folder of their own: whatever lies in a folder on `sys.path` can be imported by its name, and a
folder of tests must never be taken for a package that is not installed.

How long an example takes is no property of ours, and on a busy machine it says nothing: no deadlines. Examples are
the same in each run, so that a verdict is one on the code; `--hypothesis-profile=others` draws others.

A shell without job control starts what ends in `&` with Ctrl-C ignored, and `nohup` ignores that a terminal closes;
programs of tests would inherit both.
"""

import gc
import signal
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile("others", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("any machine", settings.get_profile("others"), derandomize=True)
settings.load_profile("any machine")

for name in ("SIGINT", "SIGQUIT", "SIGHUP", "SIGTERM"):
    number = getattr(signal, name, None)
    if number is not None and signal.getsignal(number) is signal.SIG_IGN:
        signal.signal(number, signal.default_int_handler if name == "SIGINT" else signal.SIG_DFL)

sys.path.insert(0, str(Path(__file__).parent / "support"))


def pytest_collection_finish(session):
    """What stays for all tests (modules, the tests themselves) is not walked by each collection of garbage."""
    gc.collect()
    gc.freeze()


@pytest.fixture
def no_pictures(monkeypatch):
    """Runs are not drawn. The name is replaced where it is used: a module imported meanwhile would keep it."""
    from cnnspec.report import finished, plots

    monkeypatch.setattr(finished, "draw_run", lambda *parts, **named: plots.Pictures(()))
