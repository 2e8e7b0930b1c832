"""Rows of a table with texts, given to a network that was written for elsewhere."""

from __future__ import annotations

import importlib.util
import json
import shutil
import subprocess

import numpy as np
import pytest

import cnnspec
from cnnspec.data.load import load
from cnnspec.data.preparation import preparation_of
from cnnspec.settings.data import Csv, Data
from cnnspec.targets.js.module import module_source as js_source
from cnnspec.targets.python.module import module_source
from cnnspec.targets.torch.module import torch_source

TEXTS = ("Oslo", 'Ro"me', "</script>", "${x}")
ASKED = [[3, 'Ro"me', 70.5], [1, "Oslo", 20], [2, "${x}", 9.25], [4, "</script>", 1]]
NAMES = ("rooms", "city", "area")


@pytest.fixture
def flats(tmp_path):
    """A model trained on the rows of a table, whose third column may have gaps."""
    rows = [["rooms", "city", "area", "price"]]
    rows += [[k % 5, TEXTS[k % 4], "" if k == 7 else k * 1.5, k] for k in range(40)]
    text = "\n".join(",".join(f'"{str(cell).replace(chr(34), chr(34) * 2)}"' for cell in row) for row in rows)
    (tmp_path / "flats.csv").write_text(text + "\n")

    def made(missing="mean"):
        settings = Data(source=Csv("flats.csv", label="price", target="numbers", missing=missing), normalise=True)
        data = load(settings, root=tmp_path)
        model = cnnspec.compile(text="input 6\ndense 4 -> tanh -> dense 1\ntrain { cost mae }", seed=1)
        model.preparation = preparation_of(data, settings)
        return model

    return made


def asked(model, tmp_path):
    """What our own `predict` says of the rows, out of a csv."""
    lines = [",".join(NAMES), *(",".join('"' + str(c).replace('"', '""') + '"' for c in row) for row in ASKED)]
    (tmp_path / "ask.csv").write_text("\n".join(lines) + "\n")
    return model.predict(model.prepare(tmp_path / "ask.csv"))


def imported(path, text):
    path.write_text(text)
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_module_of_numpy_takes_rows(flats, tmp_path):
    model = flats()
    arrays = {name: np.array(values) for name, values in model.parameters.items()}
    text = module_source(model.spec, arrays, embed=True, preparation=model.preparation)
    module = imported(tmp_path / "net.py", text)
    network, wanted = module.load(), asked(model, tmp_path)
    by_name = [dict(zip(NAMES, row, strict=True)) for row in ASKED]
    for rows in (ASKED, by_name, [tuple(map(str, row)) for row in ASKED]):
        np.testing.assert_allclose(network(module.encode(rows)), wanted, rtol=1e-5)
    assert [name for name, _ in module.FIELDS] == list(NAMES)
    (gap,) = module.encode([[None, "", ""]])
    assert np.isnan(gap[[0, 5]]).all() and not gap[1:5].any()
    assert np.isfinite(network(module.encode([[None, "", ""]]))).all()
    with pytest.raises(ValueError, match="city: 'Paris' is none of"):
        module.encode([[1, "Paris", 2]])
    with pytest.raises(KeyError):
        module.encode([{"rooms": 1}])
    whole = flats("drop")
    text = module_source(whole.spec, arrays, embed=True, preparation=whole.preparation)
    with pytest.raises(ValueError, match="area is missing"):
        imported(tmp_path / "whole.py", text).encode([[1, "Oslo", ""]])


def test_the_module_of_pytorch_takes_rows(flats, tmp_path):
    torch = pytest.importorskip("torch")
    model = flats()
    module = imported(tmp_path / "net.py", torch_source(model.graph, preparation=model.preparation))
    net = module.Net()
    net.load_state_dict({name: torch.tensor(np.array(values)) for name, values in model.parameters.items()})
    found = net(module.encode(ASKED)).detach().numpy()
    np.testing.assert_allclose(found, asked(model, tmp_path), rtol=1e-4)


@pytest.mark.skipif(shutil.which("node") is None, reason="Node.js, which runs the module, is not installed")
def test_the_module_of_javascript_takes_rows(flats, tmp_path):
    model = flats()
    arrays = {name: np.array(values) for name, values in model.parameters.items()}
    text = js_source(model.spec, arrays, embed=True, preparation=model.preparation, prepares=True)
    (tmp_path / "net.mjs").write_text(text)
    rows = json.dumps([ASKED[0], *(dict(zip(NAMES, row, strict=True)) for row in ASKED[1:])])
    script = (
        'import { create, encode } from "./net.mjs";\n'
        f"const found = create().predict(encode({rows}));\n"
        'let told = ""; try { encode([[1, "Paris", 2]]); } catch (error) { told = error.message; }\n'
        "console.log(JSON.stringify([Array.from(Object.values(found)[0]), told]));\n"
    )
    (tmp_path / "ask.mjs").write_text(script)
    ran = subprocess.run(["node", "ask.mjs"], cwd=tmp_path, capture_output=True, text=True, timeout=300, check=True)
    found, told = json.loads(ran.stdout)
    np.testing.assert_allclose(found, asked(model, tmp_path)[:, 0], rtol=1e-4)
    assert told.startswith("city: Paris is none of")


def test_a_table_of_numbers_and_other_data_have_none(flats):
    model = flats()
    arrays = {name: np.array(values) for name, values in model.parameters.items()}
    for text in (
        module_source(model.spec, arrays, embed=True),
        torch_source(model.graph),
        js_source(model.spec, arrays, embed=True),
    ):
        assert "FIELDS" not in text
