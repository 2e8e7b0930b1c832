"""The WebAssembly of JavaScript modules: texts give the bytes, and loops over runs what plain JavaScript gives."""

from __future__ import annotations

import base64
import itertools
import json
import re

import numpy as np
import pytest
import scripts

from cnnspec.targets.js import bundle, runs, simd, wat

MODULES = pytest.mark.parametrize(
    ("made", "text", "script", "literal"),
    [
        (simd.text(simd.FLOAT32), "products.wat", "simd.js", "PRODUCTS"),
        (simd.text(simd.FLOAT64), "products64.wat", "simd.js", "PRODUCTS64"),
        (runs.text(), "runs.wat", "runs.js", "RUNS"),
    ],
    ids=["float32", "float64", "runs"],
)


def code(script, literal):
    written = bundle.text_of(script).partition(f"{literal} =")[2].partition(";")[0]
    return base64.b64decode("".join(re.findall(r"^  '(.*?)'", written, re.MULTILINE)))


@MODULES
def test_the_text_is_that_of_its_writer(made, text, script, literal):
    assert bundle.text_of(text) == made


@MODULES
def test_the_bytes_are_those_of_the_text(made, text, script, literal):
    wasmtime = pytest.importorskip("wasmtime", reason="assembles the text")
    assert wat.without_names(bytes(wasmtime.wat2wasm(made))) == code(script, literal)


@MODULES
def test_a_page_may_compile_the_bytes_at_once(made, text, script, literal):
    assert len(code(script, literal)) < 4096, "what is larger some browsers compile only behind a promise"


PROGRAM = """
%s
const made = [];
for (const [c, h, w, n, values] of JSON.parse(readFileSync('cases.json'))) {
  const size = c * h * w * n, l = h * w * n, rows = h >> 1, columns = w >> 1;
  const found = [new Room(1 << 20, Float64Array), new SimdRoom(1 << 20, Float32Array, 8)].map((room) => {
    const results = {};
    // an array between sevens, which stay
    const array = (name, count, from = null) => {
      const whole = room.take(count + 8).fill(7), own = whole.subarray(3, 3 + count);
      own.set(from ?? new Array(count).fill(7));
      results[name] = whole;
      return own;
    };
    const x = array('x', size, values.x), mean = array('mean', c), variance = array('variance', c);
    const weight = array('weight', c, values.weight), bias = array('bias', c, values.bias);
    const add = array('add', size, values.add);
    batchMoments(room, x, mean, variance, c, l);
    const given = [x, mean, variance, weight, bias, 1e-5], mask = room.take(size, Uint8Array);
    normalise(room, ...given, array('plain', size), c, l);
    normalise(room, ...given, array('relu', size), c, l, { relu: true, reluMask: mask });
    normalise(room, ...given, array('add', size), c, l, { add });
    normalise(room, ...given, array('both', size), c, l, { add, relu: true });
    const own = array('over add', size, values.add); // a sum may be made in the memory of what is added
    normalise(room, ...given, own, c, l, { add: own });
    results.mask = mask;
    const dy = array('dy', size, values.dy), sums = [array('dweight', c), array('dbias', c)];
    batchNormGradient(room, dy, x, mean, variance, weight, 1e-5, ...sums, null, c, l);
    batchNormGradient(room, dy, x, mean, variance, weight, 1e-5, ...sums, array('dx', size), c, l);
    batchNormGradient(room, dy, x, mean, variance, weight, 1e-5, ...sums, dy, c, l); // in its own memory
    const window = { from: [c, h, w], to: [c, rows, columns] }, y = array('pooled', c * rows * columns * n);
    const steps = array('steps', size, values.steps);
    const dpooled = array('dpooled', y.length, values.add.slice(0, y.length));
    maxpool2(room, steps, y, n, window);
    maxpool2Gradient(room, dpooled, steps, y, array('shares', size), n, window);
    return Object.fromEntries(Object.entries(results).map(([name, array]) => [name, [...array]]));
  });
  made.push(found);
}
console.log(JSON.stringify(made));
"""


def test_loops_over_runs_of_every_size(tmp_path):
    """Runs of a multiple of four numbers and others; means far from 0; equal pixels; edges that no window sees."""
    generator, cases = np.random.default_rng(0), []
    for c, (h, w), n in itertools.product((1, 3), ((2, 2), (4, 6), (5, 7), (3, 4)), (1, 3, 4, 8, 20)):
        values = {name: generator.normal(size=c * h * w * n) for name in ("x", "add", "dy")}
        values |= {name: generator.normal(size=c) for name in ("weight", "bias")}
        values["x"] += 100 * (c > 1)
        values["steps"] = generator.integers(-1, 2, c * h * w * n)
        cases.append([c, h, w, n, {name: value.astype("float32").tolist() for name, value in values.items()}])
    (tmp_path / "cases.json").write_text(json.dumps(cases))
    program = "import { readFileSync } from 'node:fs';\n" + PROGRAM % bundle.used([PROGRAM])
    (tmp_path / "runs.mjs").write_text(program)
    found = json.loads(scripts.node("runs.mjs", tmp_path))
    for case, (want, mine) in zip(cases, found, strict=True):
        for name in want:
            exact = name in ("mask", "pooled", "shares", "steps")
            near = {"rtol": 0, "atol": 0} if exact else {"rtol": 3e-4, "atol": 3e-4}
            np.testing.assert_allclose(mine[name], want[name], **near, err_msg=f"{name} of {case[:4]}")
