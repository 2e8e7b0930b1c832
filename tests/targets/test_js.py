"""JavaScript modules against the definitions and the NumPy engine, in float64."""

from __future__ import annotations

import numpy as np
import pytest
import scripts
from networks import STRUCTURES, engine_for, examples, outputs_of, values_for

from cnnspec.api import read_spec
from cnnspec.targets.js.module import module_source

TEXTS = {**examples(), **STRUCTURES}
CLOSE = {"rtol": 1e-9, "atol": 1e-9}


@pytest.fixture(scope="module")
def predicted(tmp_path_factory):
    """What each network gives in JavaScript, and in NumPy."""
    scripts.need_node()
    jobs, wanted = [], []
    for text in TEXTS.values():
        spec = read_spec(text=text)
        engine = engine_for(spec.graph)
        given = values_for(spec.graph)
        calls = [["predict", given]]
        jobs.append(scripts.job(module_source(spec, engine.parameters), engine.parameters, calls, dtype="float64"))
        wanted.append(dict(zip(spec.graph.outputs, outputs_of(engine, given), strict=True)))
    found = scripts.run(tmp_path_factory.mktemp("predicted"), jobs)
    return dict(zip(TEXTS, zip(found, wanted, strict=True), strict=True))


@pytest.mark.parametrize("name", TEXTS)
def test_predicts_as_numpy(predicted, name):
    (found,), wanted = predicted[name]
    assert found.keys() == wanted.keys()
    for output, values in wanted.items():
        np.testing.assert_allclose(found[output], values.reshape(-1), **CLOSE)
