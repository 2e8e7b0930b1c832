"""A browser and a lab for the tests of a file."""

import pytest
from browser import resize, start
from lab import served


@pytest.fixture(scope="module")
def driver():
    made = start()
    resize(made, 1400, 900)
    yield made
    made.quit()


@pytest.fixture(scope="module")
def server():
    with served() as made:
        yield made
