"""How quickly the page of a network answers, measured in Chromium: `python tests/report/latencies.py PAGE ...`.

    pen     from a stroke on the pad to all maps and the account of the chosen number
    click   from a click on a map to the account of the number, laid out
    keys    the same by an arrow key
    layer   from a choice of a layer to its maps
    change  from another number of a kernel to all maps

Median and 95th percentile in milliseconds, the size of the page, and the memory of its JavaScript.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))
from browser import resize, show, start

TIMES = 40
LATENCY = """
const [what, times] = arguments, done = arguments[arguments.length - 1], root = document.documentElement;
const laidOut = () => document.body.offsetHeight;
const ready = () => new Promise((go) => {
    if (root.dataset.ready === 'yes') return go();
    const watch = new MutationObserver(() => root.dataset.ready === 'yes' && (watch.disconnect(), go()));
    watch.observe(root, { attributes: true });
});
const choose = document.getElementById('choose'), places = (k, size) => (k * 37) % size;
const acts = {
    pen(k) {
        const pad = document.getElementById('pad'), { left, top } = pad.getBoundingClientRect();
        const [x, y] = [places(k, 150), places(3 * k, 150)];
        const at = { clientX: left + 20 + x, clientY: top + 20 + y, pointerId: 1, bubbles: true };
        pad.setPointerCapture = () => {};
        pad.hasPointerCapture = () => true;
        if (!k) pad.dispatchEvent(new PointerEvent('pointerdown', at));
        pad.dispatchEvent(new PointerEvent('pointermove', at));
    },
    click(k) {
        const frames = document.querySelectorAll('#maps .frame'), over = frames[places(k, frames.length)];
        const { left, top, width, height } = over.firstChild.getBoundingClientRect();
        const at = { clientX: left + places(5 * k, width), clientY: top + places(7 * k, height) };
        over.dispatchEvent(new MouseEvent('click', at));
    },
    keys(k) {
        const over = document.querySelector('#maps .frame[tabindex="0"]');
        over.dispatchEvent(new KeyboardEvent('keydown', { key: k % 9 ? 'ArrowRight' : 'ArrowDown' }));
    },
    layer(k) {
        choose.selectedIndex = places(k, choose.options.length);
        choose.dispatchEvent(new Event('change'));
    },
    change() {
        document.getElementById('silence').click();
    },
};
(async () => {
    const found = [];
    for (let k = 0; k < times; k++) {
        const began = performance.now();
        acts[what](k);
        await ready();
        laidOut();
        found.push(performance.now() - began);
        await new Promise((go) => setTimeout(go, 20));
    }
    done(found);
})();
"""


def latencies(driver, page: Path, place: str = "") -> dict[str, tuple[float, float]]:
    """Median and 95th percentile of each, in milliseconds."""
    found = {}
    for what in ("click", "keys", "layer", "pen", "change"):
        show(driver, page, place)
        if what == "pen" and not driver.find_element("id", "own").is_displayed():
            continue
        if what == "change" and not driver.find_element("id", "silence").is_displayed():
            continue
        times = sorted(driver.execute_async_script(LATENCY, what, TIMES))
        found[what] = times[len(times) // 2], times[int(0.95 * len(times))]
    return found


def main() -> None:
    driver = start()
    driver.set_script_timeout(120)
    resize(driver, 1400, 900)
    for name in sys.argv[1:]:
        path, _, place = name.partition("#")
        told = latencies(driver, Path(path).resolve(), place)
        memory = driver.execute_script("return performance.memory.usedJSHeapSize") / 1e6
        size = Path(path).stat().st_size / 1e6
        cells = ", ".join(f"{what} {median:.1f} ({late:.1f})" for what, (median, late) in told.items())
        print(f"{path}: {cells}; {size:.1f} MB, heap {memory:.0f} MB", flush=True)
    driver.quit()


if __name__ == "__main__":
    main()
