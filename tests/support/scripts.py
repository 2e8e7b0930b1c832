"""JavaScript modules that are written by us, run in Node: calls of a network's methods, and what they give."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from cnnspec.train import tensors

DRIVER = """
import { readFileSync, writeFileSync } from 'node:fs';
const told = (v) => typeof v === 'number' && !Number.isFinite(v) ? String(v) : v ?? null;
const plain = (v) => ArrayBuffer.isView(v) ? Array.from(v, told) : Array.isArray(v) ? v.map(plain)
  : v && typeof v === 'object' ? Object.fromEntries(Object.entries(v).map(([k, x]) => [k, plain(x)])) : told(v);
const found = [];
for (const { module, weights, options, randoms, calls } of JSON.parse(readFileSync('jobs.json'))) {
  try {
    const { create } = await import(module);
    const drawn = randoms && randoms[Symbol.iterator]();
    if (drawn) options.random = () => drawn.next().value;
    const net = create(new Uint8Array(readFileSync(weights)), options);
    const results = [];
    for (const [method, ...args] of calls) {
      const given = await net[method](...args);
      results.push(plain(typeof given?.next === 'function' ? [...given] : given));
    }
    found.push(results);
  } catch (error) { found.push(String(error.stack)); }
}
writeFileSync('found.json', JSON.stringify(found));
"""


def need_node():
    if shutil.which("node") is None:
        pytest.skip("Node is not installed")


def node(program, folder):
    """Run a program in Node."""
    need_node()
    made = subprocess.run(["node", program], cwd=folder, capture_output=True, text=True, timeout=300)
    assert made.returncode == 0, made.stderr
    return made.stdout


def job(source, weights, calls, randoms=None, **options):
    """Calls [method, argument, ...] of the network of a module with some weights, in the order of the calls."""
    return {"source": source, "weights": weights, "calls": calls, "randoms": randoms, "options": options}


def run(folder: Path, jobs):
    """What each call of each job gives: numbers, or objects of them by name."""
    told = []
    for k, each in enumerate(jobs):
        (folder / f"{k}.mjs").write_text(each["source"], encoding="utf-8")
        tensors.write(folder / f"{k}.safetensors", each["weights"], {})
        given = {name: each[name] for name in ("options", "randoms", "calls")}
        told.append({"module": f"./{k}.mjs", "weights": f"{k}.safetensors", **given})
    (folder / "jobs.json").write_text(json.dumps(told, default=as_list))
    (folder / "driver.mjs").write_text(DRIVER, encoding="utf-8")
    node("driver.mjs", folder)
    found = json.loads((folder / "found.json").read_text())
    for results in found:
        assert not isinstance(results, str), results
    return found


def as_list(value):
    return np.asarray(value).reshape(-1).tolist()
