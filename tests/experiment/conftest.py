"""Runs without their pictures, which take most of the time of a small one."""

import pytest

from cnnspec.report import plots


@pytest.fixture(autouse=True)
def no_pictures(monkeypatch):
    monkeypatch.setattr(plots, "draw_run", lambda *parts, **named: plots.Pictures(()))
