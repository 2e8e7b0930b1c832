"""The plans of all specs, byte by byte: a change that is to change no plan changes none.

python tests/codegen/test_golden.py --write          after a change that is meant to: plans.json anew
python tests/codegen/test_golden.py --write FOLDER   the plans themselves, to be compared by `diff -r`
"""

import hashlib
import json
import os
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from cnnspec.api import read_spec
from cnnspec.codegen.program import generate
from cnnspec.kernels import gemm
from cnnspec.passes import INFERENCE, MEASURE, TRAINING, run
from cnnspec.passes.decompose import attach_costs

SPECS = Path(__file__).parents[2] / "specs"
KEPT = Path(__file__).with_name("plans.json")
IMAGES = 3  # an odd number, of a batch of five
NAMES = sorted(path.relative_to(SPECS).as_posix() for path in SPECS.rglob("*.cnn"))


def plans(name):
    """The source of each plan of a spec, by its mode; that of a processor with AVX-512, wherever this runs."""
    gemm.WITHOUT_PACKING = True
    spec = read_spec(SPECS / name, input=None)
    if spec.symbolic:
        spec = read_spec(SPECS / name, input=(1, 28, 28))
    modes = {"infer": (spec.graph, INFERENCE)}
    if spec.train.cost:
        judged = attach_costs(spec.graph, spec.train.cost)
        modes |= {"train": (judged, TRAINING), "measure": (judged, MEASURE)}
    for mode, (graph, passes) in modes.items():
        source = generate(run(replace(graph, images=IMAGES, shards=2), passes), IMAGES, IMAGES + 2).source
        yield mode, source.replace(f"{SPECS}{os.sep}", "")  # wherever the checkout lies


def digests(name):
    return {mode: hashlib.sha256(source.encode()).hexdigest()[:16] for mode, source in plans(name)}


@pytest.fixture(autouse=True)
def this_processor(monkeypatch):
    monkeypatch.setattr(gemm, "WITHOUT_PACKING", gemm.WITHOUT_PACKING)  # and back again


@pytest.mark.parametrize("name", NAMES)
def test_the_plans_of_a_spec_are_what_they_were(name):
    kept = json.loads(KEPT.read_text(encoding="utf-8"))
    assert digests(name) == kept.get(name), f"where that is meant: python {Path(__file__).name} --write"


def test_no_plan_is_kept_of_a_spec_that_is_gone():
    assert list(json.loads(KEPT.read_text(encoding="utf-8"))) == NAMES


if __name__ == "__main__":
    if sys.argv[1:] == ["--write"]:
        text = json.dumps({name: digests(name) for name in NAMES}, indent=1)
        KEPT.write_text(text + "\n", encoding="utf-8")
    else:
        folder = Path(sys.argv[2])
        folder.mkdir(exist_ok=True)
        for name in NAMES:
            for mode, source in plans(name):
                (folder / f"{name.replace('/', '-')}-{mode}.py").write_text(source, encoding="utf-8")
