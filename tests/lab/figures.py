"""What the lab and the page of a network take, measured in Chromium: `python tests/lab/figures.py`, two minutes.

    key      from a key in the text to findings and drawing
    pen      from a stroke on the pad to all maps and the account of the chosen number
    click    from a click on a map to the account of the number
    frame    between two frames while digits.cnn trains and its maps are drawn ten times a second
    task     of the page's own thread meanwhile, by processor time: what others take does not count
    pause    from the button to the worker's rest
    training images a second of one worker, and a second of its processor time
    sizes    of pages, and of a site as it is served

Times in milliseconds, median and 95th percentile. Frames, keys and images a second need a quiet machine.
"""

from __future__ import annotations

import gzip
import re
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "report"))
sys.path.insert(0, str(Path(__file__).parents[1] / "support"))
from browser import resize, start
from lab import Lab, served
from latencies import latencies
from threads import Threads

from cnnspec.resources import spec_files

FRAMES = 300
PAUSES = 12
KEYS = """
const done = arguments[0], area = document.getElementById('text'), text = area.value, found = [];
const frame = () => new Promise(requestAnimationFrame);
(async () => {
  for (let k = 0; k < 40; k++) {
    const began = performance.now();
    document.documentElement.dataset.ready = '';
    area.value = text.replace('conv 16x3x3', `conv ${8 + k}x3x3`);
    area.dispatchEvent(new Event('input'));
    while (document.documentElement.dataset.ready !== 'yes') await frame();
    await frame();
    found.push(performance.now() - began);
    await new Promise((go) => setTimeout(go, 30));
  }
  area.value = text;
  area.dispatchEvent(new Event('input'));
  done(found);
})();
"""
GAPS = """
const [count, done] = arguments, found = [];
let last = null;
requestAnimationFrame(function frame(now) {
  if (last !== null) found.push(now - last);
  last = now;
  if (found.length < count) requestAnimationFrame(frame);
  else done(found);
});
"""
PAUSE = """
const [count, done] = arguments, button = document.getElementById('start'), found = [];
const until = async (text) => { while (button.textContent !== text) await new Promise((go) => setTimeout(go, 1)); };
(async () => {
  for (let k = 0; k < count; k++) {
    const began = performance.now();
    button.click();
    await until('start');
    found.push(performance.now() - began);
    button.click();
    await until('pause');
    await new Promise((go) => setTimeout(go, 130 + 17 * k));
  }
  done(found);
})();
"""


def told(name: str, times: list[float], more: str = "") -> None:
    late = sorted(times)[int(0.95 * (len(times) - 1))]
    print(f"{name:<32} {statistics.median(times):7.1f} {late:7.1f}   {more}", flush=True)


def steps_of(lab) -> int:
    return int(re.search(r"step (\d+)", lab.text("progress"))[1])


def of_the_lab(driver) -> None:
    threads = Threads(driver)
    with served() as server:
        lab = Lab(driver, server.address)
        lab.choose("specs", "digits")
        lab.ready()
        told("key to drawing", driver.execute_async_script(KEYS))
        lab.ready()
        lab.trained("one-step")
        lab.find("#start").click()
        time.sleep(4)  # until its code is compiled
        gaps: list[float] = []
        first, before, began = steps_of(lab), threads.worked(), time.monotonic()
        tasks = threads.traced(lambda: gaps.extend(driver.execute_async_script(GAPS, FRAMES)))
        seconds, after, images = time.monotonic() - began, threads.worked(), 64 * (steps_of(lab) - first)
        above = sum(gap > 50 for gap in gaps)
        told("frame while training", gaps, f"{above} of {FRAMES} above 50, longest {max(gaps):.0f}")
        own = f"longest {max(tasks):.1f}, together {sum(tasks) / seconds / 10:.0f} % of a core"
        told("task of the page's thread", [one for one in tasks if one > 0.5], own)
        busy = max(after[name] - before.get(name, 0) for name in after if name.startswith("DedicatedWorker"))
        print(f"{'training':<32} {images / seconds:,.0f} images/s, {images / busy:,.0f} a second of processor time")
        told("pause", driver.execute_async_script(PAUSE, PAUSES), f"a step takes {64000 * busy / images:.0f}")
        heap = driver.execute_script("return performance.memory.usedJSHeapSize") / 2**20
        print(f"{'memory of the page':<32} {heap:.0f} MiB of JavaScript")


def of_pages(driver, folder: Path) -> None:
    for name in ("lenet5", "digits", "resnet20", "unet"):
        [path] = spec_files(f"{name}.cnn")
        spec, page = folder / f"{name}.cnn", folder / f"{name}.html"
        spec.write_text(path.read_text(encoding="utf-8").replace("source mnist", "source digits"), encoding="utf-8")
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        command = [sys.executable, "-m", "cnnspec", "report", str(spec), "-o", str(page)]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        took = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        size, most = page.stat().st_size / 1e6, after.ru_maxrss / 2**10
        print(f"report {name:<25} {took:.1f} s of processor time, {size:.1f} MB; so far at most {most:,.0f} MiB")
        if name == "unet":
            continue
        for what, (median, late) in latencies(driver, page).items():
            print(f"  {name}, {what:<21} {median:7.1f} {late:7.1f}", flush=True)


def of_site(folder: Path) -> None:
    command = [sys.executable, "-m", "cnnspec", "site", "-o", str(folder / "site")]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    sizes = [
        (len(data := path.read_bytes()), len(gzip.compress(data)))
        for path in (folder / "site").rglob("*")
        if path.is_file()
    ]
    whole, packed = (sum(column) / 1e6 for column in zip(*sizes, strict=True))
    print(f"{'site without Pyodide':<32} {len(sizes)} files, {whole:.1f} MB, {packed:.1f} MB gzipped")


def main() -> None:
    driver = start()
    driver.set_script_timeout(120)
    resize(driver, 1400, 900)
    print(f"load {Path('/proc/loadavg').read_text().split()[0]}; milliseconds: median, 95th percentile")
    with tempfile.TemporaryDirectory() as name:
        of_the_lab(driver)
        of_pages(driver, Path(name))
        of_site(Path(name))
    driver.quit()


if __name__ == "__main__":
    main()
