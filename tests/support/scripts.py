"""JavaScript modules that are written by us, run in Node or in a page: calls of a network, and what they give."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from cnnspec.train import tensors

CALLS = """
const told = (v) => typeof v === 'number' && !Number.isFinite(v) ? String(v) : v ?? null;
const plain = (v) => ArrayBuffer.isView(v) ? Array.from(v, told) : Array.isArray(v) ? v.map(plain)
  : v && typeof v === 'object' ? Object.fromEntries(Object.entries(v).map(([k, x]) => [k, plain(x)])) : told(v);
async function called({ create }, weights, { options, randoms, calls }) {
  const drawn = randoms && randoms[Symbol.iterator]();
  if (drawn) options.random = () => drawn.next().value;
  const net = create(weights, options), results = [];
  for (const [method, ...args] of calls) {
    const given = await net[method](...args);
    results.push(plain(typeof given?.next === 'function' ? [...given] : given));
  }
  return results;
}
"""
NODE = (
    CALLS
    + """
import { readFileSync, writeFileSync } from 'node:fs';
const found = [];
for (const job of JSON.parse(readFileSync('jobs.json'))) {
  try {
    found.push(await called(await import(job.module), new Uint8Array(readFileSync(job.weights)), job));
  } catch (error) { found.push(String(error.stack)); }
}
writeFileSync('found.json', JSON.stringify(found));
"""
)
PAGE = (
    CALLS
    + """
const [jobs, done] = arguments, found = [];
const bytes = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
(async () => {
  for (const job of JSON.parse(jobs)) {
    try {
      const address = URL.createObjectURL(new Blob([job.source], { type: 'text/javascript' }));
      found.push(await called(await import(address), bytes(job.weights), job));
    } catch (error) { found.push(String(error.stack)); }
  }
  done(JSON.stringify(found));
})();
"""
)


def there():
    return shutil.which("node") is not None


def need_node():
    if not there():
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
        (folder / f"{k}.safetensors").write_bytes(packed(each["weights"]))
        given = {name: each[name] for name in ("options", "randoms", "calls")}
        told.append({"module": f"./{k}.mjs", "weights": f"{k}.safetensors", **given})
    (folder / "jobs.json").write_text(json.dumps(told, default=as_list))
    (folder / "driver.mjs").write_text(NODE, encoding="utf-8")
    node("driver.mjs", folder)
    return whole(json.loads((folder / "found.json").read_text()))


def run_in_page(driver, jobs):
    """The same in a page of a browser."""
    told = [{**each, "weights": base64.b64encode(packed(each["weights"])).decode()} for each in jobs]
    driver.set_script_timeout(100)
    return whole(json.loads(driver.execute_async_script(PAGE, json.dumps(told, default=as_list))))


def packed(weights):
    return b"".join(map(bytes, tensors.contents(weights, {})))


def whole(found):
    for results in found:
        assert not isinstance(results, str), results
    return found


def as_list(value):
    return np.asarray(value).reshape(-1).tolist()
