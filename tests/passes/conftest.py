import pytest

from cnnspec.passes.methods import seconds


@pytest.fixture
def winograd_everywhere(monkeypatch):
    """Winograd's method along the width wherever it is possible, for tests of what follows from it."""
    monkeypatch.setattr(seconds, "WINOGRAD", (0.0, 0.0, -1.0))
