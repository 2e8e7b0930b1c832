"""The products of matrices of JavaScript modules: with WebAssembly and without it they are the same."""

from __future__ import annotations

import itertools
import json

import numpy as np
import pytest
import scripts

from cnnspec.api import read_spec
from cnnspec.model import Model
from cnnspec.targets.js import bundle
from cnnspec.targets.js.module import module_source

SIZES = (1, 2, 3, 4, 7, 8, 13)


PROGRAM = """
%s
const rooms = [new Room(1 << 20, Float64Array)];
for (const Real of [Float64Array, Float32Array]) rooms.push(new SimdRoom(1 << 20, Real, 64));
const made = [];
for (const room of rooms)
  for (const [m, k, n, turned, a, b, c] of JSON.parse(readFileSync('cases.json'))) {
    room.used = 'packed' in room ? room.packed + 32 * 64 + 128 : 0;
    const A = room.take(m * k + 3), B = room.take(k * n + 5), C = room.take(m * n + 9), D = room.take(m * n + 7);
    A.set(a, 3); B.set(b, 5); C.fill(7); D.fill(7);
    room.product(A, 3, turned ? 1 : k, turned ? m : 1, B, 5, n, C, 4, n, m, k, n);
    const T = room.take(n * k);
    for (let i = 0; i < k; i++) for (let j = 0; j < n; j++) T[j * k + i] = b[i * n + j];
    D.set(c, 2);
    if (!turned) room.dots(A, 3, k, T, 0, k, D, 2, n, m, n, k);
    made.push([...C], [...D]);
  }
console.log(JSON.stringify(made));
"""


def test_products_of_every_size(tmp_path):
    """Beside every result stand sevens, which stay."""
    generator = np.random.default_rng(0)
    cases, expected = [], []
    for (m, k, n), turned in itertools.product(itertools.product(SIZES, repeat=3), (0, 1)):
        a, b, c = (generator.normal(size=size) for size in ((m, k), (k, n), (m, n)))
        cases.append([m, k, n, turned, *((x.reshape(-1)).tolist() for x in (a.T if turned else a, b, c))])
        product = (a @ b).reshape(-1)
        sevens = [np.full(count, 7.0) for count in (4, 5, 2, 5)]
        expected.append(np.concatenate([sevens[0], product, sevens[1]]))
        expected.append(np.concatenate([sevens[2], c.reshape(-1) + product * (not turned), sevens[3]]))
    (tmp_path / "cases.json").write_text(json.dumps(cases))
    used = bundle.used(["Room SimdRoom"])
    (tmp_path / "products.mjs").write_text("import { readFileSync } from 'node:fs';\n" + PROGRAM % used)
    found = json.loads(scripts.node("products.mjs", tmp_path))
    assert len(found) == 3 * len(expected)
    for k, mine in enumerate(found):
        near = 1e-12 if k < 2 * len(expected) else 1e-5
        np.testing.assert_allclose(mine, expected[k % len(expected)], rtol=near, atol=near)


SPEC = """
input 3x9x10
conv 10x3x3 pad same bias off -> bn -> relu -> maxpool 2 -> conv 9x3x2 groups 1 -> dwconv 2x2 stride 2 -> gelu
  -> dense 7 -> relu -> dense 3 -> softmax
"""


@pytest.mark.parametrize("simd", [True, False])
def test_float32_predicts_and_learns_as_numpy(tmp_path, simd):
    """Batches of several sizes, the largest last: the memory grows, and what was learnt stays."""
    generator = np.random.default_rng(3)
    x, y = generator.normal(size=(40, 3, 9, 10)).astype("float32"), generator.integers(0, 3, 40)
    with Model(read_spec(text=SPEC), workers=1, batch=40, seed=1) as model:
        before = {name: values.copy() for name, values in model.parameters.items()}
        source = module_source(model.spec, before, train=True)
        batches = [slice(0, 1), slice(1, 7), slice(7, 40)]
        costs = [model.learn(x[chosen], y[chosen])[0] for chosen in batches]
        answers = model.predict(x)
    calls = [["learn", x[chosen], y[chosen]] for chosen in batches] + [["predict", x], ["predict", x[:1]]]
    (found,) = scripts.run(tmp_path, [scripts.job(source, before, calls, simd=simd)])
    np.testing.assert_allclose([done["cost"] for done in found[:3]], costs, rtol=1e-3)
    np.testing.assert_allclose(found[3]["softmax1"], answers.reshape(-1), rtol=1e-2, atol=1e-3)
    np.testing.assert_allclose(found[4]["softmax1"], answers[0], rtol=1e-2, atol=1e-3)
