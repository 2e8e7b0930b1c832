"""Runs without their pictures, which take most of the time of a small one."""

import pytest


@pytest.fixture(autouse=True)
def plain(no_pictures):
    """All of them."""
