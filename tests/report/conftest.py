"""Tests of pages come in any order, and each finds a page of the same size."""

import pytest
from browser import restore


@pytest.fixture(autouse=True)
def _same_size():
    yield
    restore()
