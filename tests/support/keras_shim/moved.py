"""A fault on purpose: each weight is a thousandth larger in our plans, so that a test can see it found."""

from . import said


def pytest_configure(config) -> None:
    original = said.fill

    def fill(model, given, numbers) -> None:
        original(model, given, numbers)
        for name in given.weights:
            model.parameters[name] = model.parameters[name] * 1.001 + 1e-3

    said.fill = fill
