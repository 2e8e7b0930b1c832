"""Four devices out of the processor, and an XLA that compiles quickly rather than well."""

import os
from pathlib import Path

import numpy as np
import pytest

SPECS = Path(__file__).parents[2] / "specs"
QUICK = "--xla_backend_optimization_level=0 --xla_llvm_disable_expensive_passes=true"
os.environ["XLA_FLAGS"] = f"--xla_force_host_platform_device_count=4 {QUICK}"


@pytest.fixture
def engines():
    """The same network on NumPy and on JAX, with the same parameters, none of them at a special value."""
    import cnnspec

    def pair(text, dtype="float64", devices=1, **settings):
        ours = cnnspec.compile(text=text, dtype=dtype, **settings)
        other = cnnspec.compile(text=text, dtype=dtype, engine="jax", devices=devices, **settings)
        generator = np.random.default_rng(1)
        for name, values in ours.parameters.items():
            noise = 0.1 * generator.normal(size=values.shape)
            ours.parameters[name] = other.parameters[name] = values + (abs(noise) if "var" in name else noise)
        return ours, other

    return pair


@pytest.fixture
def numbers():
    """Images and targets for a network: numbers of a normal distribution, classes where a cost wants them."""

    def drawn(model, batch=3, seed=0):
        generator = np.random.default_rng(seed)
        x = {name: generator.normal(size=(batch, *model.graph.type(name).shape)) for name in model.graph.inputs}
        y = {}
        for cost, name in zip(model.costs, model.judged, strict=True):
            kind = model.graph.type(name)
            classes = generator.integers(0, max(kind["c"], 2), (batch, *kind.spatial))
            judged_by_class = cost.word in ("cross_entropy", "hinge", "binary_cross_entropy")
            y[name] = classes if judged_by_class else generator.normal(size=(batch, *kind.shape))
            if cost.word == "binary_cross_entropy":
                y[name] = generator.integers(0, 2, (batch, *kind.shape)).astype("float64")
        return x, y

    return drawn
